#include "stats.h"

#include <stdio.h>
#include <stdlib.h>

static int compare_u64(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static int compare_double(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return (left > right) - (left < right);
}

bool samples_reserve(struct samples *samples, size_t capacity)
{
	uint64_t *values;

	if (capacity <= samples->capacity) {
		return true;
	}
	values = realloc(samples->values, capacity * sizeof(*values));
	if (!values) {
		return false;
	}
	samples->values = values;
	samples->capacity = capacity;
	return true;
}

void samples_add(struct samples *samples, uint64_t value_ns)
{
	if (samples->count == samples->capacity &&
	    !samples_reserve(samples, samples->capacity ? samples->capacity * 2 : 1024)) {
		fputs("out of memory for samples\n", stderr);
		abort();
	}
	samples->values[samples->count++] = value_ns;
}

void samples_clear(struct samples *samples)
{
	samples->count = 0;
}

void samples_free(struct samples *samples)
{
	free(samples->values);
	*samples = (struct samples){0};
}

double samples_percentile_us(struct samples *samples, double percent)
{
	double exact = percent / 100.0 * (double)samples->count;
	size_t rank = (size_t)exact;

	if (samples->count == 0) {
		return 0;
	}
	/* Nearest rank: round up, then count from one. */
	if ((double)rank < exact || rank == 0) {
		rank++;
	}
	if (rank > samples->count) {
		rank = samples->count;
	}
	qsort(samples->values, samples->count, sizeof(*samples->values), compare_u64);
	return (double)samples->values[rank - 1] / 1000.0;
}

double median(double *values, size_t count)
{
	if (count == 0) {
		return 0;
	}
	qsort(values, count, sizeof(*values), compare_double);
	if (count % 2 == 1) {
		return values[count / 2];
	}
	return (values[count / 2 - 1] + values[count / 2]) / 2;
}

double ratio(double value, double base)
{
	return base > 0 ? value / base : 0;
}
