/* condition.h - what may be wrong with the nodes while a block lasts, and how it is made so.
 *
 * Nodes that are far away stand behind a proxy all the time. What is done to a
 * server itself is done from inside the block, when the contender is connected
 * and warm, and undone before the next one. The last nodes suffer, so that the
 * first ones asked are well in every condition. */
#ifndef BENCH_CONDITION_H
#define BENCH_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delay_proxy.h"
#include "nodes.h"
#include "servers.h"

enum lab_condition {
	LAB_HEALTHY,
	LAB_HUNG1, /* One is stopped (SIGSTOP): connected, and silent. */
	LAB_HUNG2,
	LAB_DEAD1, /* One is killed: connections to it are refused. */
	LAB_SLOW1, /* One answers later than the others. */
	LAB_RTT,   /* Each is another distance away. */
	LAB_CONDITIONS
};

struct condition_options {
	size_t count; /* At least one: healthy comes first. */
	enum lab_condition all[LAB_CONDITIONS];
	uint32_t rtt_ms[NODES_MAX]; /* Of LAB_RTT, in turn. */
	size_t rtt_count;
	uint32_t jitter_ms;
	uint32_t slow_ms; /* Of LAB_SLOW1. */
};

/* The nodes as contenders find them under each condition. */
struct conditions {
	const struct condition_options *options;
	struct nodes nodes[LAB_CONDITIONS];
	struct delay_proxy proxy[LAB_CONDITIONS];
};

extern const char *const condition_names[LAB_CONDITIONS];

/** Names separated by commas; healthy is always there, and first. False: one that is not known. */
bool condition_options_take(struct condition_options *options, const char *names);

/** Start the proxies that are needed. Returns 0, or -1 with the reason in @why. */
int conditions_open(struct conditions *conditions, const struct condition_options *options,
		    const struct nodes *nodes, char *why, size_t why_len);
void conditions_close(struct conditions *conditions);

/** Round trip to the node whose vote makes a quorum, under LAB_RTT, in milliseconds; 0: none. */
double condition_quorum_rtt_ms(const struct condition_options *options, size_t nodes);

/** How many of the last nodes do not answer under a condition. */
size_t condition_silent(enum lab_condition condition);

/** How many of them cannot even when it is lifted. */
size_t condition_absent(enum lab_condition condition);

/** In the block's process: make it so, and make it undone. */
void condition_impose(const struct servers *servers, enum lab_condition condition);
void condition_lift(const struct servers *servers, enum lab_condition condition);

/** In the process that started the servers, after a block: all are well again, and empty. Returns
 * 0, or -1 with the reason in @why. */
int condition_repair(struct servers *servers, enum lab_condition condition, char *why,
		     size_t why_len);

#endif
