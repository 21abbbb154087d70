/* pipe.c - connections: two ordered queues of messages, which may end at any moment.
 *
 * What the core may rely on is what lib/redis/link.c promises: connecting ends
 * later in rlk_node_up() or rlk_node_down(), sending never calls back, answers
 * come in order, and after the end of a connection none of its requests is
 * answered. What it may not rely on: that the requests of a dead connection
 * were not executed, or will not be, behind those of the next one. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum message_kind { LOG_IN, ASK, ANSWER, UP, DOWN };

struct sim_message {
	struct sim_message *next;
	enum message_kind kind;
	uint64_t ready_us; /* When it arrives, if nothing holds it up. */
	struct rlk_request *request;
	struct sim_command command;
	struct rlk_answer answer;
	char text[RLK_TOKEN_MAX];
	struct rlk_enrolment enrolment;
	char run_id[RLK_RUN_ID_MAX];
};

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

static uint64_t delay_us(struct sim *sim, uint64_t latency_us)
{
	uint64_t delay = latency_us + sim_between(sim, 0, sim->jitter_us);

	return sim_chance(sim, sim->slow_percent) ? delay + sim_between(sim, 0, sim->slow_us)
						  : delay;
}

static struct sim_message *push(struct sim_conn *conn, struct sim_queue *queue,
				enum message_kind kind, uint64_t latency_us)
{
	struct sim_message *message = sim_alloc(sizeof *message);
	uint64_t ready_us = conn->sim->now_us + delay_us(conn->sim, latency_us);

	message->kind = kind;
	message->ready_us = ready_us > queue->ready_us ? ready_us : queue->ready_us;
	queue->ready_us = message->ready_us;
	if (queue->last != NULL) {
		queue->last->next = message;
	} else {
		queue->first = message;
	}
	queue->last = message;
	schedule(conn, queue, queue->first->ready_us);
	return message;
}

static struct sim_message *pop(struct sim_queue *queue)
{
	struct sim_message *message = queue->first;

	queue->first = message->next;
	if (queue->first == NULL) {
		queue->last = NULL;
	}
	return message;
}

static void flush(struct sim_queue *queue)
{
	while (queue->first != NULL) {
		free(pop(queue));
	}
}

/* What is on its way to the server when the client's end of the connection goes: the beginning of
 * it may arrive, and late; the rest is lost. */
static void orphan(struct sim_conn *conn)
{
	struct sim *sim = conn->sim;
	struct sim_queue *queue = &conn->to_server, kept = {.pumping = queue->pumping};
	struct sim_message *message;
	uint64_t late_us = sim_between(sim, sim->stray_min_us, sim->stray_max_us);

	conn->ended_us = conn->ended_us != 0 ? conn->ended_us : sim->now_us;
	while (queue->first != NULL && sim_chance(sim, sim->stray_percent)) {
		message = pop(queue);
		message->ready_us += late_us;
		message->next = NULL;
		if (kept.last != NULL) {
			kept.last->next = message;
		} else {
			kept.first = message;
		}
		kept.last = message;
	}
	flush(queue);
	*queue = kept;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

static void end(struct sim_conn *conn)
{
	if (conn->ending) {
		return;
	}
	conn->ending = true;
	flush(&conn->to_client);
	if (!conn->detached) {
		push(conn, &conn->to_client, DOWN, conn->client->from_us[conn->node]);
	}
}

void sim_conn_detach(struct sim_conn *conn)
{
	conn->detached = true;
	flush(&conn->to_client);
	orphan(conn);
}

void sim_conn_break(struct sim_conn *conn)
{
	orphan(conn);
	end(conn);
}

void sim_conn_server_gone(struct sim_conn *conn, bool quietly)
{
	conn->dead = true;
	flush(&conn->to_server);
	if (!quietly) {
		end(conn);
	}
}

void sim_conn_wake(struct sim_conn *conn)
{
	struct sim *sim = conn->sim;

	/* Which connection a server looks at first is its own affair. */
	schedule(conn, &conn->to_server, sim->now_us + sim_between(sim, 0, sim->jitter_us));
	schedule(conn, &conn->to_client, sim->now_us + sim_between(sim, 0, sim->jitter_us));
}

void sim_conns_free(struct sim *sim)
{
	struct sim_conn *conn;

	while ((conn = sim->conns) != NULL) {
		sim->conns = conn->next;
		flush(&conn->to_server);
		flush(&conn->to_client);
		free(conn);
	}
}

/* ---- Arrivals -------------------------------------------------------------------------------- */

static void log_in(struct sim_conn *conn, struct sim_server *server)
{
	struct sim *sim = conn->sim;
	uint64_t born_us, now_us;
	struct sim_message *message;

	sim_server_enrol(sim, server, &born_us, &now_us);
	conn->born_us = born_us;
	if (conn->detached || conn->ending) {
		return;
	}
	message = push(conn, &conn->to_client, UP, conn->client->from_us[conn->node]);
	memcpy(message->run_id, server->run_id, sizeof server->run_id);
	message->enrolment = (struct rlk_enrolment){
		.barred = server->barred,
		.durable = server->durable,
		.enrolled = true,
		.born_us = born_us,
		.node_now_us = now_us,
	};
}

static void ask(struct sim_conn *conn, struct sim_server *server, struct sim_message *asked)
{
	struct rlk_answer answer;
	struct sim_message *message;

	sim_server_execute(conn->sim, server, &asked->command, &answer);
	if (conn->detached || conn->ending) {
		return;
	}
	message = push(conn, &conn->to_client, ANSWER, conn->client->from_us[conn->node]);
	message->request = asked->request;
	message->answer = answer;
	if (answer.held) {
		memcpy(message->text, answer.text, answer.text_len);
		message->answer.text = message->text;
	}
}

static void arrive_at_server(struct sim_conn *conn, struct sim_message *message)
{
	struct sim_server *server = &conn->sim->servers[conn->server];

	if (conn->dead || !server->up) {
		end(conn); /* Refused, or reset. */
	} else if (message->kind == LOG_IN) {
		log_in(conn, server);
	} else {
		message->command.born_us = conn->born_us;
		ask(conn, server, message);
	}
}

static void arrive_at_client(struct sim_conn *conn, struct sim_message *message)
{
	struct sim_client *client = conn->client;
	struct rlk_node *node = &client->nodes[conn->node];

	switch (message->kind) {
	case UP:
		rlk_timer_stop(&client->cluster.timers, &client->links[conn->node].patience);
		message->enrolment.run_id = message->run_id;
		rlk_node_up(node, &message->enrolment);
		break;
	case DOWN:
		rlk_timer_stop(&client->cluster.timers, &client->links[conn->node].patience);
		client->links[conn->node].conn = NULL;
		conn->detached = true;
		rlk_node_down(node, "connection lost");
		break;
	default:
		rlk_node_answer(node, message->request, &message->answer);
		break;
	}
	sim_client_wake(client);
}

/* Returns the message whose time has come, or NULL. */
static struct sim_message *next(struct sim_conn *conn, struct sim_queue *queue)
{
	struct sim *sim = conn->sim;
	uint64_t cut_us = conn->client->cut_until_us[conn->node];

	queue->pumping = false;
	if (queue->first == NULL) {
		return NULL;
	}
	if (cut_us > sim->now_us) {
		schedule(conn, queue, cut_us + sim_between(sim, 0, sim->jitter_us));
		return NULL;
	}
	if (queue->first->ready_us > sim->now_us) {
		schedule(conn, queue, queue->first->ready_us);
		return NULL;
	}
	return pop(queue);
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
		return;
	}
	if (conn->ended_us == 0 || sim->stray_limit_us == 0 ||
	    sim->now_us <= conn->ended_us + sim->stray_limit_us) {
		arrive_at_server(conn, message);
	}
	free(message);
	schedule(conn, &conn->to_server, sim->now_us);
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
		return;
	}
	arrive_at_client(conn, message);
	free(message);
	schedule(conn, &conn->to_client, sim->now_us);
}

/* ---- Departures ------------------------------------------------------------------------------ */

struct sim_conn *sim_conn_open(struct sim_client *client, unsigned node)
{
	struct sim_conn *conn = sim_alloc(sizeof *conn);

	conn->sim = client->sim;
	conn->client = client;
	conn->node = node;
	conn->server = client->route[node];
	conn->next = conn->sim->conns;
	conn->sim->conns = conn;
	push(conn, &conn->to_server, LOG_IN, client->to_us[node]);
	return conn;
}

void sim_conn_ask(struct sim_conn *conn, struct rlk_request *request,
		  const struct rlk_command *command)
{
	struct sim_message *message =
		push(conn, &conn->to_server, ASK, conn->client->to_us[conn->node]);

	sim_note(conn->sim, "client %u asks node %u: op %d of %.4s", conn->client->index,
		 conn->node, (int)command->op, command->token_len > 0 ? command->token : "");
	message->request = request;
	message->command = (struct sim_command){
		.op = command->op,
		.token_len = command->token_len,
		.ttl_ms = command->ttl_ms,
		.fence = command->fence,
	};
	if (command->token_len > 0) {
		memcpy(message->command.token, command->token, command->token_len);
	}
	if (command->name != NULL) {
		message->command.name_len = command->name->len;
		memcpy(message->command.name, command->name->bytes, command->name->len);
	}
}
