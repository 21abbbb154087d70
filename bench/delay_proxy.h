/* delay_proxy.h - nodes that are far away: a process that passes bytes on, each some time later.
 *
 * What comes in is sent on after half a round trip, in each direction, in the
 * order in which it came. One process serves all nodes, and dies with its
 * parent. It adds a tenth or two of a millisecond of its own. */
#ifndef BENCH_DELAY_PROXY_H
#define BENCH_DELAY_PROXY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nodes.h"

struct delay_plan {
	uint64_t rtt_ns[NODES_MAX]; /* 0: passed on at once. */
	uint64_t jitter_ns;	    /* Up to so much more for whatever is delayed, drawn evenly. */
};

struct delay_proxy {
	pid_t pid;	    /* 0: none. */
	struct nodes nodes; /* Where to find the nodes behind it. */
};

/** Start one in front of @targets. Returns 0, or -1 with the reason in @why. */
int delay_proxy_start(struct delay_proxy *proxy, const struct nodes *targets,
		      const struct delay_plan *plan, char *why, size_t why_len);

/** End it, and wait for that; one that was not started is fine. */
void delay_proxy_end(struct delay_proxy *proxy);

#endif
