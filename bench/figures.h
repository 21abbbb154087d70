/* figures.h - what is said about a block under load, and what blocks come to over the rounds. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stddef.h>

#include "meter.h"
#include "run.h"

enum figure {
	ACQUIRE_P50,
	ACQUIRE_P90,
	ACQUIRE_P99,
	ACQUIRE_P999,
	ACQUIRE_MAX,
	RELEASE_P50,
	RELEASE_P90,
	RELEASE_P99,
	RELEASE_P999,
	RELEASE_MAX,
	CYCLE_P50,
	CYCLE_P90,
	CYCLE_P99,
	CYCLE_P999,
	CYCLE_MAX,
	CYCLES_PER_S,
	CLIENT_CPU,
	CLIENT_USER,
	CLIENT_SYSTEM,
	SERVER_CPU,
	COMMANDS,
	SYSCALLS,
	RSS,
	FIGURES
};

struct figure_name {
	const char *words; /* For people. */
	const char *key;   /* For machines. */
};

extern const struct figure_name figure_names[FIGURES];

/** Figures of one block. What is not known is NAN. */
void figures_of(const struct run *run, const struct reading *before, const struct reading *after,
		double rss_mib, double values[FIGURES]);

/** Median over @rounds values that lie @stride apart; those not known are left out; NAN if none. */
double figures_median(const double *values, size_t stride, size_t rounds);

/** Median of the ratios within each round: both sides met the same foreign load there. */
double figures_ratio(const double *values, const double *bases, size_t stride, size_t rounds);

#endif
