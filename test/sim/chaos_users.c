/* chaos_users.c - what programs do with their locks: anything, at any time, from callbacks too. */
#include "chaos.h"

uint64_t chaos_moment_us(struct chaos *chaos, struct sim_dice *dice)
{
	struct sim *sim = chaos->sim;
	const struct sim_lock *lock =
		chaos->slots[dice_between(dice, 0, chaos->slot_count - 1)].lock;
	const struct rlk_node *node =
		&lock->client->nodes[dice_between(dice, 0, sim->node_count - 1)];
	uint64_t near_us = chaos->pace_us / 20, at_us = 0;

	if (node->guard_until_us != 0 && dice_chance(dice, 20)) {
		at_us = sim_clock_when(&lock->client->clock, node->guard_until_us) +
			dice_between(dice, 0, near_us / 4);
	} else if (lock->last_until_us != 0 && dice_chance(dice, 40)) {
		at_us = sim_clock_when(&lock->client->clock, lock->last_until_us) +
			dice_between(dice, 0, 2 * near_us) - near_us;
	}
	if (at_us <= sim->now_us) {
		at_us = sim->now_us +
			dice_between(dice, 0, dice_chance(dice, 50) ? near_us : chaos->pace_us / 2);
	}
	return at_us;
}

static uint64_t wait_ms(const struct chaos *chaos, struct sim_dice *dice)
{
	uint64_t ttl_ms = chaos->pace_us / 1000;

	switch (dice_between(dice, 0, 4)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return dice_between(dice, 1, ttl_ms / 2);
	case 3:
		return dice_between(dice, ttl_ms, 10 * ttl_ms);
	default:
		return UINT64_MAX;
	}
}

static void close_client(struct chaos *chaos, unsigned client, struct sim_dice *dice)
{
	unsigned i;

	if (!chaos->closes) {
		return;
	}
	for (i = 0; i < chaos->slot_count; i++) {
		/* The others are freed when all is over. */
		if (chaos->slots[i].client == client && dice_chance(dice, 50)) {
			sim_lock_free(chaos->slots[i].lock);
		}
	}
	sim_client_close(chaos->clients[client]);
	chaos_replace_client(chaos, client, false, dice);
}

/* In the order of act(). */
static unsigned roll_by_habit(enum chaos_habit habit, struct sim_dice *dice)
{
	if (habit == CHAOS_TAKES && dice_chance(dice, 70)) {
		return dice_chance(dice, 50) ? 0 : 58;
	}
	if (habit == CHAOS_RENEWS && dice_chance(dice, 70)) {
		return 40;
	}
	return (unsigned)dice_between(dice, 0, 99);
}

static void act(struct chaos_slot *slot, struct sim_dice *dice)
{
	struct chaos *chaos = slot->chaos;
	unsigned roll = roll_by_habit(slot->habit, dice);

	chaos->acts++;
	if (dice_chance(dice, 15)) {
		chaos_trouble_soon(chaos, chaos->clients[slot->client], dice);
	}
	if (roll < 40) {
		sim_acquire(slot->lock, wait_ms(chaos, dice));
	} else if (roll < 58) {
		sim_extend(slot->lock);
	} else if (roll < 78) {
		sim_release(slot->lock, dice_chance(dice, 70));
	} else if (roll < 84) {
		sim_cancel(slot->lock);
	} else if (roll < 88) {
		sim_lock_free(slot->lock);
		chaos_replace_lock(slot);
	} else if (roll < 90) {
		close_client(chaos, slot->client, dice);
	} else if (roll < 92) {
		sim_survey(chaos->clients[slot->client], roll == 90 ? NULL : slot->resources[0]);
	}
}

/* Often a callback does something. */
static void on_tell(struct sim_lock *lock, enum rlk_news news, int status)
{
	struct chaos_slot *slot = lock->data;
	struct chaos *chaos = slot->chaos;
	struct sim_dice dice = dice_for(chaos->sim->seed, 1000 * (slot->index + 1) + slot->tells);
	unsigned actor = CHAOS_CALLBACK + slot->index;
	bool again = news == RLK_EXTENDED && status != 0 && dice_chance(&dice, 30);

	if (chaos->serving) {
		chaos_calm_told(lock, news, status);
	}
	if (chaos->over || lock->freed) {
		return;
	}
	slot->tells++;
	if ((!again && !dice_chance(&dice, slot->habit == CHAOS_ANYTHING ? 25 : 60)) ||
	    !chaos_decide(chaos, actor, slot->tells, &dice)) {
		return;
	}
	if (again) {
		sim_extend(lock); /* The lease has not ended yet. */
		return;
	}
	if (dice_chance(&dice, 30)) {
		slot = &chaos->slots[dice_between(&dice, 0, chaos->slot_count - 1)];
	}
	act(slot, &dice);
}

static void on_act(struct sim *sim, void *data)
{
	struct chaos_slot *slot = data;
	struct chaos *chaos = slot->chaos;
	unsigned actor = CHAOS_USER + slot->index;
	struct sim_dice dice;

	(void)sim;
	if (chaos->over) {
		return;
	}
	if (chaos_decide(chaos, actor, slot->acts, &dice) &&
	    !chaos->clients[slot->client]->paused) {
		act(slot, &dice);
	}
	slot->acts++;
	chaos_next(chaos, actor, slot->acts, chaos_moment_us(chaos, &dice), on_act, slot);
}

void chaos_users_start(struct chaos *chaos)
{
	struct chaos_slot *slot;
	unsigned i;

	for (i = 0; i < chaos->slot_count; i++) {
		slot = &chaos->slots[i];
		slot->lock->on_tell = on_tell;
		chaos_next(chaos, CHAOS_USER + i, 0, chaos_moment_us(chaos, &chaos->dice), on_act,
			   slot);
	}
}
