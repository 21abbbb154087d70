/* flow.c - a queue of bytes, each with the time from which it may go on. */
#include "flow.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct chunk {
	struct chunk *next;
	uint64_t due_ms;
	size_t len, sent;
	char bytes[];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void flow_push(struct flow *flow, const char *bytes, size_t len, unsigned delay_ms)
{
	struct chunk *chunk = calloc(1, sizeof *chunk + len);

	if (!chunk) {
		abort();
	}
	chunk->due_ms = now_ms() + delay_ms;
	chunk->len = len;
	memcpy(chunk->bytes, bytes, len);
	if (flow->first) {
		flow->last->next = chunk;
	} else {
		flow->first = chunk;
	}
	flow->last = chunk;
}

static void flow_pop(struct flow *flow)
{
	struct chunk *chunk = flow->first;

	flow->first = chunk->next;
	free(chunk);
}

void flow_end(struct flow *flow)
{
	flow->ended = true;
	while (flow->first) {
		flow_pop(flow);
	}
}

/* False: not now, or never. */
static bool send_first(struct flow *flow, int fd)
{
	struct chunk *chunk = flow->first;
	ssize_t sent = (ssize_t)(chunk->len - chunk->sent);

	if (fd != NO_FD) {
		sent = send(fd, chunk->bytes + chunk->sent, (size_t)sent,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
		return false;
	}
	if (sent < 0) {
		flow_end(flow);
		return false;
	}
	chunk->sent += (size_t)sent;
	if (chunk->sent == chunk->len) {
		flow_pop(flow);
	}
	return true;
}

void flow_send(struct flow *flow, int fd)
{
	while (flow->first && flow->first->due_ms <= now_ms() && send_first(flow, fd)) {
	}
}

size_t flow_pending(const struct flow *flow)
{
	size_t pending = 0;

	for (const struct chunk *chunk = flow->first; chunk; chunk = chunk->next) {
		pending += chunk->len - chunk->sent;
	}
	return pending;
}
