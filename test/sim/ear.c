/* ear.c - the connections on which clients listen: who is called by a node, and hears it or not. */
#include <string.h>

#include "judge.h"
#include "message.h"

struct sim_conn *sim_ear_open(struct sim_client *client, unsigned node)
{
	return sim_conn_open(client, node, true);
}

void sim_ear_close(struct sim_link *link)
{
	struct sim_conn *ear = link->ear;

	link->ear = NULL;
	if (ear != NULL) {
		sim_conn_detach(ear);
	}
}

void sim_ear_arrive_at_server(struct sim_conn *conn)
{
	const struct sim_server *server = &conn->sim->servers[conn->server];

	conn->subscribed = !server->mute;
	if (!conn->detached && !conn->ending) {
		sim_conn_tell(conn, server->mute ? SIM_MAY_NOT : SIM_LISTENS);
	}
}

static bool seems_there(const struct sim_conn *conn)
{
	return conn->subscribed && !conn->dead &&
	       (conn->ended_us == 0 || conn->sim->now_us < conn->noticed_us);
}

bool sim_ear_call(struct sim *sim, unsigned server, unsigned client, const struct rlk_call *call)
{
	struct sim_conn *conn, *next;
	bool heard = false;

	for (conn = sim->conns; conn != NULL; conn = next) {
		next = conn->next;
		if (!conn->ear || conn->server != server || conn->client->index != client ||
		    !seems_there(conn)) {
			continue;
		}
		heard = true;
		if (!conn->detached && !conn->ending) {
			sim_conn_tell(conn, SIM_CALL)->call = *call;
		}
	}
	return heard;
}

void sim_ear_lie(struct sim_client *client, unsigned node, struct sim_dice *dice)
{
	struct rlk_call call = {.yours = dice_chance(dice, 80), .in_ms = 1};
	const struct sim_lock *lock;

	for (lock = client->locks; lock != NULL; lock = lock->next_live) {
		if (lock->core->attempt != NULL && dice_chance(dice, 60)) {
			call.name = (uint32_t)lock->core->name->hash;
			call.seq = lock->core->attempt->ticket.seq;
		}
	}
	sim_ear_call(client->sim, client->route[node], client->index, &call);
}
