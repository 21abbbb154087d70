/* pipe.c - connections: two ordered queues of messages, which may end at any moment.
 *
 * What the core may rely on is what lib/redis/link.c promises: connecting ends
 * later in rlk_node_up() or rlk_node_down(), sending never calls back, answers
 * come in order, and after the end of a connection none of its requests is
 * answered. What it may not rely on: that the requests of a dead connection
 * were not executed, or will not be, behind those of the next one. */
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "message.h"

static void pump_to_server(struct sim *sim, void *data);
static void pump_to_client(struct sim *sim, void *data);

/* ---- Queues ---------------------------------------------------------------------------------- */

static void schedule(struct sim_conn *conn, struct sim_queue *queue, uint64_t at_us)
{
	if (!queue->pumping && queue->first != NULL) {
		queue->pumping = true;
		sim_at(conn->sim, at_us,
		       queue == &conn->to_server ? pump_to_server : pump_to_client, conn);
	}
}

struct sim_message *sim_conn_push(struct sim_conn *conn, struct sim_queue *queue,
				  enum sim_message_kind kind, uint64_t latency_us)
{
	struct sim_message *message = sim_queue_push(conn->sim, queue, kind, latency_us);

	schedule(conn, queue, queue->first->ready_us);
	return message;
}

struct sim_message *sim_conn_tell(struct sim_conn *conn, int kind)
{
	return sim_conn_push(conn, &conn->to_client, (enum sim_message_kind)kind,
			     conn->client->from_us[conn->node]);
}

static void orphan(struct sim_conn *conn)
{
	struct sim_dice *dice = &conn->to_server.dice;

	if (conn->ended_us == 0) {
		conn->ended_us = conn->sim->now_us;
		/* A machine that is gone says no farewell. */
		conn->noticed_us =
			conn->ended_us + (dice_chance(dice, 70) ? dice_between(dice, 0, 2000)
								: dice_between(dice, 0, 3000000));
	}
	sim_queue_orphan(conn->sim, &conn->to_server);
}

/* ---- Ends ------------------------------------------------------------------------------------ */

void sim_conn_end(struct sim_conn *conn)
{
	if (conn->ending) {
		return;
	}
	conn->ending = true;
	sim_queue_flush(conn->sim, &conn->to_client);
	if (!conn->detached) {
		sim_conn_push(conn, &conn->to_client, SIM_DOWN, conn->client->from_us[conn->node]);
	}
}

void sim_conn_detach(struct sim_conn *conn)
{
	conn->detached = true;
	sim_queue_flush(conn->sim, &conn->to_client);
	orphan(conn);
}

void sim_conn_break(struct sim_conn *conn)
{
	orphan(conn);
	sim_conn_end(conn);
}

void sim_conn_server_gone(struct sim_conn *conn, bool quietly)
{
	conn->dead = true;
	sim_queue_flush(conn->sim, &conn->to_server);
	if (!quietly) {
		sim_conn_end(conn);
	}
}

static void wake(struct sim_conn *conn, struct sim_queue *queue)
{
	struct sim *sim = conn->sim;
	schedule(conn, queue, sim->now_us + dice_between(&queue->dice, 0, sim->jitter_us));
}

void sim_conn_wake(struct sim_conn *conn)
{
	/* Which connection a server looks at first is its own affair. */
	wake(conn, &conn->to_server);
	wake(conn, &conn->to_client);
}

static void conn_free(struct sim_conn *conn)
{
	struct sim *sim = conn->sim;

	if (conn->prev != NULL) {
		conn->prev->next = conn->next;
	} else {
		sim->conns = conn->next;
	}
	if (conn->next != NULL) {
		conn->next->prev = conn->prev;
	}
	sim_queue_flush(sim, &conn->to_server);
	sim_queue_flush(sim, &conn->to_client);
	free(conn);
}

/* Nobody will see anything of it again. */
static void free_if_over(struct sim_conn *conn)
{
	if (conn->detached && conn->to_server.first == NULL && conn->to_client.first == NULL &&
	    !conn->to_server.pumping && !conn->to_client.pumping &&
	    (!conn->subscribed || conn->noticed_us <= conn->sim->now_us)) {
		conn_free(conn);
	}
}

void sim_conns_free(struct sim *sim)
{
	while (sim->conns != NULL) {
		conn_free(sim->conns);
	}
	sim_messages_free(sim);
}

/* ---- Under way ------------------------------------------------------------------------------- */

/* Returns the message whose time has come, or NULL. */
static struct sim_message *next(struct sim_conn *conn, struct sim_queue *queue)
{
	struct sim *sim = conn->sim;
	enum sim_way way = queue == &conn->to_server ? SIM_TO_SERVER : SIM_TO_CLIENT;
	uint64_t cut_us = conn->client->cut_until_us[conn->node][way];

	queue->pumping = false;
	if (queue->first == NULL) {
		return NULL;
	}
	if (cut_us > sim->now_us) {
		schedule(conn, queue, cut_us + dice_between(&queue->dice, 0, sim->jitter_us));
		return NULL;
	}
	if (queue->first->ready_us > sim->now_us) {
		schedule(conn, queue, queue->first->ready_us);
		return NULL;
	}
	return sim_queue_pop(queue);
}

static void go_on(struct sim_conn *conn, struct sim_queue *queue)
{
	if (queue->first != NULL) {
		schedule(conn, queue, queue->first->ready_us);
	} else {
		free_if_over(conn);
	}
}

static bool is_too_late(const struct sim_conn *conn)
{
	const struct sim *sim = conn->sim;
	return conn->ended_us != 0 && sim->stray_limit_us != 0 &&
	       sim->now_us > conn->ended_us + sim->stray_limit_us;
}

/* What survived an earlier connection of the same pair is read first, when it does most harm. */
static void pounce(const struct sim_conn *conn)
{
	struct sim *sim = conn->sim;
	struct sim_conn *old;
	struct sim_message *message;

	for (old = sim->conns; old != NULL; old = old->next) {
		if (old->client == conn->client && old->node == conn->node &&
		    old->server == conn->server && old->detached && !old->dead &&
		    old->to_server.first != NULL && !is_too_late(old)) {
			message = sim_queue_pop(&old->to_server);
			sim_arrive_at_server(old, message);
			sim_message_free(sim, message);
			return;
		}
	}
}

static void pump_to_server(struct sim *sim, void *data)
{
	struct sim_conn *conn = data;
	struct sim_message *message;

	if (sim->servers[conn->server].paused) {
		conn->to_server.pumping = false; /* Until it goes on. */
		return;
	}
	message = next(conn, &conn->to_server);
	if (message == NULL) {
		free_if_over(conn);
		return;
	}
	if (dice_chance(&conn->to_server.dice, sim->stray_pounces) ||
	    (sim->stray_pounces > 0 && message->kind == SIM_ASK &&
	     message->command.op == RLK_OP_REPAIR)) {
		pounce(conn);
	}
	if (!is_too_late(conn)) {
		sim_arrive_at_server(conn, message);
	}
	sim_message_free(sim, message);
	go_on(conn, &conn->to_server);
}

static void pump_to_client(struct sim *sim, void *data)
{
	struct sim_conn *conn = data;
	struct sim_message *message;

	if (conn->client->paused) {
		conn->to_client.pumping = false;
		return;
	}
	message = next(conn, &conn->to_client);
	if (message == NULL) {
		free_if_over(conn);
		return;
	}
	sim_arrive_at_client(conn, message);
	sim_message_free(sim, message);
	go_on(conn, &conn->to_client);
}

/* ---- Departures ------------------------------------------------------------------------------ */

struct sim_conn *sim_conn_open(struct sim_client *client, unsigned node, bool ear)
{
	struct sim_conn *conn = sim_alloc(sizeof *conn);
	uint64_t which =
		(client->index + 1) * UINT64_C(1000000) + node * 10000 + client->conns[node]++;

	conn->sim = client->sim;
	conn->to_server.dice = dice_for(conn->sim->seed, which);
	conn->to_client.dice = dice_for(~conn->sim->seed, which);
	conn->client = client;
	conn->node = node;
	conn->server = client->route[node];
	conn->next = conn->sim->conns;
	if (conn->next != NULL) {
		conn->next->prev = conn;
	}
	conn->sim->conns = conn;
	conn->ear = ear;
	sim_conn_push(conn, &conn->to_server, ear ? SIM_LISTEN : SIM_LOG_IN, client->to_us[node]);
	return conn;
}

/* The name of the first of several is the command's, too: for those who tell of it. */
static void name_it(struct sim_command *command, const struct rlk_name *name)
{
	struct rlk_part part = {0};
	unsigned i;

	for (i = 0; rlk_part_next(name, &part); i++) {
		command->parts[i].len = part.len;
		memcpy(command->parts[i].name, part.bytes, part.len);
	}
	command->part_count = rlk_is_several(name) ? i : 0;
	command->name_len = command->parts[0].len;
	memcpy(command->name, command->parts[0].name, command->name_len);
}

void sim_conn_ask(struct sim_conn *conn, struct rlk_request *request,
		  const struct rlk_command *command)
{
	struct sim_message *message =
		sim_conn_push(conn, &conn->to_server, SIM_ASK, conn->client->to_us[conn->node]);

	sim_note(conn->sim, "client %u asks node %u to %s as %.4s", conn->client->index, conn->node,
		 sim_op_name(command->op), command->token_len > 0 ? command->token : "nobody");
	message->request = request;
	message->command.op = command->op;
	message->command.name_len = 0;
	message->command.part_count = 0;
	message->command.token_len = command->token_len;
	message->command.ttl_ms = command->ttl_ms;
	message->command.fence = command->fence;
	message->command.checked = command->checked;
	message->command.shared = command->shared;
	message->command.ticket = command->ticket;
	message->command.caller = conn->client->index;
	if (command->token_len > 0) {
		memcpy(message->command.token, command->token, command->token_len);
	}
	if (command->name != NULL) {
		message->command.hash = (uint32_t)command->name->hash;
		name_it(&message->command, command->name);
	}
}
