/* commands.h - a command for a node, and what its bytes have to be. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdio.h>
#include <string.h>

#include "client.h"
#include "redis/wire.h"
#include "unit.h"

static struct rlk_wire wire;
static struct rlk_wire_node node;
static struct rlk_command command;

/* Of a node that has seen every script. */
static inline void commands_setup(const struct rlk_name *name)
{
	wire = (struct rlk_wire){.allocator = &rlk_libc_allocator};
	node = (struct rlk_wire_node){.born_us = 77, .loaded = ~0U};
	command = (struct rlk_command){.name = name,
				       .several = rlk_is_several(name),
				       .token = "t\0k",
				       .token_len = 3,
				       .ttl_ms = 500};
}

static inline void expect_script(enum rlk_op op, enum rlk_script_id id, const char *rest,
				 size_t rest_len, int argc)
{
	char head[256];
	int len = snprintf(head, sizeof head, "*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n", argc,
			   rlk_scripts[id].sha1);

	command.op = op;
	ck_assert_int_eq(rlk_wire_script(&command), id);
	ck_assert_int_eq(rlk_wire_encode(&wire, &command, &node), id);
	ck_assert_uint_eq(wire.len, (size_t)len + rest_len);
	ck_assert_mem_eq(wire.bytes, head, (size_t)len);
	ck_assert_mem_eq(wire.bytes + len, rest, rest_len);
}

#define EXPECT_SCRIPT(op, id, rest, argc)                                                          \
	expect_script((op), (id), (rest), sizeof(rest) - 1, (argc))

/* What it means that the node says @resp; @native: to one who has no right to scripts. */
static inline struct rlk_answer answer_to(enum rlk_op op, const char *resp, bool native)
{
	redisReader *reader = redisReaderCreate();
	struct rlk_answer answer;
	void *reply = NULL;

	redisReaderFeed(reader, resp, strlen(resp));
	ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	ck_assert_ptr_nonnull(reply);
	command.op = op;
	if (native) {
		rlk_native_decode(&command, reply, &answer);
	} else {
		rlk_wire_decode(op, reply, &answer);
	}
	answer.text = NULL; /* It was lent. */
	freeReplyObject(reply);
	redisReaderFree(reader);
	return answer;
}

#endif
