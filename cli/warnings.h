/* warnings.h - what is wrong with nodes that are up, as far as it can be seen from here. */
#ifndef CLI_WARNINGS_H
#define CLI_WARNINGS_H

#include "survey.h"

/* Of one node; all that can be wrong with it at once, and a few to spare. */
#define WARNINGS_MAX (8 * REDLOCK_NODES_MAX)

struct warning {
	const char *address; /* Of the node, in the survey; "" if it is about all of them. */
	char text[256];	     /* What is so, and what to do. */
};

struct warnings {
	size_t count;
	struct warning at[WARNINGS_MAX];
};

/* In the order of the nodes. The survey must stay as it is meanwhile. */
void warnings_find(struct warnings *warnings, const struct survey *survey);

#endif
