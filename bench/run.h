/* run.h - one contender under load: who may start a cycle, and how long its steps took.
 *
 * A run begins and ends with nothing in flight, and with every reply read: all
 * that is counted (cycles, processor time, commands) happened inside it. Where
 * a node is slow or silent that would be its time rather than the contender's:
 * then the run leaves its answers open, and they are drained afterwards.
 *
 * Closed loop: a cycle starts when another one ends. Open loop: cycles are due
 * at fixed moments, whether or not the contender is ready, and their latency
 * counts from the moment at which they were due. A contender that stalls so has
 * to answer for all who would have come meanwhile (no coordinated omission). */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

#define RUN_ERROR_MAX 128

struct run {
	/* Asked for. */
	uint64_t cycles;      /* 0: by time. */
	uint64_t duration_ns; /* Of starting cycles, if by time. */
	double rate;	      /* Starts in a second; 0: closed loop. */
	bool leave_open;      /* End with the last cycle, although answers are still due. */
	/* Seen. */
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t started;
	uint64_t finished; /* With or without success. */
	uint64_t errors;   /* In no histogram. */
	char first_error[RUN_ERROR_MAX];
	bool over; /* Nothing starts any more. */
	struct histogram acquire;
	struct histogram release;
	struct histogram cycle;
};

/** Empty it, keep what is asked for, start its clock. */
void run_begin(struct run *run);

/** May another cycle start? Counts it if so, and tells since when its time counts. */
bool run_next(struct run *run, uint64_t *due_ns);

/** Is all done that was started, and nothing more to come? */
bool run_is_done(const struct run *run);

void run_granted(struct run *run, uint64_t took_ns);

/** The cycle is over. */
void run_finished(struct run *run, uint64_t release_ns, uint64_t cycle_ns);

/** The cycle is over, or one of its steps failed and @ends is false. */
void run_failed(struct run *run, const char *step, const char *why, bool ends);

/** Everything has been answered. */
void run_end(struct run *run);

/** Between two starts of an open loop. */
uint64_t run_interval_ns(const struct run *run);

#endif
