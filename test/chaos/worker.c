/* worker.c - the life of a worker. Each step that the judge has to know of is in the journal:
 *
 *   try        before the library is asked; how long it will wait
 *   won        held: until when, with which fencing token, by which nodes' votes
 *   ended      a wait that came to nothing
 *   held       what is left has grown: until when now
 *   act        it looked whether it holds the lock, and acted
 *   write      to the guarded store, with its fencing token
 *   release    before the library is asked; from here on it holds nothing
 *   lost       the library said so */
#include "worker.h"

#include "guarded.h"
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEAT_MS 20
#define OVERSTAY_US 3000000
#define STALE_ONE_IN 8

static void try_again(uv_timer_t *timer);
static void beat(uv_timer_t *timer);

static uint64_t draw(struct worker *worker, uint64_t below)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return worker->random % (below ? below : 1);
}

static void go_think(struct worker *worker)
{
	if (worker->leaving) {
		worker->state = GONE;
		(void)uv_timer_stop(&worker->timer);
		worker->on_gone(worker);
		return;
	}
	worker->state = THINKING;
	(void)uv_timer_start(&worker->timer, try_again, 5 + draw(worker, worker->habit->think_ms),
			     0);
}

/* Bit i for node i. */
static unsigned granted_by(const struct redlock_report *report)
{
	unsigned nodes = 0;

	for (size_t i = 0; report && i < report->node_count; i++) {
		nodes |= (unsigned)(report->nodes[i].vote == REDLOCK_VOTE_GRANTED) << i;
	}
	return nodes;
}

/* What each node said, as a digit: enum redlock_vote. For people; the judge does not look at it. */
static const char *votes_of(const struct redlock_report *report)
{
	static char votes[REDLOCK_NODES_MAX + 1];
	size_t count = report ? report->node_count : 0;

	for (size_t i = 0; i < count; i++) {
		votes[i] = (char)('0' + report->nodes[i].vote);
	}
	votes[count] = '\0';
	return votes;
}

/* Never later than the end: the clock is read first. */
static uint64_t valid_until_us(const struct worker *worker, uint64_t now_us)
{
	if (worker->overstays) {
		return worker->enough_us;
	}
	return now_us + redlock_lock_validity_ms(worker->lock) * 1000;
}

static void write_guarded(struct worker *worker, uint64_t token, const char *kind)
{
	uint64_t highest = 0;
	uint64_t now_us = journal_now_us();
	bool written = guarded_write(worker->resource, token, worker->name, &highest);

	journal_say(now_us, "write %u %s token=%llu answer=%s highest=%llu kind=%s", worker->number,
		    worker->resource, (unsigned long long)token, written ? "ok" : "refused",
		    (unsigned long long)highest, kind);
}

/* ---- Holding --------------------------------------------------------------------------------- */

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct worker *worker = data;

	(void)lock;
	journal_say(journal_now_us(), "released %u status=%s votes=%s", worker->number,
		    redlock_status_name(status), votes_of(report));
	go_think(worker);
}

static void give_back(struct worker *worker)
{
	uint64_t now_us = journal_now_us();
	int status;

	(void)uv_timer_stop(&worker->timer);
	worker->state = RETURNING;
	worker->old_fence = worker->fence;
	journal_say(now_us, "release %u %s", worker->number, worker->resource);
	status = redlock_release(worker->lock, on_released, worker);
	if (status != REDLOCK_OK) {
		on_released(worker->lock, status, NULL, worker);
	}
}

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct worker *worker = data;

	(void)lock;
	(void)report;
	if (worker->state != HOLDING || worker->overstays) {
		return;
	}
	journal_say(journal_now_us(), "lost %u %s status=%s", worker->number, worker->resource,
		    redlock_status_name(status));
	worker->old_fence = worker->fence;
	go_think(worker);
}

static void on_extended(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct worker *worker = data;
	uint64_t now_us = journal_now_us();

	(void)lock;
	worker->extending = false;
	if (status == REDLOCK_OK && worker->state == HOLDING && redlock_lock_held(worker->lock)) {
		worker->until_us = valid_until_us(worker, now_us);
		journal_say(now_us, "held %u until=%llu nodes=%u votes=%s", worker->number,
			    (unsigned long long)worker->until_us, granted_by(report),
			    votes_of(report));
	}
}

static void renew_by_hand(struct worker *worker)
{
	uint64_t half_ms = worker->habit->ttl_ms / 2;

	if (worker->habit->renewal != RENEW_BY_HAND || worker->extending ||
	    redlock_lock_validity_ms(worker->lock) > half_ms) {
		return;
	}
	worker->extending = redlock_extend(worker->lock, on_extended, worker) == REDLOCK_OK;
}

static void say_if_longer(struct worker *worker, uint64_t now_us)
{
	uint64_t until_us = valid_until_us(worker, now_us);

	if (until_us > worker->until_us + 2000) {
		worker->until_us = until_us;
		journal_say(now_us, "held %u until=%llu nodes=0", worker->number,
			    (unsigned long long)until_us);
	}
}

static void beat(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	uint64_t now_us = journal_now_us();

	if (!worker->overstays && !redlock_lock_held(worker->lock)) {
		return; /* The library is about to say so. */
	}
	say_if_longer(worker, now_us);
	journal_say(now_us, "act %u %s", worker->number, worker->resource);
	if (worker->habit->fence) {
		write_guarded(worker, worker->fence, "holder");
	}
	if (now_us >= worker->enough_us || worker->leaving) {
		give_back(worker);
		return;
	}
	renew_by_hand(worker);
}

/* ---- Getting it ------------------------------------------------------------------------------ */

static uint64_t enough(struct worker *worker, uint64_t now_us)
{
	uint64_t hold_ms = draw(worker, worker->habit->hold_ms);

	if (worker->overstays) {
		return now_us + OVERSTAY_US;
	}
	if (worker->habit->renewal != RENEW_NOT && draw(worker, 3) == 0) {
		hold_ms = worker->habit->ttl_ms;
	}
	return now_us + hold_ms * 1000;
}

static void begin_holding(struct worker *worker, const struct redlock_report *report)
{
	uint64_t now_us = journal_now_us();

	worker->state = HOLDING;
	worker->fence = report->fence;
	worker->enough_us = enough(worker, now_us);
	worker->until_us = valid_until_us(worker, now_us);
	journal_say(now_us, "won %u %s until=%llu fence=%llu nodes=%u attempts=%u way=%s votes=%s",
		    worker->number, worker->resource, (unsigned long long)worker->until_us,
		    (unsigned long long)report->fence, granted_by(report), report->attempts,
		    redlock_way_name(report->way), votes_of(report));
	(void)uv_timer_start(&worker->timer, beat, 0, BEAT_MS);
}

static void on_ended(struct redlock_lock *lock, int status, const struct redlock_report *report,
		     void *data)
{
	struct worker *worker = data;

	(void)lock;
	if (status == REDLOCK_OK) {
		begin_holding(worker, report);
		return;
	}
	journal_say(journal_now_us(), "ended %u %s status=%s", worker->number, worker->resource,
		    redlock_status_name(status));
	go_think(worker);
}

static uint64_t patience_ms(struct worker *worker)
{
	switch (worker->habit->wait_ms) {
	case WAIT_FOR_EVER:
		return REDLOCK_WAIT_FOREVER;
	case WAIT_SOME_TIME:
		return 200 + draw(worker, 3000);
	default:
		return (uint64_t)worker->habit->wait_ms;
	}
}

static void try_again(uv_timer_t *timer)
{
	struct worker *worker = timer->data;
	uint64_t wait_ms = patience_ms(worker);
	int status;

	/* Somebody who has slept through the end of his lease, and does not look. */
	if (worker->old_fence && draw(worker, STALE_ONE_IN) == 0) {
		write_guarded(worker, worker->old_fence, "stale");
	}
	worker->old_fence = 0;
	worker->state = WAITING;
	journal_say(journal_now_us(), "try %u %s wait=%lld", worker->number, worker->resource,
		    wait_ms == REDLOCK_WAIT_FOREVER ? -1 : (long long)wait_ms);
	status = redlock_acquire(worker->lock, wait_ms, on_ended, worker);
	if (status != REDLOCK_OK) {
		on_ended(worker->lock, status, NULL, worker);
	}
}

/* ---- From outside ---------------------------------------------------------------------------- */

void worker_start(struct worker *worker, uv_loop_t *loop, struct redlock_client *client,
		  const char *prefix)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.ttl_ms = worker->habit->ttl_ms;
	options.fence = worker->habit->fence;
	options.auto_renew = worker->habit->renewal == RENEW_BY_ITSELF;
	options.on_lost = on_lost;
	options.data = worker;
	(void)snprintf(worker->resource, sizeof worker->resource, "%s%s", prefix,
		       worker->habit->resource);
	(void)uv_timer_init(loop, &worker->timer);
	worker->timer.data = worker;
	if (redlock_lock_new(&worker->lock, client, worker->resource, strlen(worker->resource),
			     &options) != REDLOCK_OK) {
		(void)fputs("a lock cannot be made\n", stderr);
		exit(1);
	}
	go_think(worker);
}

void worker_leave(struct worker *worker)
{
	worker->leaving = true;
	switch (worker->state) {
	case THINKING:
		go_think(worker);
		break;
	case WAITING:
		(void)redlock_cancel(worker->lock);
		break;
	case HOLDING: /* The next beat, or the end of the lease. */
	case RETURNING:
	case GONE:
		break;
	}
}
