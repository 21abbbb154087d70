/* growth_play.h - one process of growth: a client with so many locks. */
#ifndef BENCH_GROWTH_PLAY_H
#define BENCH_GROWTH_PLAY_H

#include "growth.h"
#include "herd.h"
#include "meter.h"

#define GROWTH_PATIENCE_MS 20000
#define GROWTH_OTHERS 's'

struct growth {
	const struct lab *lab;
	uint32_t count;
	struct session session;
	struct meter meter;
	struct reading since;
	struct herd probes; /* Their cycles are what an operation costs. */
	struct herd holders;
	struct herd waiters;
	uint64_t errors; /* With others. */
	uint64_t heap_bytes;
	uint64_t heap_before;
	uint64_t rss_before;
	double *values;
};

/** What is there now is not counted. */
void growth_weigh(struct growth *growth);
/** What each of the many has taken since. */
double growth_heap_each(const struct growth *growth);
/** Processor time since meter_begin(), for each of @operations, in microseconds. */
double growth_spent_us(const struct growth *growth, const struct reading *now, double operations);
void growth_probe(struct growth *growth, enum growth_figure figure);
/** A client that has done nothing yet. Returns 0, or -1. */
int growth_open_client(struct growth *growth, char *why);

/** growth_others.c: as many wait for what a stranger has. Opens a client of its own. */
int growth_with_others(struct growth *growth, char *why);

#endif
