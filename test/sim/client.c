/* client.c - a process with the library in it: the core's ports, the loop's turn and the close
 * handshake, as lib/client.c and lib/redis/link.c have them. */
#include <stdio.h>
#include <stdlib.h>

#include "core/lease.h"
#include "judge.h"

/* ---- Ports ----------------------------------------------------------------------------------- */

struct sim_client *sim_client_of(const struct sim *sim, unsigned index)
{
	struct sim_client *client = sim->clients;

	while (client != NULL && client->index != index) {
		client = client->next;
	}
	return client;
}

uint64_t sim_client_now(const struct sim_client *client)
{
	return sim_clock_read(client->sim, &client->clock);
}

static uint64_t now_us(void *world)
{
	return sim_client_now(world);
}

static uint64_t wall_us(void *world)
{
	const struct sim_client *client = world;
	return sim_clock_read(client->sim, &client->wall);
}

static bool token(void *world, char *out)
{
	static const char letters[] = RLK_TOKEN_LETTERS;
	struct sim_client *client = world;
	uint64_t high, low;
	unsigned i;

	if (client->no_entropy) {
		return false;
	}
	high = dice_roll(&client->dice);
	low = dice_roll(&client->dice);
	for (i = 0; i < 16; i++) {
		out[i] = letters[high >> (60 - 4 * i) & 15];
		out[16 + i] = letters[low >> (60 - 4 * i) & 15];
	}
	out[RLK_TOKEN_LEN] = '\0';
	return true;
}

static void *alloc(void *world, size_t size)
{
	struct sim_client *client = world;
	void *block;

	if (dice_chance(&client->dice, client->fail_percent)) {
		return NULL;
	}
	block = sim_alloc(size);
	client->blocks++;
	return block;
}

static void release(void *world, void *block)
{
	struct sim_client *client = world;

	client->blocks--;
	free(block);
}

static void connect_node(void *world, unsigned node)
{
	struct sim_client *client = world;
	struct sim_link *link = &client->links[node];

	if (link->conn != NULL) {
		sim_fail(client->sim, "node %u is connected to twice", node);
	}
	link->conn = client->killed ? NULL : sim_conn_open(client, node, false);
	rlk_timer_set(&client->cluster.timers, &link->patience,
		      rlk_later(sim_client_now(client),
				rlk_us(client->cluster.config.connect_timeout_ms)));
}

static void let_go(struct sim_link *link)
{
	sim_ear_close(link);
	if (link->conn != NULL) {
		sim_conn_detach(link->conn);
		link->conn = NULL;
	}
}

static void disconnect_node(void *world, unsigned node)
{
	struct sim_client *client = world;

	rlk_timer_stop(&client->cluster.timers, &client->links[node].patience);
	let_go(&client->links[node]);
}

static void listen_to(void *world, unsigned node)
{
	struct sim_client *client = world;

	if (client->links[node].ear != NULL || client->nodes[node].state != RLK_UP) {
		sim_fail(client->sim, "node %u is listened to twice, or too early", node);
	}
	client->links[node].ear = client->killed ? NULL : sim_ear_open(client, node);
}

static void send_command(void *world, unsigned node, struct rlk_request *request,
			 const struct rlk_command *command)
{
	struct sim_client *client = world;

	if (client->killed) {
		return;
	}
	if (client->links[node].conn == NULL || client->nodes[node].state != RLK_UP) {
		sim_fail(client->sim, "node %u is sent to while it is not connected", node);
	}
	sim_rules_sent(client, node, request, command);
	sim_conn_ask(client->links[node].conn, request, command);
}

static void trace(void *world, const char *line)
{
	const struct sim_client *client = world;
	sim_note(client->sim, "client %u: %s", client->index, line);
}

static const struct rlk_ports ports = {
	.now_us = now_us,
	.wall_us = wall_us,
	.token = token,
	.alloc = alloc,
	.free = release,
	.connect = connect_node,
	.disconnect = disconnect_node,
	.listen = listen_to,
	.send = send_command,
};

static const struct rlk_ports ports_traced = {
	.now_us = now_us,
	.wall_us = wall_us,
	.token = token,
	.alloc = alloc,
	.free = release,
	.connect = connect_node,
	.disconnect = disconnect_node,
	.listen = listen_to,
	.send = send_command,
	.trace = trace,
};

static void on_patience(struct rlk_timer *timer, uint64_t at_us)
{
	struct sim_link *link =
		(struct sim_link *)((char *)timer - offsetof(struct sim_link, patience));

	(void)at_us;
	let_go(link);
	rlk_node_down(&link->client->nodes[link->node], "no answer while connecting");
}

/* ---- The loop -------------------------------------------------------------------------------- */

static void on_wake(struct sim *sim, void *data)
{
	struct sim_client *client = data;

	if (client->wake_us == sim->now_us && !client->paused) {
		sim_client_turn(client);
	}
}

static void wake_at(struct sim_client *client, uint64_t at_us)
{
	if (at_us < client->sim->now_us) {
		at_us = client->sim->now_us;
	}
	if (!client->stopped && at_us < client->wake_us) {
		client->wake_us = at_us;
		sim_at(client->sim, at_us, on_wake, client);
	}
}

void sim_client_wake(struct sim_client *client)
{
	struct sim *sim = client->sim;
	wake_at(client, sim->now_us + dice_between(&client->dice, 0, sim->lazy_us));
}

static bool may_stop(const struct sim_client *client)
{
	bool owed = client->grace.armed && rlk_cluster_owed(&client->cluster) > 0;
	bool untold = client->cluster.news != NULL;
	const struct rlk_survey *survey;

	for (survey = client->cluster.surveys; survey != NULL; survey = survey->next) {
		untold |= !survey->told;
	}
	return !owed && !untold;
}

void sim_client_turn(struct sim_client *client)
{
	struct rlk_cluster *cluster = &client->cluster;

	client->wake_us = RLK_NEVER;
	rlk_timers_run(&cluster->timers, sim_client_now(client));
	sim_judge(client);
	rlk_cluster_deliver(cluster);
	sim_judge(client);
	sim_rules_turn(client);
	if (client->closing && may_stop(client)) {
		rlk_timer_stop(&cluster->timers, &client->grace);
		rlk_cluster_stop(cluster);
		client->stopped = true;
		sim_judge(client);
		sim_client_finish(client);
		return;
	}
	wake_at(client,
		cluster->news != NULL
			? client->sim->now_us
			: sim_clock_when(&client->clock, rlk_timers_next_us(&cluster->timers)));
}

void sim_client_pause(struct sim_client *client)
{
	sim_note(client->sim, "client %u pauses", client->index);
	client->paused = true;
}

void sim_client_resume(struct sim_client *client)
{
	struct sim_conn *conn;

	if (!client->paused || client->killed) {
		return;
	}
	sim_note(client->sim, "client %u goes on", client->index);
	client->paused = false;
	client->resumed_us = sim_client_now(client);
	/* Timers first, or what has arrived first? */
	if (!client->stopped && dice_chance(&client->dice, 50)) {
		sim_client_turn(client);
	}
	for (conn = client->sim->conns; conn != NULL; conn = conn->next) {
		if (conn->client == client) {
			sim_conn_wake(conn);
		}
	}
	client->wake_us = RLK_NEVER;
	sim_client_wake(client);
}

void sim_break(struct sim_client *client, unsigned node)
{
	if (client->links[node].conn != NULL) {
		sim_note(client->sim, "client %u and node %u: broken", client->index, node);
		sim_conn_break(client->links[node].conn);
	}
}

void sim_deafen(struct sim_client *client, unsigned node)
{
	if (client->links[node].ear != NULL) {
		sim_note(client->sim, "client %u does not hear node %u any more", client->index,
			 node);
		sim_conn_break(client->links[node].ear);
	}
}

void sim_cut(struct sim_client *client, unsigned node, uint64_t for_us)
{
	sim_note(client->sim, "client %u and node %u: cut", client->index, node);
	client->cut_until_us[node][SIM_TO_SERVER] = client->sim->now_us + for_us;
	client->cut_until_us[node][SIM_TO_CLIENT] = client->sim->now_us + for_us;
}

void sim_silence(struct sim_client *client, unsigned node, enum sim_way way, uint64_t for_us)
{
	sim_note(client->sim, "client %u %s node %u: cut", client->index,
		 way == SIM_TO_SERVER ? "to" : "from", node);
	client->cut_until_us[node][way] = client->sim->now_us + for_us;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void on_grace(struct rlk_timer *timer, uint64_t at_us)
{
	(void)timer, (void)at_us; /* It is not armed any more: that is all. */
}

struct sim_client *sim_client_new(struct sim *sim)
{
	struct sim_client *client = sim_alloc(sizeof *client);
	unsigned i;

	client->sim = sim;
	client->index = sim->client_count++;
	client->dice = dice_for(sim->seed, 100 + client->index);
	client->clock.base_us = SIM_START_US;
	client->wall.base_us = SIM_WALL_US;
	client->wake_us = RLK_NEVER;
	client->grace.fire = on_grace;
	client->next = sim->clients;
	sim->clients = client;
	rlk_cluster_init(&client->cluster, sim->trace ? &ports_traced : &ports, client,
			 &sim->config, client->nodes, sim->node_count,
			 dice_roll(&client->dice) | 1);
	for (i = 0; i < sim->node_count; i++) {
		client->links[i] = (struct sim_link){.client = client, .node = i};
		client->links[i].patience.fire = on_patience;
		client->route[i] = i;
		client->to_us[i] = client->from_us[i] = sim->latency_us;
	}
	return client;
}

void sim_client_kill(struct sim_client *client)
{
	unsigned i;

	sim_note(client->sim, "client %u is killed", client->index);
	client->paused = client->killed = true;
	for (i = 0; i < client->sim->node_count; i++) {
		let_go(&client->links[i]);
	}
}

/* Of one that was killed, only the memory is left: it goes the way that it would have gone. */
void sim_client_close(struct sim_client *client)
{
	if (client->killed) {
		client->paused = false;
		client->resumed_us = sim_client_now(client);
		client->wake_us = RLK_NEVER;
	} else {
		sim_note(client->sim, "client %u closes", client->index);
	}
	client->closing = true;
	rlk_cluster_close(&client->cluster);
	rlk_surveys_close(&client->cluster);
	sim_judge(client);
	rlk_timer_set(
		&client->cluster.timers, &client->grace,
		rlk_later(sim_client_now(client), rlk_us(client->cluster.config.node_timeout_ms)));
	sim_client_wake(client);
}

void sim_client_finish(struct sim_client *client)
{
	if (!client->stopped || client->gone || client->lock_count > 0) {
		return;
	}
	if (rlk_timers_next_us(&client->cluster.timers) != RLK_NEVER) {
		sim_fail(client->sim, "client %u is closed, and a timer is armed", client->index);
	}
	rlk_cluster_fini(&client->cluster);
	if (client->blocks != 0) {
		sim_fail(client->sim, "client %u leaks %ld blocks", client->index, client->blocks);
	}
	client->gone = true;
}
