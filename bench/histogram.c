#include "histogram.h"

#include <stdbool.h>

#define PER_OCTAVE (1U << HISTOGRAM_BITS)

/* Small values have a bucket each; above, the leading bits choose it. */
static uint32_t index_of(uint64_t value)
{
	unsigned shift;
	uint64_t index;

	if (value < PER_OCTAVE) {
		return (uint32_t)value;
	}
	shift = 63U - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
	index = ((uint64_t)shift << HISTOGRAM_BITS) + (value >> shift);
	return index < HISTOGRAM_BUCKETS ? (uint32_t)index : HISTOGRAM_BUCKETS - 1;
}

/* The middle of a bucket. */
static double value_of(uint32_t index)
{
	unsigned shift;
	uint64_t low;

	if (index < PER_OCTAVE) {
		return index;
	}
	shift = (index >> HISTOGRAM_BITS) - 1;
	low = (uint64_t)((index & (PER_OCTAVE - 1)) + PER_OCTAVE) << shift;
	return (double)low + (double)((1ULL << shift) - 1) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t value_ns)
{
	histogram->bucket[index_of(value_ns)]++;
	histogram->count++;
	if (value_ns > histogram->max) {
		histogram->max = value_ns;
	}
}

double histogram_percentile_us(const struct histogram *histogram, double percent)
{
	double exact = percent / 100.0 * (double)histogram->count;
	double seen = 0;
	double value;
	uint32_t i;

	if (histogram->count == 0) {
		return 0;
	}
	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->bucket[i];
		if (seen >= exact && seen > 0) {
			break;
		}
	}
	value = value_of(i);
	if (percent >= 100 || value > (double)histogram->max) {
		value = (double)histogram->max;
	}
	return value / 1000;
}
