/* wire.h - commands to bytes, replies to answers. */
#ifndef RLK_WIRE_H
#define RLK_WIRE_H

#include <hiredis/hiredis.h>
#include <redlock/redlock.h>
#include <stdbool.h>

#include "../core/parts.h"
#include "script.h"

/* How far ahead of a node's clock a fencing token may be, and how long its memory lives. */
#define RLK_FENCE_DELTA_US UINT64_C(60000000)
#define RLK_FENCE_TTL_MS UINT64_C(86400000)
/* Servers count in doubles. */
#define RLK_WIRE_NUMBER_END (UINT64_C(1) << 53)
/* A script and its digest, so many keys, token, TTL and one word more. */
#define RLK_WIRE_ARGS_MAX (3 + RLK_PARTS_MAX + 3)
#define RLK_FENCE_SUFFIX ":fence"
#define RLK_LINE_SUFFIX ":line"
#define RLK_LINE_ON_SUFFIX ":line:on"
#define RLK_READERS_SUFFIX ":readers"
/* The line outlives the key by so much: by then, those in it have come back. */
#define RLK_LINE_LIFE_MS 30000
/* As text: token, caller, ms to keep the key for, name, number. */
#define RLK_TICKET_LEN (RLK_TOKEN_LEN + 12 + 4 + 8 + 8)

/* Bytes to send; grows as needed, kept for the next command. */
struct rlk_wire {
	const struct redlock_allocator *allocator;
	char *bytes;
	size_t len, cap;
	bool failed; /* Out of memory: the bytes are not complete. */
	/* Of which command they are, if they are the same for another node: with whose name and
	 * token, is looked up in the bytes. */
	struct {
		bool known, by_digest, shared;
		enum rlk_op op;
		uint32_t ttl_ms, ticket;
		size_t name_at, name_len, token_at, token_len;
	} made;
};

/* What of the node goes into a command. */
struct rlk_wire_node {
	uint64_t born_us; /* 0: not enrolled. */
	unsigned loaded;  /* Scripts that its connection has seen: bit = id. */
	bool text_only;	  /* It has no right to EVALSHA. */
	bool native;	  /* It has no right to scripts, and does without: native.c. */
	/* For commands that are checked: what the node was when it logged in. */
	const char *incarnation, *incarnation_key;
};

/* Fill @wire with any command, of RLK_WIRE_ARGS_MAX arguments at most; without @lens, of texts. */
void rlk_wire_args(struct rlk_wire *wire, int argc, const char *const *argv, const size_t *lens);
/* Fill @wire, or leave it if that is in it already. Scripts go by digest if the connection has seen
 * them, else with their text. Returns the script, as rlk_wire_script(). */
enum rlk_script_id rlk_wire_encode(struct rlk_wire *wire, const struct rlk_command *command,
				   const struct rlk_wire_node *node);

/* room.c */
/* Have room for @len bytes; what was there is over. */
bool rlk_wire_reserve(struct rlk_wire *wire, size_t len);
/* Overwrite what is in it. */
void rlk_wire_wipe(struct rlk_wire *wire);
void rlk_wire_free(struct rlk_wire *wire);

/* several.c: commands for several resources; each runs a script, but for those that are never asked
 * of several: RLK_SCRIPTS. */
enum rlk_script_id rlk_several_script(const struct rlk_command *command);
void rlk_several_encode(struct rlk_wire *wire, const struct rlk_command *command,
			enum rlk_script_id id, bool by_digest);
/* choose.c */
/* The script that @command runs on a node, or RLK_SCRIPTS for none. */
enum rlk_script_id rlk_wire_script(const struct rlk_command *command);
/* The suffix of the helper key that it wants beside the resource's, or NULL. */
const char *rlk_wire_helper(const struct rlk_command *command, enum rlk_script_id id);

/* native.c: fill @wire with a command that does the same without a script. False: there is none,
 * and nothing is changed. */
bool rlk_native_encode(struct rlk_wire *wire, const struct rlk_command *command);

/* reply.c */
/* Lends parts of @reply to @answer. Any reply at all is an answer; what is not understood is an
 * RLK_ERROR. Returns false if no server would answer @op like that. */
bool rlk_wire_decode(enum rlk_op op, const redisReply *reply, struct rlk_answer *answer);
/* The same for the answer to a command of rlk_native_encode(). */
bool rlk_native_decode(const struct rlk_command *command, const redisReply *reply,
		       struct rlk_answer *answer);
/* The number in a string of decimal digits. False, and 0: it is something else, or too large. */
bool rlk_wire_number(const redisReply *reply, uint64_t *number);

#endif
