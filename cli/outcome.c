/* outcome.c - how an operation on a lock ended, kept after its callback. */
#include "outcome.h"

#include "codes.h"
#include "out.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const enum redlock_vote votes[] = {
	REDLOCK_VOTE_GRANTED,	  REDLOCK_VOTE_HELD,	  REDLOCK_VOTE_MISSING,
	REDLOCK_VOTE_UNREACHABLE, REDLOCK_VOTE_TIMED_OUT, REDLOCK_VOTE_WITHHELD,
	REDLOCK_VOTE_ERROR,	  REDLOCK_VOTE_NONE,
};

/* "none" would read as a refusal. */
static const char *vote_text(enum redlock_vote vote)
{
	return vote == REDLOCK_VOTE_NONE ? "not waited for" : redlock_vote_name(vote);
}

static void copy_node(struct outcome_node *node, const struct redlock_node_report *from)
{
	*node = (struct outcome_node){
		.vote = from->vote,
		.rtt_us = from->rtt_us,
		.remaining_ms = from->remaining_ms,
	};
	snprintf(node->address, sizeof node->address, "%s", from->address);
	snprintf(node->error, sizeof node->error, "%s", from->error != NULL ? from->error : "");
}

void outcome_keep_nodes(struct outcome *outcome, const struct redlock_report *report)
{
	if (report == NULL) {
		return;
	}
	outcome->node_count = report->node_count;
	outcome->quorum = report->quorum;
	outcome->validity_ms = report->validity_ms;
	for (size_t i = 0; i < report->node_count && i < REDLOCK_NODES_MAX; i++) {
		copy_node(&outcome->nodes[i], &report->nodes[i]);
	}
}

void outcome_set(struct outcome *outcome, int status, const struct redlock_report *report)
{
	outcome->status = status;
	outcome->done = true;
	if (report != NULL) {
		outcome->attempts = report->attempts;
		outcome->way = report->way;
		outcome->waited_ms = report->waited_ms;
		outcome->fence = report->fence;
	}
	outcome_keep_nodes(outcome, report);
}

void outcome_on_done(struct redlock_lock *lock, int status, const struct redlock_report *report,
		     void *data)
{
	(void)lock;
	outcome_set(data, status, report);
}

static size_t count(const struct outcome *outcome, enum redlock_vote vote)
{
	size_t number = 0;
	for (size_t i = 0; i < outcome->node_count; i++) {
		number += outcome->nodes[i].vote == vote;
	}
	return number;
}

/* "2 granted, 3 timed out". */
static void list_votes(const struct outcome *outcome, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < sizeof votes / sizeof *votes; i++) {
		size_t number = count(outcome, votes[i]);
		if (number > 0 && used < size) {
			used += (size_t)snprintf(text + used, size - used, "%s%zu %s",
						 used > 0 ? ", " : "", number, vote_text(votes[i]));
		}
	}
}

void outcome_describe(const struct outcome *outcome, char *text, size_t size)
{
	char list[200];
	const char *what = redlock_strerror(outcome->status);
	switch (outcome->status) {
	case REDLOCK_EHELD:
	case REDLOCK_ETIMEDOUT:
		snprintf(text, size, "%s (%zu of %zu nodes)", what,
			 count(outcome, REDLOCK_VOTE_HELD), outcome->node_count);
		break;
	case REDLOCK_ENOQUORUM:
	case REDLOCK_EEXPIRED:
	case REDLOCK_EUNSUPPORTED:
		list_votes(outcome, list, sizeof list);
		snprintf(text, size, list[0] != '\0' ? "%s (%s; %zu of %zu needed)" : "%s", what,
			 list, outcome->quorum, outcome->node_count);
		break;
	default:
		snprintf(text, size, "%s", what);
	}
}

static void explain_node(const struct outcome_node *node, const char *name)
{
	char left[48] = "";
	char trip[48] = "";
	if (node->remaining_ms >= 0 &&
	    (node->vote == REDLOCK_VOTE_HELD || node->vote == REDLOCK_VOTE_WITHHELD)) {
		snprintf(left, sizeof left, ", %" PRId64 " ms left", node->remaining_ms);
	}
	if (node->rtt_us > 0) {
		snprintf(trip, sizeof trip, ", %.2f ms", (double)node->rtt_us / 1000);
	}
	out_detail(name, "%s: %s%s%s%s%s", node->address, vote_text(node->vote), left, trip,
		   node->error[0] != '\0' ? ": " : "", node->error);
}

void outcome_explain(const struct outcome *outcome, const char *name)
{
	for (size_t i = 0; i < outcome->node_count; i++) {
		explain_node(&outcome->nodes[i], name);
	}
}

int outcome_acquire_code(const struct outcome *outcome, int held_code)
{
	switch (outcome->status) {
	case 0:
		return CODE_OK;
	case REDLOCK_EHELD:
	case REDLOCK_ETIMEDOUT:
		return held_code;
	default:
		return CODE_NO_QUORUM;
	}
}

static void node_json(struct json *json, const struct outcome_node *node)
{
	json_open(json, NULL, '{');
	json_string(json, "address", node->address);
	json_string(json, "vote", redlock_vote_name(node->vote));
	json_uint(json, "rtt_us", node->rtt_us);
	json_int(json, "remaining_ms", node->remaining_ms);
	json_string(json, "error", node->error);
	json_close(json, '{');
}

void outcome_json(struct json *json, const struct outcome *outcome, int code, const char *message)
{
	json_string(json, "status", redlock_status_name(outcome->status));
	json_int(json, "exit", code);
	json_string(json, "message", message);
	json_uint(json, "quorum", outcome->quorum);
	json_uint(json, "attempts", outcome->attempts);
	json_uint(json, "waited_ms", outcome->waited_ms);
	json_string(json, "way", redlock_way_name(outcome->way));
	json_open(json, "nodes", '[');
	for (size_t i = 0; i < outcome->node_count; i++) {
		node_json(json, &outcome->nodes[i]);
	}
	json_close(json, '[');
}
