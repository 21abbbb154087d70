/* histogram.h - durations counted in buckets, so that a block of any length needs the same room.
 *
 * Each octave has 512 buckets: a percentile is at most 0.2 % off, the largest value is exact. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS 9
#define HISTOGRAM_OCTAVES 36 /* Up to 2^45 ns, nearly ten hours. */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_OCTAVES + 1) << HISTOGRAM_BITS)

/* In nanoseconds. All zero is an empty one. */
struct histogram {
	uint64_t count;
	uint64_t max;
	uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value_ns);

/** The value that @percent of all do not exceed (nearest rank), in microseconds; 0 if there are
 * none. 100 is the largest one. */
double histogram_percentile_us(const struct histogram *histogram, double percent);

#endif
