/* arrive.c - what a message does when it has arrived, at a node or at a client. */
#include <string.h>

#include "judge.h"
#include "message.h"

static void log_in(struct sim_conn *conn, struct sim_server *server)
{
	struct sim *sim = conn->sim;
	uint64_t born_us, now_us;
	struct sim_message *message;

	sim_server_enrol(sim, server, &born_us, &now_us);
	conn->born_us = born_us;
	memcpy(conn->run_id, server->run_id, sizeof conn->run_id);
	if (conn->detached || conn->ending) {
		return;
	}
	message = sim_conn_push(conn, &conn->to_client, SIM_UP, conn->client->from_us[conn->node]);
	memcpy(message->run_id, server->run_id, sizeof server->run_id);
	message->enrolment = (struct rlk_enrolment){
		.barred = server->barred,
		.durable = sim_server_durable(sim, server),
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
	if ((asked->command.op == RLK_OP_ACQUIRE || asked->command.op == RLK_OP_REPAIR ||
	     asked->command.op == RLK_OP_JOIN) &&
	    sim_server_has(conn->sim, server, &asked->command)) {
		sim_nodes_set(conn, &asked->command);
	}
	if (conn->detached || conn->ending) {
		return;
	}
	message = sim_conn_push(conn, &conn->to_client, SIM_ANSWER,
				conn->client->from_us[conn->node]);
	message->request = asked->request;
	message->answer = answer;
	if (answer.held) {
		memcpy(message->text, answer.text, answer.text_len);
		message->answer.text = message->text;
	}
}

void sim_arrive_at_server(struct sim_conn *conn, struct sim_message *message)
{
	struct sim_server *server = &conn->sim->servers[conn->server];

	if (conn->dead || !server->up) {
		sim_conn_end(conn); /* Refused, or reset. */
	} else if (message->kind == SIM_LOG_IN) {
		log_in(conn, server);
	} else if (message->kind == SIM_LISTEN) {
		sim_ear_arrive_at_server(conn);
	} else {
		message->command.stray = conn->ended_us != 0;
		message->command.born_us = conn->born_us;
		message->command.run_id = conn->run_id;
		ask(conn, server, message);
	}
}

static bool has_changed(const struct rlk_answer *answer)
{
	return answer->kind == RLK_ERROR && answer->text_len > 7 &&
	       memcmp(answer->text, "CHANGED", 7) == 0;
}

static void arrive_down(struct sim_conn *conn, struct rlk_node *node)
{
	struct sim_client *client = conn->client;
	struct sim_link *link = &client->links[conn->node];

	conn->detached = true;
	if (conn->ear) {
		link->ear = NULL;
		rlk_node_deaf(node, false, "connection lost");
		return;
	}
	rlk_timer_stop(&client->cluster.timers, &link->patience);
	link->conn = NULL;
	sim_ear_close(link);
	rlk_node_down(node, "connection lost");
}

void sim_arrive_at_client(struct sim_conn *conn, struct sim_message *message)
{
	struct sim_client *client = conn->client;
	struct rlk_node *node = &client->nodes[conn->node];

	switch (message->kind) {
	case SIM_UP:
		rlk_timer_stop(&client->cluster.timers, &client->links[conn->node].patience);
		message->enrolment.run_id = message->run_id;
		rlk_node_up(node, &message->enrolment);
		break;
	case SIM_DOWN:
		arrive_down(conn, node);
		break;
	case SIM_LISTENS:
		rlk_node_listens(node);
		break;
	case SIM_MAY_NOT:
		client->links[conn->node].ear = NULL;
		sim_conn_detach(conn);
		rlk_node_deaf(node, true, "may not subscribe");
		break;
	case SIM_CALL:
		rlk_line_called(&client->cluster, conn->node, &message->call);
		break;
	default:
		rlk_node_answer(node, message->request, &message->answer,
				rlk_now(&client->cluster));
		if (has_changed(&message->answer) && client->links[conn->node].conn == conn) {
			client->links[conn->node].conn = NULL;
			sim_conn_detach(conn);
			sim_ear_close(&client->links[conn->node]);
			rlk_node_down(node, "another server answers here");
		}
		break;
	}
	sim_client_wake(client);
	sim_judge(client);
}
