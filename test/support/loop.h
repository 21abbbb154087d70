/* loop.h - run a libuv loop until something came, and the library's calls as if they blocked.
 *
 * Every wait has a deadline far above what the machine needs: it fails the
 * running Check test instead of hanging it. */
#ifndef REDLOCK_TEST_LOOP_H
#define REDLOCK_TEST_LOOP_H

#include <redlock/redlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define LOOP_DEADLINE_MS 20000

/* What one operation ended with: a copy that outlives its callback. */
struct outcome {
	bool done;
	unsigned calls; /* Of the callback; more than one is a bug. */
	int status;
	struct redlock_report report;
	struct redlock_node_report nodes[REDLOCK_NODES_MAX];
	char errors[REDLOCK_NODES_MAX][256];
	char addresses[REDLOCK_NODES_MAX][128];
	bool held;	  /* redlock_lock_held() and redlock_lock_validity_ms() inside the */
	uint64_t left_ms; /* callback; not asked when the lock may be gone. */
	uint64_t at_ms;	  /* loop_clock_ms() of the callback. */
};

/* A redlock_lock_cb whose data is a struct outcome. */
void outcome_take(struct redlock_lock *lock, int status, const struct redlock_report *report,
		  void *outcome);
/* The same for a lock that was freed meanwhile: never touches it. */
void outcome_take_freed(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *outcome);
/* How many nodes voted so. */
size_t outcome_votes(const struct outcome *outcome, enum redlock_vote vote);

/* The clock of the library's promises. */
uint64_t loop_clock_ms(void);

void loop_wait(uv_loop_t *loop, const bool *done);
void loop_wait_for(uv_loop_t *loop, struct outcome *outcome);
/* Run until @holds(@data), asked every few ms. */
typedef bool (*loop_condition)(void *data);
void loop_until(uv_loop_t *loop, loop_condition holds, void *data, const char *what);
void loop_run_ms(uv_loop_t *loop, uint64_t ms);
/* Run what is due now, without waiting. */
void loop_turn(uv_loop_t *loop);

/* Start, wait, and return what the callback got; or the error of the call itself, with no callback.
 * @outcome may be NULL. */
int acquire_sync(uv_loop_t *loop, struct redlock_lock *lock, uint64_t wait_ms,
		 struct outcome *outcome);
int extend_sync(uv_loop_t *loop, struct redlock_lock *lock, struct outcome *outcome);
int release_sync(uv_loop_t *loop, struct redlock_lock *lock, struct outcome *outcome);

void close_sync(uv_loop_t *loop, struct redlock_client *client);
/* Every handle must be gone. */
void loop_finish(uv_loop_t *loop);

#endif
