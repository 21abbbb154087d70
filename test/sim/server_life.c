/* server_life.c - what happens to a node: it stops, with or without its data, starts, stands still,
 * and has its clock set. */
#include <string.h>

#include "sim.h"

void sim_save(struct sim *sim, unsigned node)
{
	sim->servers[node].saved = sim->servers[node].data;
}

static void wake_all(struct sim *sim, unsigned node)
{
	struct sim_conn *conn;

	for (conn = sim->conns; conn != NULL; conn = conn->next) {
		if (conn->server == node) {
			sim_conn_wake(conn);
		}
	}
}

static void forget(struct sim *sim, struct sim_server *server, enum sim_memory memory)
{
	if (memory == SIM_FORGETS_ALL) {
		memset(&server->data, 0, sizeof server->data);
	} else if (memory == SIM_FORGETS_SOME) {
		server->data = server->saved;
	}
	if (memory != SIM_KEEPS_ALL) {
		server->lost_us = sim->now_us;
		server->lost_run = server->runs;
	}
}

void sim_take_over(struct sim *sim, unsigned node, enum sim_memory memory)
{
	sim_note(sim, "node %u is another one, memory %d", node, (int)memory);
	forget(sim, &sim->servers[node], memory);
	sim_server_name_process(&sim->servers[node]);
}

void sim_stop(struct sim *sim, unsigned node, enum sim_memory memory, bool quietly)
{
	struct sim_server *server = &sim->servers[node];
	struct sim_conn *conn;

	sim_note(sim, "node %u stops, memory %d", node, (int)memory);
	server->up = server->paused = false;
	forget(sim, server, memory);
	for (conn = sim->conns; conn != NULL; conn = conn->next) {
		if (conn->server == node) {
			sim_conn_server_gone(conn, quietly);
		}
	}
}

void sim_start(struct sim *sim, unsigned node)
{
	struct sim_server *server = &sim->servers[node];

	sim_note(sim, "node %u starts", node);
	server->up = true;
	sim_server_name_process(server);
	wake_all(sim, node);
}

void sim_pause(struct sim *sim, unsigned node)
{
	sim_note(sim, "node %u pauses", node);
	sim->servers[node].paused = true;
}

void sim_set_clock(struct sim *sim, unsigned node, int64_t by_us)
{
	sim_note(sim, "node %u: its clock is set by %.3f ms", node, (double)by_us / 1000);
	sim->servers[node].clock.base_us += (uint64_t)by_us;
	sim->servers[node].was_set = true;
	sim_judge_all(sim);
}

void sim_resume(struct sim *sim, unsigned node)
{
	sim_note(sim, "node %u goes on", node);
	sim->servers[node].paused = false;
	wake_all(sim, node);
}
