/* chaos_trouble.c - what goes wrong, and when it is well again. */
#include <stdlib.h>

#include "chaos.h"
#include "chaos_harm.h"

static struct sim_client *any_client(struct chaos *chaos, struct sim_dice *dice)
{
	return chaos->clients[dice_between(dice, 0, chaos->client_count - 1)];
}

static void strike(struct chaos_fault *fault)
{
	static const char *const names[] = {
#define CHAOS_TEXT(name, text) text,
		CHAOS_TROUBLES(CHAOS_TEXT)};

	sim_note(fault->chaos->sim, "trouble: %s (node %u, client %u)", names[fault->kind],
		 fault->node, fault->client->index);
	fault->chaos->struck[fault->kind]++;
	chaos_harm_client(fault);
	chaos_harm_node(fault);
}

static void mend_node(struct sim *sim, unsigned node)
{
	if (!sim->servers[node].up) {
		sim_start(sim, node);
	}
	if (sim->servers[node].paused) {
		sim_resume(sim, node);
	}
	sim->servers[node].error_percent = 0;
	sim->servers[node].barred = NULL;
}

static void mend_route(struct sim_client *client, unsigned node)
{
	if (client->route[node] != node) {
		client->route[node] = node;
		sim_break(client, node);
	}
}

static void mend_client(struct sim_client *client)
{
	client->fail_percent = 0;
	client->no_entropy = false;
	sim_client_resume(client);
}

static void on_mend(struct sim *sim, void *data)
{
	struct chaos_fault *fault = data;

	switch (fault->kind) {
	case CHAOS_CRASH:
	case CHAOS_NODE_PAUSE:
	case CHAOS_ERRORS:
	case CHAOS_BARRED:
		mend_node(sim, fault->node);
		break;
	case CHAOS_TWIN:
		mend_route(fault->client, fault->node);
		break;
	case CHAOS_CLIENT_PAUSE:
	case CHAOS_SUSPEND:
	case CHAOS_NO_MEMORY:
	case CHAOS_NO_ENTROPY:
		mend_client(fault->client);
		break;
	case CHAOS_SLOW:
		sim->slow_percent = 0;
		break;
	default:
		break;
	}
	free(fault);
}

static unsigned any_kind(const struct chaos *chaos, struct sim_dice *dice)
{
	unsigned kinds = chaos->trouble & ((1U << CHAOS_TROUBLE_KINDS) - 1);
	unsigned count = (unsigned)__builtin_popcount(kinds);
	unsigned chosen = count == 0 ? 0 : (unsigned)dice_between(dice, 0, count - 1), kind;

	for (kind = 0; kind < CHAOS_TROUBLE_KINDS; kind++) {
		if ((kinds >> kind & 1) != 0 && chosen-- == 0) {
			break;
		}
	}
	return kind;
}

static struct chaos_fault *draw_fault(struct chaos *chaos, struct sim_dice *dice)
{
	unsigned kind = any_kind(chaos, dice);
	struct chaos_fault *fault;

	if (kind == CHAOS_TROUBLE_KINDS) {
		return NULL;
	}
	fault = sim_alloc(sizeof *fault);
	fault->chaos = chaos;
	fault->kind = (enum chaos_trouble)kind;
	fault->node = (unsigned)dice_between(dice, 0, chaos->sim->node_count - 1);
	fault->client = any_client(chaos, dice);
	fault->dice = *dice;
	return fault;
}

static void on_strike(struct sim *sim, void *data)
{
	struct chaos_fault *fault = data;
	struct chaos *chaos = fault->chaos;
	struct sim_dice *dice = &fault->dice;
	uint64_t most_us = dice_chance(dice, 50)  ? chaos->pace_us / 10
			   : dice_chance(dice, 4) ? 2500000
						  : chaos->pace_us * 3 / 2;
	uint64_t least_us = 0;

	if (chaos->over || fault->client->killed || fault->client->closing) {
		free(fault);
		return;
	}
	strike(fault);
	if (fault->kind == CHAOS_SUSPEND || fault->kind == CHAOS_CLIENT_PAUSE) {
		least_us = dice_chance(dice, 40) ? chaos->pace_us : 0; /* For a lease to end. */
	}
	sim_at(sim, sim->now_us + least_us + dice_between(dice, 0, most_us), on_mend, fault);
}

void chaos_trouble_soon(struct chaos *chaos, struct sim_client *client, struct sim_dice *dice)
{
	struct sim *sim = chaos->sim;
	struct chaos_fault *fault = draw_fault(chaos, dice);
	uint64_t most_us = 4 * sim->latency_us + sim->jitter_us;
	unsigned breaks = (chaos->trouble >> CHAOS_BREAK & 1) * 60;

	if (fault != NULL) {
		/* Rather broken: then nobody knows what was done. */
		fault->kind = dice_chance(dice, breaks) ? CHAOS_BREAK : fault->kind;
		fault->client = client;
		sim_at(sim, sim->now_us + dice_between(dice, 0, most_us), on_strike, fault);
	}
}

static void on_fate(struct sim *sim, void *data)
{
	struct chaos_fate *fate = data;
	struct chaos *chaos = fate->chaos;
	struct chaos_fault *fault;
	struct sim_dice dice;

	if (chaos->over) {
		return;
	}
	if (chaos_decide(chaos, fate->actor, fate->strikes, &dice)) {
		fault = draw_fault(chaos, &dice);
		if (fault != NULL) {
			on_strike(sim, fault);
		}
	}
	fate->strikes++;
	chaos_next(chaos, fate->actor, fate->strikes, chaos_moment_us(chaos, &dice), on_fate, fate);
}

void chaos_trouble_start(struct chaos *chaos)
{
	for (unsigned i = 0; i < CHAOS_FATES; i++) {
		chaos->fates[i] = (struct chaos_fate){.chaos = chaos, .actor = CHAOS_FATE + i};
		chaos_next(chaos, CHAOS_FATE + i, 0, chaos_moment_us(chaos, &chaos->dice), on_fate,
			   &chaos->fates[i]);
	}
}

void chaos_heal(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	struct sim_client *client;
	struct sim_conn *conn;

	for (unsigned i = 0; i < sim->node_count; i++) {
		mend_node(sim, i);
	}
	for (conn = sim->conns; conn != NULL; conn = conn->next) {
		if (conn->dead && !conn->detached) { /* As TCP's keepalive would find out. */
			sim_conn_break(conn);
		}
	}
	sim->slow_percent = 0;
	sim->jitter_us = sim->lazy_us = 0;
	for (client = sim->clients; client != NULL; client = client->next) {
		mend_client(client);
		for (unsigned i = 0; i < sim->node_count; i++) {
			client->cut_until_us[i][SIM_TO_SERVER] = 0;
			client->cut_until_us[i][SIM_TO_CLIENT] = 0;
			mend_route(client, i);
			client->to_us[i] = client->from_us[i] = 100; /* Below any timeout. */
		}
	}
}
