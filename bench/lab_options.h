/* lab_options.h - the command line of redlock-bench. */
#ifndef BENCH_LAB_OPTIONS_H
#define BENCH_LAB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "condition.h"
#include "crowd.h"
#include "nodes.h"

#define LEVELS_MAX 16
#define LAB_ROUNDS_MAX 1000

#define PROCESSES_MAX 16
#define WAITERS_MAX 512

enum lab_mode { LAB_LOAD, LAB_STEPS, LAB_CONTEND, LAB_GROWTH, LAB_TIMELINE, LAB_SPIN };

/* Many who want one resource. */
struct contend_options {
	uint32_t processes[LEVELS_MAX]; /* Each with each number of waiters. */
	size_t process_counts;
	uint32_t waiters[LEVELS_MAX]; /* In all processes together. */
	size_t waiter_counts;
	uint32_t hold_ms;
	uint32_t think_min_ms; /* After a release, before it wants it again. */
	uint32_t think_max_ms;
	uint32_t hands;	   /* So often a lease goes from waiter to waiter of one process. */
	uint32_t plain_ms; /* Between two attempts of the plain ones, on average. */
};

struct lab_options {
	enum lab_mode mode;
	unsigned rounds;
	uint64_t cycles; /* 0: by time. */
	uint64_t duration_ns;
	uint64_t warmup;	     /* Cycles; UINT64_MAX: enough for what is in flight. */
	uint32_t levels[LEVELS_MAX]; /* In flight, or held. */
	size_t level_count;
	uint32_t resources; /* 0: one for each in flight. */
	double rate;
	uint32_t ttl_ms;
	uint32_t node_timeout_ms;
	uint32_t settle_us;
	uint32_t interval_ms;
	struct condition_options conditions;
	struct contend_options contend;
	bool brief;		 /* Growth: only what cycles cost. */
	bool plain_release;	 /* Load: of the floor. */
	const struct crowd *who; /* Spins. */
	uint16_t first_port;
	const char *json;   /* Where to; NULL: no JSON. */
	struct nodes nodes; /* Empty: start servers. */
};

extern const char lab_usage[];

/** Read the command line. Returns 0 to go on; otherwise the message is printed, and *@code is what
 * to exit with. */
int lab_options_parse(struct lab_options *options, int argc, char **argv, int *code);

#endif
