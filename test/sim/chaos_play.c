/* chaos_play.c - one schedule, from its cast to its quiet end.
 *
 * A schedule depends on its seed alone. Each decision has dice of its own, so
 * that the others stay what they are when one of them is left out. */
#include "chaos.h"

#include <inttypes.h>
#include <stdio.h>

bool chaos_decide(struct chaos *chaos, unsigned actor, uint32_t ordinal, struct sim_dice *dice)
{
	*dice = dice_for(chaos->sim->seed ^ UINT64_C(0x5851f42d4c957f2d) * (actor + 1), ordinal);
	return chaos->tape == NULL || tape_pass(chaos->tape, actor, ordinal, chaos->sim->now_us);
}

void chaos_next(struct chaos *chaos, unsigned actor, uint32_t ordinal, uint64_t at_us,
		sim_event_fn *run, void *data)
{
	const struct tape_mark *mark;

	if (chaos->tape != NULL && chaos->tape->playing) {
		mark = tape_find(chaos->tape, actor, ordinal);
		at_us = mark == NULL ? RLK_NEVER : mark->at_us;
	}
	sim_at(chaos->sim, at_us, run, data);
}

void chaos_play(struct chaos *chaos, uint64_t seed, void (*set_up)(struct sim *sim))
{
	/* Most clusters are of three or five nodes. */
	static const unsigned nodes[] = {3, 5, 3, 5, 1, 3, 4, 5, 2, 3};
	struct sim *sim = sim_new(nodes[seed % 10], seed);

	chaos->sim = sim;
	chaos->dice = dice_for(seed, UINT64_MAX);
	snprintf(sim->label, sizeof sim->label, "seed %" PRIu64, seed);
	/* The judge's short cuts are judged, too. */
	sim->thorough = seed / 10 % 64 == 0;
	if (set_up != NULL) {
		set_up(sim);
	}
	chaos_cast(chaos);
	chaos_users_start(chaos);
	chaos_trouble_start(chaos);
	if (chaos->foreign) {
		chaos_foreigner_start(chaos);
	}
	sim_run(sim, chaos->end_us - sim->now_us);
	chaos_calm(chaos);
}
