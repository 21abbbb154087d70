/* contend_ceiling.c - how often a resource could change hands if that took no time.
 *
 * The waiters are played through: each thinks for a time drawn as they draw it,
 * gets the resource as soon as it is free, in the order of asking, and keeps it
 * for the hold time. With many that comes to one handover in each hold time;
 * with few they think most of the time, and w of them manage w in each sum of
 * hold time and mean think time; in between they are in each other's way by
 * chance, for which there is no formula as short as this. */
#include <math.h>
#include <stdlib.h>

#include "contend.h"

#define HANDOVERS 20000
#define SETTLED 2000 /* So many before it counts: they all began at once. */
#define SEED 1

static double think_ms(const struct contend_options *options, unsigned *seed)
{
	double part = (double)rand_r(seed) / RAND_MAX;

	return options->think_min_ms + part * (options->think_max_ms - options->think_min_ms);
}

static uint32_t first_to_ask(const double *asks_ms, uint32_t waiters)
{
	uint32_t first = 0;
	uint32_t i;

	for (i = 1; i < waiters; i++) {
		if (asks_ms[i] < asks_ms[first]) {
			first = i;
		}
	}
	return first;
}

double contend_ceiling(const struct contend_options *options, uint32_t waiters)
{
	double asks_ms[WAITERS_MAX];
	double settled_ms = 0;
	double free_ms = 0;
	unsigned seed = SEED;
	uint32_t i;

	if (options->hold_ms == 0 && options->think_max_ms == 0) {
		return (double)NAN;
	}
	for (i = 0; i < waiters; i++) {
		asks_ms[i] = think_ms(options, &seed);
	}
	for (i = 0; i < SETTLED + HANDOVERS; i++) {
		uint32_t who = first_to_ask(asks_ms, waiters);

		free_ms = fmax(free_ms, asks_ms[who]) + options->hold_ms;
		asks_ms[who] = free_ms + think_ms(options, &seed);
		settled_ms = i + 1 == SETTLED ? free_ms : settled_ms;
	}
	return HANDOVERS * 1000.0 / (free_ms - settled_ms);
}
