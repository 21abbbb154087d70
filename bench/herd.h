/* herd.h - many locks of one client, made, taken and given back together. */
#ifndef BENCH_HERD_H
#define BENCH_HERD_H

#include <redlock/redlock.h>
#include <stddef.h>
#include <stdint.h>

#include "session.h"

/* How many operations are under way at once: so the servers are not swamped. */
#define HERD_IN_FLIGHT 64

struct herd {
	struct session *session;
	struct redlock_lock **locks;
	uint32_t count;
	uint32_t started;
	uint32_t ended;
	uint32_t errors;
	uint64_t turns; /* Cycles still to be started, by herd_cycle(). */
};

/** Locks on resources that @family and a number name; two herds of one family share them. Returns
 * 0, or a status. */
int herd_open(struct herd *herd, struct session *session, char family, uint32_t count);

/** Free the locks; what is held is given back in the background. */
void herd_close(struct herd *herd);

/** Take all; returns when all are held, or failed. */
void herd_take(struct herd *herd);

/** Start waiting for all, and return. */
void herd_wait(struct herd *herd);

/** Run the loop until all that wait have been served. */
void herd_await(struct herd *herd);

/** Begin to give all back, and return: whoever waits for them may have them before that is done. */
void herd_give_back(struct herd *herd);

/** Take and give back, as many at a time as there are locks, @cycles times in all. */
void herd_cycle(struct herd *herd, uint64_t cycles);

#endif
