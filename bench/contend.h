/* contend.h - many in several processes who want one resource: what they share and leave behind. */
#ifndef BENCH_CONTEND_H
#define BENCH_CONTEND_H

#include <stdatomic.h>
#include <stdio.h>

#include "histogram.h"
#include "lab.h"

enum contend_who { CONTEND_OURS, CONTEND_PLAIN, CONTEND_WHO_COUNT };

enum contend_figure {
	HANDOVERS_PER_S,
	TO_CEILING,   /* Of what hold and think time allow. */
	HANDOVER_P50, /* From release() to the next one's grant, if somebody waited. */
	HANDOVER_P90,
	HANDOVER_P99,
	HANDOVER_P999,
	HANDOVER_MAX,
	WAIT_P50,
	WAIT_P99,
	WAIT_MAX, /* Those that were not over at the end count up to there. */
	JAIN,
	JAIN_PROCESSES,
	HANDOVER_COMMANDS, /* On all nodes together. */
	HANDOVER_CLIENT_CPU,
	HANDOVER_SERVER_CPU,
	HOLD_MEAN, /* As it came out: timers are late. */
	CONTEND_FIGURES
};

/* Of one process. */
struct contend_process {
	struct histogram wait;
	struct histogram handover;
	uint64_t longest_ns;
	uint64_t held_ns;
	uint64_t cpu_ns;
	uint64_t errors;
	char first_error[RUN_ERROR_MAX];
	char why[WHY_MAX];
};

/* Memory of all processes of a block. */
struct contend_shared {
	atomic_uint ready;
	atomic_ullong begin_ns; /* 0: not all are ready. */
	/* The resource itself: who is in there must be alone. */
	atomic_uint inside;
	atomic_ullong overlaps;
	/* When it was given back while others wanted it; 0: it was not. */
	atomic_ullong released_ns;
	atomic_uint wanting;
	uint32_t grants[WAITERS_MAX];
	struct contend_process process[PROCESSES_MAX];
};

/* What a process of a block is to do. */
struct contend_plan {
	const struct lab *lab;
	const struct contend_options *options;
	const struct nodes *nodes;
	char resource[32];
	uint32_t processes;
	uint32_t waiters;
	uint32_t process; /* Which one it is. */
	uint32_t first;	  /* Its waiters among all. */
	uint32_t count;
};

struct contend_row {
	uint64_t handovers;
	uint64_t overlaps;
	uint64_t errors;
	char first_error[RUN_ERROR_MAX];
};

struct contend_results {
	double *values; /* [condition][processes][waiters][who][round][figure] */
	struct contend_row *rows;
};

/* By their places in the options. */
struct contend_cell {
	size_t condition;
	size_t processes;
	size_t waiters;
	int who;
};

extern const char *const contend_names[CONTEND_WHO_COUNT];

/** Each for stage_fork(): @shared is a contend_shared, @data a contend_plan. */
bool contend_ours(void *shared, void *data);
bool contend_plain(void *shared, void *data);

/** Handovers in a second if handing over took no time at all; NAN if there is no limit. */
double contend_ceiling(const struct contend_options *options, uint32_t waiters);

/** How many cells there are, and each of them in the order of the report. */
size_t contend_cells(const struct lab *lab);
struct contend_cell contend_cell(const struct lab *lab, size_t which);

double *contend_values(const struct lab *lab, const struct contend_results *results,
		       const struct contend_cell *cell);
struct contend_row *contend_row(const struct lab *lab, const struct contend_results *results,
				const struct contend_cell *cell);

void contend_print(const struct lab *lab, const struct contend_results *results);
void contend_write(const struct lab *lab, const void *results, FILE *file);

#endif
