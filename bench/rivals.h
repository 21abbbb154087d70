/* rivals.h - the waiters of one process: they think, want, hold and give back, however that is
 * done.
 *
 * Who asks for the resource, and how, is the owner's business; who may hold it
 * and for how long, and what is counted of it, is the same for all. */
#ifndef BENCH_RIVALS_H
#define BENCH_RIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "alarms.h"
#include "contend.h"

enum rival_state { RIVAL_THINKS, RIVAL_WANTS, RIVAL_HOLDS, RIVAL_LEAVES };

struct rival {
	enum rival_state state;
	uint64_t asked_ns;
	uint64_t granted_ns;
};

struct rivals {
	const struct contend_plan *plan;
	struct contend_shared *shared;
	struct contend_process *own;
	struct alarms alarms;
	struct rival *all;
	unsigned seed;
	uint64_t until_ns;
	bool over; /* Nobody wants it any more. */
	uint64_t cpu_ns;
	void *owner;
	void (*want)(void *owner, uint32_t who);  /* Ask for it. */
	void (*again)(void *owner, uint32_t who); /* The alarm of one who wants it. NULL: none. */
	void (*leave)(void *owner, uint32_t who); /* Give it back. */
	void (*stop)(void *owner, uint32_t who);  /* It wants it no more. */
};

/** Returns 0, or -1. */
int rivals_open(struct rivals *rivals, struct contend_shared *shared,
		const struct contend_plan *plan);
void rivals_close(struct rivals *rivals);

/** Say that this process is ready, wait for all others, and let the waiters think. */
void rivals_begin(struct rivals *rivals);

/** Do what is due. */
void rivals_ring(struct rivals *rivals);

/** @who holds it now; or holds it no more, and thinks. */
void rivals_granted(struct rivals *rivals, uint32_t who);
void rivals_left(struct rivals *rivals, uint32_t who);

/** It was not to be had, by no fault of anybody (@why NULL), or through an error. */
void rivals_gave_up(struct rivals *rivals, uint32_t who, const char *step, const char *why);
void rivals_failed(struct rivals *rivals, const char *step, const char *why);

/** All is over, and nobody has anything to do with it any more. */
bool rivals_are_done(const struct rivals *rivals);

/** The process has done its work: its account. */
void rivals_end(struct rivals *rivals);

/** Evenly drawn. */
uint64_t rivals_draw(struct rivals *rivals, uint64_t low, uint64_t high);

#endif
