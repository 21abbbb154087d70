/* ours_hand.c - two locks of one client on each resource: release by one, callback of the other.
 *
 * While one has it the other one waits, so that each release is a handover. Now
 * and then the library gives the resource back all the same, for other clients;
 * that is part of it, and to be seen in the last percentiles. */
#include <redlock/redlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "block.h"
#include "crowd.h"
#include "session.h"

#define PATIENCE_MS 20000

struct couple {
	struct ours_hand *crowd;
	struct redlock_lock *lock[2];
	int holder;
	bool handing;
	uint64_t due_ns;
	size_t busy; /* Operations whose callback is still to come. */
};

struct ours_hand {
	struct session session;
	struct couple *couples;
	uint32_t count;
	uint32_t taking; /* First grants that are still to come. */
	bool failed;
	struct run *run;
};

static void hand_on(struct couple *couple);
static void wait_behind(struct couple *couple);

static void stop_if_done(struct ours_hand *crowd)
{
	uint32_t i;

	for (i = 0; i < crowd->count; i++) {
		/* One waits all the time. */
		if (crowd->couples[i].busy != 1) {
			return;
		}
	}
	if (run_is_done(crowd->run)) {
		uv_stop(&crowd->session.loop);
	}
}

/* Nothing that follows would be a handover. */
static void give_up(struct couple *couple, const char *step, int status)
{
	struct run *run = couple->crowd->run;

	couple->crowd->failed = true;
	if (run) {
		run_failed(run, step, redlock_status_name(status), couple->handing);
		run->over = true;
	}
	couple->handing = false;
	uv_stop(&couple->crowd->session.loop);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct couple *couple = data;
	uint64_t took_ns = now_ns() - couple->due_ns;

	(void)report;
	couple->busy--;
	if (status == REDLOCK_ECANCELED) {
		return; /* It waited when all was over. */
	}
	if (status != REDLOCK_OK) {
		give_up(couple, "acquire", status);
		return;
	}
	couple->holder = lock == couple->lock[1];
	if (couple->handing) {
		couple->handing = false;
		run_granted(couple->crowd->run, took_ns);
		run_finished(couple->crowd->run, 0, took_ns);
	}
	/* The other one is free to wait when its release has been answered. */
	if (couple->busy == 0) {
		wait_behind(couple);
	}
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct couple *couple = data;

	(void)lock;
	(void)report;
	couple->busy--;
	if (status != REDLOCK_OK) {
		give_up(couple, "release", status);
	} else if (couple->busy == 0) {
		wait_behind(couple);
	}
}

static void wait_behind(struct couple *couple)
{
	int rv = redlock_acquire(couple->lock[!couple->holder], REDLOCK_WAIT_FOREVER, on_acquired,
				 couple);

	if (rv != REDLOCK_OK) {
		give_up(couple, "acquire", rv);
		return;
	}
	couple->busy++;
	hand_on(couple);
}

static void hand_on(struct couple *couple)
{
	int rv;

	if (!couple->crowd->run || !run_next(couple->crowd->run, &couple->due_ns)) {
		if (couple->crowd->run) {
			stop_if_done(couple->crowd);
		} else if (--couple->crowd->taking == 0) {
			uv_stop(&couple->crowd->session.loop);
		}
		return;
	}
	couple->handing = true;
	rv = redlock_release(couple->lock[couple->holder], on_released, couple);
	if (rv != REDLOCK_OK) {
		give_up(couple, "release", rv);
		return;
	}
	couple->busy++;
}

static void drain(void *self, struct run *run, size_t absent)
{
	struct ours_hand *crowd = self;

	if (session_settle_without(&crowd->session, absent, PATIENCE_MS) > 0) {
		run_failed(run, "drain", "a node does not answer", false);
	}
}

static void run_crowd(void *self, struct run *run)
{
	struct ours_hand *crowd = self;
	uint32_t i;

	crowd->run = run;
	run_begin(run);
	for (i = 0; i < crowd->count; i++) {
		hand_on(&crowd->couples[i]);
	}
	uv_run(&crowd->session.loop, UV_RUN_DEFAULT);
	if (!run->leave_open) {
		drain(crowd, run, 0);
	}
	run_end(run);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void close_crowd(void *self)
{
	struct ours_hand *crowd = self;
	uint32_t i;

	for (i = 0; i < crowd->count; i++) {
		redlock_lock_free(crowd->couples[i].lock[0]);
		redlock_lock_free(crowd->couples[i].lock[1]);
	}
	session_close(&crowd->session);
	free(crowd->couples);
	free(crowd);
}

static bool make_couple(struct ours_hand *crowd, uint32_t which)
{
	struct couple *couple = &crowd->couples[which];
	char name[CROWD_NAME_MAX];
	int i;

	*couple = (struct couple){.crowd = crowd};
	snprintf(name, sizeof(name), CROWD_NAME_FORMAT, 'h', which);
	for (i = 0; i < 2; i++) {
		if (redlock_lock_new(&couple->lock[i], crowd->session.client, name, strlen(name),
				     NULL) != REDLOCK_OK) {
			return false;
		}
	}
	return true;
}

/* One of each couple has it, and the other one waits behind. */
static bool take_all(struct ours_hand *crowd, const struct crowd_plan *plan)
{
	uint32_t i;

	if (session_settle(&crowd->session, NULL, PATIENCE_MS) > 0) {
		return false;
	}
	for (i = 0; i < plan->in_flight; i++) {
		crowd->count++;
		if (!make_couple(crowd, i)) {
			return false;
		}
		crowd->couples[i].busy = 1;
		if (redlock_acquire(crowd->couples[i].lock[0], REDLOCK_WAIT_FOREVER, on_acquired,
				    &crowd->couples[i]) != REDLOCK_OK) {
			return false;
		}
	}
	crowd->taking = crowd->count;
	uv_run(&crowd->session.loop, UV_RUN_DEFAULT);
	return !crowd->failed;
}

static void *open_crowd(const struct crowd_plan *plan, char *why, size_t why_len)
{
	struct ours_hand *crowd = calloc(1, sizeof(*crowd));

	if (crowd) {
		crowd->couples = calloc(plan->in_flight, sizeof(*crowd->couples));
	}
	if (!crowd || !crowd->couples) {
		snprintf(why, why_len, "out of memory");
		free(crowd);
		return NULL;
	}
	if (session_open_crowd(&crowd->session, plan, why, why_len) != 0) {
		free(crowd->couples);
		free(crowd);
		return NULL;
	}
	if (!take_all(crowd, plan)) {
		snprintf(why, why_len, "the library cannot take what is to be handed over");
		close_crowd(crowd);
		return NULL;
	}
	return crowd;
}

const struct crowd crowd_ours_hand = {"ours", open_crowd, run_crowd, drain, close_crowd};
