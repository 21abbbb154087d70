/* session.h - a client of the library with a loop of its own, opened to be measured. */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include <redlock/redlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "crowd.h"
#include "nodes.h"

struct session {
	uv_loop_t loop;
	uv_timer_t pause;
	struct redlock_client *client;
	size_t unsettled;
};

/** Set @options to what every measurement uses: that TTL, and no restart guard, because servers
 * that are minutes old and keep nothing on disk would not be believed for the time of max_ttl_ms.
 */
void session_options(struct redlock_options *options, uint32_t ttl_ms);

/** Open a client; waits for nothing. Returns 0, or -1 with the reason in @why. */
int session_open(struct session *session, const struct nodes *nodes,
		 const struct redlock_options *options, char *why, size_t why_len);

/** The same for a crowd. */
int session_open_crowd(struct session *session, const struct crowd_plan *plan, char *why,
		       size_t why_len);

/** Run the loop until all nodes vote and, unless @resource is NULL, none of them has its key, for
 * at most @patience_ms. What was asked of a node before has then been answered. Returns the number
 * of nodes of which that is not true. */
size_t session_settle(struct session *session, const char *resource, uint64_t patience_ms);

/** The same where @absent nodes may stay away; without a resource. */
size_t session_settle_without(struct session *session, size_t absent, uint64_t patience_ms);

/** Run the loop for a while. */
void session_pass(struct session *session, uint64_t ms);

/** Close the client and run the loop until it is gone. */
void session_close(struct session *session);

#endif
