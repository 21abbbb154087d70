/* chaos_work.h - many schedules in many processes, and what came of them. */
#ifndef REDLOCK_TEST_CHAOS_WORK_H
#define REDLOCK_TEST_CHAOS_WORK_H

#include <stdatomic.h>

#include "chaos.h"

#define CHAOS_JOBS_MAX 64
#define CHAOS_BUCKETS 1024

/* How many schedules had about so many of something. */
struct chaos_spread {
	uint32_t buckets[CHAOS_BUCKETS];
};

struct chaos_sum {
	uint64_t schedules, events, acts;
	struct sim_tally tally;
	uint64_t struck[CHAOS_TROUBLE_KINDS];
	struct chaos_spread events_each, grants_each, faults_each;
};

struct chaos_failure {
	bool happened;
	uint64_t seed;
	uint64_t at_us;
	char kind[160]; /* The same for what fails in the same way. */
	char text[256];
};

/* Of one process; shared with the one that started it. */
struct chaos_worker {
	uint64_t seed; /* Of the schedule it plays. */
	struct chaos_sum sum;
	struct chaos_failure failure;
};

struct chaos_work {
	_Atomic uint64_t next;	/* Seed that nobody has taken yet. */
	_Atomic uint64_t limit; /* Seeds from here on need not be played. */
	bool trace;
	unsigned jobs;
	struct chaos_worker workers[CHAOS_JOBS_MAX];
};

/* Memory that processes share. */
void *chaos_share(size_t size);
/* From now on: more is a failure. */
void chaos_work_within(unsigned seconds);
/* Play a schedule in this process, which ends at a failure, after a note of it. */
void chaos_work_one(struct chaos_worker *worker, uint64_t seed, struct tape *tape, bool trace);
/* The process of a worker has ended; returns whether it failed, if only by dying without a word. */
bool chaos_work_over(struct chaos_worker *worker, int status);
/* Play the seeds from @work->next to @work->limit in so many processes, and call @progress now and
 * then; returns the failure with the smallest seed, or NULL. */
const struct chaos_failure *chaos_work_all(struct chaos_work *work,
					   void (*progress)(const struct chaos_work *work));
void chaos_sum_add(struct chaos_sum *sum, const struct chaos_sum *more);
uint64_t chaos_median(const struct chaos_spread *spread);

/* chaos_shrink.c */
/* Find a part of the failed schedule that fails in the same way, and tell it. */
void chaos_shrink(const struct chaos_failure *failure);

#endif
