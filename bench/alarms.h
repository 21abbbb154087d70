/* alarms.h - one alarm for each of a few hundred, finer than the milliseconds of libuv. */
#ifndef BENCH_ALARMS_H
#define BENCH_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

struct alarms {
	int fd; /* Readable when one is due. */
	uint32_t count;
	uint64_t *due_ns;  /* UINT64_MAX: none. */
	uint64_t armed_ns; /* What the descriptor waits for. */
};

/** Room for @count of them. Returns 0, or -1. */
int alarms_open(struct alarms *alarms, uint32_t count);
void alarms_close(struct alarms *alarms);

/** Wake @who at this moment (CLOCK_MONOTONIC), in place of an earlier wish. */
void alarms_set(struct alarms *alarms, uint32_t who, uint64_t due_ns);

/** Whose alarm is due, if any: the earliest. It is off then. */
bool alarms_take(struct alarms *alarms, uint32_t *who);

/** When all that were due are taken: quiet until the next one. */
void alarms_rest(struct alarms *alarms);

#endif
