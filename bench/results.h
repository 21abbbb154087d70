/* results.h - what the blocks of all rounds come to. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stddef.h>
#include <stdint.h>

#include "block.h"

enum contender { FLOOR, OURS, CONTENDERS };
enum condition { HEALTHY, ONE_HUNG, TWO_HUNG, CONDITIONS };
enum operation { ACQUIRE, RELEASE, OPERATIONS };

/* Of each round: the percentiles of its block; 0 where it has no sample. */
struct series {
	double *p50_us;
	double *p99_us;
};

struct cell {
	struct series operation[OPERATIONS];
	uint64_t cycles; /* Asked for in all, warm-up included. */
	uint64_t errors;
	uint64_t slowest_error_ns;
	char first_error[BLOCK_ERROR_MAX];
};

struct results {
	size_t rounds;
	double *scratch; /* One value for each round. */
	struct cell cell[CONTENDERS][CONDITIONS];
	size_t late_nodes; /* Times that a node was not well again in time after a round. */
};

/* One figure of the table: medians over the rounds. A ratio is taken within each round, where both
 * sides met the same foreign load, and its median is told: it is not quite the quotient of two
 * medians. */
struct figure {
	double p50_us;
	double p99_us;
	double p50_to_floor;   /* The floor's p50 under the same condition is 1. */
	double p99_to_floor;   /* The floor's p99 is 1. */
	double p50_to_healthy; /* Our healthy p50 is 1, for both. */
	double p99_to_healthy;
};

/** Room for @rounds rounds. Returns 0, or -1 when out of memory. */
int results_init(struct results *results, size_t rounds);

/** Add a block that has ended. @round counts from 0. */
void results_add(struct results *results, size_t round, enum contender who, enum condition when,
		 struct block *block);

struct figure results_figure(const struct results *results, enum contender who, enum condition when,
			     enum operation what);

/** Errors of everybody. */
uint64_t results_errors(const struct results *results);

void results_fini(struct results *results);

extern const char *const contender_names[CONTENDERS];
extern const char *const condition_names[CONDITIONS];
extern const char *const operation_names[OPERATIONS];

#endif
