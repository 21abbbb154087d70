/* proxy.c - a bad network in front of all nodes, in one process, on loopback.
 *
 *   chaos_proxy HOST:PORT...      prints a port for each, then does as it is told on its input:
 *
 *   delay N MS JITTER     what comes in from now on goes on so much later, each way
 *   hold N WAY 0|1        nothing goes on that way (0: to the node, 1: from it)
 *   refuse N 0|1          who connects is hung up on
 *   cut N                 reset all connections; what they carry is lost
 *
 * It ends with its input. */
#define _GNU_SOURCE /* accept4 */
#include "flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NODES_MAX 9
#define PAIRS_MAX 256
#define READ_SIZE 16384

/* One connection. What comes from fd[w] goes to fd[!w]. */
struct pair {
	bool used;
	size_t node;
	int fd[2];
	struct flow flow[2];
};

struct node {
	struct sockaddr_in address;
	int listener;
	bool refuses, holds[2];
	unsigned delay_ms, jitter_ms;
};

static struct node nodes[NODES_MAX];
static size_t node_count;
static struct pair pairs[PAIRS_MAX];

/* ---- Pairs ----------------------------------------------------------------------------------- */

static void pair_end(struct pair *pair, bool reset)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};

	for (int i = 0; i < 2; i++) {
		flow_end(&pair->flow[i]);
		if (reset) {
			(void)setsockopt(pair->fd[i], SOL_SOCKET, SO_LINGER, &linger,
					 sizeof linger);
		}
		(void)close(pair->fd[i]);
	}
	memset(pair, 0, sizeof *pair);
}

/* The node may be frozen or cut off: this does not wait for it. */
static int call(const struct node *node)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&node->address, sizeof node->address) &&
	    errno != EINPROGRESS) {
		(void)close(fd);
		fd = NO_FD;
	}
	return fd;
}

static void pair_begin(size_t node)
{
	int client = accept4(nodes[node].listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct pair *pair = pairs;
	int one = 1;
	int server;

	if (client < 0) {
		return;
	}
	while (pair < pairs + PAIRS_MAX && pair->used) {
		pair++;
	}
	server = nodes[node].refuses || pair == pairs + PAIRS_MAX ? NO_FD : call(&nodes[node]);
	if (server == NO_FD) {
		(void)close(client);
		return;
	}
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	*pair = (struct pair){.used = true, .node = node, .fd = {client, server}};
}

static void take_in(struct pair *pair, int way)
{
	const struct node *node = &nodes[pair->node];
	struct flow *flow = &pair->flow[way];
	char bytes[READ_SIZE];

	while (!flow->ended) {
		ssize_t got = recv(pair->fd[way], bytes, sizeof bytes, MSG_DONTWAIT);

		if (got > 0) {
			unsigned jitter =
				node->jitter_ms ? (unsigned)random() % node->jitter_ms : 0;

			flow_push(flow, bytes, (size_t)got, node->delay_ms + jitter);
		} else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		} else {
			flow->ended = true;
		}
	}
}

static void pass_on(struct pair *pair, int way)
{
	struct flow *flow = &pair->flow[way];

	if (nodes[pair->node].holds[way]) {
		return;
	}
	flow_send(flow, pair->fd[!way]);
	if (flow->ended && !flow->first && !flow->told) {
		(void)shutdown(pair->fd[!way], SHUT_WR);
		flow->told = true;
	}
}

static void pair_work(struct pair *pair)
{
	for (int way = 0; way < 2; way++) {
		take_in(pair, way);
		pass_on(pair, way);
	}
	if (pair->flow[0].told && pair->flow[1].told) {
		pair_end(pair, false);
	}
}

/* ---- What it is told ------------------------------------------------------------------------- */

static void cut(size_t node)
{
	for (struct pair *pair = pairs; pair < pairs + PAIRS_MAX; pair++) {
		if (pair->used && pair->node == node) {
			pair_end(pair, true);
		}
	}
}

static void obey(const char *line)
{
	unsigned node, first, second;

	if (sscanf(line, "delay %u %u %u", &node, &first, &second) == 3 && node < node_count) {
		nodes[node].delay_ms = first;
		nodes[node].jitter_ms = second;
	} else if (sscanf(line, "hold %u %u %u", &node, &first, &second) == 3 &&
		   node < node_count && first < 2) {
		nodes[node].holds[first] = second != 0;
	} else if (sscanf(line, "refuse %u %u", &node, &first) == 2 && node < node_count) {
		nodes[node].refuses = first != 0;
	} else if (sscanf(line, "cut %u", &node) == 1 && node < node_count) {
		cut(node);
	} else {
		(void)fprintf(stderr, "chaos_proxy: what is '%s'?\n", line);
	}
}

static void hear(void)
{
	static char said[4096];
	static size_t used;
	ssize_t got = read(STDIN_FILENO, said + used, sizeof said - 1 - used);
	char *end;

	if (got <= 0) {
		exit(0);
	}
	used += (size_t)got;
	said[used] = '\0';
	while ((end = strchr(said, '\n')) != NULL) {
		*end = '\0';
		obey(said);
		used -= (size_t)(end + 1 - said);
		memmove(said, end + 1, used + 1);
	}
}

/* ---- The loop -------------------------------------------------------------------------------- */

static size_t listen_to(struct pollfd *fds, int *timeout_ms)
{
	size_t count = 0;

	fds[count++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	for (size_t i = 0; i < node_count; i++) {
		fds[count++] = (struct pollfd){.fd = nodes[i].listener, .events = POLLIN};
	}
	*timeout_ms = -1;
	for (int i = 0; i < 2 * PAIRS_MAX; i++) {
		const struct pair *pair = &pairs[i / 2];

		if (pair->used && !pair->flow[i % 2].ended) {
			fds[count++] = (struct pollfd){.fd = pair->fd[i % 2], .events = POLLIN};
		}
		if (pair->flow[i % 2].first && !nodes[pair->node].holds[i % 2]) {
			*timeout_ms = 1;
		}
	}
	return count;
}

static void serve(void)
{
	static struct pollfd fds[1 + NODES_MAX + 2 * PAIRS_MAX];

	for (;;) {
		int timeout_ms;
		size_t count = listen_to(fds, &timeout_ms);

		(void)poll(fds, (nfds_t)count, timeout_ms);
		if (fds[0].revents) {
			hear();
		}
		for (size_t i = 0; i < node_count; i++) {
			if (fds[1 + i].revents) {
				pair_begin(i);
			}
		}
		for (struct pair *pair = pairs; pair < pairs + PAIRS_MAX; pair++) {
			if (pair->used) {
				pair_work(pair);
			}
		}
	}
}

static void open_node(struct node *node, const char *target)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof address;
	char host[64];
	unsigned port;

	node->address.sin_family = AF_INET;
	if (sscanf(target, "%63[^:]:%u", host, &port) != 2 ||
	    inet_pton(AF_INET, host, &node->address.sin_addr) != 1) {
		(void)fprintf(stderr, "chaos_proxy: %s is not HOST:PORT\n", target);
		exit(64);
	}
	node->address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	node->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (node->listener < 0 || bind(node->listener, (struct sockaddr *)&address, len) ||
	    listen(node->listener, 64) ||
	    getsockname(node->listener, (struct sockaddr *)&address, &len)) {
		perror("chaos_proxy");
		exit(1);
	}
	(void)printf("%u\n", ntohs(address.sin_port));
}

int main(int argc, char **argv)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < argc && node_count < NODES_MAX; i++) {
		open_node(&nodes[node_count++], argv[i]);
	}
	(void)fflush(stdout);
	serve();
	return 0;
}
