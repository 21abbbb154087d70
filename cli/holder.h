/* holder.h - who holds a resource, judged from what the nodes say; pure. */
#ifndef CLI_HOLDER_H
#define CLI_HOLDER_H

#include "survey.h"

enum holder_state {
	HOLDER_FREE,   /* A quorum says that nobody has it. */
	HOLDER_HELD,   /* One owner has it on a quorum. */
	HOLDER_SPLIT,  /* Nobody has a quorum, and too few nodes are free for one. */
	HOLDER_UNKNOWN /* Too few nodes answered to tell. */
};

struct holder {
	enum holder_state state;
	const char *owner;    /* Abbreviated, of the owner with most nodes; NULL without one. */
	size_t nodes;	      /* How many nodes it has. */
	int64_t remaining_ms; /* Until it has no quorum any more; -1: unknown or never. */
	char text[256];
};

void holder_find(struct holder *holder, const struct survey *survey);
const char *holder_state_name(enum holder_state state);

#endif
