/* chaos_foreign.c - another library on the same resource: plain SET NX on every node, a quorum of
 * them in time, compare-and-delete. It excludes us, and we exclude it.
 *
 * It knows no restart guard, so it takes part only where no node loses data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"
#include "core/lease.h"
#include "core/round.h"

/* One command on its way to one node, and its answer back. */
struct letter {
	struct chaos_foreigner *from;
	unsigned node;
	uint32_t round;
	struct sim_command command;
	bool granted;
};

static void forget(struct chaos_foreigner *foreigner)
{
	struct chaos *chaos = foreigner->chaos;

	foreigner->held = false;
	sim_judge_foreign(chaos->sim, &foreigner->lease, foreigner->resource, 0);
}

static void on_answer(struct sim *sim, void *data)
{
	struct letter *letter = data;
	struct chaos_foreigner *foreigner = letter->from;
	const struct rlk_config *config = &sim->config;
	uint64_t until_us = rlk_valid_until_us(foreigner->start_us, foreigner->chaos->ttl_ms,
					       config->drift_ppm);

	if (letter->round == foreigner->round && letter->granted &&
	    ++foreigner->votes == rlk_quorum(sim->node_count) && until_us > sim->now_us) {
		sim_note(sim, "another library holds %s as %.4s", foreigner->resource,
			 letter->command.token);
		foreigner->held = true;
		sim_judge_foreign(sim, &foreigner->lease, foreigner->resource, until_us);
	}
	free(letter);
}

static void on_arrival(struct sim *sim, void *data)
{
	struct letter *letter = data;
	struct sim_server *server = &sim->servers[letter->node];
	struct rlk_answer answer;

	if (!server->up || server->paused) {
		free(letter);
		return;
	}
	sim_server_execute(sim, server, &letter->command, &answer);
	letter->granted = letter->command.op == RLK_OP_ACQUIRE && answer.kind == RLK_YES;
	sim_at(sim, sim->now_us + sim->latency_us, on_answer, letter);
}

static void ask_all(struct chaos_foreigner *foreigner, enum rlk_op op, struct sim_dice *dice)
{
	struct chaos *chaos = foreigner->chaos;
	struct letter *letter;
	unsigned i;

	for (i = 0; i < chaos->sim->node_count; i++) {
		if (dice_chance(dice, 10)) {
			continue; /* It is lost. */
		}
		letter = sim_alloc(sizeof *letter);
		letter->from = foreigner;
		letter->node = i;
		letter->round = foreigner->round;
		letter->command.op = op;
		letter->command.name_len = strlen(foreigner->resource);
		memcpy(letter->command.name, foreigner->resource, letter->command.name_len);
		letter->command.token_len = sizeof foreigner->token;
		memcpy(letter->command.token, foreigner->token, sizeof foreigner->token);
		letter->command.ttl_ms = chaos->ttl_ms;
		sim_at(chaos->sim,
		       chaos->sim->now_us + dice_between(dice, 1, 3 * chaos->sim->latency_us),
		       on_arrival, letter);
	}
}

static void begin(struct chaos_foreigner *foreigner, struct sim_dice *dice)
{
	char text[sizeof foreigner->token + 1];

	snprintf(text, sizeof text, "%08x", (unsigned)dice_roll(dice));
	memcpy(foreigner->token, text, sizeof foreigner->token);
	foreigner->round++;
	foreigner->votes = 0;
	foreigner->start_us = foreigner->chaos->sim->now_us;
	ask_all(foreigner, RLK_OP_ACQUIRE, dice);
}

/* Whatever it has, or may have, goes before it asks for more. */
static void on_act(struct sim *sim, void *data)
{
	struct chaos_foreigner *foreigner = data;
	struct chaos *chaos = foreigner->chaos;
	struct sim_dice dice;

	(void)sim;
	if (chaos->over) {
		return;
	}
	if (chaos_decide(chaos, CHAOS_FOREIGNER, foreigner->acts, &dice) &&
	    !(foreigner->held && dice_chance(&dice, 80))) {
		chaos->acts++;
		forget(foreigner);
		foreigner->round++;
		if (foreigner->start_us != 0) {
			ask_all(foreigner, RLK_OP_RELEASE, &dice);
			foreigner->start_us = 0;
		} else {
			begin(foreigner, &dice);
		}
	}
	foreigner->acts++;
	chaos_next(chaos, CHAOS_FOREIGNER, foreigner->acts, chaos_moment_us(chaos, &dice), on_act,
		   foreigner);
}

void chaos_foreigner_start(struct chaos *chaos)
{
	struct chaos_foreigner *foreigner = &chaos->foreigner;

	foreigner->chaos = chaos;
	foreigner->resource = chaos->slots[0].resources[0];
	chaos_next(chaos, CHAOS_FOREIGNER, 0, chaos_moment_us(chaos, &chaos->dice), on_act,
		   foreigner);
}

void chaos_foreigner_end(struct chaos *chaos)
{
	struct sim_dice dice = dice_for(chaos->sim->seed, CHAOS_FOREIGNER);

	if (chaos->foreigner.chaos != NULL) {
		forget(&chaos->foreigner);
		chaos->foreigner.round++;
		ask_all(&chaos->foreigner, RLK_OP_RELEASE, &dice);
	}
}
