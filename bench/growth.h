/* growth.h - what is asked of a client with many locks. */
#ifndef BENCH_GROWTH_H
#define BENCH_GROWTH_H

#include <stdio.h>

#include "lab.h"

enum growth_figure {
	GROWTH_FLOOR_CYCLE, /* Processor time of a cycle of the floor, as many at a time. */
	GROWTH_ALONE,	    /* Of a cycle of ours while nothing else is held. */
	GROWTH_TAKE,	    /* Of taking one of the many. */
	GROWTH_HELD,	    /* Of a cycle while they are held. */
	GROWTH_HELD_HEAP,   /* Bytes of a held lock, by the client's allocator. */
	GROWTH_HELD_RSS,    /* And by the system's account. */
	GROWTH_LINE,	    /* Of a cycle while one waits behind each of them. */
	GROWTH_LINE_HEAP,   /* Bytes of such a waiter. */
	GROWTH_LINE_RSS,
	GROWTH_HAND,		    /* Processor time of handing one over. */
	GROWTH_HAND_COMMANDS,	    /* Commands of that. */
	GROWTH_GIVE_BACK,	    /* Processor time of giving one back. */
	GROWTH_WAIT_BEGIN,	    /* Of beginning to wait for a stranger. */
	GROWTH_WAIT_BEGIN_COMMANDS, /* Commands of that, to each node. */
	GROWTH_WAIT_HEAP,	    /* Bytes of such a waiter, beyond a client that is idle. */
	GROWTH_WAIT_CPU, /* Of a core, in percent, while they all wait, and do nothing else. */
	GROWTH_WAIT_SERVER_CPU, /* Of all servers together, meanwhile. */
	GROWTH_WAIT_COMMANDS,	/* Commands of one to each node in a second, meanwhile. */
	GROWTH_WAIT,		/* Of a cycle while so many wait for a stranger. */
	GROWTH_FIGURES
};

struct growth_results {
	double *values; /* [level][round][figure] */
	uint64_t errors[LEVELS_MAX];
};

/* What a process leaves behind. */
struct growth_end {
	double values[GROWTH_FIGURES];
	uint64_t errors;
	char why[WHY_MAX];
};

struct growth_plan {
	const struct lab *lab;
	uint32_t count;
	unsigned round;
};

/** Cycles that each probe has. */
uint64_t growth_probe_cycles(const struct lab *lab);

/** For stage_play(): @shared is a growth_end, @data a growth_plan. */
bool growth_play_floor(void *shared, void *data);

void growth_print(const struct lab *lab, const struct growth_results *results);
void growth_write(const struct lab *lab, const void *results, FILE *file);

#endif
