/* survey.h - what an inspection of the nodes found, kept after its callback. */
#ifndef CLI_SURVEY_H
#define CLI_SURVEY_H

#include "session.h"

struct survey_node {
	char address[256];
	char product[32];
	char version[32];
	char role[32];
	char error[256];
	char lacks[128];
	enum redlock_node_state state;
	uint32_t rtt_us;
	uint64_t guard_ms;
	bool durable;
	bool answered;
	bool held;
	/* Owners by number, in order of appearance; two nodes with the same number
	 * have the same owner. The token itself is not kept: who knows it can release. */
	size_t owner;
	char owner_shown[48];
	int64_t remaining_ms;
	int32_t in_line; /* -1: nobody can stand in line, or it is not known. */
	char mode[32];
	char eviction[32];
	int64_t clock_ahead_ms;
	unsigned same_as; /* Counts from 1. */
	unsigned unseen;
};

struct survey {
	bool done;
	int status;
	size_t node_count;
	size_t quorum;
	struct survey_node nodes[REDLOCK_NODES_MAX];
};

/* Ask all nodes, and run the loop until they have answered or will not.
 * @name may be NULL. */
void survey_take(struct survey *survey, struct session *session, const char *name);

/* Has it told what it is? */
bool survey_is_connected(const struct survey_node *node);
/* Would its vote count? */
bool survey_can_vote(const struct survey_node *node);
/* How many clients stand in line for the resource, as most nodes have it; -1: too few nodes let
 * anybody stand there. */
int32_t survey_in_line(const struct survey *survey);
size_t survey_voters(const struct survey *survey);

/* "up", "down"...; "guarded" for a node that is up and may not vote yet. */
const char *survey_state(const struct survey_node *node);

/* "redis 7.0.15", or "-" while unknown. */
const char *survey_server(const struct survey_node *node, char *text, size_t size);

#endif
