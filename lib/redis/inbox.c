/* inbox.c - replies as they come in, matched to who waits for them.
 *
 * hiredis would do it, but aborts the program on a reply that nobody waits for,
 * and takes in replies of any size. A server may send anything: what is not a
 * reply to the oldest question, of a size that such a reply can have, is a
 * fault; unless the connection is there to be told things unasked.
 *
 * So is a reply that was there before its question had left: no server can know
 * the answer, and one that is out of step would be believed. Questions are often
 * made while replies are handed out (the votes that waited for the log-in), and
 * what has been read by then is not for them. Where a part of what was queued
 * has left, all of it counts as sent: which questions the server has by now is
 * known to the socket alone, or to OpenSSL. */
#include "inbox.h"

#include <stdio.h>
#include <string.h>

/* No reply that we ask for comes near it. */
#define BYTES_MAX 65536
/* Room for more replies than that is given back when none is due. */
#define CAP_KEPT 4096
/* Who waits for that one is fetched from memory while others get their replies. */
#define AHEAD 6

void rlk_inbox_open(struct rlk_inbox *inbox, const struct redlock_allocator *allocator,
		    redisReader *reader)
{
	*inbox = (struct rlk_inbox){.allocator = allocator, .reader = reader};
	rlk_slots_set(&inbox->slots, reader);
}

void rlk_inbox_close(struct rlk_inbox *inbox)
{
	if (inbox->due != NULL) {
		inbox->allocator->free(inbox->due, inbox->allocator->data);
	}
	inbox->due = NULL;
	inbox->cap = inbox->first = 0;
}

static bool grow(struct rlk_inbox *inbox)
{
	const struct redlock_allocator *allocator = inbox->allocator;
	size_t cap = inbox->cap == 0 ? 64 : inbox->cap * 2, i;
	struct rlk_due *due;

	due = allocator->calloc(cap, sizeof *due, allocator->data);
	if (due == NULL) {
		return false;
	}
	for (i = 0; i < inbox->count; i++) {
		due[i] = inbox->due[(inbox->first + i) % inbox->cap];
	}
	if (inbox->due != NULL) {
		allocator->free(inbox->due, allocator->data);
	}
	inbox->due = due;
	inbox->cap = cap;
	inbox->first = 0;
	return true;
}

bool rlk_inbox_reserve(struct rlk_inbox *inbox)
{
	return inbox->count < inbox->cap || grow(inbox);
}

void rlk_inbox_expect(struct rlk_inbox *inbox, redisCallbackFn *cb, void *data)
{
	inbox->due[(inbox->first + inbox->count++) % inbox->cap] = (struct rlk_due){cb, data};
	inbox->unsent++;
}

void rlk_inbox_sent(struct rlk_inbox *inbox)
{
	inbox->unsent = 0;
}

void rlk_inbox_came(struct rlk_inbox *inbox, size_t bytes)
{
	/* What began too early stays that, whenever it ends. */
	bool begun_ahead = inbox->bytes > 0 && inbox->answerable == 0;

	inbox->bytes += bytes;
	inbox->answerable = begun_ahead ? 0 : inbox->count - inbox->unsent;
}

static bool is_push(const redisReply *reply)
{
#ifdef REDIS_REPLY_PUSH
	return reply->type == REDIS_REPLY_PUSH;
#else
	(void)reply;
	return false;
#endif
}

/* A server that has no room for us says so unasked. */
static const char *unasked(struct rlk_inbox *inbox, const redisReply *reply)
{
	const char *why = inbox->count > 0 && !is_push(reply) ? "a reply ahead of its question"
							      : "a reply to nothing";

	snprintf(inbox->why, sizeof inbox->why, "%s",
		 reply->type == REDIS_REPLY_ERROR ? reply->str : why);
	return inbox->why;
}

const char *rlk_inbox_next(struct rlk_inbox *inbox, redisReply **reply, struct rlk_due *due)
{
	redisReader *reader = inbox->reader;
	const char *why;
	void *built = NULL;

	*reply = NULL;
	if (redisReaderGetReply(reader, &built) != REDIS_OK) {
		return inbox->slots.bounds.overrun ? "a reply of too many elements"
						   : reader->errstr;
	}
	if (built == NULL) {
		return inbox->bytes > BYTES_MAX ? "a reply that is too long" : NULL;
	}
	inbox->bytes = reader->len - reader->pos;
	rlk_bounds_next(&inbox->slots.bounds);
	if (inbox->count == 0 && inbox->unasked != NULL && !is_push(built)) {
		*reply = built;
		*due = (struct rlk_due){inbox->unasked, NULL};
		return NULL;
	}
	if (inbox->answerable == 0 || is_push(built)) {
		why = unasked(inbox, built);
		rlk_slots_free(built);
		return why;
	}
	*reply = built;
	*due = inbox->due[inbox->first];
	__builtin_prefetch(inbox->due[(inbox->first + AHEAD) % inbox->cap].data);
	inbox->first = (inbox->first + 1) % inbox->cap;
	inbox->count--;
	inbox->answerable--;
	if (inbox->count == 0 && inbox->cap > CAP_KEPT) {
		rlk_inbox_close(inbox);
	}
	return NULL;
}
