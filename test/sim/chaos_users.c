/* chaos_users.c - what programs do with their locks: anything, at any time, from callbacks too. */
#include "chaos.h"

uint64_t chaos_moment_us(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	const struct sim_lock *lock = chaos->slots[sim_random(sim) % chaos->slot_count].lock;
	uint64_t near_us = chaos->pace_us / 20, at_us = 0;

	if (lock->last_until_us != 0 && sim_chance(sim, 40)) {
		at_us = sim_clock_when(&lock->client->clock, lock->last_until_us) +
			sim_between(sim, 0, 2 * near_us) - near_us;
	}
	if (at_us <= sim->now_us) {
		at_us = sim->now_us +
			sim_between(sim, 0, sim_chance(sim, 50) ? near_us : chaos->pace_us / 2);
	}
	return at_us;
}

static uint64_t wait_ms(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	uint64_t ttl_ms = chaos->pace_us / 1000;

	switch (sim_random(sim) % 5) {
	case 0:
	case 1:
		return 0;
	case 2:
		return sim_between(sim, 1, ttl_ms / 2);
	case 3:
		return sim_between(sim, ttl_ms, 10 * ttl_ms);
	default:
		return UINT64_MAX;
	}
}

static void close_client(struct chaos *chaos, unsigned client)
{
	unsigned i;

	if (!chaos->closes) {
		return;
	}
	for (i = 0; i < chaos->slot_count; i++) {
		/* The others are freed when all is over. */
		if (chaos->slots[i].client == client && sim_chance(chaos->sim, 50)) {
			sim_lock_free(chaos->slots[i].lock);
		}
	}
	sim_client_close(chaos->clients[client]);
	chaos_replace_client(chaos, client);
}

static void act(struct chaos_slot *slot)
{
	struct chaos *chaos = slot->chaos;
	unsigned dice = (unsigned)(sim_random(chaos->sim) % 100);

	if (dice < 40) {
		sim_acquire(slot->lock, wait_ms(chaos));
	} else if (dice < 58) {
		sim_extend(slot->lock);
	} else if (dice < 78) {
		sim_release(slot->lock, sim_chance(chaos->sim, 70));
	} else if (dice < 84) {
		sim_cancel(slot->lock);
	} else if (dice < 88) {
		sim_lock_free(slot->lock);
		chaos_replace_lock(slot);
	} else if (dice < 90) {
		close_client(chaos, slot->client);
	} else if (dice < 92) {
		sim_survey(chaos->clients[slot->client], dice == 90 ? NULL : slot->resource);
	}
}

static void on_tell(struct sim_lock *lock, enum rlk_news news, int status)
{
	struct chaos_slot *slot = lock->data;
	struct chaos *chaos = slot->chaos;

	if (chaos->over || lock->freed) {
		return;
	}
	if (news == RLK_EXTENDED && status != 0 && sim_chance(chaos->sim, 30)) {
		sim_extend(lock); /* The lease has not ended yet. */
	} else if (sim_chance(chaos->sim, 25)) {
		act(&chaos->slots[sim_chance(chaos->sim, 70)
					  ? (size_t)(slot - chaos->slots)
					  : sim_random(chaos->sim) % chaos->slot_count]);
	}
}

static void on_act(struct sim *sim, void *data)
{
	struct chaos_slot *slot = data;
	struct chaos *chaos = slot->chaos;

	if (chaos->over) {
		return;
	}
	if (!chaos->clients[slot->client]->paused) {
		act(slot);
	}
	sim_at(sim, chaos_moment_us(chaos), on_act, slot);
}

void chaos_users_start(struct chaos *chaos)
{
	unsigned i;

	for (i = 0; i < chaos->slot_count; i++) {
		chaos->slots[i].lock->on_tell = on_tell;
		sim_at(chaos->sim, chaos_moment_us(chaos), on_act, &chaos->slots[i]);
	}
}
