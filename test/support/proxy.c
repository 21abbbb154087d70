/* proxy.c - a thread that passes bytes between clients and one server, badly on request. */
#define _GNU_SOURCE /* pipe2, accept4 */
#include "proxy.h"

#include "flow.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX 32
#define READ_SIZE 16384

/* One connection. A flow of way w goes from fd[w] to fd[!w]. */
struct pair {
	bool used;
	bool orphaned; /* The client is gone; what it sent waits for proxy_deliver(). */
	int fd[2];     /* The client's, the server's. */
	struct flow flow[2];
};

struct proxy {
	pthread_t thread;
	int listener, wake[2];
	unsigned port, server_port;
	pthread_mutex_t mutex; /* Of all below. */
	bool over;
	bool hold[2];
	unsigned delay_ms[2];
	struct pair pairs[PAIRS_MAX];
};

/* ---- Pairs ----------------------------------------------------------------------------------- */

static void hang_up(int *fd, bool reset)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	if (*fd == NO_FD) {
		return;
	}
	if (reset) {
		(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	}
	(void)close(*fd);
	*fd = NO_FD;
}

static void pair_end(struct pair *pair, bool reset)
{
	for (int i = 0; i < 2; i++) {
		flow_end(&pair->flow[i]);
		hang_up(&pair->fd[i], reset);
	}
	memset(pair, 0, sizeof *pair);
}

static int call_server(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address)) {
		(void)close(fd);
		return NO_FD;
	}
	return fd;
}

static void pair_begin(struct proxy *proxy, int client)
{
	struct pair *pair = proxy->pairs;
	int server = call_server(proxy->server_port);
	int one = 1;

	while (pair < proxy->pairs + PAIRS_MAX && pair->used) {
		pair++;
	}
	if (server == NO_FD || pair == proxy->pairs + PAIRS_MAX) {
		hang_up(&server, true);
		hang_up(&client, true);
		return;
	}
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	*pair = (struct pair){.used = true, .fd = {client, server}};
}

static void take_in(struct proxy *proxy, struct pair *pair, int way)
{
	struct flow *flow = &pair->flow[way];
	char bytes[READ_SIZE];

	while (!flow->ended) {
		ssize_t got = recv(pair->fd[way], bytes, sizeof bytes, MSG_DONTWAIT);

		if (got > 0) {
			flow_push(flow, bytes, (size_t)got, proxy->delay_ms[way]);
		} else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		} else {
			flow->ended = true;
		}
	}
}

static bool may_pass(const struct proxy *proxy, const struct pair *pair, int way)
{
	return !proxy->hold[way] && !pair->orphaned;
}

static void pass_on(struct proxy *proxy, struct pair *pair, int way)
{
	struct flow *flow = &pair->flow[way];
	int fd = pair->fd[!way];

	if (!may_pass(proxy, pair, way)) {
		return;
	}
	flow_send(flow, fd);
	if (flow->ended && !flow->first && !flow->told) {
		(void)shutdown(fd, SHUT_WR);
		flow->told = true;
	}
}

static void pair_work(struct proxy *proxy, struct pair *pair)
{
	for (int way = 0; way < 2; way++) {
		take_in(proxy, pair, way);
		pass_on(proxy, pair, way);
	}
	if (pair->flow[0].told && pair->flow[1].told) {
		pair_end(pair, false);
	}
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void on_knock(struct proxy *proxy)
{
	char bytes[64];
	int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);

	(void)!read(proxy->wake[0], bytes, sizeof bytes);
	if (client >= 0) {
		pair_begin(proxy, client);
	}
}

/* Look again soon while something is on its way, or else when bytes come. */
static int patience_ms(const struct proxy *proxy)
{
	for (int i = 0; i < 2 * PAIRS_MAX; i++) {
		const struct pair *pair = &proxy->pairs[i / 2];

		if (pair->flow[i % 2].first && may_pass(proxy, pair, i % 2)) {
			return 1;
		}
	}
	return -1;
}

static int listen_to(const struct proxy *proxy, struct pollfd *fds)
{
	int count = 2;

	fds[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = proxy->wake[0], .events = POLLIN};
	for (int i = 0; i < 2 * PAIRS_MAX; i++) {
		const struct pair *pair = &proxy->pairs[i / 2];

		if (pair->used && !pair->flow[i % 2].ended) {
			fds[count++] = (struct pollfd){.fd = pair->fd[i % 2], .events = POLLIN};
		}
	}
	return count;
}

static void *run(void *data)
{
	struct proxy *proxy = data;
	struct pollfd fds[2 + 2 * PAIRS_MAX];

	(void)pthread_mutex_lock(&proxy->mutex);
	while (!proxy->over) {
		int count = listen_to(proxy, fds);
		int timeout_ms = patience_ms(proxy);

		(void)pthread_mutex_unlock(&proxy->mutex);
		(void)poll(fds, (nfds_t)count, timeout_ms);
		(void)pthread_mutex_lock(&proxy->mutex);
		on_knock(proxy);
		for (int i = 0; i < PAIRS_MAX; i++) {
			if (proxy->pairs[i].used) {
				pair_work(proxy, &proxy->pairs[i]);
			}
		}
	}
	(void)pthread_mutex_unlock(&proxy->mutex);
	return NULL;
}

/* ---- Control --------------------------------------------------------------------------------- */

static void open_listener(struct proxy *proxy)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof address;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(proxy->listener, 0);
	ck_assert_int_eq(bind(proxy->listener, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(proxy->listener, 64), 0);
	ck_assert_int_eq(getsockname(proxy->listener, (struct sockaddr *)&address, &len), 0);
	proxy->port = ntohs(address.sin_port);
}

struct proxy *proxy_new(unsigned server_port)
{
	struct proxy *proxy = calloc(1, sizeof *proxy);

	ck_assert_ptr_nonnull(proxy);
	proxy->server_port = server_port;
	open_listener(proxy);
	ck_assert_int_eq(pipe2(proxy->wake, O_NONBLOCK | O_CLOEXEC), 0);
	ck_assert_int_eq(pthread_mutex_init(&proxy->mutex, NULL), 0);
	ck_assert_int_eq(pthread_create(&proxy->thread, NULL, run, proxy), 0);
	return proxy;
}

unsigned proxy_port(const struct proxy *proxy)
{
	return proxy->port;
}

static void enter(struct proxy *proxy)
{
	(void)pthread_mutex_lock(&proxy->mutex);
}

static void leave(struct proxy *proxy)
{
	(void)pthread_mutex_unlock(&proxy->mutex);
	(void)!write(proxy->wake[1], "", 1);
}

void proxy_free(struct proxy *proxy)
{
	enter(proxy);
	proxy->over = true;
	leave(proxy);
	(void)pthread_join(proxy->thread, NULL);
	for (int i = 0; i < PAIRS_MAX; i++) {
		if (proxy->pairs[i].used) {
			pair_end(&proxy->pairs[i], true);
		}
	}
	(void)pthread_mutex_destroy(&proxy->mutex);
	(void)close(proxy->listener);
	(void)close(proxy->wake[0]);
	(void)close(proxy->wake[1]);
	free(proxy);
}

void proxy_delay(struct proxy *proxy, enum proxy_way way, unsigned ms)
{
	enter(proxy);
	proxy->delay_ms[way] = ms;
	leave(proxy);
}

void proxy_hold(struct proxy *proxy, enum proxy_way way, bool hold)
{
	enter(proxy);
	proxy->hold[way] = hold;
	leave(proxy);
}

size_t proxy_pending(struct proxy *proxy, enum proxy_way way)
{
	size_t pending = 0;

	enter(proxy);
	for (int i = 0; i < PAIRS_MAX; i++) {
		pending += flow_pending(&proxy->pairs[i].flow[way]);
	}
	leave(proxy);
	return pending;
}

void proxy_lead_to(struct proxy *proxy, unsigned server_port)
{
	enter(proxy);
	proxy->server_port = server_port;
	for (int i = 0; i < PAIRS_MAX; i++) {
		struct pair *pair = &proxy->pairs[i];

		if (pair->used && !pair->orphaned) {
			flow_end(&pair->flow[PROXY_TO_SERVER]);
			flow_end(&pair->flow[PROXY_TO_CLIENT]);
			memset(pair->flow, 0, sizeof pair->flow);
			hang_up(&pair->fd[1], true);
			pair->fd[1] = call_server(server_port);
			ck_assert_int_ne(pair->fd[1], NO_FD);
		}
	}
	leave(proxy);
}

void proxy_cut(struct proxy *proxy)
{
	enter(proxy);
	for (int i = 0; i < PAIRS_MAX; i++) {
		if (proxy->pairs[i].used) {
			pair_end(&proxy->pairs[i], true);
		}
	}
	leave(proxy);
}

void proxy_cut_client(struct proxy *proxy)
{
	enter(proxy);
	for (int i = 0; i < PAIRS_MAX; i++) {
		struct pair *pair = &proxy->pairs[i];

		if (pair->used && !pair->orphaned) {
			pair->orphaned = true;
			pair->flow[PROXY_TO_SERVER].ended = true;
			hang_up(&pair->fd[0], true);
		}
	}
	leave(proxy);
}

void proxy_deliver(struct proxy *proxy)
{
	enter(proxy);
	for (int i = 0; i < PAIRS_MAX; i++) {
		proxy->pairs[i].orphaned = false;
	}
	leave(proxy);
}
