/* guardian.c - the process between the tool and COMMAND.
 *
 *     tool ----socket---- guardian ----fork---- COMMAND and its process group
 *
 * A command must never run without the lock. The tool alone cannot see to that:
 * it may be killed, stopped or starved. The guardian does one thing:
 *   1. The socket ends, so the tool is dead: KILL the group.
 *   2. It knows when the lease ends and keeps the time itself: TERM at term_at,
 *      KILL at kill_at, unless the tool has told of a renewal before. A tool
 *      that cannot tell (stopped, swapped out) has the command ended in time.
 *   3. When COMMAND ends and leaves others of its group behind, they get TERM
 *      and, after the grace, KILL. Only then the tool learns of the end, and
 *      gives the lock back.
 * All signals are blocked, it is in a group of its own, and it outlives the
 * tool only to clean up. If somebody kills the guardian, COMMAND dies with it
 * (PR_SET_PDEATHSIG, Linux) and the tool kills the group.
 *
 * Process ids are safe to signal: COMMAND is our child, so its id stays taken
 * until we reap it, and the group's until its last member is gone. What leaves
 * the group (setsid, a daemon) is not followed. */
#include "guardian.h"

#include "child.h"
#include "clock.h"
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Look at the clock this often at least: poll() does not count the time that
 * the machine slept. */
#define LOOK_MS 200
/* Pause between looks while waiting for processes that are not our children. */
#define LINGER_MS 5
/* A process with KILL pending runs no further instruction of its own. Longer
 * than this we do not wait for its remains to be reaped by whoever has to. */
#define REMAINS_MS 2000

struct guardian {
	const struct command *command;
	int socket;
	sigset_t waiting; /* Signal mask while waiting: SIGCHLD gets through. */
	struct child child;
	pid_t group; /* 0 until COMMAND is started. */
	uint64_t term_at_ms;
	uint64_t kill_at_ms;
	bool ending; /* TERM was sent: news of the lease change nothing any more. */
	bool killed;
	uint64_t killed_at_ms;
	bool for_lease;
	bool leader_gone;
	int leader_status;
	int refusal; /* errno of the execution, or 0. */
	bool stop_asked;
	struct terminal terminal;
};

static void on_child(int signum)
{
	(void)signum;
}

static void tell(const struct guardian *guardian, enum news_kind kind, int value)
{
	struct news news = {.kind = kind, .value = value, .for_lease = guardian->for_lease};
	/* A tool that is gone shows as the end of the socket. */
	send(guardian->socket, &news, sizeof news, MSG_NOSIGNAL);
}

static void signal_group(const struct guardian *guardian, int signum)
{
	if (guardian->group > 0) {
		kill(-guardian->group, signum);
	}
}

static bool group_gone(const struct guardian *guardian)
{
	return kill(-guardian->group, 0) != 0 && errno == ESRCH;
}

static void kill_group(struct guardian *guardian)
{
	if (guardian->group == 0) {
		return;
	}
	signal_group(guardian, SIGKILL);
	guardian->ending = true;
	if (!guardian->killed) {
		guardian->killed = true;
		guardian->killed_at_ms = clock_ms();
	}
}

/* TERM, and KILL after the grace or when the lease ends, whatever is first. */
static void end_group(struct guardian *guardian, uint64_t now_ms)
{
	uint64_t grace_ends_ms = now_ms + guardian->command->grace_ms;
	if (guardian->kill_at_ms > grace_ends_ms) {
		guardian->kill_at_ms = grace_ends_ms;
	}
	guardian->ending = true;
	signal_group(guardian, SIGTERM);
	/* A stopped process cannot end itself. */
	signal_group(guardian, SIGCONT);
}

static void start(struct guardian *guardian, const struct order *order)
{
	if (guardian->group != 0) {
		return;
	}
	guardian->term_at_ms = order->term_at_ms;
	guardian->kill_at_ms = order->kill_at_ms;
	int error = child_fork(&guardian->child, guardian->command, order);
	if (error != 0) {
		tell(guardian, NEWS_REFUSED, error);
		return;
	}
	guardian->group = guardian->child.pid;
	tell(guardian, NEWS_STARTED, guardian->child.pid);
	child_go(&guardian->child);
}

static void obey(struct guardian *guardian, const struct order *order)
{
	switch (order->kind) {
	case ORDER_START:
		start(guardian, order);
		break;
	case ORDER_LEASE:
		if (!guardian->ending) {
			guardian->term_at_ms = order->term_at_ms;
			guardian->kill_at_ms = order->kill_at_ms;
		}
		break;
	case ORDER_SIGNAL:
		guardian->stop_asked = guardian->stop_asked || order->signum == SIGTSTP;
		signal_group(guardian, order->signum);
		break;
	case ORDER_RESUME:
		guardian->stop_asked = false;
		signal_group(guardian, SIGCONT);
		break;
	case ORDER_KILL:
		guardian->for_lease = guardian->for_lease || !guardian->leader_gone;
		kill_group(guardian);
		break;
	}
}

/* False when the tool is gone. */
static bool hear_tool(struct guardian *guardian)
{
	struct order order;
	for (;;) {
		ssize_t got = recv(guardian->socket, &order, sizeof order, MSG_DONTWAIT);
		if (got == (ssize_t)sizeof order) {
			obey(guardian, &order);
		} else if (got >= 0 || errno != EINTR) {
			return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
		}
	}
}

/* The pipe brings an errno, or ends when COMMAND has begun to execute. */
static void hear_refusal(struct guardian *guardian)
{
	int error = 0;
	if (read(guardian->child.refusal_fd, &error, sizeof error) == (ssize_t)sizeof error) {
		guardian->refusal = error;
	}
	close(guardian->child.refusal_fd);
	guardian->child.refusal_fd = -1;
}

static void watch_stop(struct guardian *guardian)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)guardian->group, &info, WSTOPPED | WNOHANG) != 0 ||
	    info.si_pid == 0 || guardian->stop_asked) {
		return;
	}
	if (!terminal_lend(&guardian->terminal, guardian->group, info.si_status)) {
		tell(guardian, NEWS_STOPPED, info.si_status);
	}
}

/* While COMMAND is not reaped its process id cannot be given to anybody else:
 * this is the moment to turn to what it left behind. */
static void watch_exit(struct guardian *guardian)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)guardian->group, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid != 0 && !guardian->ending) {
		end_group(guardian, clock_ms());
	}
}

static void reap(struct guardian *guardian)
{
	int status;
	pid_t pid;
	if (!guardian->leader_gone) {
		watch_stop(guardian);
		watch_exit(guardian);
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == guardian->group) {
			guardian->leader_gone = true;
			guardian->leader_status = status;
		}
	}
}

static void watch_clock(struct guardian *guardian)
{
	uint64_t now_ms = clock_ms();
	if (now_ms >= guardian->kill_at_ms) {
		guardian->for_lease = guardian->for_lease || !guardian->leader_gone;
		kill_group(guardian);
	} else if (now_ms >= guardian->term_at_ms && !guardian->ending) {
		guardian->for_lease = true;
		end_group(guardian, now_ms);
		tell(guardian, NEWS_ENDING, 0);
	}
}

static bool all_gone(const struct guardian *guardian)
{
	if (!guardian->leader_gone) {
		return false;
	}
	return group_gone(guardian) ||
	       (guardian->killed && clock_ms() >= guardian->killed_at_ms + REMAINS_MS);
}

static int pause_ms(const struct guardian *guardian)
{
	uint64_t now_ms = clock_ms();
	uint64_t next_ms = guardian->ending ? guardian->kill_at_ms : guardian->term_at_ms;
	if (guardian->group == 0) {
		return -1;
	}
	if (guardian->killed || guardian->leader_gone) {
		return LINGER_MS;
	}
	if (next_ms <= now_ms) {
		return 0;
	}
	return next_ms - now_ms < LOOK_MS ? (int)(next_ms - now_ms) : LOOK_MS;
}

/* Wait for the tool, for COMMAND or for the time. False when the tool is gone. */
static bool wait_for_any(struct guardian *guardian)
{
	struct pollfd polled[] = {
		{.fd = guardian->socket, .events = POLLIN},
		{.fd = guardian->child.refusal_fd, .events = POLLIN},
	};
	int ms = pause_ms(guardian);
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	if (ppoll(polled, 2, ms < 0 ? NULL : &pause, &guardian->waiting) <= 0) {
		return true;
	}
	if (polled[1].revents != 0) {
		hear_refusal(guardian);
	}
	return polled[0].revents == 0 || hear_tool(guardian);
}

static void watch_command(struct guardian *guardian)
{
	while (wait_for_any(guardian)) {
		if (guardian->group == 0) {
			continue;
		}
		reap(guardian);
		watch_clock(guardian);
		if (all_gone(guardian)) {
			return;
		}
	}
	/* The tool is dead. */
	kill_group(guardian);
	while (guardian->group > 0 && !all_gone(guardian)) {
		kill_group(guardian);
		reap(guardian);
		clock_sleep_ms(LINGER_MS);
	}
}

static void prepare(struct guardian *guardian)
{
	struct sigaction action = {.sa_handler = on_child};
	setpgid(0, 0);
	sigaction(SIGCHLD, &action, NULL);
	sigfillset(&guardian->waiting);
	sigdelset(&guardian->waiting, SIGCHLD);
#ifdef __linux__
	/* Orphans of the command become ours, so that they are reaped in time. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "redlock-guard");
#endif
}

void guardian_run(const struct command *command, int socket)
{
	struct guardian guardian = {
		.command = command,
		.socket = socket,
		.child = {.go_fd = -1, .refusal_fd = -1},
		.terminal = {.fd = command->terminal, .tool_group = command->tool_group},
	};
	prepare(&guardian);
	watch_command(&guardian);
	terminal_return(&guardian.terminal, guardian.group);
	if (guardian.child.refusal_fd >= 0) {
		/* Its end may have been seen before its last words. */
		hear_refusal(&guardian);
	}
	if (guardian.refusal != 0) {
		tell(&guardian, NEWS_REFUSED, guardian.refusal);
	} else if (guardian.group > 0) {
		tell(&guardian, NEWS_GONE, guardian.leader_status);
	}
	_exit(0);
}
