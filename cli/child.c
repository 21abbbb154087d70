/* child.c - COMMAND itself: fork, set up, execute.
 *
 * The child waits for one byte before it executes anything. By then the tool
 * has been told its process id, so from its first instruction on there is no
 * moment when nobody alive would know what to kill. If the guardian dies before
 * that, the pipe ends and the child with it. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Exit code of a child that did not become COMMAND; nobody is told of it. */
#define CHILD_FAILED 127

static void set_number(const char *name, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, number);
	setenv(name, text, 1);
}

/* One of an outer `redlock run` would be taken for ours. */
static void set_or_unset(const char *name, bool is_set, uint64_t number)
{
	if (is_set) {
		set_number(name, number);
	} else {
		unsetenv(name);
	}
}

static void set_environment(const struct command *command, const struct order *order)
{
	setenv("REDLOCK_NAME", command->lock_name, 1);
	setenv("REDLOCK_TOKEN", order->token, 1);
	set_number("REDLOCK_TTL_MS", command->ttl_ms);
	set_or_unset("REDLOCK_FENCE", order->fence != 0, order->fence);
	set_or_unset("REDLOCK_SLOT", order->slot >= 0, (uint64_t)order->slot);
}

/* Die with the guardian, where the system can do that. */
static void follow_parent(pid_t guardian)
{
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != guardian) {
		_exit(CHILD_FAILED);
	}
}

static _Noreturn void become(const struct command *command, const struct order *order, int go_fd,
			     int refusal_fd, pid_t guardian)
{
	char word;
	setpgid(0, 0);
	follow_parent(guardian);
	set_environment(command, order);
	if (read(go_fd, &word, 1) != 1) {
		_exit(CHILD_FAILED);
	}
	sigprocmask(SIG_SETMASK, &command->signals, NULL);
	execvp(command->argv[0], command->argv);
	int error = errno;
	ssize_t written = write(refusal_fd, &error, sizeof error);
	(void)written;
	_exit(CHILD_FAILED);
}

static void close_pair(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

int child_fork(struct child *child, const struct command *command, const struct order *order)
{
	int go[2];
	int refusal[2];
	pid_t guardian = getpid();
	if (pipe2(go, O_CLOEXEC) != 0) {
		return errno;
	}
	if (pipe2(refusal, O_CLOEXEC) != 0) {
		int error = errno;
		close_pair(go);
		return error;
	}
	child->pid = fork();
	if (child->pid == 0) {
		close(go[1]);
		become(command, order, go[0], refusal[1], guardian);
	}
	int error = child->pid < 0 ? errno : 0;
	close(go[0]);
	close(refusal[1]);
	child->go_fd = go[1];
	child->refusal_fd = refusal[0];
	if (error != 0) {
		close(go[1]);
		close(refusal[0]);
		return error;
	}
	/* The child does the same; whoever comes first, nobody sees it undone. */
	setpgid(child->pid, child->pid);
	return 0;
}

void child_go(struct child *child)
{
	/* Fails if the child has died already, which its wait status will tell;
	 * SIGPIPE is blocked here like all signals. */
	ssize_t written = write(child->go_fd, "g", 1);
	(void)written;
	close(child->go_fd);
	child->go_fd = -1;
}
