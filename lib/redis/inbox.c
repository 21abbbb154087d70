/* inbox.c - replies as they come in, matched to who waits for them.
 *
 * hiredis would do it, but aborts the program on a reply that nobody waits for,
 * and takes in replies of any size. A server may send anything: what is not a
 * reply to the oldest question, of a size that such a reply can have, is a
 * fault. */
#include "inbox.h"

#include <stdio.h>
#include <string.h>

/* No reply that we ask for comes near it. */
#define BYTES_MAX 65536
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
}

bool rlk_inbox_reserve(struct rlk_inbox *inbox)
{
	const struct redlock_allocator *allocator = inbox->allocator;
	size_t cap = inbox->cap == 0 ? 64 : inbox->cap * 2, i;
	struct rlk_due *due;

	if (inbox->count < inbox->cap) {
		return true;
	}
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

void rlk_inbox_expect(struct rlk_inbox *inbox, redisCallbackFn *cb, void *data)
{
	inbox->due[(inbox->first + inbox->count++) % inbox->cap] = (struct rlk_due){cb, data};
}

void rlk_inbox_came(struct rlk_inbox *inbox, size_t bytes)
{
	inbox->bytes += bytes;
}

/* A server that has no room for us says so unasked. */
static const char *unasked(struct rlk_inbox *inbox, const redisReply *reply)
{
	bool is_error = reply->type == REDIS_REPLY_ERROR && inbox->count == 0;

	snprintf(inbox->why, sizeof inbox->why, "%s", is_error ? reply->str : "a reply to nothing");
	return inbox->why;
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
	if (inbox->count == 0 || is_push(built)) {
		why = unasked(inbox, built);
		rlk_slots_free(built);
		return why;
	}
	*reply = built;
	*due = inbox->due[inbox->first];
	__builtin_prefetch(inbox->due[(inbox->first + AHEAD) % inbox->cap].data);
	inbox->first = (inbox->first + 1) % inbox->cap;
	inbox->count--;
	return NULL;
}
