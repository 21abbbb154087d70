/* ranks.h - a whole distribution in a few numbers: the values at fixed ranks.
 *
 * Eight to each power of ten of those that are slower: all, 1 of 1.33, ... 1 of
 * 10, ... 1 of 10000. So tails have as many as the body, and distributions of
 * blocks of any length can be laid beside each other. */
#ifndef BENCH_RANKS_H
#define BENCH_RANKS_H

#include "histogram.h"

#define RANKS_PER_DECADE 8
#define RANKS (4 * RANKS_PER_DECADE + 1)

/** Of all, how many in a hundred a rank has below it or beside it. */
double rank_percent(unsigned rank);

/** The values at all ranks, in microseconds; NAN where fewer than one of the samples is above. */
void ranks_of(const struct histogram *histogram, double values_us[RANKS]);

#endif
