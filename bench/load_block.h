/* load_block.h - one block of a load: what it is to do, and what its process leaves behind. */
#ifndef BENCH_LOAD_BLOCK_H
#define BENCH_LOAD_BLOCK_H

#include "condition.h"
#include "lab.h"

struct block_plan {
	const struct lab *lab;
	const struct crowd *crowd;
	enum lab_condition condition;
	uint32_t in_flight;
	unsigned round;
	uint32_t warmup_least; /* Cycles, unless the options say it. */
};

struct block_end {
	struct run run;
	double values[FIGURES];
	double ranks[RANKS];
	char why[WHY_MAX];
};

/** For stage_play(): @shared is a block_end, @data a block_plan. */
bool load_block_play(void *shared, void *data);

#endif
