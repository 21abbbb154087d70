/* ours_crowd.c - the library with many cycles in flight: call to callback. */
#include <redlock/redlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "arrival_clock.h"
#include "block.h"
#include "crowd.h"
#include "session.h"

#define PATIENCE_MS 20000

/* One who takes and gives back, again and again. */
struct slot {
	struct ours_crowd *crowd;
	struct redlock_lock *lock;
	uint64_t due_ns;
	uint64_t step_ns;
	struct slot *next_idle;
};

struct ours_crowd {
	struct session session;
	uint64_t wait_ms;
	uint32_t slot_count;
	struct slot *slots;
	struct slot *idle;
	struct run *run;
	uv_poll_t clock;
	int clock_fd;
};

static void fill_up(struct ours_crowd *crowd);

static void on_clock_closed(uv_handle_t *handle)
{
	struct ours_crowd *crowd = handle->data;

	arrival_clock_close(crowd->clock_fd);
	uv_stop(&crowd->session.loop);
}

static void finish(struct slot *slot)
{
	struct ours_crowd *crowd = slot->crowd;

	slot->next_idle = crowd->idle;
	crowd->idle = slot;
	fill_up(crowd);
	if (run_is_done(crowd->run)) {
		uv_stop(&crowd->session.loop);
	}
}

static void fail(struct slot *slot, const char *step, int status)
{
	run_failed(slot->crowd->run, step, redlock_status_name(status), true);
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct slot *slot = data;
	uint64_t now = now_ns();

	(void)lock;
	(void)report;
	if (status == REDLOCK_OK) {
		run_finished(slot->crowd->run, now - slot->step_ns, now - slot->due_ns);
	} else {
		fail(slot, "release", status);
	}
	finish(slot);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct slot *slot = data;
	uint64_t now = now_ns();
	int rv;

	(void)report;
	if (status != REDLOCK_OK) {
		fail(slot, "acquire", status);
		finish(slot);
		return;
	}
	run_granted(slot->crowd->run, now - slot->due_ns);
	slot->step_ns = now;
	rv = redlock_release(lock, on_released, slot);
	if (rv != REDLOCK_OK) {
		fail(slot, "release", rv);
		finish(slot);
	}
}

static void fill_up(struct ours_crowd *crowd)
{
	struct slot *slot;
	uint64_t due_ns;
	int rv;

	while ((slot = crowd->idle) != NULL && run_next(crowd->run, &due_ns)) {
		slot->due_ns = due_ns;
		rv = redlock_acquire(slot->lock, crowd->wait_ms, on_acquired, slot);
		if (rv != REDLOCK_OK) {
			fail(slot, "acquire", rv);
			crowd->run->over = true; /* It would be so for ever. */
			return;
		}
		crowd->idle = slot->next_idle;
	}
}

/* ---- A run ----------------------------------------------------------------------------------- */

static void on_tick(uv_poll_t *clock, int status, int events)
{
	struct ours_crowd *crowd = clock->data;

	(void)status;
	(void)events;
	arrival_clock_read(crowd->clock_fd);
	fill_up(crowd);
	if (run_is_done(crowd->run)) {
		uv_stop(&crowd->session.loop);
	}
}

static void drain(void *self, struct run *run, size_t absent)
{
	struct ours_crowd *crowd = self;

	if (session_settle_without(&crowd->session, absent, PATIENCE_MS) > 0) {
		run_failed(run, "drain", "a node does not answer", false);
	}
}

static void run_crowd(void *self, struct run *run)
{
	struct ours_crowd *crowd = self;

	crowd->run = run;
	run_begin(run);
	if (run->rate > 0) {
		crowd->clock_fd = arrival_clock_open(run_interval_ns(run));
		uv_poll_init(&crowd->session.loop, &crowd->clock, crowd->clock_fd);
		crowd->clock.data = crowd;
		uv_poll_start(&crowd->clock, UV_READABLE, on_tick);
	}
	fill_up(crowd);
	if (!run_is_done(run)) {
		uv_run(&crowd->session.loop, UV_RUN_DEFAULT);
	}
	if (!run->leave_open) {
		drain(crowd, run, 0);
	}
	run_end(run);
	if (run->rate > 0) {
		uv_close((uv_handle_t *)&crowd->clock, on_clock_closed);
		uv_run(&crowd->session.loop, UV_RUN_DEFAULT);
	}
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void close_crowd(void *self)
{
	struct ours_crowd *crowd = self;
	uint32_t i;

	for (i = 0; i < crowd->slot_count; i++) {
		redlock_lock_free(crowd->slots[i].lock);
	}
	session_close(&crowd->session);
	free(crowd->slots);
	free(crowd);
}

static int make_locks(struct ours_crowd *crowd, const struct crowd_plan *plan)
{
	char name[CROWD_NAME_MAX];
	uint32_t i;
	int rv;

	crowd->slots = calloc(plan->in_flight, sizeof(*crowd->slots));
	if (!crowd->slots) {
		return REDLOCK_ENOMEM;
	}
	for (i = 0; i < plan->in_flight; i++) {
		struct slot *slot = &crowd->slots[i];

		slot->crowd = crowd;
		snprintf(name, sizeof(name), CROWD_NAME_FORMAT, 'o', i % plan->resources);
		rv = redlock_lock_new(&slot->lock, crowd->session.client, name, strlen(name), NULL);
		if (rv != REDLOCK_OK) {
			return rv;
		}
		crowd->slot_count++;
		slot->next_idle = crowd->idle;
		crowd->idle = slot;
	}
	return REDLOCK_OK;
}

static void *open_crowd(const struct crowd_plan *plan, char *why, size_t why_len)
{
	struct ours_crowd *crowd = calloc(1, sizeof(*crowd));
	int rv;

	if (!crowd) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	crowd->wait_ms = plan->resources < plan->in_flight ? REDLOCK_WAIT_FOREVER : 0;
	if (session_open_crowd(&crowd->session, plan, why, why_len) != 0) {
		free(crowd);
		return NULL;
	}
	rv = make_locks(crowd, plan);
	if (rv != REDLOCK_OK) {
		snprintf(why, why_len, "%s", redlock_strerror(rv));
	} else if (session_settle(&crowd->session, NULL, PATIENCE_MS) > 0) {
		snprintf(why, why_len, "the library does not find all nodes well");
	} else {
		return crowd;
	}
	close_crowd(crowd);
	return NULL;
}

const struct crowd crowd_ours = {"ours", open_crowd, run_crowd, drain, close_crowd};
