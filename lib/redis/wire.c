/* wire.c - the protocol, byte for byte; docs/protocol.md is its other half.
 *
 * Commands are written with lengths, so that a resource or a token may hold any
 * byte. Replies are matched exactly: `+OK`, nil, `:1` and so on mean what they
 * mean, and everything else is an error, which is never read as "not set". */
#include "wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MAX 16

/* ---- Encoding -------------------------------------------------------------------------------- */

static bool grow(struct rlk_wire *wire, size_t cap)
{
	const struct redlock_allocator *allocator = wire->allocator;
	char *bytes = allocator->calloc(1, cap, allocator->data);

	if (bytes == NULL) {
		return false;
	}
	if (wire->bytes != NULL) {
		memcpy(bytes, wire->bytes, wire->len);
		allocator->free(wire->bytes, allocator->data);
	}
	wire->bytes = bytes;
	wire->cap = cap;
	return true;
}

static char *room(struct rlk_wire *wire, size_t len)
{
	size_t cap = wire->cap == 0 ? 1024 : wire->cap;

	while (cap - wire->len < len) {
		cap *= 2;
	}
	if (wire->failed || (cap != wire->cap && !grow(wire, cap))) {
		wire->failed = true;
		return NULL;
	}
	return wire->bytes + wire->len;
}

static void put(struct rlk_wire *wire, const char *bytes, size_t len)
{
	char *at = room(wire, len);

	if (at != NULL) {
		memcpy(at, bytes, len);
		wire->len += len;
	}
}

static void put_head(struct rlk_wire *wire, char kind, size_t n)
{
	char head[32];
	int len = snprintf(head, sizeof head, "%c%zu\r\n", kind, n);

	put(wire, head, (size_t)len);
}

void rlk_wire_free(struct rlk_wire *wire)
{
	if (wire->bytes != NULL) {
		wire->allocator->free(wire->bytes, wire->allocator->data);
	}
	wire->bytes = NULL;
	wire->len = wire->cap = 0;
}

/* ---- Commands -------------------------------------------------------------------------------- */

struct args {
	int n;
	int fence_at; /* This one gets RLK_FENCE_SUFFIX; 0: none does. */
	const char *v[ARGS_MAX];
	size_t len[ARGS_MAX];
	char numbers[6][24];
	int number_count;
};

static void add(struct args *args, const char *bytes, size_t len)
{
	args->v[args->n] = bytes;
	args->len[args->n++] = len;
}

static void add_text(struct args *args, const char *text)
{
	add(args, text, strlen(text));
}

static void add_number(struct args *args, uint64_t number)
{
	char *text = args->numbers[args->number_count++];

	snprintf(text, sizeof args->numbers[0], "%" PRIu64, number);
	add_text(args, text);
}

static void put_all(struct rlk_wire *wire, const struct args *args)
{
	static const char suffix[] = RLK_FENCE_SUFFIX;
	size_t more;
	int i;

	wire->len = 0;
	wire->failed = false;
	put_head(wire, '*', (size_t)args->n);
	for (i = 0; i < args->n; i++) {
		more = args->fence_at > 0 && i == args->fence_at ? sizeof suffix - 1 : 0;
		put_head(wire, '$', args->len[i] + more);
		put(wire, args->v[i], args->len[i]);
		put(wire, suffix, more);
		put(wire, "\r\n", 2);
	}
}

void rlk_wire_args(struct rlk_wire *wire, int argc, const char *const *argv)
{
	struct args args = {0};
	int i;

	for (i = 0; i < argc; i++) {
		add_text(&args, argv[i]);
	}
	put_all(wire, &args);
}

enum rlk_script_id rlk_wire_script(const struct rlk_command *command)
{
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		return command->fence != 0 ? RLK_SCRIPT_FENCED : RLK_SCRIPTS;
	case RLK_OP_EXTEND:
		return RLK_SCRIPT_EXTEND;
	case RLK_OP_RELEASE:
		return RLK_SCRIPT_RELEASE;
	case RLK_OP_INSPECT:
		return command->name != NULL ? RLK_SCRIPT_INSPECT : RLK_SCRIPTS;
	case RLK_OP_REMAINING:
		break;
	}
	return RLK_SCRIPTS;
}

static void add_plain(struct args *args, const struct rlk_command *command)
{
	const struct rlk_name *name = command->name;

	if (command->op == RLK_OP_INSPECT) {
		add_text(args, "PING");
		return;
	}
	if (command->op == RLK_OP_REMAINING) {
		add_text(args, "PTTL");
		add(args, name->bytes, name->len);
		return;
	}
	add_text(args, "SET");
	add(args, name->bytes, name->len);
	add(args, command->token, command->token_len);
	add_text(args, "NX");
	add_text(args, "PX");
	add_number(args, command->ttl_ms);
}

static void add_script_args(struct args *args, const struct rlk_command *command,
			    const struct rlk_wire_node *node)
{
	if (command->op == RLK_OP_INSPECT) {
		return;
	}
	add(args, command->token, command->token_len);
	if (command->op == RLK_OP_RELEASE) {
		return;
	}
	add_number(args, command->ttl_ms);
	if (command->op == RLK_OP_EXTEND) {
		if (command->fence != 0) {
			add_number(args, RLK_FENCE_TTL_MS);
		}
		return;
	}
	add_number(args, command->fence);
	add_number(args, node->born_us);
	add_number(args, RLK_FENCE_DELTA_US);
	add_number(args, RLK_FENCE_TTL_MS);
	add_text(args, command->op == RLK_OP_REPAIR ? "1" : "0");
}

void rlk_wire_encode(struct rlk_wire *wire, const struct rlk_command *command,
		     const struct rlk_wire_node *node)
{
	enum rlk_script_id id = rlk_wire_script(command);
	bool fence_key = command->fence != 0 && command->op != RLK_OP_RELEASE;
	struct args args = {0};

	if (id == RLK_SCRIPTS) {
		add_plain(&args, command);
		put_all(wire, &args);
		return;
	}
	if ((node->loaded & (1U << id)) != 0) {
		add_text(&args, "EVALSHA");
		add_text(&args, rlk_scripts[id].sha1);
	} else {
		add_text(&args, "EVAL");
		add_text(&args, rlk_scripts[id].text);
	}
	add_text(&args, fence_key ? "2" : "1");
	add(&args, command->name->bytes, command->name->len);
	if (fence_key) {
		args.fence_at = args.n;
		add(&args, command->name->bytes, command->name->len);
	}
	add_script_args(&args, command, node);
	put_all(wire, &args);
}

/* ---- Decoding -------------------------------------------------------------------------------- */

static void error(struct rlk_answer *answer, const char *text, size_t len)
{
	answer->kind = RLK_ERROR;
	answer->text = text;
	answer->text_len = len;
}

static void unexpected(struct rlk_answer *answer)
{
	static const char text[] = "unexpected reply";
	error(answer, text, sizeof text - 1);
}

static int64_t milliseconds(const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);
	return *end == '\0' && end != text ? value : -1;
}

static void decode_set(const redisReply *reply, struct rlk_answer *answer)
{
	if (reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0) {
		answer->kind = RLK_YES;
	} else if (reply->type == REDIS_REPLY_NIL) {
		answer->kind = RLK_NO;
	} else {
		unexpected(answer);
	}
}

static void decode_fenced(const redisReply *reply, struct rlk_answer *answer)
{
	static const char unborn[] = "not enrolled, so it cannot vote for a fencing token";
	const redisReply *text;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_INTEGER ||
	    reply->element[1]->type != REDIS_REPLY_STRING) {
		unexpected(answer);
		return;
	}
	text = reply->element[1];
	switch (reply->element[0]->integer) {
	case 1:
		answer->kind = RLK_YES;
		break;
	case 0:
		answer->kind = RLK_NO;
		answer->remaining_ms = milliseconds(text->str);
		break;
	case -1:
		answer->kind = RLK_FENCE_LOW;
		answer->fence = strtoull(text->str, NULL, 10);
		break;
	case -2:
		answer->kind = RLK_FENCE_HIGH;
		answer->fence = strtoull(text->str, NULL, 10);
		break;
	case -3:
		error(answer, unborn, sizeof unborn - 1);
		break;
	default:
		unexpected(answer);
		break;
	}
}

static void decode_integer(enum rlk_op op, const redisReply *reply, struct rlk_answer *answer)
{
	if (reply->type != REDIS_REPLY_INTEGER) {
		unexpected(answer);
	} else if (op == RLK_OP_REMAINING) {
		answer->kind = RLK_VALUE;
		/* -2: no key; -1: a key without an end. */
		answer->remaining_ms = reply->integer == -2 ? 0 : reply->integer;
	} else if (reply->integer == 1) {
		answer->kind = RLK_YES;
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

	answer->kind = RLK_VALUE;
	if (reply->type == REDIS_REPLY_STATUS) { /* PONG */
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[1]->type != REDIS_REPLY_INTEGER) {
		unexpected(answer);
		return;
	}
	owner = reply->element[0];
	if (owner->type == REDIS_REPLY_STRING) {
		answer->held = true;
		answer->text = owner->str;
		answer->text_len = (size_t)owner->len;
		answer->remaining_ms = reply->element[1]->integer;
	} else if (owner->type != REDIS_REPLY_NIL) {
		unexpected(answer);
	}
}

/* Another kind of value under the key, as some locks use: somebody else's. */
static bool is_wrong_type(const redisReply *reply)
{
	return strstr(reply->str, "WRONGTYPE") != NULL;
}

void rlk_wire_decode(enum rlk_op op, const redisReply *reply, struct rlk_answer *answer)
{
	*answer = (struct rlk_answer){.remaining_ms = -1};
	if (reply->type == REDIS_REPLY_ERROR) {
		error(answer, reply->str, (size_t)reply->len);
		if (is_wrong_type(reply) && op != RLK_OP_INSPECT && op != RLK_OP_REMAINING) {
			answer->kind = RLK_NO;
		}
		return;
	}
	switch (op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		if (reply->type == REDIS_REPLY_ARRAY) { /* To a fenced one. */
			decode_fenced(reply, answer);
		} else {
			decode_set(reply, answer);
		}
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
}
