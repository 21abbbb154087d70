/* loop.c - waiting, with a deadline, for callbacks of a libuv loop. */
#include "loop.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TICK_MS 2
#define POLL_MS 5

/* ---- Outcomes -------------------------------------------------------------------------------- */

static void copy_text(char *to, size_t size, const char *text)
{
	ck_assert_ptr_nonnull(text);
	(void)snprintf(to, size, "%s", text);
}

static void copy_report(struct outcome *outcome, const struct redlock_report *report)
{
	ck_assert_ptr_nonnull(report);
	ck_assert_uint_le(report->node_count, REDLOCK_NODES_MAX);
	outcome->report = *report;
	for (size_t i = 0; i < report->node_count; i++) {
		outcome->nodes[i] = report->nodes[i];
		copy_text(outcome->errors[i], sizeof outcome->errors[i], report->nodes[i].error);
		copy_text(outcome->addresses[i], sizeof outcome->addresses[i],
			  report->nodes[i].address);
		outcome->nodes[i].error = outcome->errors[i];
		outcome->nodes[i].address = outcome->addresses[i];
	}
	outcome->report.nodes = outcome->nodes;
}

void outcome_take_freed(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct outcome *outcome = data;

	(void)lock;
	outcome->done = true;
	outcome->calls++;
	outcome->status = status;
	outcome->at_ms = loop_clock_ms();
	copy_report(outcome, report);
}

void outcome_take(struct redlock_lock *lock, int status, const struct redlock_report *report,
		  void *data)
{
	struct outcome *outcome = data;

	outcome_take_freed(lock, status, report, data);
	outcome->held = redlock_lock_held(lock);
	outcome->left_ms = redlock_lock_validity_ms(lock);
}

size_t outcome_votes(const struct outcome *outcome, enum redlock_vote vote)
{
	size_t count = 0;

	for (size_t i = 0; i < outcome->report.node_count; i++) {
		count += outcome->nodes[i].vote == vote;
	}
	return count;
}

/* ---- Waiting --------------------------------------------------------------------------------- */

uint64_t loop_clock_ms(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Only to turn the loop: what is waited for may have come in a phase that still polls after it. */
static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void on_tick_closed(uv_handle_t *handle)
{
	bool *closed = handle->data;

	*closed = true;
}

static void end_ticking(uv_loop_t *loop, uv_timer_t *timer)
{
	bool closed = false;

	timer->data = &closed;
	uv_close((uv_handle_t *)timer, on_tick_closed);
	while (!closed) {
		(void)uv_run(loop, UV_RUN_NOWAIT);
	}
}

/* Run until @done or for @ms; true if it was @done. */
static bool run_while(uv_loop_t *loop, const bool *done, uint64_t ms)
{
	uint64_t end_ms = loop_clock_ms() + ms;
	uv_timer_t tick;

	ck_assert_int_eq(uv_timer_init(loop, &tick), 0);
	uv_update_time(loop);
	ck_assert_int_eq(uv_timer_start(&tick, on_tick, ms < TICK_MS ? ms : TICK_MS, TICK_MS), 0);
	while (!*done && loop_clock_ms() < end_ms) {
		(void)uv_run(loop, UV_RUN_ONCE);
	}
	end_ticking(loop, &tick);
	return *done;
}

void loop_wait(uv_loop_t *loop, const bool *done)
{
	ck_assert_msg(run_while(loop, done, LOOP_DEADLINE_MS), "a callback did not come");
}

void loop_wait_for(uv_loop_t *loop, struct outcome *outcome)
{
	loop_wait(loop, &outcome->done);
	ck_assert_uint_eq(outcome->calls, 1);
}

void loop_run_ms(uv_loop_t *loop, uint64_t ms)
{
	bool never = false;

	(void)run_while(loop, &never, ms);
}

void loop_turn(uv_loop_t *loop)
{
	(void)uv_run(loop, UV_RUN_NOWAIT);
}

void loop_until(uv_loop_t *loop, loop_condition holds, void *data, const char *what)
{
	uint64_t end_ms = loop_clock_ms() + LOOP_DEADLINE_MS;

	while (!holds(data)) {
		ck_assert_msg(loop_clock_ms() < end_ms, "it did not come true: %s", what);
		loop_run_ms(loop, POLL_MS);
	}
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static int settle(uv_loop_t *loop, int rv, struct outcome *outcome)
{
	if (rv) {
		loop_turn(loop);
		ck_assert_uint_eq(outcome->calls, 0);
		return rv;
	}
	ck_assert_msg(outcome->calls == 0, "a callback came before the call had returned");
	loop_wait_for(loop, outcome);
	return outcome->status;
}

int acquire_sync(uv_loop_t *loop, struct redlock_lock *lock, uint64_t wait_ms,
		 struct outcome *outcome)
{
	struct outcome own;

	outcome = outcome ? outcome : &own;
	memset(outcome, 0, sizeof *outcome);
	return settle(loop, redlock_acquire(lock, wait_ms, outcome_take, outcome), outcome);
}

int extend_sync(uv_loop_t *loop, struct redlock_lock *lock, struct outcome *outcome)
{
	struct outcome own;

	outcome = outcome ? outcome : &own;
	memset(outcome, 0, sizeof *outcome);
	return settle(loop, redlock_extend(lock, outcome_take, outcome), outcome);
}

int release_sync(uv_loop_t *loop, struct redlock_lock *lock, struct outcome *outcome)
{
	struct outcome own;

	outcome = outcome ? outcome : &own;
	memset(outcome, 0, sizeof *outcome);
	return settle(loop, redlock_release(lock, outcome_take, outcome), outcome);
}

static void on_client_closed(struct redlock_client *client, int status, const void *unused,
			     void *data)
{
	bool *closed = data;

	(void)client;
	(void)unused;
	ck_assert_int_eq(status, REDLOCK_OK);
	*closed = true;
}

void close_sync(uv_loop_t *loop, struct redlock_client *client)
{
	bool closed = false;

	ck_assert_int_eq(redlock_client_close(client, on_client_closed, &closed), REDLOCK_OK);
	ck_assert_msg(!closed, "closed before the call had returned");
	loop_wait(loop, &closed);
}

void loop_finish(uv_loop_t *loop)
{
	ck_assert_msg(uv_loop_close(loop) == 0, "handles are left on the loop");
}
