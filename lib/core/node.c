/* node.c - one server, as somebody to ask.
 *
 * Promises to those who ask: an accepted request is heard of exactly once for
 * good, and is never waited for longer than the node timeout (it is called
 * silent then; its real answer may still come, for the books only).
 *
 * The breaker: a node that was silent is suspect. It is not asked for votes,
 * hence costs nobody any time, until it answers something. Releases still go
 * to it, behind the commands that they undo. If it stays silent the connection
 * is dropped, and logging in anew is the probe. */
#include "node.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cluster.h"
#include "debts.h"
#include "lease.h"
#include "line.h"
#include "mutant.h"
#include "node_parts.h"

static const struct rlk_answer SILENT = {.kind = RLK_SILENT, .remaining_ms = -1};

/* ---- Requests -------------------------------------------------------------------------------- */

static struct rlk_request *request_new(struct rlk_cluster *cluster)
{
	struct rlk_request *request = cluster->spares.requests;

	if (request == NULL) {
		return rlk_spares_grow(cluster, sizeof *request, &cluster->spares.request_count);
	}
	cluster->spares.requests = request->next;
	__builtin_prefetch(request->prev, 1); /* The one after the next: see request_drop(). */
	memset(request, 0, sizeof *request);
	return request;
}

static void request_drop(struct rlk_cluster *cluster, struct rlk_request *request)
{
	request->next = cluster->spares.requests;
	request->prev = request->next != NULL ? request->next->next : NULL;
	cluster->spares.requests = request;
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
void rlk_node_finish(struct rlk_node *node, struct rlk_request *request,
		     const struct rlk_answer *answer)
{
	detach(node, request);
	request->asker->asking->heard(request->asker, node, request, answer);
	request_drop(node->cluster, request);
}

void rlk_node_send(struct rlk_node *node, struct rlk_request *request)
{
	struct rlk_command command = {.op = (enum rlk_op)request->op};

	request->sent = true;
	node->counts.asked++;
	request->asker->asking->describe(request->asker, request, &command);
	node->cluster->ports->send(node->cluster->world, node->index, request, &command);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

bool rlk_node_guarded(const struct rlk_node *node, uint64_t now_us)
{
	return now_us < node->guard_until_us;
}

enum rlk_answer_kind rlk_node_refusal(const struct rlk_node *node, enum rlk_op op, uint64_t now_us)
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
	if ((op == RLK_OP_ACQUIRE || op == RLK_OP_JOIN) && rlk_node_guarded(node, now_us)) {
		return RLK_WITHHELD;
	}
	return node->suspect && (rlk_is_vote(op) || op == RLK_OP_REMAINING || op == RLK_OP_JOIN)
		       ? RLK_UNREACHABLE
		       : RLK_YES;
}

bool rlk_node_may_vote(const struct rlk_node *node, uint64_t now_us)
{
	return rlk_node_refusal(node, RLK_OP_ACQUIRE, now_us) == RLK_YES;
}

enum rlk_answer_kind rlk_node_ask(struct rlk_node *node, struct rlk_asker *asker, enum rlk_op op,
				  uint32_t round, uint64_t now_us)
{
	struct rlk_cluster *cluster = node->cluster;
	enum rlk_answer_kind refusal = rlk_node_refusal(node, op, now_us);
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
	request->node = (uint8_t)node->index;
	request->round = round;
	/* Requests stand in the order of their deadlines. */
	if (node->last != NULL && node->last->asked_us > now_us) {
		now_us = node->last->asked_us;
	}
	request->asked_us = now_us;
	request->deadline_us = rlk_later(now_us, rlk_us(cluster->config.node_timeout_ms));
	append(node, request);
	rlk_node_wake_by(node, request->deadline_us);
	if (node->state == RLK_UP) {
		rlk_node_send(node, request);
	}
	return RLK_YES;
}

unsigned rlk_node_withdraw(struct rlk_node *node, struct rlk_asker *asker, bool *would_set)
{
	struct rlk_request *request, *next;
	unsigned withdrawn = 0;

	*would_set = false;
	if (node->state == RLK_UP) {
		return 0; /* All are sent. */
	}
	for (request = node->first; request != NULL; request = next) {
		next = request->next;
		if (request->asker == asker && !request->sent && request->op != RLK_OP_RELEASE) {
			*would_set |= request->op == RLK_OP_ACQUIRE || request->op == RLK_OP_REPAIR;
			detach(node, request);
			request_drop(node->cluster, request);
			withdrawn++;
		}
	}
	return withdrawn;
}

/* It answers: it is trusted again once nothing is late any more, else it has more time. */
static void note_progress(struct rlk_node *node, const struct rlk_request *answered,
			  uint64_t now_us)
{
	const struct rlk_request *first = node->first == answered ? answered->next : node->first;

	if (!node->suspect) {
		return;
	}
	node->suspect_since_us = now_us;
	if ((first == NULL || !first->late) && !RLK_MUTANT(SUSPECT_STAYS)) {
		node->suspect = false;
		rlk_trace(node->cluster, "node %u: answers again", node->index + 1);
		if (node->unjoined) {
			rlk_node_wake_by(node, now_us);
		}
	}
}

void rlk_node_answer(struct rlk_node *node, struct rlk_request *request,
		     const struct rlk_answer *answer, uint64_t came_us)
{
	assert(request->sent);
	node->rtt_us = (uint32_t)rlk_until(came_us, request->asked_us);
	node->counts.late += request->late;
	node->counts.rtt_sum_us += node->rtt_us;
	node->counts.rtt[rlk_rtt_bucket(node->rtt_us)]++;
	note_progress(node, request, came_us);
	if (answer->kind == RLK_ERROR) {
		node->counts.errors++;
		/* Why it is barred matters more than what comes of it. */
		if (!node->barred) {
			snprintf(node->error, sizeof node->error, "%.*s", (int)answer->text_len,
				 answer->text);
		}
	} else {
		rlk_retry_reset(&node->reconnect); /* It does what it is there for. */
	}
	rlk_node_finish(node, request, answer);
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
		rlk_node_finish(node, request, &SILENT); /* It never left: clean. */
		return;
	}
	request->late = true;
	node->counts.silences++;
	if (!node->suspect) {
		node->suspect = true;
		node->suspect_since_us = now_us;
		rlk_trace(node->cluster, "node %u: silent for %" PRIu32 " ms", node->index + 1,
			  node->cluster->config.node_timeout_ms);
	}
	request->asker->asking->heard(request->asker, node, request, &SILENT);
}

void rlk_node_rearm(struct rlk_node *node)
{
	if (node->watch != NULL) {
		rlk_node_wake_by(node, node->watch->deadline_us);
	}
	if (node->state == RLK_UP && node->suspect && !RLK_MUTANT(SUSPECT_STAYS)) {
		rlk_node_wake_by(node, drop_us(node));
	}
	rlk_node_wake_by(node, node->sweep_us);
	rlk_node_wake_by(node, node->reconnect_us);
	rlk_node_wake_by(node, node->look_again_us);
	rlk_node_wake_by(node, node->listen_us);
	rlk_node_wake_by(node, node->join_us);
}

static void on_alarm(struct rlk_timer *timer, uint64_t now_us)
{
	struct rlk_node *node =
		(struct rlk_node *)((char *)timer - offsetof(struct rlk_node, alarm));

	while (node->watch != NULL && node->watch->deadline_us <= now_us) {
		call_silent(node, node->watch, now_us);
	}
	if (node->state == RLK_UP && node->suspect && drop_us(node) <= now_us &&
	    !RLK_MUTANT(SUSPECT_STAYS)) {
		node->cluster->ports->disconnect(node->cluster->world, node->index);
		rlk_node_down(node, "no answer; connecting again");
	}
	if (node->state == RLK_UP && node->look_again_us <= now_us) {
		/* Barred for what it was when it logged in: look whether it still is. */
		node->cluster->ports->disconnect(node->cluster->world, node->index);
		rlk_node_down(node, node->error);
	}
	if (node->sweep_us <= now_us) {
		rlk_debts_sweep(node, now_us);
	}
	if (node->reconnect_us <= now_us) {
		rlk_node_connect(node);
	}
	if (node->listen_us <= now_us) {
		node->listen_us = RLK_NEVER;
		rlk_node_listen(node);
	}
	if (node->unjoined && rlk_node_may_call(node, now_us)) {
		rlk_node_listens(node);
	}
	if (node->join_us <= now_us) {
		rlk_node_join_left_out(node, now_us);
	}
	rlk_node_rearm(node);
}

void rlk_node_wake_by(struct rlk_node *node, uint64_t at_us)
{
	if (at_us != RLK_NEVER && (!node->alarm.armed || at_us < node->alarm.at_us)) {
		rlk_timer_set(&node->cluster->timers, &node->alarm, at_us);
	}
}

void rlk_node_init(struct rlk_node *node, struct rlk_cluster *cluster, unsigned index)
{
	memset(node, 0, sizeof *node);
	node->cluster = cluster;
	node->index = index;
	node->fresh = true;
	node->sweep_us = node->reconnect_us = node->look_again_us = RLK_NEVER;
	node->listen_us = node->join_us = RLK_NEVER;
	node->reconnect.min_us = rlk_us(cluster->config.reconnect_min_ms);
	node->reconnect.max_us = rlk_us(cluster->config.reconnect_max_ms);
	node->listen = node->reconnect;
	node->alarm.fire = on_alarm;
}
