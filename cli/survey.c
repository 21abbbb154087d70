/* survey.c - what an inspection of the nodes found, kept after its callback. */
#include "survey.h"

#include <stdio.h>
#include <string.h>

static void copy_text(char *text, size_t size, const char *from)
{
	out_escape(text, size, from != NULL ? from : "", from != NULL ? strlen(from) : 0);
}

/* The first eight characters; less of a short one, so that it is never shown whole. */
static void abbreviate(struct survey_node *node, const struct redlock_node_status *from)
{
	size_t shown = from->owner_len / 2 < 8 ? from->owner_len / 2 : 8;
	char start[40];
	if (from->owner_len == sizeof REDLOCK_OWNER_READERS - 1 &&
	    memcmp(from->owner, REDLOCK_OWNER_READERS, from->owner_len) == 0) {
		snprintf(node->owner_shown, sizeof node->owner_shown, "readers");
		return;
	}
	out_escape(start, sizeof start, from->owner, shown);
	snprintf(node->owner_shown, sizeof node->owner_shown, "%s\u2026", start);
}

static bool same_owner(const struct redlock_node_status *a, const struct redlock_node_status *b)
{
	return a->answered && a->held && a->owner_len == b->owner_len &&
	       (a->owner_len == 0 || memcmp(a->owner, b->owner, a->owner_len) == 0);
}

/* The number of an owner is that of the first node that has it. */
static size_t find_owner(const struct redlock_inspection *inspection, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (same_owner(&inspection->nodes[i], &inspection->nodes[index])) {
			return i;
		}
	}
	return index;
}

static void copy_node(struct survey_node *node, const struct redlock_node_status *from)
{
	*node = (struct survey_node){
		.state = from->state,
		.rtt_us = from->rtt_us,
		.guard_ms = from->guard_ms,
		.durable = from->durable,
		.answered = from->answered,
		.held = from->answered && from->held,
		.remaining_ms = from->remaining_ms,
		.in_line = from->in_line,
		.clock_ahead_ms = from->clock_ahead_ms,
		.same_as = from->same_as,
		.unseen = from->unseen,
	};
	copy_text(node->address, sizeof node->address, from->address);
	copy_text(node->product, sizeof node->product, from->product);
	copy_text(node->version, sizeof node->version, from->version);
	copy_text(node->role, sizeof node->role, from->role);
	copy_text(node->error, sizeof node->error, from->error);
	copy_text(node->mode, sizeof node->mode, from->mode);
	copy_text(node->eviction, sizeof node->eviction, from->eviction);
	copy_text(node->lacks, sizeof node->lacks, from->lacks);
}

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	struct survey *survey = data;
	(void)client;
	survey->done = true;
	survey->status = status;
	if (status != 0 || inspection == NULL) {
		return;
	}
	survey->node_count = inspection->node_count;
	survey->quorum = inspection->quorum;
	for (size_t i = 0; i < inspection->node_count && i < REDLOCK_NODES_MAX; i++) {
		struct survey_node *node = &survey->nodes[i];
		copy_node(node, &inspection->nodes[i]);
		if (node->held) {
			node->owner = find_owner(inspection, i);
			abbreviate(node, &inspection->nodes[i]);
		}
	}
}

void survey_take(struct survey *survey, struct session *session, const char *name)
{
	*survey = (struct survey){0};
	int status = redlock_inspect(session->client, name, name != NULL ? strlen(name) : 0,
				     on_inspected, survey);
	if (status != 0) {
		survey->status = status;
		return;
	}
	session_run(session, &survey->done);
}

bool survey_is_connected(const struct survey_node *node)
{
	return node->state != REDLOCK_NODE_DOWN && node->state != REDLOCK_NODE_CONNECTING;
}

bool survey_can_vote(const struct survey_node *node)
{
	return node->state == REDLOCK_NODE_UP && node->guard_ms == 0;
}

size_t survey_voters(const struct survey *survey)
{
	size_t count = 0;
	for (size_t i = 0; i < survey->node_count; i++) {
		count += survey_can_vote(&survey->nodes[i]);
	}
	return count;
}

int32_t survey_in_line(const struct survey *survey)
{
	size_t count = 0;
	int32_t most = 0;
	for (size_t i = 0; i < survey->node_count; i++) {
		const struct survey_node *node = &survey->nodes[i];
		if (node->answered && node->in_line >= 0) {
			most = node->in_line > most ? node->in_line : most;
			count++;
		}
	}
	return count >= survey->quorum ? most : -1;
}

const char *survey_state(const struct survey_node *node)
{
	switch (node->state) {
	case REDLOCK_NODE_DOWN:
		return "down";
	case REDLOCK_NODE_CONNECTING:
		return "connecting";
	case REDLOCK_NODE_UP:
		return node->guard_ms > 0 ? "guarded" : "up";
	case REDLOCK_NODE_SUSPECT:
		return "suspect";
	case REDLOCK_NODE_BARRED:
		return "barred";
	}
	return "unknown";
}

const char *survey_server(const struct survey_node *node, char *text, size_t size)
{
	if (node->product[0] == '\0' && node->version[0] == '\0') {
		return "-";
	}
	snprintf(text, size, "%s %s", node->product, node->version);
	return text;
}
