/* steps.h - how long extending and handing over take. */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

#include <stdio.h>

#include "lab.h"

enum step {
	PING_ALL,
	EXTEND_FLOOR,
	EXTEND_OURS,
	HAND_OURS,  /* From one lock of a client to another one. */
	PASS_FLOOR, /* A release, then an acquire: nobody could be told sooner. */
	PASS_OURS,  /* From one process to another. */
	STEPS
};

/* p50, p90, p99, p99.9 and the longest. */
#define STEP_FIGURES 5

struct step_row {
	uint64_t count;
	uint64_t errors;
	char first_error[RUN_ERROR_MAX];
};

struct steps_results {
	double *values; /* [condition][step][round][figure] */
	struct step_row rows[LAB_CONDITIONS][STEPS];
};

double *steps_values(const struct lab *lab, const struct steps_results *results,
		     enum lab_condition condition, int step);

void steps_print(const struct lab *lab, const struct steps_results *results);
void steps_write(const struct lab *lab, const void *results, FILE *file);

#endif
