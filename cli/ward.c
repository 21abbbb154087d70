/* ward.c - the tool's end of the guardian. */
#include "ward.h"

#include "clock.h"
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* How long to wait for the remains of a group whose guardian was killed. */
#define REMAINS_MS 2000
#define LINGER_MS 5

int ward_fork(struct ward *ward, const struct command *command)
{
	int ends[2];
	sigset_t all;
	sigset_t before;
	*ward = (struct ward){.socket = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
		return errno;
	}
	/* The guardian starts with every signal blocked: there is no moment when
	 * Ctrl-C could end it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	ward->guardian = fork();
	if (ward->guardian == 0) {
		close(ends[0]);
		guardian_run(command, ends[1]);
	}
	int error = ward->guardian < 0 ? errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	ward->socket = ends[0];
	if (error != 0) {
		close(ward->socket);
		ward->guardian = 0;
		return error;
	}
	setpgid(ward->guardian, ward->guardian);
#ifdef __linux__
	/* Should the guardian be killed, what it guarded becomes our child. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
	return 0;
}

/* The guardian was killed: do its work. Blocks for a short time at most; there
 * is nothing more important to do. */
static void take_over(struct ward *ward)
{
	uint64_t until_ms = clock_ms() + REMAINS_MS;
	if (ward->group == 0) {
		return;
	}
	while (kill(-ward->group, SIGKILL) == 0 && clock_ms() < until_ms) {
		while (waitpid(-ward->group, NULL, WNOHANG) > 0) {
		}
		clock_sleep_ms(LINGER_MS);
	}
}

static void end(struct ward *ward, const struct news *news)
{
	ward->over = true;
	uv_poll_stop(&ward->poll);
	ward->cb(ward, news, ward->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct ward *ward = poll->data;
	struct news news;
	(void)status;
	(void)events;
	while (!ward->over) {
		ssize_t got = recv(ward->socket, &news, sizeof news, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			return;
		}
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got != (ssize_t)sizeof news) {
			take_over(ward);
			end(ward, NULL);
			return;
		}
		if (news.kind == NEWS_STARTED) {
			ward->group = news.value;
		}
		if (news.kind == NEWS_GONE || news.kind == NEWS_REFUSED) {
			end(ward, &news);
			return;
		}
		ward->cb(ward, &news, ward->data);
	}
}

int ward_watch(struct ward *ward, uv_loop_t *loop, ward_cb cb, void *data)
{
	ward->cb = cb;
	ward->data = data;
	int error = uv_poll_init(loop, &ward->poll, ward->socket);
	if (error != 0) {
		return error;
	}
	ward->poll.data = ward;
	ward->polling = true;
	return uv_poll_start(&ward->poll, UV_READABLE | UV_DISCONNECT, on_readable);
}

void ward_order(struct ward *ward, const struct order *order)
{
	/* If the guardian is gone, the end of the socket will tell. */
	send(ward->socket, order, sizeof *order, MSG_NOSIGNAL);
}

void ward_signal(struct ward *ward, int signum)
{
	ward_order(ward, &(struct order){.kind = ORDER_SIGNAL, .signum = signum});
}

void ward_wake(const struct ward *ward)
{
	if (ward->guardian > 0) {
		kill(ward->guardian, SIGCONT);
	}
}

void ward_kill(struct ward *ward)
{
	ward_order(ward, &(struct order){.kind = ORDER_KILL});
	ward_wake(ward);
}

void ward_unwatch(struct ward *ward)
{
	if (ward->polling) {
		uv_close((uv_handle_t *)&ward->poll, NULL);
		ward->polling = false;
	}
}

void ward_dismiss(struct ward *ward)
{
	if (ward->guardian == 0) {
		return;
	}
	close(ward->socket);
	ward_wake(ward);
	while (waitpid(ward->guardian, NULL, 0) < 0 && errno == EINTR) {
	}
	ward->guardian = 0;
}
