/* child.h - COMMAND itself: fork, set up, execute. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include "guardian.h"

struct child {
	pid_t pid;	/* Also its process group. */
	int go_fd;	/* Close after writing a byte: COMMAND may start. */
	int refusal_fd; /* Becomes readable with an errno, or ends when it runs. */
};

/* Fork a child that waits for the word to go. Returns 0 or an errno. */
int child_fork(struct child *child, const struct command *command, const struct order *order);
void child_go(struct child *child);

#endif
