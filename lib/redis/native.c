/* native.c - what a server does for us without a script, for users who have no right to any.
 *
 * SET with IFEQ (Valkey 8.1, Redis 8.4) sets a key only if it has the value that is named: it takes
 * nobody's key, and creates none. So to set our token where our token is, with an end further on,
 * extends; with an end that has passed it deletes. One command, and a right that we must have
 * anyway. DELIFEQ and DELEX would delete as well, each on servers of its own and with a right of
 * its own; and DELEX, when the words behind it are lost, deletes whatever is there.
 *
 * It cannot look at the key's end, so it is told one that is never earlier than what was promised
 * before. Nor can it pass the key on: who has no right to scripts has no right to the line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wire.h"

#define ARGS_MAX 8

bool rlk_native_encode(struct rlk_wire *wire, const struct rlk_command *command)
{
	const char *argv[ARGS_MAX] = {"SET"};
	size_t lens[ARGS_MAX] = {3};
	uint32_t ttl_ms = command->ttl_ms;
	char number[12];
	int argc = 3, i;

	/* With more than the key to look at, only a script is one step. */
	if (command->shared || command->several ||
	    (rlk_is_vote(command->op) && (command->fence != 0 || command->checked))) {
		return false;
	}
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		argv[argc++] = "NX";
		argv[argc++] = "PX";
		break;
	case RLK_OP_EXTEND:
		ttl_ms = ttl_ms > command->longest_ms ? ttl_ms : command->longest_ms;
		argv[argc++] = "IFEQ";
		argv[argc++] = command->token;
		argv[argc++] = "PX";
		break;
	case RLK_OP_RELEASE:
		ttl_ms = 1;
		argv[argc++] = "IFEQ";
		argv[argc++] = command->token;
		argv[argc++] = "PXAT";
		break;
	default:
		return false;
	}
	snprintf(number, sizeof number, "%" PRIu32, ttl_ms);
	argv[argc++] = number;
	if (command->op == RLK_OP_EXTEND) {
		argv[argc++] = "GET"; /* No key, or another's? */
	}
	for (i = 3; i < argc; i++) {
		lens[i] = argv[i] == command->token ? command->token_len : strlen(argv[i]);
	}
	argv[1] = command->name->bytes;
	lens[1] = command->name->len;
	argv[2] = command->token;
	lens[2] = command->token_len;
	rlk_wire_args(wire, argc, argv, lens);
	return true;
}
