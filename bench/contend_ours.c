/* contend_ours.c - the waiters of one process with the library: a lock each, of one client. */
#include <redlock/redlock.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "rivals.h"
#include "session.h"

#define PATIENCE_MS 20000

struct ours_rivals {
	struct rivals rivals;
	struct session session;
	struct redlock_lock *locks[WAITERS_MAX];
	uv_poll_t clock;
};

static uint32_t who_has(const struct ours_rivals *ours, const struct redlock_lock *lock)
{
	uint32_t i = 0;

	while (ours->locks[i] != lock) {
		i++;
	}
	return i;
}

static void stop_if_done(struct ours_rivals *ours)
{
	if (rivals_are_done(&ours->rivals)) {
		uv_stop(&ours->session.loop);
	}
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct ours_rivals *ours = data;
	uint32_t who = who_has(ours, lock);

	(void)report;
	if (status == REDLOCK_OK) {
		rivals_granted(&ours->rivals, who);
	} else {
		rivals_gave_up(&ours->rivals, who, "acquire",
			       status == REDLOCK_ECANCELED ? NULL : redlock_status_name(status));
	}
	stop_if_done(ours);
}

static void want(void *owner, uint32_t who)
{
	struct ours_rivals *ours = owner;
	int rv = redlock_acquire(ours->locks[who], REDLOCK_WAIT_FOREVER, on_acquired, ours);

	if (rv != REDLOCK_OK) {
		rivals_gave_up(&ours->rivals, who, "acquire", redlock_status_name(rv));
	}
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct ours_rivals *ours = data;

	(void)report;
	if (status != REDLOCK_OK) {
		rivals_failed(&ours->rivals, "release", redlock_status_name(status));
	}
	rivals_left(&ours->rivals, who_has(ours, lock));
	stop_if_done(ours);
}

static void leave(void *owner, uint32_t who)
{
	struct ours_rivals *ours = owner;
	int rv = redlock_release(ours->locks[who], on_released, ours);

	if (rv != REDLOCK_OK) {
		rivals_failed(&ours->rivals, "release", redlock_status_name(rv));
		rivals_left(&ours->rivals, who);
	}
}

static void stop(void *owner, uint32_t who)
{
	struct ours_rivals *ours = owner;

	redlock_cancel(ours->locks[who]);
}

/* ---- A process ------------------------------------------------------------------------------- */

static void on_clock(uv_poll_t *clock, int status, int events)
{
	struct ours_rivals *ours = clock->data;

	(void)status;
	(void)events;
	rivals_ring(&ours->rivals);
	stop_if_done(ours);
}

static void run(struct ours_rivals *ours)
{
	uv_poll_init(&ours->session.loop, &ours->clock, ours->rivals.alarms.fd);
	ours->clock.data = ours;
	uv_poll_start(&ours->clock, UV_READABLE, on_clock);
	rivals_begin(&ours->rivals);
	uv_run(&ours->session.loop, UV_RUN_DEFAULT);
	if (session_settle(&ours->session, NULL, PATIENCE_MS) > 0) {
		rivals_failed(&ours->rivals, "drain", "a node does not answer");
	}
	rivals_end(&ours->rivals);
	uv_close((uv_handle_t *)&ours->clock, NULL);
}

static bool make_locks(struct ours_rivals *ours)
{
	const struct contend_plan *plan = ours->rivals.plan;
	uint32_t i;

	for (i = 0; i < plan->count; i++) {
		if (redlock_lock_new(&ours->locks[i], ours->session.client, plan->resource,
				     strlen(plan->resource), NULL) != REDLOCK_OK) {
			return false;
		}
	}
	return session_settle(&ours->session, NULL, PATIENCE_MS) == 0;
}

static bool play(struct ours_rivals *ours, const struct contend_plan *plan, char *why)
{
	const struct lab_options *options = &plan->lab->options;
	struct redlock_options client;
	uint32_t i;
	bool fine;

	session_options(&client, options->ttl_ms);
	client.node_timeout_ms = options->node_timeout_ms;
	client.hand_max = plan->options->hands;
	if (session_open(&ours->session, plan->nodes, &client, why, WHY_MAX) != 0) {
		return false;
	}
	fine = make_locks(ours);
	if (fine) {
		run(ours);
	} else {
		snprintf(why, WHY_MAX, "the library does not find all nodes well");
	}
	for (i = 0; i < plan->count; i++) {
		redlock_lock_free(ours->locks[i]);
	}
	session_close(&ours->session);
	return fine;
}

bool contend_ours(void *shared, void *data)
{
	static struct ours_rivals ours;
	const struct contend_plan *plan = data;
	struct rivals *rivals = &ours.rivals;
	bool fine;

	if (rivals_open(rivals, shared, plan) != 0) {
		return false;
	}
	rivals->owner = &ours;
	rivals->want = want;
	rivals->leave = leave;
	rivals->stop = stop;
	fine = play(&ours, plan, rivals->own->why);
	rivals_close(rivals);
	return fine;
}
