#include "delay_flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define READ_MAX 65536

struct delay_chunk {
	struct delay_chunk *next;
	uint64_t due_ns;
	size_t len;
	size_t sent;
	char bytes[];
};

/* Good enough for jitter. */
static uint64_t drawn(uint64_t below)
{
	return below > 0 ? (uint64_t)random() % below : 0;
}

static void push(struct delay_flow *flow, const char *bytes, size_t len, uint64_t now_ns)
{
	struct delay_chunk *chunk = malloc(sizeof(*chunk) + len);

	if (!chunk) {
		abort();
	}
	*chunk = (struct delay_chunk){.due_ns = now_ns + flow->delay_ns, .len = len};
	if (flow->delay_ns > 0) {
		chunk->due_ns += drawn(flow->jitter_ns);
	}
	memcpy(chunk->bytes, bytes, len);
	if (flow->first) {
		/* Nothing overtakes in a stream. */
		if (chunk->due_ns < flow->last->due_ns) {
			chunk->due_ns = flow->last->due_ns;
		}
		flow->last->next = chunk;
	} else {
		flow->first = chunk;
	}
	flow->last = chunk;
}

static void pop(struct delay_flow *flow)
{
	struct delay_chunk *chunk = flow->first;

	flow->first = chunk->next;
	free(chunk);
}

void delay_flow_drop(struct delay_flow *flow)
{
	while (flow->first) {
		pop(flow);
	}
}

void delay_flow_take_in(struct delay_flow *flow, int fd, uint64_t now_ns)
{
	static char bytes[READ_MAX];
	ssize_t len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len > 0) {
		push(flow, bytes, (size_t)len, now_ns);
	} else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
		flow->ended = true;
	}
}

/* False: not all of it, for now or for ever. */
static bool send_first(struct delay_flow *flow, int fd)
{
	struct delay_chunk *chunk = flow->first;
	ssize_t sent = send(fd, chunk->bytes + chunk->sent, chunk->len - chunk->sent,
			    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
		flow->full = true;
		return false;
	}
	if (sent < 0) {
		flow->ended = true;
		delay_flow_drop(flow);
		return false;
	}
	chunk->sent += (size_t)sent;
	if (chunk->sent < chunk->len) {
		flow->full = true;
		return false;
	}
	pop(flow);
	return true;
}

void delay_flow_pass_on(struct delay_flow *flow, int fd, uint64_t now_ns)
{
	flow->full = false;
	while (flow->first && flow->first->due_ns <= now_ns && send_first(flow, fd)) {
	}
	if (flow->ended && !flow->first && !flow->told) {
		shutdown(fd, SHUT_WR);
		flow->told = true;
	}
}

uint64_t delay_flow_due_ns(const struct delay_flow *flow)
{
	return flow->first && !flow->full ? flow->first->due_ns : UINT64_MAX;
}
