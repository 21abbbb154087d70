/* waiter.h - a lock that somebody waits for, and the stranger who has it. */
#ifndef REDLOCK_TEST_WAITER_H
#define REDLOCK_TEST_WAITER_H

#include "rig.h"

#include <string.h>

#define NAME "orders:17"

/* A wait that is under way. */
struct waiter {
	struct redlock_lock *lock;
	struct outcome outcome;
};

static inline void start_waiting(struct waiter *waiter, struct redlock_client *client,
				 uint64_t wait_ms)
{
	memset(waiter, 0, sizeof *waiter);
	waiter->lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(redlock_acquire(waiter->lock, wait_ms, outcome_take, &waiter->outcome),
			 REDLOCK_OK);
}

static inline void expect_still_waiting(struct waiter *waiter, uint64_t ms)
{
	loop_run_ms(&rig.loop, ms);
	ck_assert_uint_eq(waiter->outcome.calls, 0);
	ck_assert(!redlock_lock_held(waiter->lock));
}

static inline void expect_won(struct waiter *waiter)
{
	loop_wait_for(&rig.loop, &waiter->outcome);
	ck_assert_msg(waiter->outcome.status == REDLOCK_OK, "%s",
		      redlock_status_name(waiter->outcome.status));
	ck_assert(waiter->outcome.held);
}

static inline void finish(struct waiter *waiter)
{
	rig_release(waiter->lock);
	redlock_lock_free(waiter->lock);
}

static inline void stranger_everywhere(void)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		rig_stranger(i, NAME);
	}
}

static inline void stranger_leaves(void)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		server_do(&rig.servers.at[i], "DEL %s", NAME);
	}
}

#endif
