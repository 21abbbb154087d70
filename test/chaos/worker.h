/* worker.h - one lock of a client: taken, used and given back again and again, by its own habits.
 */
#ifndef REDLOCK_CHAOS_WORKER_H
#define REDLOCK_CHAOS_WORKER_H

#include <redlock/redlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/* How long a worker waits for the lock: a number of ms, or one of these. */
#define WAIT_NOT 0
#define WAIT_FOR_EVER (-1)
#define WAIT_SOME_TIME (-2) /* Another deadline each time. */

enum renewal { RENEW_NOT, RENEW_BY_ITSELF, RENEW_BY_HAND };

struct habit {
	const char *resource;
	uint32_t ttl_ms;
	long wait_ms;
	bool fence;
	enum renewal renewal;
	unsigned hold_ms;  /* At most; a third of the time a whole TTL, if it is renewed. */
	unsigned think_ms; /* At most. */
};

enum worker_state { THINKING, WAITING, HOLDING, RETURNING, GONE };

struct worker {
	const struct habit *habit;
	unsigned number;
	bool overstays; /* A planted fault: its lease is over, and it goes on. */
	struct redlock_lock *lock;
	enum worker_state state;
	bool extending, leaving;
	uv_timer_t timer;
	uint64_t random;
	uint64_t until_us; /* As it last said. */
	uint64_t enough_us;
	uint64_t fence, old_fence;
	char resource[64];
	char name[32];
	void (*on_gone)(struct worker *worker);
};

/* Begin; @prefix stands before the resource's name. Ends the program if it cannot. */
void worker_start(struct worker *worker, uv_loop_t *loop, struct redlock_client *client,
		  const char *prefix);
/* Wait no longer and hold nothing; on_gone, once, when that is so. */
void worker_leave(struct worker *worker);

#endif
