/* slots.h - the reply at hand, in memory of its connection. */
#ifndef RLK_SLOTS_H
#define RLK_SLOTS_H

#include <hiredis/hiredis.h>

#include "bounds.h"

/* What almost every reply is: a word, a number, nothing, or two of them; or three, as a message on
 * a channel is. */
#define RLK_SLOT_ELEMENTS 3
#define RLK_SLOT_TEXT 48

struct rlk_slot {
	redisReply reply;
	char text[RLK_SLOT_TEXT];
};

struct rlk_slots {
	struct rlk_bounds bounds; /* First: the reader's private data is both. */
	redisReplyObjectFunctions functions;
	redisReplyObjectFunctions otherwise; /* A block of memory for each. */
	struct rlk_slot root, child[RLK_SLOT_ELEMENTS];
	redisReply *element[RLK_SLOT_ELEMENTS];
};

/* Sets the bounds too. @slots must outlive @reader, whose private data it takes, and its replies.
 */
void rlk_slots_set(struct rlk_slots *slots, redisReader *reader);
/* Free a reply, in a slot or not. Its slot is good for the next one then. */
void rlk_slots_free(void *reply);

#endif
