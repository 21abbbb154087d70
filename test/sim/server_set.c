/* server_set.c - how a node grants: plain, with a fencing token, to who was called. */
#include "core/mutant.h"
#include "redis/wire.h"
#include "sim.h"

/* RLK_SCRIPT_FENCED. */
static void set_fenced(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		       const struct sim_command *command, struct rlk_answer *answer)
{
	uint64_t now_us = sim_clock_read(sim, &server->clock);
	uint64_t floor_us = command->born_us + RLK_FENCE_DELTA_US;
	uint64_t forgotten_us = now_us + RLK_FENCE_DELTA_US - RLK_FENCE_TTL_MS * 1000;
	bool repair = command->op == RLK_OP_REPAIR;
	bool ours = sim_server_left_ms(sim, server, key) > 0;
	bool advance = command->op == RLK_OP_ADVANCE;

	if (ours && !sim_key_is(key, command->token, command->token_len)) {
		answer->kind = RLK_NO;
		answer->remaining_ms = (int64_t)sim_server_left_ms(sim, server, key);
		return;
	}
	if (advance && !ours && !RLK_MUTANT(ADVANCE_CREATES)) {
		answer->kind = RLK_MISSING;
		return;
	}
	if (RLK_MUTANT(FENCE_NO_FLOOR)) {
		floor_us = forgotten_us = 0;
	}
	floor_us = key->fence > floor_us ? key->fence : floor_us;
	floor_us = key->fence == 0 && forgotten_us > floor_us ? forgotten_us : floor_us;
	if (repair ? command->fence < key->fence
		   : command->fence < floor_us ||
			     (command->fence == floor_us && !RLK_MUTANT(FENCE_EQUAL))) {
		answer->kind = RLK_FENCE_LOW;
		answer->fence = repair ? key->fence : now_us > floor_us ? now_us : floor_us;
		return;
	}
	if (!repair && command->fence > now_us + RLK_FENCE_DELTA_US &&
	    !RLK_MUTANT(FENCE_NO_CEILING)) {
		answer->kind = RLK_FENCE_HIGH;
		answer->fence = now_us;
		return;
	}
	if (sim_server_left_ms(sim, server, key) < command->ttl_ms) {
		sim_key_set(sim, server, key, command->token, command->token_len, command->ttl_ms);
	}
	key->fence = command->fence > floor_us ? command->fence : floor_us;
	answer->kind = RLK_YES;
}

static void lengthen(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		     uint32_t ttl_ms)
{
	uint64_t left = sim_server_left_ms(sim, server, key);

	if (left < ttl_ms) {
		key->dies_ms += ttl_ms - left;
	}
}

/* RLK_SCRIPT_CONFIRM; with what RLK_SCRIPT_CHECKED does for one that was called. */
static void confirm(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		    const struct sim_command *command, struct rlk_answer *answer)
{
	uint64_t left = sim_server_left_ms(sim, server, key);
	bool ours = sim_key_is(key, command->token, command->token_len);

	if (left > 0 && !ours && !RLK_MUTANT(LINE_CONFIRM_ANY)) {
		answer->kind = RLK_NO;
		answer->remaining_ms = (int64_t)left;
		return;
	}
	answer->kind = RLK_YES;
	if (left > 0 && ours) {
		if (!RLK_MUTANT(LINE_CONFIRM_SHORT)) {
			lengthen(sim, server, key, command->ttl_ms);
		}
		return;
	}
	sim_key_set(sim, server, key, command->token, command->token_len, command->ttl_ms);
	sim_line_leave(key, command->token);
}

void sim_server_set(struct sim *sim, struct sim_server *server, struct sim_key *key,
		    const struct sim_command *command, struct rlk_answer *answer)
{
	if (command->fence != 0) {
		if (command->born_us == 0) {
			answer->kind = RLK_ERROR;
			return;
		}
		set_fenced(sim, server, key, command, answer);
	} else if (command->ticket.seq != 0) {
		confirm(sim, server, key, command, answer);
	} else if (command->checked && sim_server_left_ms(sim, server, key) > 0 &&
		   sim_key_is(key, command->token, command->token_len)) {
		lengthen(sim, server, key, command->ttl_ms);
		answer->kind = RLK_YES;
	} else if (sim_server_left_ms(sim, server, key) > 0) {
		answer->kind = RLK_NO;
	} else {
		sim_key_set(sim, server, key, command->token, command->token_len, command->ttl_ms);
		answer->kind = RLK_YES;
	}
}
