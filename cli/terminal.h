/* terminal.h - lends the terminal to COMMAND when it asks for it.
 *
 * COMMAND runs in a process group of its own, in the background of the
 * terminal: it may write, and Ctrl-C and Ctrl-Z reach the tool, which passes
 * them on, and all others of the same job, as people expect of a pipe or a
 * script. Only when it reads the terminal or changes its settings does the
 * kernel stop it with SIGTTIN or SIGTTOU; then the terminal is lent to it, if
 * it is the tool's to lend. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

struct terminal {
	int fd; /* The controlling terminal, or -1. */
	pid_t tool_group;
};

/* The controlling terminal, or -1. Not inherited by programs. */
int terminal_open(void);

/* COMMAND's group was stopped by @signum. True if the stop is dealt with; false
 * if the tool has to stop as well, as the whole job would. When that is continued
 * in the foreground, COMMAND asks again. */
bool terminal_lend(const struct terminal *terminal, pid_t group, int signum);

/* COMMAND's group is over: the terminal is the tool's again. */
void terminal_return(const struct terminal *terminal, pid_t group);

#endif
