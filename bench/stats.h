/* stats.h - samples of one measured block, and what is said about them. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Durations in nanoseconds. All zero is an empty set. */
struct samples {
	uint64_t *values;
	size_t count;
	size_t capacity;
};

/** Room for @capacity samples without allocating while the clock runs. False: out of memory. */
bool samples_reserve(struct samples *samples, size_t capacity);

/** Add one sample. Dropping one silently would be a lie, so this aborts when out of memory. */
void samples_add(struct samples *samples, uint64_t value_ns);

/** Forget the samples, keep the room. */
void samples_clear(struct samples *samples);

void samples_free(struct samples *samples);

/** The value that @percent of the samples do not exceed (nearest rank), in microseconds; 0 if there
 * are none. Sorts. */
double samples_percentile_us(struct samples *samples, double percent);

/** Median of @count values, the mean of the middle two if even; 0 if there are none. Sorts. */
double median(double *values, size_t count);

/** @value divided by @base; 0 where there is no base. */
double ratio(double value, double base);

#endif
