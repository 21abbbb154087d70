/* block.h - one contender measured under one condition without a break.
 *
 * A cycle is an acquire and, if it was granted, a release. The first cycles of
 * a block are not counted among the samples: they warm caches and wake the
 * processor after the pause between blocks. Errors always count, and an
 * acquire that failed is never a sample: a quick refusal would flatter. */
#ifndef BENCH_BLOCK_H
#define BENCH_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

#define BLOCK_ERROR_MAX 128

/* How long each block lasts: this many counted cycles, or this long if 0. */
struct plan {
	uint64_t cycles;
	uint64_t duration_ns;
	uint64_t warmup_cycles;
};

struct block {
	struct samples acquire;
	struct samples release;
	uint64_t errors;
	uint64_t slowest_error_ns;
	char first_error[BLOCK_ERROR_MAX];
	uint64_t cycles; /* Asked for so far, warm-up included. */
	uint64_t until_ns;
	const struct plan *plan;
};

/** CLOCK_MONOTONIC in nanoseconds. */
uint64_t now_ns(void);

/** Empty a block and start its clock. */
void block_begin(struct block *block, const struct plan *plan);

/** Is another cycle due? Counts it if so. */
bool block_next(struct block *block);

void block_granted(struct block *block, uint64_t took_ns);
void block_released(struct block *block, uint64_t took_ns);
void block_failed(struct block *block, const char *step, const char *why, uint64_t took_ns);

void block_free(struct block *block);

#endif
