/* inbox.h - the replies of one connection: who waits for the next, and when it is too much. */
#ifndef RLK_INBOX_H
#define RLK_INBOX_H

#include <hiredis/async.h>
#include <redlock/redlock.h>
#include <stdbool.h>

#include "slots.h"

struct rlk_due {
	redisCallbackFn *cb;
	void *data;
};

struct rlk_inbox {
	const struct redlock_allocator *allocator;
	redisReader *reader; /* Of the context; reads and builds replies. */
	struct rlk_slots slots;
	/* Replies that are due, oldest first: a ring. */
	struct rlk_due *due;
	size_t cap, first, count;
	size_t unsent;		  /* The youngest of them: no byte of their questions has left. */
	size_t answerable;	  /* The oldest: asked before what is being read came in. */
	redisCallbackFn *unasked; /* Gets what comes while none is due; NULL: that is a fault. */
	size_t bytes;		  /* Of the reply that is coming in. */
	char why[128];
};

void rlk_inbox_open(struct rlk_inbox *inbox, const struct redlock_allocator *allocator,
		    redisReader *reader);
void rlk_inbox_close(struct rlk_inbox *inbox);
/* Make room for one more; false: out of memory. Then rlk_inbox_expect() cannot fail. */
bool rlk_inbox_reserve(struct rlk_inbox *inbox);
void rlk_inbox_expect(struct rlk_inbox *inbox, redisCallbackFn *cb, void *data);
/* All questions so far are on their way, or may be in part. */
void rlk_inbox_sent(struct rlk_inbox *inbox);
/* The reader was given so many bytes, and what was sent before is all that they can answer. */
void rlk_inbox_came(struct rlk_inbox *inbox, size_t bytes);
/* The next reply that is complete, or NULL in @reply, and who waits for it. Free the reply by
 * rlk_slots_free(). Returns NULL; or, if the server does not speak the protocol, in what way. */
const char *rlk_inbox_next(struct rlk_inbox *inbox, redisReply **reply, struct rlk_due *due);

#endif
