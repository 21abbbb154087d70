/* terminal.c - lends the terminal to COMMAND when it asks for it. */
#include "terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int terminal_open(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* From the background this is allowed as SIGTTOU is blocked or ignored here. */
static bool pass(const struct terminal *terminal, pid_t from, pid_t to)
{
	return terminal->fd >= 0 && from > 0 && to > 0 && tcgetpgrp(terminal->fd) == from &&
	       tcsetpgrp(terminal->fd, to) == 0;
}

bool terminal_lend(const struct terminal *terminal, pid_t group, int signum)
{
	bool asks = signum == SIGTTIN || signum == SIGTTOU;
	if (asks && pass(terminal, terminal->tool_group, group)) {
		kill(-group, SIGCONT);
		return true;
	}
	bool of_job = asks || signum == SIGTSTP;
	return !of_job || terminal->fd < 0;
}

void terminal_return(const struct terminal *terminal, pid_t group)
{
	pass(terminal, group, terminal->tool_group);
}
