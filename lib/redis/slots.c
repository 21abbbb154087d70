/* slots.c - hiredis builds a reply of several blocks of memory, to be looked at
 * once and freed. The short ones, that is almost all, are put into slots here.
 *
 * hiredis frees what is not complete by freeObject(), with nothing but the
 * reply. So a slot is told from a block by a mark in a field that its type does
 * not use: an odd address, which no block has. */
#include "slots.h"

#include <stdbool.h>
#include <string.h>

/* ---- Marks ----------------------------------------------------------------------------------- */

static char *mark_of(const redisReply *reply)
{
	return (char *)reply + 1;
}

static void mark(redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ARRAY) {
		reply->str = mark_of(reply);
	} else {
		reply->element = (redisReply **)(void *)mark_of(reply);
	}
}

static bool is_slot(const redisReply *reply)
{
	return (reply->type == REDIS_REPLY_ARRAY ? reply->str : (char *)reply->element) ==
	       mark_of(reply);
}

/* ---- hiredis's functions --------------------------------------------------------------------- */

/* For a reply of its own, or an element of one in a slot. NULL: there is none, or it is in use. */
static struct rlk_slot *slot_of(const redisReadTask *task)
{
	struct rlk_slots *slots = task->privdata;
	struct rlk_slot *slot = NULL;

	if (task->parent == NULL) {
		slot = &slots->root;
	} else if (task->parent->obj == &slots->root.reply && task->idx >= 0 &&
		   task->idx < RLK_SLOT_ELEMENTS) {
		slot = &slots->child[task->idx];
	}
	return slot != NULL && slot->reply.type == 0 ? slot : NULL;
}

static redisReply *put(const redisReadTask *task, struct rlk_slot *slot, int type)
{
	struct rlk_slots *slots = task->privdata;

	slot->reply = (redisReply){.type = type};
	mark(&slot->reply);
	if (task->parent != NULL) {
		slots->element[task->idx] = &slot->reply;
	}
	return &slot->reply;
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
	struct rlk_slots *slots = task->privdata;
	struct rlk_slot *slot = slot_of(task);
	redisReply *reply;

	if (slot == NULL || len >= sizeof slot->text ||
	    (task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_STATUS &&
	     task->type != REDIS_REPLY_ERROR)) {
		return slots->otherwise.createString(task, text, len);
	}
	reply = put(task, slot, task->type);
	memcpy(slot->text, text, len);
	slot->text[len] = '\0';
	reply->str = slot->text;
	reply->len = len;
	return reply;
}

static void *create_integer(const redisReadTask *task, long long integer)
{
	struct rlk_slots *slots = task->privdata;
	struct rlk_slot *slot = slot_of(task);
	redisReply *reply;

	if (slot == NULL) {
		return slots->otherwise.createInteger(task, integer);
	}
	reply = put(task, slot, REDIS_REPLY_INTEGER);
	reply->integer = integer;
	return reply;
}

static void *create_nil(const redisReadTask *task)
{
	struct rlk_slots *slots = task->privdata;
	struct rlk_slot *slot = slot_of(task);

	return slot == NULL ? slots->otherwise.createNil(task) : put(task, slot, REDIS_REPLY_NIL);
}

static void *create_array(const redisReadTask *task, rlk_array_len len)
{
	struct rlk_slots *slots = task->privdata;
	struct rlk_slot *slot = slot_of(task);
	redisReply *reply;

	if (slot != &slots->root || task->type != REDIS_REPLY_ARRAY || len > RLK_SLOT_ELEMENTS) {
		return slots->otherwise.createArray(task, len);
	}
	memset(slots->element, 0, sizeof slots->element);
	reply = put(task, slot, REDIS_REPLY_ARRAY);
	reply->element = slots->element;
	reply->elements = (size_t)len;
	return reply;
}

void rlk_slots_free(void *object)
{
	redisReply *reply = object;
	size_t i;

	if (reply == NULL || !is_slot(reply)) {
		freeReplyObject(reply);
		return;
	}
	for (i = 0; i < reply->elements; i++) {
		rlk_slots_free(reply->element[i]); /* NULL, if it has not come. */
	}
	reply->type = 0; /* The slot is free. */
}

void rlk_slots_set(struct rlk_slots *slots, redisReader *reader)
{
	memset(slots, 0, sizeof *slots);
	rlk_bounds_set(&slots->bounds, reader);
	slots->otherwise = *reader->fn;
	slots->functions = *reader->fn;
	slots->functions.createString = create_string;
	slots->functions.createInteger = create_integer;
	slots->functions.createNil = create_nil;
	slots->functions.createArray = create_array;
	slots->functions.freeObject = rlk_slots_free;
	reader->fn = &slots->functions;
	reader->privdata = slots;
}
