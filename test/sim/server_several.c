/* server_several.c - commands for several resources: every key is looked at before one is set. */
#include <string.h>

#include "core/mutant.h"
#include "sim.h"

unsigned sim_command_parts(const struct sim_command *command)
{
	return command->part_count > 0 ? command->part_count : 1;
}

const struct sim_command *sim_command_part(const struct sim_command *command, unsigned part,
					   struct sim_command *one)
{
	if (command->part_count == 0) {
		return command;
	}
	*one = *command;
	one->part_count = 0;
	one->name_len = command->parts[part].len;
	memcpy(one->name, command->parts[part].name, one->name_len);
	return one;
}

/* The keys of a command, and what they have to do with it. */
struct keys {
	unsigned count;
	struct sim_key *at[SIM_PARTS_MAX];
	bool ours[SIM_PARTS_MAX];
	uint64_t left_ms[SIM_PARTS_MAX]; /* 0: it is not there. */
};

static void find_keys(struct sim *sim, struct sim_server *server, const struct sim_command *command,
		      struct keys *keys)
{
	unsigned i;

	keys->count = command->part_count;
	for (i = 0; i < keys->count; i++) {
		keys->at[i] = sim_key_find_or_make(sim, server, command->parts[i].name,
						   command->parts[i].len);
		keys->left_ms[i] = sim_server_left_ms(sim, server, keys->at[i]);
		keys->ours[i] = keys->left_ms[i] > 0 &&
				sim_key_is(keys->at[i], command->token, command->token_len);
	}
}

static bool is_in_the_way(const struct keys *keys, unsigned i, enum rlk_op op)
{
	if ((i > 0 && RLK_MUTANT(ALL_FIRST_FREE)) ||
	    (op == RLK_OP_REPAIR && RLK_MUTANT(ALL_REPAIR_ANY))) {
		return false;
	}
	return keys->left_ms[i] > 0 && (op == RLK_OP_ACQUIRE || !keys->ours[i]);
}

/* RLK_SCRIPT_TAKE_ALL. */
static void take(const struct sim *sim, const struct sim_server *server, const struct keys *keys,
		 const struct sim_command *command, struct rlk_answer *answer)
{
	unsigned i;

	answer->kind = RLK_YES;
	for (i = 0; i < keys->count; i++) {
		if (is_in_the_way(keys, i, command->op)) {
			answer->kind = RLK_NO;
			if ((int64_t)keys->left_ms[i] > answer->remaining_ms) {
				answer->remaining_ms = (int64_t)keys->left_ms[i];
			}
		}
	}
	for (i = 0; i < keys->count; i++) {
		if (keys->left_ms[i] < command->ttl_ms &&
		    (answer->kind == RLK_YES ||
		     (keys->left_ms[i] == 0 && RLK_MUTANT(ALL_PARTLY_SET)))) {
			sim_key_set(sim, server, keys->at[i], command->token, command->token_len,
				    command->ttl_ms);
		}
	}
}

/* RLK_SCRIPT_EXTEND_ALL. */
static void extend(const struct keys *keys, const struct sim_command *command,
		   struct rlk_answer *answer)
{
	unsigned i;

	answer->kind = RLK_YES;
	for (i = 0; i < keys->count; i++) {
		if (keys->left_ms[i] > 0 && !keys->ours[i]) {
			answer->kind = RLK_NO;
			return;
		}
		answer->kind = keys->left_ms[i] == 0 ? RLK_MISSING : answer->kind;
	}
	for (i = 0; i < keys->count && answer->kind == RLK_YES; i++) {
		if (keys->left_ms[i] < command->ttl_ms) {
			keys->at[i]->dies_ms += command->ttl_ms - keys->left_ms[i];
		}
	}
}

/* RLK_SCRIPT_RELEASE_ALL. */
static void release(struct sim *sim, struct sim_server *server, const struct keys *keys,
		    const struct sim_command *command, struct rlk_answer *answer)
{
	struct sim_command one;
	unsigned i;

	answer->kind = RLK_YES;
	for (i = 0; i < keys->count; i++) {
		if (!keys->ours[i]) {
			answer->kind = RLK_NO;
		} else if (i == 0 || !RLK_MUTANT(ALL_RELEASE_FIRST)) {
			if (sim_line_release(sim, server, keys->at[i],
					     sim_command_part(command, i, &one))) {
				answer->passed = true;
			} else {
				keys->at[i]->dies_ms = 0;
			}
		}
	}
	answer->passed = answer->passed && answer->kind == RLK_YES;
}

void sim_several_execute(struct sim *sim, struct sim_server *server,
			 const struct sim_command *command, struct rlk_answer *answer)
{
	struct keys keys;

	find_keys(sim, server, command, &keys);
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		take(sim, server, &keys, command, answer);
		break;
	case RLK_OP_EXTEND:
		extend(&keys, command, answer);
		break;
	case RLK_OP_RELEASE:
		release(sim, server, &keys, command, answer);
		break;
	default:
		sim_fail(sim, "several resources are asked to %s", sim_op_name(command->op));
	}
}
