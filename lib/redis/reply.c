/* reply.c - from a reply to what it says of the key.
 *
 * Replies are matched exactly: `+OK`, nil, `:1` and so on mean what they mean,
 * and everything else is an error, which is never read as "not set". */
#include <string.h>

#include "wire.h"

static void error(struct rlk_answer *answer, const char *text, size_t len)
{
	answer->kind = RLK_ERROR;
	answer->text = text;
	answer->text_len = len;
}

static const char UNEXPECTED[] = "unexpected reply";

static void unexpected(struct rlk_answer *answer)
{
	error(answer, UNEXPECTED, sizeof UNEXPECTED - 1);
}

static bool is_text(const redisReply *reply, const char *text)
{
	return (size_t)reply->len == strlen(text) && strcmp(reply->str, text) == 0;
}

bool rlk_wire_number(const redisReply *reply, uint64_t *number)
{
	size_t i, len = (size_t)reply->len;
	uint64_t value = 0;

	*number = 0;
	if (reply->type != REDIS_REPLY_STRING || len == 0 || len > 16) {
		return false;
	}
	for (i = 0; i < len; i++) {
		if (reply->str[i] < '0' || reply->str[i] > '9') {
			return false;
		}
		value = value * 10 + (uint64_t)(reply->str[i] - '0');
	}
	if (value >= RLK_WIRE_NUMBER_END) {
		return false;
	}
	*number = value;
	return true;
}

/* A time to live: none, or for ever, is -1. */
static int64_t milliseconds(long long pttl)
{
	return pttl < 0 ? -1 : pttl;
}

static void decode_set(const redisReply *reply, struct rlk_answer *answer)
{
	if (reply->type == REDIS_REPLY_STATUS && is_text(reply, "OK")) {
		answer->kind = RLK_YES;
	} else if (reply->type == REDIS_REPLY_NIL) {
		answer->kind = RLK_NO;
	} else {
		unexpected(answer);
	}
}

static void decode_fenced(enum rlk_op op, const redisReply *reply, struct rlk_answer *answer)
{
	static const char unborn[] = "not enrolled, so it cannot vote for a fencing token";
	uint64_t number;
	bool is_number;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_INTEGER ||
	    reply->element[1]->type != REDIS_REPLY_STRING) {
		unexpected(answer);
		return;
	}
	is_number = rlk_wire_number(reply->element[1], &number);
	switch (reply->element[0]->integer) {
	case 1:
		answer->kind = RLK_YES;
		break;
	case 0:
		answer->kind = RLK_NO;
		answer->remaining_ms = is_number ? (int64_t)number : -1;
		break;
	case -1:
		answer->kind = RLK_FENCE_LOW;
		answer->fence = number;
		break;
	case -2:
		answer->kind = RLK_FENCE_HIGH;
		answer->fence = number;
		break;
	case -3:
		error(answer, unborn, sizeof unborn - 1);
		return;
	case -4:
		if (op == RLK_OP_ADVANCE) {
			answer->kind = RLK_MISSING;
		} else {
			unexpected(answer);
		}
		return;
	default:
		unexpected(answer);
		return;
	}
	if (answer->kind != RLK_YES && answer->kind != RLK_NO && number == 0) {
		unexpected(answer);
	}
}

static void decode_integer(enum rlk_op op, const redisReply *reply, struct rlk_answer *answer)
{
	if (reply->type != REDIS_REPLY_INTEGER) {
		unexpected(answer);
	} else if (op == RLK_OP_REMAINING) {
		answer->kind = RLK_VALUE;
		/* -2: no key; -1: a key without an end. */
		answer->remaining_ms = reply->integer == -2 ? 0 : milliseconds(reply->integer);
	} else if (reply->integer == 1) {
		answer->kind = RLK_YES;
	} else if (reply->integer == 2 && op == RLK_OP_RELEASE) {
		answer->kind = RLK_YES;
		answer->passed = true;
	} else if (reply->integer == 0) {
		answer->kind = RLK_NO;
	} else if (reply->integer == -1 && op == RLK_OP_EXTEND) {
		answer->kind = RLK_MISSING;
	} else {
		unexpected(answer);
	}
}

static void decode_inspect(const redisReply *reply, struct rlk_answer *answer)
{
	const redisReply *owner;
	long long in_line;

	answer->kind = RLK_VALUE;
	answer->in_line = -1;
	if (reply->type == REDIS_REPLY_STATUS) { /* PONG */
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
	    reply->element[1]->type != REDIS_REPLY_INTEGER ||
	    reply->element[2]->type != REDIS_REPLY_INTEGER) {
		unexpected(answer);
		return;
	}
	owner = reply->element[0];
	in_line = reply->element[2]->integer;
	answer->in_line = in_line < 0 || in_line > INT32_MAX ? -1 : (int32_t)in_line;
	if (owner->type == REDIS_REPLY_STRING) {
		answer->held = true;
		answer->text = owner->str;
		answer->text_len = (size_t)owner->len;
		answer->remaining_ms = milliseconds(reply->element[1]->integer);
	} else if (owner->type != REDIS_REPLY_NIL) {
		unexpected(answer);
	}
}

/* A number and a space at *@text, which moves on behind them. */
static bool next_number(const char **text, const char *end, int64_t *number)
{
	const char *at = *text;

	*number = 0;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		*number = *number * 10 + (*at - '0');
		if (*number >= (int64_t)RLK_WIRE_NUMBER_END) {
			return false;
		}
	}
	if (at == *text || at == end || *at != ' ') {
		return false;
	}
	*text = at + 1;
	return true;
}

/* 'ms rank foreign': ms is below 0 for a key without an end, foreign is 0 or 1. */
static bool read_place(const char *text, const char *end, struct rlk_answer *answer)
{
	bool endless = text < end && *text == '-';
	int64_t left, rank;

	text += endless;
	if (!next_number(&text, end, &left) || !next_number(&text, end, &rank) || end - text != 1 ||
	    (*text != '0' && *text != '1')) {
		return false;
	}
	answer->remaining_ms = endless ? -1 : left;
	answer->rank = (uint32_t)(rank > UINT32_MAX ? UINT32_MAX : rank);
	answer->foreign = *text == '1';
	return true;
}

static void decode_join(const redisReply *reply, struct rlk_answer *answer)
{
	const char *text, *end;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_INTEGER ||
	    reply->element[1]->type != REDIS_REPLY_STRING) {
		unexpected(answer);
		return;
	}
	text = reply->element[1]->str;
	end = text + reply->element[1]->len;
	if (reply->element[0]->integer == 1 && text == end) {
		answer->kind = RLK_YES;
	} else if (reply->element[0]->integer == 0 && read_place(text, end, answer)) {
		answer->kind = RLK_NO;
	} else {
		unexpected(answer);
	}
}

/* Another kind of value under the key, as some locks use: somebody else's. */
static bool is_wrong_type(const redisReply *reply)
{
	return strstr(reply->str, "WRONGTYPE") != NULL;
}

bool rlk_wire_decode(enum rlk_op op, const redisReply *reply, struct rlk_answer *answer)
{
	*answer = (struct rlk_answer){.remaining_ms = -1};
	if (reply->type == REDIS_REPLY_ERROR) {
		error(answer, reply->str, (size_t)reply->len);
		if (is_wrong_type(reply) && op != RLK_OP_INSPECT && op != RLK_OP_REMAINING &&
		    op != RLK_OP_JOIN) {
			answer->kind = RLK_NO;
		}
		return true;
	}
	switch (op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		if (reply->type == REDIS_REPLY_ARRAY) { /* To a fenced one. */
			decode_fenced(op, reply, answer);
		} else {
			decode_set(reply, answer);
		}
		break;
	case RLK_OP_ADVANCE:
		decode_fenced(op, reply, answer);
		break;
	case RLK_OP_JOIN:
		decode_join(reply, answer);
		break;
	case RLK_OP_EXTEND:
	case RLK_OP_RELEASE:
	case RLK_OP_REMAINING:
		decode_integer(op, reply, answer);
		break;
	case RLK_OP_INSPECT:
		decode_inspect(reply, answer);
		break;
	}
	return answer->kind != RLK_ERROR || answer->text != UNEXPECTED;
}

static void decode_native_extend(const struct rlk_command *command, const redisReply *reply,
				 struct rlk_answer *answer)
{
	if (reply->type == REDIS_REPLY_NIL) {
		answer->kind = RLK_MISSING;
	} else if (reply->type != REDIS_REPLY_STRING) {
		unexpected(answer);
	} else if ((size_t)reply->len == command->token_len &&
		   memcmp(reply->str, command->token, command->token_len) == 0) {
		answer->kind = RLK_YES;
	} else {
		answer->kind = RLK_NO;
	}
}

/* What only scripts set was not set by a user who may run none: there is nothing to delete. */
static bool is_needless(const struct rlk_command *command, const redisReply *reply)
{
	return command->op == RLK_OP_RELEASE && reply->type == REDIS_REPLY_ERROR &&
	       strncmp(reply->str, "NOPERM", 6) == 0 && strstr(reply->str, "'eval'") != NULL;
}

bool rlk_native_decode(const struct rlk_command *command, const redisReply *reply,
		       struct rlk_answer *answer)
{
	bool is_script = command->shared || command->several;

	if (is_script && is_needless(command, reply)) {
		*answer = (struct rlk_answer){.kind = RLK_NO, .remaining_ms = -1};
		return true;
	}
	if (reply->type == REDIS_REPLY_ERROR || is_script ||
	    (command->op != RLK_OP_EXTEND && command->op != RLK_OP_RELEASE)) {
		return rlk_wire_decode(command->op, reply, answer);
	}
	*answer = (struct rlk_answer){.remaining_ms = -1};
	if (command->op == RLK_OP_EXTEND) {
		decode_native_extend(command, reply, answer);
	} else {
		decode_set(reply, answer);
	}
	return answer->kind != RLK_ERROR;
}
