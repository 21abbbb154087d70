/* fuzz_reply.c - any bytes as a server's replies, and what they mean to each command.
 *
 * A vote, either way, is read only from the exact reply that stands for it.
 * Everything else is an error, which is never taken for "not set". */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "redis/slots.h"
#include "redis/wire.h"

static bool is_status(const redisReply *reply, const char *text)
{
	return reply->type == REDIS_REPLY_STATUS && (size_t)reply->len == strlen(text) &&
	       memcmp(reply->str, text, strlen(text)) == 0;
}

static bool is_integer(const redisReply *reply, long long integer)
{
	return reply->type == REDIS_REPLY_INTEGER && reply->integer == integer;
}

/* What the fenced script answers: {code, text}. */
static bool is_pair(const redisReply *reply, long long code)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	       is_integer(reply->element[0], code) && reply->element[1]->type == REDIS_REPLY_STRING;
}

static bool is_decimal(const redisReply *reply)
{
	size_t len = (size_t)reply->len;

	return len > 0 && len == strspn(reply->str, "0123456789");
}

static bool is_wrong_type(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strstr(reply->str, "WRONGTYPE") != NULL;
}

static bool sets(enum rlk_op op)
{
	return op == RLK_OP_ACQUIRE || op == RLK_OP_REPAIR;
}

static bool may_be_yes(enum rlk_op op, const redisReply *reply)
{
	if (op == RLK_OP_JOIN) {
		return is_pair(reply, 1) && reply->element[1]->len == 0;
	}
	if (op == RLK_OP_ADVANCE) {
		return is_pair(reply, 1);
	}
	if (op == RLK_OP_RELEASE && is_integer(reply, 2)) {
		return true; /* Passed on. */
	}
	return sets(op) ? is_status(reply, "OK") || is_pair(reply, 1) : is_integer(reply, 1);
}

/* Behind a number below 2^53 and the space that follows it; NULL if there is none. */
static const char *behind_number(const char *at)
{
	size_t digits = strspn(at, "0123456789");
	bool fits = digits > 0 && strtoull(at, NULL, 10) < RLK_WIRE_NUMBER_END;

	return fits && at[digits] == ' ' ? at + digits + 1 : NULL;
}

/* 'ms rank foreign'; ms may be -1, and foreign is 0 or 1. */
static bool is_place(const redisReply *text)
{
	const char *at = text->str, *end = at + text->len;

	at += *at == '-';
	at = behind_number(at);
	at = at == NULL ? NULL : behind_number(at);
	return at != NULL && end == at + 1 && (*at == '0' || *at == '1');
}

static bool may_be_no(enum rlk_op op, const redisReply *reply)
{
	if (op == RLK_OP_JOIN) { /* A key of another type has no line. */
		return is_pair(reply, 0) && is_place(reply->element[1]);
	}
	if (is_wrong_type(reply)) {
		return true;
	}
	if (op == RLK_OP_ADVANCE) {
		return is_pair(reply, 0);
	}
	return sets(op) ? reply->type == REDIS_REPLY_NIL || is_pair(reply, 0)
			: is_integer(reply, 0);
}

static void check_value(enum rlk_op op, const redisReply *reply, const struct rlk_answer *answer)
{
	REQUIRE(op == RLK_OP_REMAINING || op == RLK_OP_INSPECT);
	if (op == RLK_OP_REMAINING) {
		REQUIRE(reply->type == REDIS_REPLY_INTEGER);
	} else if (answer->held) {
		REQUIRE(answer->text == reply->element[0]->str);
		REQUIRE(answer->text_len == (size_t)reply->element[0]->len);
	}
}

static void check(enum rlk_op op, const redisReply *reply)
{
	struct rlk_answer answer;

	memset(&answer, 0xa5, sizeof answer);
	rlk_wire_decode(op, reply, &answer);
	REQUIRE(answer.remaining_ms >= -1);
	switch (answer.kind) {
	case RLK_YES:
		REQUIRE(may_be_yes(op, reply));
		break;
	case RLK_NO:
		REQUIRE(may_be_no(op, reply));
		break;
	case RLK_MISSING:
		REQUIRE((op == RLK_OP_EXTEND && is_integer(reply, -1)) ||
			(op == RLK_OP_ADVANCE && is_pair(reply, -4)));
		break;
	case RLK_FENCE_LOW:
	case RLK_FENCE_HIGH:
		REQUIRE((sets(op) || op == RLK_OP_ADVANCE) &&
			is_pair(reply, answer.kind == RLK_FENCE_LOW ? -1 : -2));
		REQUIRE(is_decimal(reply->element[1]));
		break;
	case RLK_VALUE:
		check_value(op, reply, &answer);
		break;
	default:
		REQUIRE(answer.kind == RLK_ERROR);
		REQUIRE(answer.text != NULL && !answer.held);
		break;
	}
}

/* The exact replies are what they are: nothing that is a vote is lost. */
static void check_votes_count(enum rlk_op op, const redisReply *reply)
{
	struct rlk_answer answer;

	if (op == RLK_OP_REMAINING || op == RLK_OP_INSPECT) {
		return;
	}
	rlk_wire_decode(op, reply, &answer);
	REQUIRE((answer.kind == RLK_YES) == may_be_yes(op, reply));
	REQUIRE((answer.kind == RLK_NO) == may_be_no(op, reply));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	redisReader *reader = redisReaderCreate();
	struct rlk_slots slots;
	void *reply;
	unsigned op;

	REQUIRE(reader != NULL);
	rlk_slots_set(&slots, reader);
	redisReaderFeed(reader, (const char *)bytes, size);
	while (redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL) {
		for (op = RLK_OP_ACQUIRE; op <= RLK_OP_INSPECT; op++) {
			check((enum rlk_op)op, reply);
			check_votes_count((enum rlk_op)op, reply);
		}
		rlk_slots_free(reply);
		rlk_bounds_next(&slots.bounds);
	}
	redisReaderFree(reader);
	return 0;
}
