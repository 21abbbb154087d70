/* several.c - commands for several resources, all or none of which are had: a script for each,
 * since only that looks at all of their keys before it sets one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire.h"

enum rlk_script_id rlk_several_script(const struct rlk_command *command)
{
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		return RLK_SCRIPT_TAKE_ALL;
	case RLK_OP_EXTEND:
		return RLK_SCRIPT_EXTEND_ALL;
	case RLK_OP_RELEASE:
		return RLK_SCRIPT_RELEASE_ALL;
	default:
		return RLK_SCRIPTS;
	}
}

struct words {
	int n;
	const char *at[RLK_WIRE_ARGS_MAX];
	size_t len[RLK_WIRE_ARGS_MAX];
};

static void add(struct words *words, const char *bytes, size_t len)
{
	words->at[words->n] = bytes;
	words->len[words->n++] = len;
}

static void add_text(struct words *words, const char *text)
{
	add(words, text, strlen(text));
}

void rlk_several_encode(struct rlk_wire *wire, const struct rlk_command *command,
			enum rlk_script_id id, bool by_digest)
{
	struct rlk_part part = {0};
	struct words words = {0};
	char count[12], ttl[12];

	snprintf(count, sizeof count, "%u", (unsigned)command->name->several);
	snprintf(ttl, sizeof ttl, "%" PRIu32, command->ttl_ms);
	add_text(&words, by_digest ? "EVALSHA" : "EVAL");
	add_text(&words, by_digest ? rlk_scripts[id].sha1 : rlk_scripts[id].text);
	add_text(&words, count);
	while (rlk_part_next(command->name, &part)) {
		add(&words, part.bytes, part.len);
	}
	add(&words, command->token, command->token_len);
	if (id != RLK_SCRIPT_RELEASE_ALL) {
		add_text(&words, ttl);
	}
	if (id == RLK_SCRIPT_TAKE_ALL) {
		add_text(&words, command->op == RLK_OP_REPAIR ? "1" : "0");
	}
	rlk_wire_args(wire, words.n, words.at, words.len);
}
