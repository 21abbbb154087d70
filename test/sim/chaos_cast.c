/* chaos_cast.c - who takes part in a schedule, and under which conditions. */
#include <stdio.h>
#include <string.h>

#include "chaos.h"

static uint32_t pick(struct sim_dice *dice, const uint32_t *values, size_t count)
{
	return values[dice_between(dice, 0, count - 1)];
}

#define PICK(dice, ...)                                                                            \
	pick((dice), (const uint32_t[]){__VA_ARGS__},                                              \
	     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Is the schedule to be this odd? Asked once for each. */
static bool is_odd(struct chaos *chaos, enum chaos_oddity oddity)
{
	struct sim_dice dice;
	return chaos_decide(chaos, CHAOS_CAST, oddity, &dice);
}

/* Any rate that the drift allowance covers; often the worst. Where clocks are set, that has the
 * other half of the allowance. */
static int64_t rate_ppm(const struct chaos *chaos, struct sim_dice *dice)
{
	uint64_t drift_ppm = chaos->sim->config.drift_ppm;
	/* The fastest is that much faster than the slowest, not than the world. */
	uint64_t half =
		drift_ppm * 1000000 / (2000000 + drift_ppm) / (chaos->may_set_clocks ? 2 : 1);

	switch (dice_between(dice, 0, 2)) {
	case 0:
		return (int64_t)half;
	case 1:
		return -(int64_t)half;
	default:
		return (int64_t)dice_between(dice, 0, 2 * half) - (int64_t)half;
	}
}

static void draw_times(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	struct sim_dice *dice = &chaos->dice;
	uint32_t pace_ms = PICK(dice, 50, 100, 200, 400);

	chaos->pace_us = 1000 * (uint64_t)pace_ms;
	chaos->ttl_ms = chaos->patient ? 60000 : pace_ms;
	sim->config = (struct rlk_config){
		.max_ttl_ms = chaos->ttl_ms,
		.drift_ppm = PICK(dice, 10000, 10000, 50000, 100000),
		.node_timeout_ms = PICK(dice, 5, pace_ms / 20 + 1, pace_ms / 4, pace_ms),
		.connect_timeout_ms = PICK(dice, 10, 50, 200),
		.min_validity_percent = PICK(dice, 0, 0, 20, 50),
		.retry_min_ms = PICK(dice, 1, 5),
		.retry_max_ms = PICK(dice, 5, 20, 100),
		.reconnect_min_ms = PICK(dice, 1, 10),
		.reconnect_max_ms = PICK(dice, 10, 100),
		.max_in_flight = PICK(dice, 3, 20, 65536, 65536),
		.pace = PICK(dice, 1, 4, RLK_PACE_MOST, RLK_PACE_MOST),
		.hand_max = PICK(dice, 0, 2, 16),
		.in_pauses = dice_chance(dice, 15),
		.guard = !chaos->durable || dice_chance(dice, 50),
		.durable = chaos->durable,
		.may_change = chaos->may_change,
	};
	sim->latency_us = PICK(dice, 50, 200, 1000);
	sim->jitter_us = PICK(dice, 0, 200, 3000) * is_odd(chaos, CHAOS_JITTER);
	sim->lazy_us = PICK(dice, 0, 0, 100, 1000) * is_odd(chaos, CHAOS_LAZY);
	sim->stray_percent = PICK(dice, 0, 50, 90, 100);
	sim->stray_min_us = 0;
	sim->stray_max_us = PICK(dice, 1000, pace_ms * 200, pace_ms * 1000);
	sim->stray_pounces = PICK(dice, 0, 0, 30, 80);
}

static void draw_nodes(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	struct sim_dice *dice = &chaos->dice;
	bool rates = is_odd(chaos, CHAOS_NODE_RATES), clocks = is_odd(chaos, CHAOS_NODE_CLOCKS);
	unsigned i, mute = dice_chance(dice, 20) ? 30 : 0;

	for (i = 0; i < sim->node_count; i++) {
		struct sim_server *server = &sim->servers[i];
		server->clock.ppm = rate_ppm(chaos, dice) * rates;
		/* After a node forgot its fencing tokens, they begin delta ahead of its clock;
		 * a node whose clock is behind refuses them for as long as that. */
		server->clock.base_us += dice_between(dice, 0, 500000) * clocks;
		server->durable = chaos->durable || dice_chance(dice, 20);
		server->mute = dice_chance(dice, mute);
		server->no_line = dice_chance(dice, mute);
	}
}

/* A client's wall clock may show anything: it only proposes fencing tokens. */
uint64_t chaos_wall_us(struct sim_dice *dice)
{
	const uint64_t hour_us = UINT64_C(3600000000);

	switch (dice_between(dice, 0, 7)) {
	case 0:
		return dice_between(dice, 0, 1000);
	case 1:
		return SIM_WALL_US - dice_between(dice, 0, 1000 * hour_us);
	case 2:
		return SIM_WALL_US + dice_between(dice, 0, 1000000 * hour_us);
	case 3:
		return SIM_WALL_US + dice_between(dice, 0, 120000000);
	default:
		return SIM_WALL_US + dice_between(dice, 0, 50000000) - 15000000;
	}
}

static void draw_client(struct chaos *chaos, unsigned index, struct sim_dice *dice)
{
	struct sim *sim = chaos->sim;
	struct sim_client *client = sim_client_new(sim);
	unsigned i;

	client->clock.ppm = rate_ppm(chaos, dice) * chaos->client_rates;
	client->clock.base_us += dice_between(dice, 0, 1000000000) * chaos->client_clocks;
	if (chaos->client_clocks) {
		client->wall.base_us = chaos_wall_us(dice);
	}
	for (i = 0; i < sim->node_count && chaos->uneven; i++) {
		client->to_us[i] = dice_between(dice, sim->latency_us / 2, sim->latency_us * 2);
		client->from_us[i] = dice_between(dice, sim->latency_us / 2, sim->latency_us * 2);
	}
	chaos->clients[index] = client;
	rlk_cluster_start(&client->cluster);
	sim_client_wake(client);
}

static void draw_token(struct chaos_slot *slot, struct sim_dice *dice)
{
	slot->config.token = slot->token;
	slot->config.token_len = (uint8_t)snprintf(slot->token, sizeof slot->token, "%08x",
						   (unsigned)dice_roll(dice));
}

/* Neither fencing tokens nor readers where there are several resources. */
static void draw_config(struct chaos_slot *slot, bool fences, bool own_tokens)
{
	struct sim_dice *dice = &slot->chaos->dice;
	uint32_t ttl_ms = slot->chaos->ttl_ms;
	bool one = slot->resource_count == 1;

	slot->config = (struct rlk_lock_config){
		.ttl_ms = dice_chance(dice, 30) ? ttl_ms - ttl_ms / 4 : ttl_ms,
		.auto_renew = dice_chance(dice, 50),
		.fence = fences && one && dice_chance(dice, 80),
		.max_hold_ms = dice_chance(dice, 20) ? dice_between(dice, 20, 4 * ttl_ms) : 0,
	};
	slot->config.at_risk_ms = slot->config.ttl_ms / 3;
	slot->config.shared =
		slot->chaos->shared && one && !slot->config.fence && dice_chance(dice, 50);
	if (own_tokens && dice_chance(dice, 60)) {
		draw_token(slot, dice);
	}
}

void chaos_replace_lock(struct chaos_slot *slot)
{
	void (*on_tell)(struct sim_lock *, enum rlk_news, int) =
		slot->lock == NULL ? NULL : slot->lock->on_tell;

	do { /* Its own token stays with the slot: that is one user going on. */
		slot->lock = sim_lock_new_all(slot->chaos->clients[slot->client], slot->resources,
					      slot->resource_count, &slot->config);
	} while (slot->lock == NULL);
	slot->lock->data = slot;
	slot->lock->on_tell = on_tell;
}

void chaos_replace_client(struct chaos *chaos, unsigned client, bool same_tokens,
			  struct sim_dice *dice)
{
	unsigned i;

	draw_client(chaos, client, dice);
	for (i = 0; i < chaos->slot_count; i++) {
		if (chaos->slots[i].client != client) {
			continue;
		}
		if (chaos->slots[i].config.token_len > 0 && !same_tokens) {
			draw_token(&chaos->slots[i], dice); /* It is another party. */
		}
		chaos_replace_lock(&chaos->slots[i]);
	}
}

/* One of the first @most of them, or several of them all: two or three, in order. */
static void draw_resources(struct chaos_slot *slot, unsigned most)
{
	static const char *const resources[] = {"bills", "orders", "stock"};
	struct sim_dice *dice = &slot->chaos->dice;
	unsigned i, out;

	if (!slot->chaos->several || dice_chance(dice, 50)) {
		slot->resource_count = 1;
		slot->resources[0] = resources[dice_between(dice, 0, most - 1)];
		return;
	}
	out = (unsigned)dice_between(dice, 0, 5);
	for (i = 0; i < 3; i++) {
		if (i != out) {
			slot->resources[slot->resource_count++] = resources[i];
		}
	}
}

static void draw_slot(struct chaos *chaos, unsigned client, unsigned resources, bool fences,
		      bool own_tokens)
{
	struct chaos_slot *slot = &chaos->slots[chaos->slot_count];

	slot->chaos = chaos;
	slot->index = chaos->slot_count++;
	slot->client = client;
	draw_resources(slot, resources);
	slot->habit = dice_chance(&chaos->dice, 60)   ? CHAOS_ANYTHING
		      : dice_chance(&chaos->dice, 50) ? CHAOS_TAKES
						      : CHAOS_RENEWS;
	draw_config(slot, fences, own_tokens);
	chaos_replace_lock(slot);
}

static void draw_slots(struct chaos *chaos)
{
	struct sim_dice *dice = &chaos->dice;
	unsigned most = chaos->several ? 3 : dice_chance(dice, 80) ? 1 : 2, i, j, locks;
	/* Not where a server may be replaced by an old copy: see redlock_lock_new(). */
	bool own_tokens = !chaos->patient && dice_chance(dice, 30) && !chaos->may_change;

	if (own_tokens) {
		/* Where tokens are used again, commands that are executed when nobody
		 * expects them any more hit a lease that is not theirs. */
		chaos->sim->stray_limit_us = chaos->pace_us / 2;
		/* So do releases that are owed to an address, when it leads to another node. */
		chaos->trouble &= ~(1U << CHAOS_TWIN);
	}
	for (i = 0; i < chaos->client_count; i++) {
		locks = dice_chance(dice, 60) ? 1
					      : (unsigned)dice_between(dice, 1, CHAOS_LOCKS_MAX);
		for (j = 0; j < locks; j++) {
			draw_slot(chaos, i, most, chaos->fenced, own_tokens);
		}
	}
}

/* Short and dense, since trouble needs company rather than time; a few are long. */
static uint64_t length_us(struct chaos *chaos)
{
	struct sim_dice *dice = &chaos->dice;
	uint64_t pace_us = chaos->pace_us;

	return dice_chance(dice, 2) ? dice_between(dice, 8 * pace_us, 24 * pace_us)
				    : dice_between(dice, pace_us / 2, 3 * pace_us);
}

/* Trouble that would break what the promises rest on, in this schedule.
 *
 * A quorum of 5 shares one node with another quorum: if a single node broke its
 * word (a clock set forward by a TTL, data lost unnoticed), that node could be
 * the one. So no minority may do so either, however small: what is assumed of
 * the nodes is kept by all of them, all the time. */
static void forbid(struct chaos *chaos)
{
	struct sim_dice *dice = &chaos->dice;

	/* What a node has granted is remembered for its address: an address that leads elsewhere,
	 * to a node that forgot, is more than is promised. */
	if (!chaos->durable || chaos->patient) {
		chaos->trouble &= ~(1U << CHAOS_TWIN);
	}
	if (!chaos->may_change) {
		chaos->trouble &= ~(1U << CHAOS_TAKE_OVER);
	}
	/* Who is killed gives nothing back: with a TTL of a minute, that would be waited for. */
	if (chaos->patient) {
		chaos->trouble &= ~(1U << CHAOS_KILL);
	}
	chaos->may_set_clocks = (chaos->trouble >> CHAOS_NODE_CLOCK & 1) != 0;
	chaos->foreign = !chaos->patient && dice_chance(dice, 30) &&
			 (chaos->durable || (chaos->trouble >> CHAOS_CRASH & 1) == 0) &&
			 (chaos->trouble >> CHAOS_TAKE_OVER & 1) == 0;
}

void chaos_cast(struct chaos *chaos)
{
	struct sim_dice *dice = &chaos->dice;
	unsigned i;

	/* With a TTL of a minute, nodes must not need to be waited for after a crash, and nobody
	 * may leave without having given back. */
	chaos->patient = dice_chance(dice, 25);
	chaos->durable = chaos->patient || dice_chance(dice, 25);
	chaos->closes = !chaos->patient && dice_chance(dice, 30);
	chaos->fenced = dice_chance(dice, 40);
	chaos->may_change = !chaos->durable && dice_chance(dice, 20);
	chaos->shared = !chaos->may_change && dice_chance(dice, 40);
	/* Few kinds of trouble at a time go deeper than all of them at once. */
	chaos->trouble = (unsigned)(dice_roll(dice) & dice_roll(dice));
	if (dice_chance(dice, 20)) {
		chaos->trouble = (unsigned)dice_roll(dice);
	}
	forbid(chaos);
	chaos->client_rates = is_odd(chaos, CHAOS_CLIENT_RATES);
	chaos->client_clocks = is_odd(chaos, CHAOS_CLIENT_CLOCKS);
	chaos->uneven = is_odd(chaos, CHAOS_UNEVEN);
	draw_times(chaos);
	draw_nodes(chaos);
	chaos->client_count = (unsigned)dice_between(dice, 2, dice_chance(dice, 60) ? 3 : 4);
	for (i = 0; i < chaos->client_count; i++) {
		draw_client(chaos, i, dice);
	}
	/* Not where servers may change: see redlock_lock_new_all(). */
	chaos->several = !chaos->may_change && dice_chance(dice, 25);
	draw_slots(chaos);
	chaos->end_us = chaos->sim->now_us + length_us(chaos);
}
