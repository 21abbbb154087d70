#include "delay_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block.h"
#include "delay_flow.h"
#include "floor_connect.h"

#define PAIRS_MAX 256
#define EVENTS_MAX 64
#define NS_PER_S 1000000000ULL
#define PRIORITY (-10) /* A network waits for no processor. */

/* One connection. Flow w goes from fd[w] to fd[!w]. */
struct pair {
	bool used;
	int fd[2]; /* The client's, the node's. */
	struct delay_flow flow[2];
	bool watched_for_room[2];
};

struct passage {
	const struct nodes *targets;
	const struct delay_plan *plan;
	int epoll;
	int clock;
	int listener[NODES_MAX];
	struct pair pairs[PAIRS_MAX];
};

/* What an event is about: the clock, a listener, or an end of a pair. */
enum { ABOUT_CLOCK = 0, ABOUT_LISTENER = 1, ABOUT_PAIR = 1 + NODES_MAX };

static void watch(struct passage *passage, int op, int fd, uint32_t events, size_t about)
{
	struct epoll_event event = {.events = events, .data.u64 = about};

	epoll_ctl(passage->epoll, op, fd, &event);
}

/* ---- Pairs ----------------------------------------------------------------------------------- */

static size_t about_end(const struct passage *passage, const struct pair *pair, int end)
{
	return ABOUT_PAIR + 2 * (size_t)(pair - passage->pairs) + (size_t)end;
}

static void begin_pair(struct passage *passage, size_t node)
{
	int client = accept4(passage->listener[node], NULL, NULL, SOCK_CLOEXEC);
	int server = client >= 0 ? floor_connect(&passage->targets->all[node]) : -1;
	struct pair *pair = passage->pairs;
	int yes = 1;
	int end;

	while (pair < passage->pairs + PAIRS_MAX && pair->used) {
		pair++;
	}
	if (server < 0 || pair == passage->pairs + PAIRS_MAX) {
		close(client);
		close(server);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	*pair = (struct pair){.used = true, .fd = {client, server}};
	for (end = 0; end < 2; end++) {
		pair->flow[end].delay_ns = passage->plan->rtt_ns[node] / 2;
		pair->flow[end].jitter_ns = passage->plan->jitter_ns;
		watch(passage, EPOLL_CTL_ADD, pair->fd[end], EPOLLIN,
		      about_end(passage, pair, end));
	}
}

static void end_pair(struct pair *pair)
{
	int end;

	for (end = 0; end < 2; end++) {
		delay_flow_drop(&pair->flow[end]);
		close(pair->fd[end]);
	}
	pair->used = false;
}

/* Nothing comes from an end whose flow has ended, and its event would come for ever. */
static void watch_end(struct passage *passage, struct pair *pair, int end)
{
	bool room = pair->flow[!end].full;
	uint32_t events =
		(pair->flow[end].ended ? 0 : (uint32_t)EPOLLIN) | (room ? (uint32_t)EPOLLOUT : 0);

	watch(passage, EPOLL_CTL_MOD, pair->fd[end], events, about_end(passage, pair, end));
	pair->watched_for_room[end] = room;
}

static void pass_on(struct passage *passage, struct pair *pair, uint64_t now)
{
	int way;

	for (way = 0; way < 2; way++) {
		delay_flow_pass_on(&pair->flow[way], pair->fd[!way], now);
		if (pair->flow[way].full != pair->watched_for_room[!way]) {
			watch_end(passage, pair, !way);
		}
	}
	if (pair->flow[0].told && pair->flow[1].told) {
		end_pair(pair);
	}
}

/* ---- The loop -------------------------------------------------------------------------------- */

static void on_event(struct passage *passage, const struct epoll_event *event, uint64_t now)
{
	size_t about = event->data.u64;
	struct pair *pair;
	uint64_t ticks;
	int end;

	if (about == ABOUT_CLOCK) {
		if (read(passage->clock, &ticks, sizeof(ticks)) < 0) {
			return; /* Set anew meanwhile. */
		}
	} else if (about < ABOUT_PAIR) {
		begin_pair(passage, about - ABOUT_LISTENER);
	} else {
		pair = &passage->pairs[(about - ABOUT_PAIR) / 2];
		end = (int)((about - ABOUT_PAIR) % 2);
		if (pair->used && (event->events & ~(uint32_t)EPOLLOUT)) {
			delay_flow_take_in(&pair->flow[end], pair->fd[end], now);
			if (pair->flow[end].ended) {
				watch_end(passage, pair, end);
			}
		}
	}
}

static void set_clock(struct passage *passage, uint64_t due_ns)
{
	struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due_ns / NS_PER_S),
					       .tv_nsec = (long)(due_ns % NS_PER_S)}};

	if (due_ns == UINT64_MAX) {
		when.it_value = (struct timespec){0}; /* Off. */
	}
	timerfd_settime(passage->clock, TFD_TIMER_ABSTIME, &when, NULL);
}

static void pass_all_on(struct passage *passage)
{
	uint64_t next_ns = UINT64_MAX;
	uint64_t now = now_ns();
	struct pair *pair;
	int way;

	for (pair = passage->pairs; pair < passage->pairs + PAIRS_MAX; pair++) {
		if (pair->used) {
			pass_on(passage, pair, now);
		}
		for (way = 0; pair->used && way < 2; way++) {
			uint64_t due_ns = delay_flow_due_ns(&pair->flow[way]);

			next_ns = due_ns < next_ns ? due_ns : next_ns;
		}
	}
	set_clock(passage, next_ns);
}

static void serve(struct passage *passage)
{
	struct epoll_event events[EVENTS_MAX];
	int count;
	int i;

	for (;;) {
		count = epoll_wait(passage->epoll, events, EVENTS_MAX, -1);
		for (i = 0; i < count; i++) {
			on_event(passage, &events[i], now_ns());
		}
		pass_all_on(passage);
	}
}

static void become_proxy(struct passage *passage, pid_t parent)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		signal(signals[i], SIG_DFL);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(1);
	}
	setpriority(PRIO_PROCESS, 0, PRIORITY); /* Where that is not allowed, it waits its turn. */
	passage->epoll = epoll_create1(EPOLL_CLOEXEC);
	passage->clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	watch(passage, EPOLL_CTL_ADD, passage->clock, EPOLLIN, ABOUT_CLOCK);
	for (i = 0; i < passage->targets->count; i++) {
		watch(passage, EPOLL_CTL_ADD, passage->listener[i], EPOLLIN, ABOUT_LISTENER + i);
	}
	serve(passage);
}

/* ---- From outside ---------------------------------------------------------------------------- */

static int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 64) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
		*port = ntohs(address.sin_port);
		return fd;
	}
	close(fd);
	return -1;
}

int delay_proxy_start(struct delay_proxy *proxy, const struct nodes *targets,
		      const struct delay_plan *plan, char *why, size_t why_len)
{
	static struct passage passage;
	pid_t parent = getpid();
	uint16_t port = 0;
	size_t i;

	memset(&passage, 0, sizeof(passage));
	*proxy = (struct delay_proxy){0};
	passage.targets = targets;
	passage.plan = plan;
	for (i = 0; i < targets->count; i++) {
		passage.listener[i] = listen_on_loopback(&port);
		if (passage.listener[i] < 0) {
			break;
		}
		nodes_add_local(&proxy->nodes, port);
	}
	if (proxy->nodes.count == targets->count) {
		fflush(NULL);
		proxy->pid = fork();
	}
	if (proxy->pid == 0 && proxy->nodes.count == targets->count) {
		become_proxy(&passage, parent);
	}
	while (i > 0) {
		close(passage.listener[--i]);
	}
	if (proxy->pid <= 0) {
		proxy->pid = 0;
		snprintf(why, why_len, "cannot start the proxy that makes nodes far away");
		return -1;
	}
	return 0;
}

void delay_proxy_end(struct delay_proxy *proxy)
{
	if (proxy->pid > 0) {
		kill(proxy->pid, SIGKILL);
		waitpid(proxy->pid, NULL, 0);
		proxy->pid = 0;
	}
}
