/* ours_extend.c - the library extends what it holds, many at a time: call to callback. */
#include <redlock/redlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "block.h"
#include "crowd.h"
#include "herd.h"
#include "session.h"

#define PATIENCE_MS 20000

struct holder {
	struct ours_extend *crowd;
	struct redlock_lock *lock;
	uint64_t due_ns;
};

struct ours_extend {
	struct session session;
	struct herd herd;
	struct holder *holders;
	struct run *run;
};

static void extend_next(struct holder *holder);

static void on_extended(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct holder *holder = data;
	struct run *run = holder->crowd->run;
	uint64_t took_ns = now_ns() - holder->due_ns;

	(void)lock;
	(void)report;
	if (status == REDLOCK_OK) {
		run_granted(run, took_ns);
		run_finished(run, 0, took_ns);
	} else {
		run_failed(run, "extend", redlock_status_name(status), true);
	}
	extend_next(holder);
}

static void extend_next(struct holder *holder)
{
	struct ours_extend *crowd = holder->crowd;
	int rv;

	if (run_next(crowd->run, &holder->due_ns)) {
		rv = redlock_extend(holder->lock, on_extended, holder);
		if (rv == REDLOCK_OK) {
			return;
		}
		run_failed(crowd->run, "extend", redlock_status_name(rv), true);
		crowd->run->over = true; /* It would be so for ever. */
	}
	if (run_is_done(crowd->run)) {
		uv_stop(&crowd->session.loop);
	}
}

static void drain(void *self, struct run *run, size_t absent)
{
	struct ours_extend *crowd = self;

	if (session_settle_without(&crowd->session, absent, PATIENCE_MS) > 0) {
		run_failed(run, "drain", "a node does not answer", false);
	}
}

static void run_crowd(void *self, struct run *run)
{
	struct ours_extend *crowd = self;
	uint32_t i;

	crowd->run = run;
	run_begin(run);
	for (i = 0; i < crowd->herd.count; i++) {
		extend_next(&crowd->holders[i]);
	}
	if (!run_is_done(run)) {
		uv_run(&crowd->session.loop, UV_RUN_DEFAULT);
	}
	if (!run->leave_open) {
		drain(crowd, run, 0);
	}
	run_end(run);
}

static void close_crowd(void *self)
{
	struct ours_extend *crowd = self;

	herd_close(&crowd->herd);
	session_close(&crowd->session);
	free(crowd->holders);
	free(crowd);
}

/* All are held before the first is extended. */
static bool take_all(struct ours_extend *crowd, const struct crowd_plan *plan)
{
	uint32_t i;

	crowd->holders = calloc(plan->in_flight, sizeof(*crowd->holders));
	if (!crowd->holders || session_settle(&crowd->session, NULL, PATIENCE_MS) > 0 ||
	    herd_open(&crowd->herd, &crowd->session, 'x', plan->in_flight) != REDLOCK_OK) {
		return false;
	}
	for (i = 0; i < plan->in_flight; i++) {
		crowd->holders[i] = (struct holder){crowd, crowd->herd.locks[i], 0};
	}
	herd_take(&crowd->herd);
	return crowd->herd.errors == 0;
}

static void *open_crowd(const struct crowd_plan *plan, char *why, size_t why_len)
{
	struct ours_extend *crowd = calloc(1, sizeof(*crowd));

	if (!crowd) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	if (session_open_crowd(&crowd->session, plan, why, why_len) != 0) {
		free(crowd);
		return NULL;
	}
	if (!take_all(crowd, plan)) {
		snprintf(why, why_len, "the library cannot take what is to be extended");
		close_crowd(crowd);
		return NULL;
	}
	return crowd;
}

const struct crowd crowd_ours_extend = {"ours", open_crowd, run_crowd, drain, close_crowd};
