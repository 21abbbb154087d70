/* chaos_trouble.c - what goes wrong, and when it is well again. */
#include <stdlib.h>

#include "chaos.h"

struct fault {
	struct chaos *chaos;
	enum chaos_trouble kind;
	unsigned node;
	struct sim_client *client;
};

static struct sim_client *any_client(struct chaos *chaos)
{
	return chaos->clients[sim_random(chaos->sim) % chaos->client_count];
}

static void crash(struct chaos *chaos, unsigned node)
{
	struct sim *sim = chaos->sim;
	enum sim_memory memory = sim_chance(sim, 50)   ? SIM_FORGETS_ALL
				 : sim_chance(sim, 50) ? SIM_FORGETS_SOME
						       : SIM_KEEPS_ALL;

	if (sim->servers[node].durable) {
		memory = SIM_KEEPS_ALL;
	}
	sim_stop(sim, node, memory, sim_chance(sim, 30));
}

static void break_all(struct chaos *chaos, unsigned node)
{
	unsigned i;

	for (i = 0; i < chaos->client_count; i++) {
		sim_break(chaos->clients[i], node);
	}
}

static void storm(struct chaos *chaos, unsigned node)
{
	struct sim_client *client = any_client(chaos);
	unsigned i;

	if (sim_chance(chaos->sim, 50)) {
		break_all(chaos, node);
		return;
	}
	for (i = 0; i < chaos->sim->node_count; i++) {
		sim_break(client, i);
	}
}

static void strike(struct fault *fault)
{
	struct chaos *chaos = fault->chaos;
	struct sim *sim = chaos->sim;

	switch (fault->kind) {
	case CHAOS_BREAK:
		sim_break(fault->client, fault->node);
		break;
	case CHAOS_STORM:
		storm(chaos, fault->node);
		break;
	case CHAOS_CUT:
		sim_cut(fault->client, fault->node, sim_between(sim, 0, chaos->pace_us));
		break;
	case CHAOS_CRASH:
		if (sim->servers[fault->node].up) {
			crash(chaos, fault->node);
		}
		break;
	case CHAOS_SAVE:
		sim_save(sim, fault->node);
		break;
	case CHAOS_NODE_PAUSE:
		sim_pause(sim, fault->node);
		break;
	case CHAOS_CLIENT_PAUSE:
		sim_client_pause(fault->client);
		break;
	case CHAOS_SLOW:
		sim->slow_percent = 10;
		sim->slow_us = chaos->pace_us;
		break;
	case CHAOS_ERRORS:
		sim->servers[fault->node].error_percent = 30;
		break;
	case CHAOS_NO_MEMORY:
		fault->client->fail_percent = 20;
		break;
	case CHAOS_NO_ENTROPY:
		fault->client->no_entropy = true;
		break;
	case CHAOS_BARRED:
		sim->servers[fault->node].barred = "is a replica, not a master";
		break_all(chaos, fault->node);
		break;
	case CHAOS_TWIN:
		fault->client->route[fault->node] = (unsigned)(sim_random(sim) % sim->node_count);
		sim_break(fault->client, fault->node);
		break;
	case CHAOS_TROUBLES:
		break;
	}
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
	struct fault *fault = data;

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

static void on_trouble(struct sim *sim, void *data)
{
	struct chaos *chaos = data;
	struct fault *fault;
	unsigned kind = (unsigned)(sim_random(sim) % CHAOS_TROUBLES);
	uint64_t most_us = sim_chance(sim, 50)	? chaos->pace_us / 10
			   : sim_chance(sim, 4) ? 2500000
						: chaos->pace_us * 3 / 2;

	if (chaos->over) {
		return;
	}
	sim_at(sim, chaos_moment_us(chaos), on_trouble, chaos);
	if ((chaos->trouble >> kind & 1) == 0 || (kind == CHAOS_TWIN && !chaos->may_twin)) {
		return;
	}
	fault = sim_alloc(sizeof *fault);
	fault->chaos = chaos;
	fault->kind = (enum chaos_trouble)kind;
	fault->node = (unsigned)(sim_random(sim) % sim->node_count);
	fault->client = any_client(chaos);
	strike(fault);
	sim_at(sim, sim->now_us + sim_between(sim, 0, most_us), on_mend, fault);
}

void chaos_trouble_start(struct chaos *chaos)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		sim_at(chaos->sim, chaos_moment_us(chaos), on_trouble, chaos);
	}
}

void chaos_heal(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	struct sim_client *client;
	struct sim_conn *conn;
	unsigned i;

	for (i = 0; i < sim->node_count; i++) {
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
		for (i = 0; i < sim->node_count; i++) {
			client->cut_until_us[i] = 0;
			mend_route(client, i);
			client->to_us[i] = client->from_us[i] = 100; /* Below any timeout. */
		}
	}
}
