/* joining.c - a node comes up, and may vote or not; or it goes.
 *
 *            connect                log-in done
 *   DOWN ----------> CONNECTING ----------------> UP
 *     ^------------------'-------------------------'   connection lost
 *
 * The restart guard: a node that restarted may have forgotten grants. It must
 * not vote for a new lease until every lease that it may have granted is over:
 * max_ttl, plus drift, after this incarnation was born. A restart breaks every
 * connection, so it is judged anew on each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "debts.h"
#include "lease.h"
#include "line.h"
#include "mutant.h"
#include "node_parts.h"

static const struct rlk_answer BROKEN = {.kind = RLK_BROKEN, .remaining_ms = -1};

void rlk_node_connect(struct rlk_node *node)
{
	node->reconnect_us = RLK_NEVER;
	node->state = RLK_CONNECTING;
	node->cluster->ports->connect(node->cluster->world, node->index);
}

static void set_guard(struct rlk_node *node, const struct rlk_enrolment *enrolment, uint64_t now_us)
{
	const struct rlk_config *config = &node->cluster->config;
	uint64_t ends_us, left_us;

	node->guard_until_us = 0;
	node->durable = enrolment->durable || config->durable;
	if (!config->guard || config->durable || RLK_MUTANT(GUARD_OFF) ||
	    (RLK_MUTANT(GUARD_ONCE) && node->rtt_us != 0)) {
		return;
	}
	ends_us = rlk_later(enrolment->born_us,
			    rlk_key_life_us(RLK_MUTANT(GUARD_HALF) ? config->max_ttl_ms / 2
								   : config->max_ttl_ms,
					    RLK_MUTANT(GUARD_NO_DRIFT) ? 0 : config->drift_ppm));
	left_us = rlk_until(ends_us, enrolment->node_now_us);
	if (left_us == 0) {
		return;
	}
	/* Its clock may run faster than ours: wait by ours a little longer. */
	if (!RLK_MUTANT(GUARD_NO_DRIFT)) {
		left_us = rlk_later(left_us, left_us * config->drift_ppm / 1000000 + 2000);
	}
	node->guard_until_us = rlk_later(now_us, left_us);
	rlk_trace(node->cluster, "node %u: vote withheld for %" PRIu64 " ms", node->index + 1,
		  left_us / 1000);
}

/* One server under two addresses would vote twice: the later one is barred for as long as the
 * server that it was seen to be is the other node's too. */
static const struct rlk_node *find_twin(const struct rlk_node *node)
{
	const struct rlk_cluster *cluster = node->cluster;
	unsigned i;

	for (i = 0; i < cluster->node_count; i++) {
		const struct rlk_node *other = &cluster->nodes[i];
		if (other != node && !other->twin && !RLK_MUTANT(TWINS_VOTE) &&
		    node->run_id[0] != '\0' && strcmp(other->run_id, node->run_id) == 0) {
			return other;
		}
	}
	return NULL;
}

static void free_twins(struct rlk_cluster *cluster)
{
	unsigned i;

	for (i = 0; i < cluster->node_count; i++) {
		struct rlk_node *node = &cluster->nodes[i];
		if (node->twin && find_twin(node) == NULL) {
			node->twin = node->barred = false;
			node->error[0] = '\0';
		}
	}
}

static void judge(struct rlk_node *node, const struct rlk_enrolment *enrolment)
{
	const struct rlk_node *twin;

	node->barred = node->twin = false;
	memcpy(node->past_error, node->error, sizeof node->error);
	node->error[0] = '\0';
	snprintf(node->run_id, sizeof node->run_id, "%s", enrolment->run_id);
	twin = find_twin(node);
	if (enrolment->barred != NULL) {
		node->barred = true;
		snprintf(node->error, sizeof node->error, "%s", enrolment->barred);
	} else if (twin != NULL) {
		node->barred = node->twin = true;
		node->twin_of = twin->index;
		snprintf(node->error, sizeof node->error, "same server as node %u of the list",
			 twin->index + 1);
	}
	free_twins(node->cluster);
}

static void send_waiting(struct rlk_node *node, uint64_t now_us)
{
	struct rlk_answer answer = {.remaining_ms = -1};
	struct rlk_request *request, *next;

	for (request = node->first; request != NULL; request = next) {
		next = request->next;
		if (!request->sent &&
		    rlk_node_refusal(node, (enum rlk_op)request->op, now_us) == RLK_YES) {
			rlk_node_send(node, request);
		}
	}
	/* heard() may change the list: start over after each. */
	for (request = node->first; request != NULL; request = next) {
		next = request->next;
		if (!request->sent) {
			answer.kind = rlk_node_refusal(node, (enum rlk_op)request->op, now_us);
			rlk_node_finish(node, request, &answer);
			next = node->first;
		}
	}
}

void rlk_node_up(struct rlk_node *node, const struct rlk_enrolment *enrolment)
{
	uint64_t now_us = rlk_now(node->cluster);

	node->state = RLK_UP;
	node->counts.ups++;
	node->fresh = false;
	node->suspect = false;
	judge(node, enrolment);
	set_guard(node, enrolment, now_us);
	node->look_again_us =
		node->barred && !node->twin ? rlk_later(now_us, node->reconnect.max_us) : RLK_NEVER;
	node->up_since_us = now_us;
	rlk_trace(node->cluster, "node %u: up%s%s", node->index + 1,
		  node->barred ? ", barred: " : "", node->error);
	if (enrolment->enrolled) {
		node->tells_time = true;
		node->clock_ahead_us = enrolment->node_now_us - now_us;
	}
	node->ear = RLK_EAR_CLOSED;
	node->no_line_until_us = 0;
	rlk_debts_up(node, now_us);
	send_waiting(node, now_us);
	rlk_node_listen(node);
	rlk_node_rearm(node);
}

void rlk_node_down(struct rlk_node *node, const char *why)
{
	struct rlk_cluster *cluster = node->cluster;

	rlk_trace(cluster, "node %u: down: %s", node->index + 1, why);
	/* A server that lets us in only to fail is not to be called again and again. */
	if (node->state == RLK_UP &&
	    rlk_until(rlk_now(cluster), node->up_since_us) >= node->reconnect.max_us) {
		rlk_retry_reset(&node->reconnect);
	}
	node->counts.downs += node->state == RLK_UP;
	node->state = RLK_DOWN;
	node->fresh = false;
	node->suspect = false;
	node->guard_until_us = 0;
	node->look_again_us = node->listen_us = node->join_us = RLK_NEVER;
	node->ear = RLK_EAR_CLOSED;
	if (why != node->error) {
		snprintf(node->error, sizeof node->error, "%s", why);
	}
	while (node->first != NULL) {
		rlk_node_finish(node, node->first, &BROKEN);
	}
	rlk_debts_broken(node);
	if (!cluster->closing || node->debts != NULL) {
		node->reconnect_us = rlk_later(
			rlk_now(cluster), rlk_retry_pause_us(&node->reconnect, &cluster->random));
		rlk_node_wake_by(node, node->reconnect_us);
	}
}

void rlk_node_stop(struct rlk_node *node)
{
	if (node->state != RLK_DOWN) {
		node->cluster->ports->disconnect(node->cluster->world, node->index);
	}
	node->state = RLK_DOWN;
	while (node->first != NULL) {
		rlk_node_finish(node, node->first, &BROKEN);
	}
	rlk_debts_forget(node);
	node->ear = RLK_EAR_CLOSED;
	node->reconnect_us = node->listen_us = node->join_us = RLK_NEVER;
	rlk_timer_stop(&node->cluster->timers, &node->alarm);
}
