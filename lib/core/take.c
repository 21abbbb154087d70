/* take.c - from wanting the lease to having it.
 *
 *   ACQUIRING --- k grants in time ---> held
 *      |  ^
 *      |  `--- pause over -----------.
 *      `--- lost: give back -----> PAUSING ---> deadline: told why
 *
 * Safety rests on these:
 *   1. The clock is read before the first byte leaves; time in flight is
 *      charged to us.
 *   2. A win needs k grants and enough validity left by the clock as it is
 *      after the deciding answer.
 *   3. One attempt, one token. A lost attempt is abandoned: its keys are given
 *      back on every node that did not clearly refuse them. */
#include <inttypes.h>

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"
#include "pace.h"
#include "queue.h"

/* The operation is over, one way or the other. */
void rlk_lock_take_over(struct rlk_lock *lock, int status)
{
	rlk_lock_leave_probe(lock);
	rlk_pace_leave(lock);
	if (lock->attempt != NULL && status != 0) {
		rlk_attempt_abandon(lock->attempt);
		lock->attempt = NULL;
	}
	lock->inherited_us = lock->patience_us = 0;
	lock->held_back = false;
	if (status != 0) {
		lock->state = RLK_IDLE;
		rlk_timer_stop(&lock->cluster->timers, &lock->alarm);
		if (!RLK_MUTANT(WAITER_FORGOTTEN) || status != REDLOCK_ECANCELED) {
			rlk_queue_leave(lock);
		}
	}
	lock->cluster->counts.grants += status == 0;
	lock->cluster->counts.waits[lock->way]++;
	lock->decided_us = rlk_now(lock->cluster);
	rlk_lock_news(lock, RLK_ACQUIRED, status);
}

/* ---- The end of an attempt ------------------------------------------------------------------- */

static int over_status(const struct rlk_lock *lock, int status)
{
	return status == REDLOCK_EHELD && lock->deadline_us != 0 ? REDLOCK_ETIMEDOUT : status;
}

/* Waiting: no attempt begins after the deadline. */
static bool wait_is_over(const struct rlk_lock *lock, uint64_t now_us)
{
	return now_us >= lock->deadline_us &&
	       (!RLK_MUTANT(WAIT_ENDLESS) || lock->state == RLK_QUEUED);
}

/* A vote that was split among contenders: who has all of a quorum but one has got more than anybody
 * else, or as much as one other; it comes back at once, and those with fewer votes pause. Once for
 * each pause, since what refuses it may be keys of the dead. */
static bool has_most_votes(struct rlk_lock *lock)
{
	bool most = lock->round.yes != 0 && rlk_count(lock->round.yes) + 1 >= lock->round.quorum &&
		    !lock->preferred;

	lock->preferred = most;
	return most;
}

/* The attempt is lost: undo it, then try again or say why not. */
static void lose(struct rlk_lock *lock, int status)
{
	uint64_t now_us = rlk_now(lock->cluster);
	struct rlk_attempt *attempt = lock->attempt;
	bool lined_up = false, was_called = attempt != NULL && attempt->ticket.seq != 0;

	rlk_trace(lock->cluster, "attempt %" PRIu32 " lost: %s", lock->attempts,
		  redlock_strerror(status));
	rlk_count_loss(&lock->cluster->counts, status);
	lock->attempt = NULL;
	lock->inherited_us = lock->patience_us = 0;
	lock->held_back = false;
	lock->last_status = (int8_t)status;
	if (lock->name->keeper == lock) {
		lock->name->why = lock->last_status; /* For those behind. */
	}
	lock->misled = (uint8_t)(lock->misled + (was_called && lock->misled == 0));
	if (status == REDLOCK_EHELD && !was_called && !wait_is_over(lock, now_us)) {
		/* Before what it has got is given back: so that it goes to the first in line, and
		 * be it us. */
		lock->name->contended = true;
		lined_up = rlk_lock_line_up(lock);
	}
	if (attempt != NULL) {
		rlk_attempt_abandon(attempt);
	}
	if (lined_up) {
		return;
	}
	if (wait_is_over(lock, now_us)) {
		rlk_lock_take_over(lock, over_status(lock, status));
		return;
	}
	if (status == REDLOCK_EHELD && has_most_votes(lock)) {
		lock->paused = true;
		rlk_lock_begin(lock);
		return;
	}
	rlk_lock_pause(lock, now_us);
}

/* ---- An attempt ------------------------------------------------------------------------------ */

/* Validity: a lease with less left than this is not worth having. */
static uint64_t least_us(const struct rlk_lock *lock)
{
	uint64_t percent = lock->cluster->config.min_validity_percent;

	return RLK_MUTANT(MIN_VALIDITY) ? 0 : rlk_us(lock->config.ttl_ms) / 100 * percent;
}

/* What was handed on is ours only if that was settled before it was over: others may have come and
 * gone since. */
static bool is_too_late_to_inherit(const struct rlk_lock *lock, uint64_t now_us)
{
	return lock->inherited_us != 0 && now_us >= lock->inherited_us && !RLK_MUTANT(HAND_LATE);
}

/* Validity: counted from the start of the round, and judged by the clock as it is now, after the
 * deciding answer. */
static void win(struct rlk_lock *lock)
{
	uint64_t now_us = RLK_MUTANT(CLOCK_CACHED) ? lock->round.start_us : rlk_now(lock->cluster);
	uint64_t valid_us =
		rlk_valid_until_us(RLK_MUTANT(VALID_FROM_WIN) ? now_us : lock->round.start_us,
				   lock->config.ttl_ms, lock->cluster->config.drift_ppm);
	uint64_t least = least_us(lock);

	if (lock->config.max_hold_ms != 0) {
		uint64_t most_us =
			rlk_later(lock->round.start_us, rlk_us(lock->config.max_hold_ms));
		valid_us = most_us < valid_us ? most_us : valid_us;
		least = 0; /* The caller asked for this little. */
	}
	if (rlk_later(now_us, least > RLK_EARLY_US ? least : RLK_EARLY_US) >= valid_us ||
	    is_too_late_to_inherit(lock, now_us)) {
		lose(lock, REDLOCK_EEXPIRED);
		return;
	}
	if (lock->attempt->ticket.seq != 0) {
		lock->cluster->counts.called++;
		lock->round.no |= lock->pending; /* Their calls may never come: see fill.c. */
	} else {
		lock->name->contended = false; /* Nobody stood in line, or we would not have it. */
	}
	rlk_fence_won(lock);
	atomic_store(&lock->valid_until_us, valid_us);
	rlk_lock_hold(lock, now_us);
	rlk_lock_take_over(lock, 0);
}

/* Whom the nodes have called keeps what they keep for it; anybody else begins anew. */
static void ask_for_another_fence(struct rlk_lock *lock)
{
	if (lock->attempt->ticket.seq != 0) {
		lock->attempt->fence = rlk_fence_propose(lock->cluster);
		rlk_lock_confirm(lock);
		return;
	}
	rlk_attempt_abandon(lock->attempt);
	lock->attempt = NULL;
	rlk_lock_begin(lock);
}

/* Who tries once and gets some of the votes may have met others who do, and nobody has got enough:
 * for such a crowd there is a second round, one node first, which gives it a winner. */
static bool is_split(const struct rlk_lock *lock)
{
	return lock->deadline_us == 0 && lock->round.yes != 0 && !lock->paused;
}

static void try_once_more(struct rlk_lock *lock)
{
	rlk_count_loss(&lock->cluster->counts, REDLOCK_EHELD);
	rlk_attempt_abandon(lock->attempt);
	lock->attempt = NULL;
	lock->paused = true;
	rlk_lock_begin(lock);
}

static void decide(struct rlk_lock *lock)
{
	switch (lock->round.verdict) {
	case RLK_VOTING:
		break;
	case RLK_WON:
		win(lock);
		break;
	case RLK_REFUSED:
		if ((rlk_fence_is_open(lock) && !RLK_MUTANT(FENCE_EARLY)) ||
		    rlk_round_is_open(&lock->round)) {
			break; /* The answers to come, or their absence, will settle it. */
		}
		if (rlk_fence_mend(lock)) {
			ask_for_another_fence(lock);
		} else if (is_split(lock)) {
			try_once_more(lock);
		} else {
			lose(lock, rlk_lock_why_refused(lock));
		}
		break;
	case RLK_NO_QUORUM:
		lose(lock, REDLOCK_ENOQUORUM);
		break;
	}
}

/* All, or all but the one that was asked first. */
static void ask_all(struct rlk_lock *lock, enum rlk_op op)
{
	enum rlk_answer_kind taken;
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		if (lock->led && i == lock->lead) {
			continue;
		}
		taken = rlk_lock_in_debt(lock, i)
				? RLK_FULL
				: rlk_attempt_ask(lock->attempt, i, op, lock->round.serial,
						  lock->round.start_us);
		if (taken != RLK_YES) {
			rlk_lock_no_answer(lock, i, taken, NULL);
		}
	}
}

void rlk_lock_heard_acquire(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			    const struct rlk_answer *answer)
{
	bool had_held_back = lock->held_back;

	switch (answer->kind) {
	case RLK_YES:
		if (lock->attempt->claims[node].blocks) {
			rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, request);
			break;
		}
		if (lock->inherited_us != 0 && !rlk_lock_may_count(lock, node) &&
		    !RLK_MUTANT(GUARD_COUNTS_HEIR)) {
			rlk_lock_no_answer(lock, node, RLK_WITHHELD, request);
			break;
		}
		rlk_lock_counted(lock, node);
		rlk_lock_ballot(lock, node, RLK_BALLOT_YES, REDLOCK_VOTE_GRANTED, request);
		break;
	case RLK_NO:
		rlk_lock_note_remaining(lock, node, answer->remaining_ms);
		if (rlk_lock_may_be_called_yet(lock, node)) {
			break;
		}
		rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, request);
		break;
	case RLK_MISSING: /* Handed on, and not there any more. */
		rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_MISSING, request);
		break;
	case RLK_FENCE_LOW:
	case RLK_FENCE_HIGH:
		rlk_fence_refused(lock, node, request, answer);
		break;
	default:
		rlk_lock_no_answer(lock, node, answer->kind, request);
		break;
	}
	if (rlk_lock_heard_lead(lock, node, answer->kind)) {
		lose(lock, REDLOCK_EHELD);
		return;
	}
	if (had_held_back && !lock->held_back) {
		ask_all(lock, RLK_OP_ACQUIRE);
	}
	decide(lock);
}

/* The first attempt is always finished, with what it hurries to do again; later ones end with the
 * wait. */
static bool ends_with_wait(const struct rlk_lock *lock)
{
	return lock->deadline_us != 0 && lock->paused;
}

/* The attempt cannot win any more after this. */
static uint64_t latest_us(const struct rlk_lock *lock)
{
	const struct rlk_config *config = &lock->cluster->config;
	uint64_t valid_us =
		rlk_valid_until_us(lock->round.start_us, lock->config.ttl_ms, config->drift_ppm);
	bool cut = ends_with_wait(lock) && lock->deadline_us < valid_us;

	if (lock->inherited_us != 0 && lock->inherited_us < valid_us && !RLK_MUTANT(HAND_LATE)) {
		return lock->inherited_us;
	}
	return cut ? lock->deadline_us : valid_us - least_us(lock);
}

static void set_alarm(struct rlk_lock *lock)
{
	uint64_t at_us = latest_us(lock);

	if (lock->patience_us != 0 && lock->patience_us < at_us) {
		at_us = lock->patience_us;
	}
	rlk_timer_set(&lock->cluster->timers, &lock->alarm, at_us);
}

void rlk_lock_ask_for_votes(struct rlk_lock *lock, enum rlk_op op)
{
	rlk_pace_leave(lock);
	lock->cluster->counts.rounds++;
	lock->attempts++;
	lock->state = RLK_ACQUIRING;
	lock->led = lock->held_back = false;
	rlk_lock_open_round(lock);
	set_alarm(lock);
	if (op != RLK_OP_ACQUIRE || !rlk_lock_ask_lead(lock)) {
		ask_all(lock, op);
		decide(lock);
	}
}

void rlk_lock_begin(struct rlk_lock *lock)
{
	int status;

	rlk_lock_leave_probe(lock);
	lock->inherited_us = 0;
	status = rlk_lock_equip(lock);
	if (status != 0) {
		rlk_lock_take_over(lock, status);
		return;
	}
	rlk_lock_ask_for_votes(lock, RLK_OP_ACQUIRE);
}

/* Its round takes too long. */
static void voting_alarm(struct rlk_lock *lock, uint64_t now_us)
{
	if (lock->patience_us != 0 && now_us >= lock->patience_us) {
		rlk_lock_patience_over(lock);
		set_alarm(lock);
		decide(lock);
		return;
	}
	/* An attempt that is cut short found out nothing: the one before did. */
	lose(lock, ends_with_wait(lock) && now_us >= lock->deadline_us ? lock->last_status
								       : REDLOCK_ENOQUORUM);
}

void rlk_lock_take_alarm(struct rlk_lock *lock, uint64_t now_us)
{
	if (lock->state == RLK_ACQUIRING) {
		voting_alarm(lock, now_us);
	} else if (wait_is_over(lock, now_us)) {
		rlk_lock_take_over(lock, over_status(lock, rlk_lock_found(lock)));
	} else if (lock->state == RLK_WAITING) {
		rlk_lock_line_alarm(lock);
	} else {
		rlk_lock_try(lock);
	}
}

int rlk_lock_acquire(struct rlk_lock *lock, uint64_t wait_ms)
{
	if (lock->cluster->closing) {
		return REDLOCK_ECLOSED;
	}
	/* One after the other: refused until what was before it is told. The end of an earlier
	 * lease must not be taken for that of this one. */
	if (lock->state != RLK_IDLE || rlk_lock_untold(lock, RLK_ACQUIRED) ||
	    rlk_lock_untold(lock, RLK_RELEASED) || rlk_lock_untold(lock, RLK_LOST)) {
		return REDLOCK_EBUSY;
	}
	lock->asked_us = rlk_now(lock->cluster);
	lock->deadline_us = wait_ms == 0 ? 0 : rlk_later(lock->asked_us, rlk_us(wait_ms));
	lock->attempts = lock->hurried = lock->failures = 0;
	lock->misled = 0;
	lock->way = REDLOCK_WAY_NONE;
	lock->paused = lock->led = lock->held_back = lock->preferred = false;
	lock->since_us = lock->patience_us = 0;
	if (wait_ms != 0 && rlk_queue_join(lock)) {
		rlk_lock_stand_in_line(lock);
	} else if (wait_ms == 0 || !rlk_lock_stands_behind(lock)) {
		rlk_lock_begin(lock);
	}
	return 0;
}
