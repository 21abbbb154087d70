/* outcome.h - how an operation on a lock ended, kept after its callback. */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

#include "json.h"

#include <redlock/redlock.h>

#include <stdbool.h>

struct outcome_node {
	char address[256];
	char error[256];
	enum redlock_vote vote;
	uint32_t rtt_us;
	int64_t remaining_ms;
};

struct outcome {
	bool done;
	int status;
	size_t node_count;
	size_t quorum;
	uint32_t attempts;
	uint64_t waited_ms;
	enum redlock_way way;
	uint64_t validity_ms;
	uint64_t fence;
	struct outcome_node nodes[REDLOCK_NODES_MAX];
};

/* Keep a copy of what a callback brought. The first is a redlock_lock_cb whose
 * data is the outcome. */
void outcome_on_done(struct redlock_lock *lock, int status, const struct redlock_report *report,
		     void *data);
void outcome_set(struct outcome *outcome, int status, const struct redlock_report *report);
/* Only what the nodes said, and the validity. */
void outcome_keep_nodes(struct outcome *outcome, const struct redlock_report *report);

/* "held by another owner (3 of 5 nodes)". */
void outcome_describe(const struct outcome *outcome, char *text, size_t size);

/* With -v: one line for each node. */
void outcome_explain(const struct outcome *outcome, const char *name);

/* Exit code of an acquire that ended so. */
int outcome_acquire_code(const struct outcome *outcome, int held_code);

/* Members "status", "exit", "message", "quorum", "attempts", "waited_ms", "nodes". */
void outcome_json(struct json *json, const struct outcome *outcome, int code, const char *message);

#endif
