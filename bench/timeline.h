/* timeline.h - how long cycles took, moment for moment. */
#ifndef BENCH_TIMELINE_H
#define BENCH_TIMELINE_H

#include "lab.h"
#include "stats.h"

/* All cycles that began in one interval. Where none did, because an earlier one took so long,
 * there is nothing to tell. */
struct interval {
	struct samples acquire;
	struct samples cycle; /* Those that failed, too: they kept the caller as long. */
	uint64_t errors;
};

struct timeline {
	struct interval *intervals;
	size_t count;
	uint64_t cycles;
	uint64_t errors;
	char first_error[RUN_ERROR_MAX];
};

void timeline_print(const struct lab *lab, const struct timeline *timeline);
void timeline_write(const struct lab *lab, const void *timeline, FILE *file);

#endif
