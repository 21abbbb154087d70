/* chaos_cast.c - who takes part in a schedule, and under which conditions. */
#include <stdio.h>
#include <string.h>

#include "chaos.h"

static uint32_t pick(struct sim *sim, const uint32_t *values, size_t count)
{
	return values[sim_random(sim) % count];
}

#define PICK(sim, ...)                                                                             \
	pick((sim), (const uint32_t[]){__VA_ARGS__},                                               \
	     sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

/* Any rate that the drift allowance covers; often the worst. */
static int64_t rate_ppm(struct sim *sim)
{
	uint64_t half = sim->config.drift_ppm / 2;

	switch (sim_random(sim) % 3) {
	case 0:
		return (int64_t)half;
	case 1:
		return -(int64_t)half;
	default:
		return (int64_t)sim_between(sim, 0, 2 * half) - (int64_t)half;
	}
}

static void draw_times(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	uint32_t pace_ms = PICK(sim, 50, 100, 200, 400);

	chaos->pace_us = 1000 * (uint64_t)pace_ms;
	chaos->ttl_ms = chaos->patient ? 60000 : pace_ms;
	sim->config = (struct rlk_config){
		.max_ttl_ms = chaos->ttl_ms,
		.drift_ppm = PICK(sim, 10000, 10000, 50000, 100000),
		.node_timeout_ms = PICK(sim, 5, pace_ms / 20 + 1, pace_ms / 4, pace_ms),
		.connect_timeout_ms = PICK(sim, 10, 50, 200),
		.min_validity_percent = PICK(sim, 0, 0, 20, 50),
		.retry_min_ms = PICK(sim, 1, 5),
		.retry_max_ms = PICK(sim, 5, 20, 100),
		.reconnect_min_ms = PICK(sim, 1, 10),
		.reconnect_max_ms = PICK(sim, 10, 100),
		.max_in_flight = PICK(sim, 3, 20, 65536, 65536),
		.guard = true,
		.durable = chaos->durable,
	};
	sim->latency_us = PICK(sim, 50, 200, 1000);
	sim->jitter_us = PICK(sim, 0, 200, 3000);
	sim->lazy_us = PICK(sim, 0, 0, 100, 1000);
	sim->stray_percent = PICK(sim, 0, 50, 90, 100);
	sim->stray_min_us = 0;
	sim->stray_max_us = PICK(sim, 1000, pace_ms * 200, pace_ms * 1000);
}

static void draw_nodes(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	unsigned i;

	for (i = 0; i < sim->node_count; i++) {
		struct sim_server *server = &sim->servers[i];
		server->clock.ppm = rate_ppm(sim);
		/* After a node forgot its fencing tokens, they begin delta ahead of its clock;
		 * a node whose clock is behind refuses them for as long as that. */
		server->clock.base_us += sim_between(sim, 0, 500000);
		server->durable = chaos->durable || sim_chance(sim, 20);
	}
}

static void draw_client(struct chaos *chaos, unsigned index)
{
	struct sim *sim = chaos->sim;
	struct sim_client *client = sim_client_new(sim);
	unsigned i;

	client->clock.ppm = rate_ppm(sim);
	client->clock.base_us += sim_between(sim, 0, 1000000000);
	client->wall.base_us += sim_between(sim, 0, 50000000);
	client->wall.base_us -= 15000000;
	for (i = 0; i < sim->node_count; i++) {
		client->to_us[i] = sim_between(sim, sim->latency_us / 2, sim->latency_us * 2);
		client->from_us[i] = sim_between(sim, sim->latency_us / 2, sim->latency_us * 2);
	}
	chaos->clients[index] = client;
	rlk_cluster_start(&client->cluster);
	sim_client_wake(client);
}

static void draw_token(struct chaos_slot *slot)
{
	slot->config.token_len = (size_t)snprintf(slot->config.token, sizeof slot->config.token,
						  "%08x", (unsigned)sim_random(slot->chaos->sim));
}

static void draw_config(struct chaos_slot *slot, bool fences, bool own_tokens)
{
	struct sim *sim = slot->chaos->sim;
	uint32_t ttl_ms = slot->chaos->ttl_ms;

	slot->config = (struct rlk_lock_config){
		.ttl_ms = sim_chance(sim, 30) ? ttl_ms - ttl_ms / 4 : ttl_ms,
		.auto_renew = sim_chance(sim, 50),
		.fence = fences && sim_chance(sim, 80),
		.max_hold_ms = sim_chance(sim, 20) ? sim_between(sim, 20, 4 * ttl_ms) : 0,
	};
	slot->config.at_risk_ms = slot->config.ttl_ms / 3;
	if (own_tokens && sim_chance(sim, 60)) {
		draw_token(slot);
	}
}

void chaos_replace_lock(struct chaos_slot *slot)
{
	void (*on_tell)(struct sim_lock *, enum rlk_news, int) =
		slot->lock == NULL ? NULL : slot->lock->on_tell;

	do { /* Its own token stays with the slot: that is one user going on. */
		slot->lock = sim_lock_new(slot->chaos->clients[slot->client], slot->resource,
					  &slot->config);
	} while (slot->lock == NULL);
	slot->lock->data = slot;
	slot->lock->on_tell = on_tell;
}

void chaos_replace_client(struct chaos *chaos, unsigned client)
{
	unsigned i;

	draw_client(chaos, client);
	for (i = 0; i < chaos->slot_count; i++) {
		if (chaos->slots[i].client != client) {
			continue;
		}
		if (chaos->slots[i].config.token_len > 0) {
			draw_token(&chaos->slots[i]); /* Another process is another party. */
		}
		chaos_replace_lock(&chaos->slots[i]);
	}
}

static void draw_slots(struct chaos *chaos)
{
	static const char *const resources[] = {"orders", "stock"};
	struct sim *sim = chaos->sim;
	unsigned resource_count = sim_chance(sim, 80) ? 1 : 2, i, j, locks;
	bool fences = sim_chance(sim, 40), own_tokens = !chaos->patient && sim_chance(sim, 30);

	if (own_tokens) {
		/* Where tokens are used again, commands that are executed when nobody
		 * expects them any more hit a lease that is not theirs. */
		sim->stray_limit_us = chaos->pace_us / 2;
	}
	for (i = 0; i < chaos->client_count; i++) {
		locks = (unsigned)sim_between(sim, 1, CHAOS_LOCKS_MAX);
		for (j = 0; j < locks; j++) {
			struct chaos_slot *slot = &chaos->slots[chaos->slot_count++];
			slot->chaos = chaos;
			slot->client = i;
			slot->resource = resources[sim_random(sim) % resource_count];
			draw_config(slot, fences, own_tokens);
			chaos_replace_lock(slot);
		}
	}
}

void chaos_cast(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	unsigned i;

	/* With a TTL of a minute, nodes must not need to be waited for after a crash, and nobody
	 * may leave without having given back. */
	chaos->patient = sim_chance(sim, 25);
	chaos->durable = chaos->patient || sim_chance(sim, 25);
	chaos->closes = !chaos->patient && sim_chance(sim, 30);
	/* What a node has granted is remembered for its address: an address that leads elsewhere,
	 * to a node that forgot, is more than is promised. */
	chaos->may_twin = chaos->durable && !chaos->patient;
	/* Few kinds of trouble at a time go deeper than all of them at once. */
	chaos->trouble = (unsigned)(sim_random(sim) & sim_random(sim));
	if (sim_chance(sim, 20)) {
		chaos->trouble = (unsigned)sim_random(sim);
	}
	draw_times(chaos);
	draw_nodes(chaos);
	chaos->client_count = (unsigned)sim_between(sim, 2, CHAOS_CLIENTS_MAX);
	for (i = 0; i < chaos->client_count; i++) {
		draw_client(chaos, i);
	}
	draw_slots(chaos);
	chaos->end_us = sim->now_us + chaos->pace_us * sim_between(sim, 4, 20);
}
