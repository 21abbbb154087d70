/* node.c - one server, as a voter.
 *
 *            connect                log-in done
 *   DOWN ----------> CONNECTING ----------------> UP
 *     ^------------------'-------------------------'   connection lost
 *
 * Promises to those who ask: an accepted request is heard of exactly once for
 * good, and is never waited for longer than the node timeout (it is called
 * silent then; its real answer may still come, for the books only).
 *
 * The breaker: a node that was silent is suspect. It is not asked for votes,
 * hence costs nobody any time, until it answers something. Releases still go
 * to it, behind the commands that they undo. If it stays silent the connection
 * is dropped, and logging in anew is the probe.
 *
 * The restart guard: a node that restarted may have forgotten grants. It must
 * not vote for a new lease until every lease that it may have granted is over:
 * max_ttl, plus drift, after this incarnation was born. */
#include "node.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "debts.h"
#include "lease.h"

static const struct rlk_answer SILENT = {.kind = RLK_SILENT, .remaining_ms = -1};
static const struct rlk_answer BROKEN = {.kind = RLK_BROKEN, .remaining_ms = -1};

/* ---- Requests -------------------------------------------------------------------------------- */

static struct rlk_request *request_new(struct rlk_cluster *cluster)
{
	struct rlk_request *request = cluster->spare_requests;

	if (request == NULL) {
		return cluster->ports->alloc(cluster->world, sizeof *request);
	}
	cluster->spare_requests = request->next;
	memset(request, 0, sizeof *request);
	return request;
}

static void request_drop(struct rlk_cluster *cluster, struct rlk_request *request)
{
	request->next = cluster->spare_requests;
	cluster->spare_requests = request;
}

static void append(struct rlk_node *node, struct rlk_request *request)
{
	request->prev = node->last;
	if (node->last != NULL) {
		node->last->next = request;
	} else {
		node->first = request;
	}
	node->last = request;
	if (node->watch == NULL) {
		node->watch = request;
	}
	node->in_flight++;
}

static void detach(struct rlk_node *node, struct rlk_request *request)
{
	if (node->watch == request) {
		node->watch = request->next;
	}
	if (request->prev != NULL) {
		request->prev->next = request->next;
	} else {
		node->first = request->next;
	}
	if (request->next != NULL) {
		request->next->prev = request->prev;
	} else {
		node->last = request->prev;
	}
	request->prev = request->next = NULL;
	node->in_flight--;
}

/* The last word on a request. */
static void finish(struct rlk_node *node, struct rlk_request *request,
		   const struct rlk_answer *answer)
{
	detach(node, request);
	request->asker->heard(request->asker, node, request, answer);
	request_drop(node->cluster, request);
}

static void send(struct rlk_node *node, struct rlk_request *request)
{
	struct rlk_command command = {.op = (enum rlk_op)request->op};

	request->sent = true;
	request->asker->describe(request->asker, request, &command);
	node->cluster->ports->send(node->cluster->world, node->index, request, &command);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static bool is_vote(enum rlk_op op)
{
	return op == RLK_OP_ACQUIRE || op == RLK_OP_EXTEND || op == RLK_OP_REPAIR;
}

bool rlk_node_guarded(const struct rlk_node *node, uint64_t now_us)
{
	return now_us < node->guard_until_us;
}

static enum rlk_answer_kind refuse(const struct rlk_node *node, enum rlk_op op, uint64_t now_us)
{
	if (node->state == RLK_DOWN || (node->state == RLK_CONNECTING && !node->fresh)) {
		return RLK_UNREACHABLE;
	}
	if (node->state == RLK_CONNECTING) {
		return RLK_YES;
	}
	if (node->barred && op != RLK_OP_INSPECT) {
		return RLK_BARRED;
	}
	if (op == RLK_OP_ACQUIRE && rlk_node_guarded(node, now_us)) {
		return RLK_WITHHELD;
	}
	return node->suspect && (is_vote(op) || op == RLK_OP_REMAINING) ? RLK_UNREACHABLE : RLK_YES;
}

enum rlk_answer_kind rlk_node_ask(struct rlk_node *node, struct rlk_asker *asker, enum rlk_op op,
				  uint32_t round)
{
	struct rlk_cluster *cluster = node->cluster;
	uint64_t now_us = rlk_now(cluster);
	enum rlk_answer_kind refusal = refuse(node, op, now_us);
	struct rlk_request *request;

	if (refusal != RLK_YES) {
		return refusal;
	}
	/* A release is never refused: its SET was admitted. */
	if (op != RLK_OP_RELEASE &&
	    node->in_flight + node->debt_count >= cluster->config.max_in_flight) {
		return RLK_FULL;
	}
	request = request_new(cluster);
	if (request == NULL) {
		return RLK_FULL;
	}
	request->asker = asker;
	request->op = (uint8_t)op;
	request->round = round;
	request->asked_us = now_us;
	request->deadline_us = rlk_later(now_us, rlk_us(cluster->config.node_timeout_ms));
	append(node, request);
	rlk_node_wake_by(node, request->deadline_us);
	if (node->state == RLK_UP) {
		send(node, request);
	}
	return RLK_YES;
}

unsigned rlk_node_withdraw(struct rlk_node *node, struct rlk_asker *asker)
{
	struct rlk_request *request, *next;
	unsigned withdrawn = 0;

	if (node->state == RLK_UP) {
		return 0; /* All are sent. */
	}
	for (request = node->first; request != NULL; request = next) {
		next = request->next;
		if (request->asker == asker && !request->sent && request->op != RLK_OP_RELEASE) {
			detach(node, request);
			request_drop(node->cluster, request);
			withdrawn++;
		}
	}
	return withdrawn;
}

void rlk_node_answer(struct rlk_node *node, struct rlk_request *request,
		     const struct rlk_answer *answer)
{
	uint64_t now_us = rlk_now(node->cluster);

	assert(request->sent);
	node->rtt_us = (uint32_t)rlk_until(now_us, request->asked_us);
	if (node->suspect) {
		node->suspect = false;
		rlk_trace(node->cluster, "node %u: answers again", node->index);
	}
	if (answer->kind == RLK_ERROR) {
		snprintf(node->error, sizeof node->error, "%.*s", (int)answer->text_len,
			 answer->text);
	}
	finish(node, request, answer);
}

/* ---- Time: requests stand in the order of their deadlines, late ones first
 * ------------------------------------------------------------------------------------ */

static uint64_t drop_us(const struct rlk_node *node)
{
	return rlk_later(node->suspect_since_us,
			 rlk_us(1000 + 2 * (uint64_t)node->cluster->config.node_timeout_ms));
}

static void call_silent(struct rlk_node *node, struct rlk_request *request, uint64_t now_us)
{
	node->watch = request->next;
	node->fresh = false;
	if (!request->sent) {
		finish(node, request, &SILENT); /* It never left: clean. */
		return;
	}
	request->late = true;
	if (!node->suspect) {
		node->suspect = true;
		node->suspect_since_us = now_us;
		rlk_trace(node->cluster, "node %u: silent for %" PRIu32 " ms", node->index,
			  node->cluster->config.node_timeout_ms);
	}
	request->asker->heard(request->asker, node, request, &SILENT);
}

static void rearm(struct rlk_node *node)
{
	if (node->watch != NULL) {
		rlk_node_wake_by(node, node->watch->deadline_us);
	}
	if (node->state == RLK_UP && node->suspect) {
		rlk_node_wake_by(node, drop_us(node));
	}
	rlk_node_wake_by(node, node->sweep_us);
	rlk_node_wake_by(node, node->reconnect_us);
}

static void on_alarm(struct rlk_timer *timer, uint64_t now_us)
{
	struct rlk_node *node =
		(struct rlk_node *)((char *)timer - offsetof(struct rlk_node, alarm));

	while (node->watch != NULL && node->watch->deadline_us <= now_us) {
		call_silent(node, node->watch, now_us);
	}
	if (node->state == RLK_UP && node->suspect && drop_us(node) <= now_us) {
		node->cluster->ports->disconnect(node->cluster->world, node->index);
		rlk_node_down(node, "no answer; connecting again");
	}
	if (node->sweep_us <= now_us) {
		rlk_debts_sweep(node, now_us);
	}
	if (node->reconnect_us <= now_us) {
		rlk_node_connect(node);
	}
	rearm(node);
}

void rlk_node_wake_by(struct rlk_node *node, uint64_t at_us)
{
	if (at_us != RLK_NEVER && (!node->alarm.armed || at_us < node->alarm.at_us)) {
		rlk_timer_set(&node->cluster->timers, &node->alarm, at_us);
	}
}

/* ---- Connection ------------------------------------------------------------------------------ */

void rlk_node_init(struct rlk_node *node, struct rlk_cluster *cluster, unsigned index)
{
	memset(node, 0, sizeof *node);
	node->cluster = cluster;
	node->index = index;
	node->fresh = true;
	node->sweep_us = node->reconnect_us = RLK_NEVER;
	node->reconnect.min_us = rlk_us(cluster->config.reconnect_min_ms);
	node->reconnect.max_us = rlk_us(cluster->config.reconnect_max_ms);
	node->alarm.fire = on_alarm;
}

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
	if (!config->guard || node->durable || node->barred) {
		return;
	}
	ends_us = rlk_later(enrolment->born_us,
			    rlk_key_life_us(config->max_ttl_ms, config->drift_ppm));
	left_us = rlk_until(ends_us, enrolment->node_now_us);
	if (left_us == 0) {
		return;
	}
	/* Its clock may run faster than ours: wait by ours a little longer. */
	left_us = rlk_later(left_us, left_us / 1000000 * config->drift_ppm + 2000);
	node->guard_until_us = rlk_later(now_us, left_us);
	rlk_trace(node->cluster, "node %u: vote withheld for %" PRIu64 " ms", node->index,
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
		if (other != node && !other->twin && node->run_id[0] != '\0' &&
		    strcmp(other->run_id, node->run_id) == 0) {
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
	node->error[0] = '\0';
	snprintf(node->run_id, sizeof node->run_id, "%s", enrolment->run_id);
	twin = find_twin(node);
	if (enrolment->barred != NULL) {
		node->barred = true;
		snprintf(node->error, sizeof node->error, "%s", enrolment->barred);
	} else if (twin != NULL) {
		node->barred = node->twin = true;
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
		if (!request->sent && refuse(node, (enum rlk_op)request->op, now_us) == RLK_YES) {
			send(node, request);
		}
	}
	/* heard() may change the list: start over after each. */
	for (request = node->first; request != NULL; request = next) {
		next = request->next;
		if (!request->sent) {
			answer.kind = refuse(node, (enum rlk_op)request->op, now_us);
			finish(node, request, &answer);
			next = node->first;
		}
	}
}

void rlk_node_up(struct rlk_node *node, const struct rlk_enrolment *enrolment)
{
	uint64_t now_us = rlk_now(node->cluster);

	node->state = RLK_UP;
	node->fresh = false;
	node->suspect = false;
	judge(node, enrolment);
	set_guard(node, enrolment, now_us);
	rlk_retry_reset(&node->reconnect);
	rlk_trace(node->cluster, "node %u: up%s%s", node->index, node->barred ? ", barred: " : "",
		  node->error);
	rlk_debts_up(node, now_us);
	send_waiting(node, now_us);
	rearm(node);
}

void rlk_node_down(struct rlk_node *node, const char *why)
{
	struct rlk_cluster *cluster = node->cluster;

	rlk_trace(cluster, "node %u: down: %s", node->index, why);
	node->state = RLK_DOWN;
	node->fresh = false;
	node->suspect = false;
	node->guard_until_us = 0;
	snprintf(node->error, sizeof node->error, "%s", why);
	while (node->first != NULL) {
		finish(node, node->first, &BROKEN);
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
		finish(node, node->first, &BROKEN);
	}
	rlk_debts_forget(node);
	node->reconnect_us = RLK_NEVER;
	rlk_timer_stop(&node->cluster->timers, &node->alarm);
}
