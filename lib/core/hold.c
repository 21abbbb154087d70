/* hold.c - from the win to the end of the lease.
 *
 *   HELD <--- renewed, or not ---> EXTENDING
 *     |                               |
 *     `------- valid_until -----------'---> IDLE, lost
 *
 * A renewal lengthens keys that are ours on a quorum, with a start of its own,
 * and counts only if it is decided inside the old validity. One that fails
 * changes nothing: the lease stands until its old end, and nothing is deleted.
 * It never re-creates a lease: a node that lost the key may be given it again
 * (repair) only while the lease is valid, so that others are kept out by the
 * nodes that still have it. The vote of such a node counts, unless it restarted
 * lately and may not have had the key when it went down: it may have forgotten
 * that it voted for somebody else.
 *
 * The end needs no answer from anybody: an alarm ends the lease by the clock,
 * a little early rather than late, even if all I/O hangs. */
#include <inttypes.h>

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"
#include "queue.h"

/* Told in time: the alarm, not an answer, ends the lease and warns of its end. */
static void rearm(struct rlk_lock *lock)
{
	uint64_t valid_us = atomic_load(&lock->valid_until_us);
	uint64_t at_us = valid_us - RLK_EARLY_US;
	uint64_t risk_us = rlk_until(valid_us, rlk_us(lock->config.at_risk_ms) + RLK_EARLY_US);

	if (RLK_MUTANT(LOST_LATE) || (RLK_MUTANT(EXTEND_LATE) && lock->state == RLK_EXTENDING)) {
		at_us = valid_us + 2 * RLK_EARLY_US;
	}
	if (lock->warned_of_us != valid_us && risk_us < at_us) {
		at_us = risk_us;
	}
	if (lock->state == RLK_HELD && lock->renew_us < at_us) {
		at_us = lock->renew_us;
	}
	if (lock->fill_us != 0 && lock->fill_us < at_us) {
		at_us = lock->fill_us;
	}
	rlk_timer_set(&lock->cluster->timers, &lock->alarm, at_us);
}

/* Take the lease that ends at lock->valid_until_us; holding has just begun or been renewed. */
static void settle_in(struct rlk_lock *lock)
{
	uint64_t valid_us = atomic_load(&lock->valid_until_us);

	lock->renew_us = RLK_NEVER;
	if (valid_us >= lock->hold_until_us) {
		atomic_store(&lock->valid_until_us, lock->hold_until_us);
	} else if (lock->config.auto_renew) {
		lock->renew_us = rlk_later(lock->round.start_us, rlk_us(lock->config.ttl_ms) / 3);
	}
	lock->state = RLK_HELD;
	rearm(lock);
}

/* The longest time to hold, if holding began with the round. */
static uint64_t hold_until_us(const struct rlk_lock *lock)
{
	return lock->config.max_hold_ms == 0
		       ? RLK_NEVER
		       : rlk_later(lock->round.start_us, rlk_us(lock->config.max_hold_ms));
}

void rlk_lock_hold(struct rlk_lock *lock, uint64_t now_us)
{
	lock->hold_until_us = RLK_MUTANT(HOLD_UNCAPPED) ? RLK_NEVER : hold_until_us(lock);
	lock->failures = 0;
	rlk_queue_keep(lock);
	rlk_lock_fill_begin(lock, now_us);
	settle_in(lock);
	rlk_trace(lock->cluster, "held for %" PRIu64 " ms",
		  rlk_until(atomic_load(&lock->valid_until_us), now_us) / 1000);
}

/* The lease is over by the clock. */
static void lose(struct rlk_lock *lock)
{
	atomic_store(&lock->valid_until_us, 0);
	lock->cluster->counts.lost++;
	rlk_trace(lock->cluster, "lost: the lease ran out");
	if (lock->config.token_len > 0) {
		/* Somebody else may go on with it under this token: delete nothing. */
		rlk_attempt_leave(lock->attempt);
	} else {
		rlk_attempt_abandon(lock->attempt);
	}
	lock->attempt = NULL;
	lock->state = RLK_IDLE;
	rlk_timer_stop(&lock->cluster->timers, &lock->alarm);
	lock->decided_us = rlk_now(lock->cluster);
	rlk_queue_freed(lock);
	if (!RLK_MUTANT(TOLD_NEVER)) {
		rlk_lock_extend_over(lock, REDLOCK_EEXPIRED);
	}
	rlk_lock_news(lock, RLK_LOST, REDLOCK_EEXPIRED);
}

/* ---- Renewal --------------------------------------------------------------------------------- */

/* Tell the user who asked for it, if one did. */
void rlk_lock_extend_over(struct rlk_lock *lock, int status)
{
	if (lock->user_extends) {
		lock->user_extends = false;
		lock->decided_us = rlk_now(lock->cluster);
		rlk_lock_news(lock, RLK_EXTENDED, status);
	}
}

static void extend_failed(struct rlk_lock *lock, int status)
{
	lock->cluster->counts.renewals_failed++;
	rlk_trace(lock->cluster, "not renewed: %s", redlock_strerror(status));
	if (RLK_MUTANT(EXTEND_FAILED_DROPS) && !lock->adopting) {
		lose(lock);
		return;
	}
	if (lock->adopting) {
		lock->adopting = false;
		rlk_attempt_leave(lock->attempt); /* Not shown to be ours: delete nothing. */
		lock->attempt = NULL;
		lock->state = RLK_IDLE;
		rlk_lock_extend_over(lock, status);
		return;
	}
	lock->state = RLK_HELD;
	if (lock->config.auto_renew && lock->renew_us != RLK_NEVER) {
		lock->renew_us = rlk_later(rlk_now(lock->cluster), rlk_lock_pause_us(lock));
	}
	rlk_lock_fill_begin(lock, rlk_now(lock->cluster));
	rearm(lock);
	rlk_lock_extend_over(lock, status);
}

/* Extend: a renewal has a start of its own, and counts only inside the old validity. */
static void extend_won(struct rlk_lock *lock)
{
	uint64_t now_us = rlk_now(lock->cluster);
	uint64_t old_us = atomic_load(&lock->valid_until_us);
	uint64_t new_us =
		rlk_valid_until_us(RLK_MUTANT(EXTEND_FROM_END) ? now_us : lock->round.start_us,
				   lock->config.ttl_ms, lock->cluster->config.drift_ppm);

	if (!lock->adopting && now_us >= old_us && !RLK_MUTANT(EXTEND_LATE)) {
		lose(lock); /* Too late: others may have it. */
		return;
	}
	if (lock->adopting && hold_until_us(lock) < new_us) {
		new_us = hold_until_us(lock);
	}
	if (rlk_later(now_us, RLK_EARLY_US) >= new_us) { /* As good as over. */
		extend_failed(lock, REDLOCK_EEXPIRED);
		return;
	}
	if (new_us > old_us) {
		atomic_store(&lock->valid_until_us, new_us);
	}
	lock->cluster->counts.renewals++;
	lock->failures = 0;
	if (lock->adopting) {
		lock->adopting = false;
		rlk_lock_hold(lock, now_us);
	} else {
		rlk_lock_fill_begin(lock, now_us);
		settle_in(lock);
	}
	rlk_lock_extend_over(lock, 0);
}

static void decide(struct rlk_lock *lock)
{
	if (lock->state != RLK_EXTENDING) {
		return;
	}
	switch (lock->round.verdict) {
	case RLK_VOTING:
		break;
	case RLK_WON:
		extend_won(lock);
		break;
	case RLK_REFUSED:
		if (!rlk_round_is_open(&lock->round)) {
			extend_failed(lock, rlk_round_reason(&lock->round) == RLK_REFUSED
						    ? REDLOCK_ELOST
						    : REDLOCK_ENOQUORUM);
		}
		break;
	case RLK_NO_QUORUM:
		extend_failed(lock, REDLOCK_ENOQUORUM);
		break;
	}
}

/* Repair: a node inside its guard votes only for leases whose key it had when it went down: then it
 * had granted nobody else's. */
bool rlk_lock_may_count(const struct rlk_lock *lock, unsigned node)
{
	uint64_t now_us = rlk_now(lock->cluster);
	uint64_t counted_us = lock->attempt->claims[node].counted_until_us;

	return now_us < counted_us || (RLK_MUTANT(GUARD_COUNTS_LAPSED) && counted_us != 0) ||
	       RLK_MUTANT(GUARD_COUNTS_REPAIR) ||
	       !rlk_node_guarded(&lock->cluster->nodes[node], now_us);
}

static void heard_yes(struct rlk_lock *lock, unsigned node, const struct rlk_request *request)
{
	if (lock->attempt->claims[node].blocks) {
		rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, request);
		return;
	}
	if (!rlk_lock_may_count(lock, node)) {
		rlk_lock_no_answer(lock, node, RLK_WITHHELD, request);
		return;
	}
	rlk_lock_counted(lock, node);
	rlk_lock_ballot(lock, node, RLK_BALLOT_YES, REDLOCK_VOTE_GRANTED, request);
}

static void heard_missing(struct rlk_lock *lock, unsigned node, const struct rlk_request *request)
{
	uint64_t now_us = rlk_now(lock->cluster);
	bool valid = now_us < atomic_load(&lock->valid_until_us);

	lock->ballots[node].vote = REDLOCK_VOTE_MISSING;
	/* Extend: what is not valid is not created anew. */
	if ((valid || RLK_MUTANT(EXTEND_RECREATES)) &&
	    rlk_attempt_ask(lock->attempt, node, RLK_OP_REPAIR, request->round, now_us) ==
		    RLK_YES) {
		return; /* Its vote is the repair's answer. */
	}
	rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_MISSING, request);
}

void rlk_lock_heard_extend(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			   const struct rlk_answer *answer)
{
	if (request->op != RLK_OP_EXTEND && request->op != RLK_OP_REPAIR) {
		/* Decide once: a late answer to the acquire only settles its claim. */
		if (RLK_MUTANT(DECIDED_TWICE)) {
			rlk_lock_heard_acquire(lock, node, request, answer);
		} else if (lock->state == RLK_HELD && rlk_lock_fill_heard(lock, node, answer)) {
			rearm(lock);
		}
		return;
	}
	switch (answer->kind) {
	case RLK_YES:
		heard_yes(lock, node, request);
		break;
	case RLK_MISSING:
		heard_missing(lock, node, request);
		break;
	case RLK_FENCE_LOW:
		rlk_fence_blocks(lock, node, answer->fence);
		rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, request);
		break;
	case RLK_NO:
	case RLK_FENCE_HIGH:
		rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, request);
		break;
	default:
		rlk_lock_no_answer(lock, node, answer->kind, request);
		break;
	}
	decide(lock);
	/* It came late, or decided; and no repair is under way. */
	if (lock->state == RLK_HELD &&
	    (answer->kind != RLK_MISSING || lock->attempt->claims[node].unanswered == 0) &&
	    rlk_lock_fill_heard(lock, node, answer)) {
		rearm(lock);
	}
}

static void renew(struct rlk_lock *lock)
{
	enum rlk_answer_kind taken;
	unsigned i;

	lock->state = RLK_EXTENDING;
	lock->fill_us = 0; /* It repairs what is missing; then those are asked who refuse. */
	lock->attempts++;
	rlk_lock_open_round(lock);
	for (i = 0; i < lock->cluster->node_count; i++) {
		if (lock->attempt->claims[i].state == RLK_CLAIM_SET) {
			lock->attempt->claims[i].state = RLK_CLAIM_ASKED; /* Until it says so. */
		}
		taken = rlk_lock_in_debt(lock, i)
				? RLK_FULL
				: rlk_attempt_ask(lock->attempt, i, RLK_OP_EXTEND,
						  lock->round.serial, lock->round.start_us);
		if (taken != RLK_YES) {
			rlk_lock_no_answer(lock, i, taken, NULL);
		}
	}
	if (!lock->adopting) {
		rearm(lock);
	}
	decide(lock);
}

/* Go on with a lease that somebody else took, under a token that we were given: ours as soon as a
 * quorum has lengthened it. Nothing is repaired, since nobody knows yet that it is valid. */
static int adopt(struct rlk_lock *lock)
{
	unsigned i;

	lock->attempt = rlk_lock_attempt(lock);
	if (lock->attempt == NULL) {
		return REDLOCK_ENOMEM;
	}
	for (i = 0; i < lock->cluster->node_count; i++) {
		lock->attempt->claims[i].state = RLK_CLAIM_ASKED;
	}
	lock->adopting = true;
	return 0;
}

int rlk_lock_extend(struct rlk_lock *lock)
{
	int status;

	if (lock->cluster->closing) {
		return REDLOCK_ECLOSED;
	}
	if (lock->user_extends || rlk_lock_untold(lock, RLK_EXTENDED) ||
	    rlk_lock_untold(lock, RLK_LOST) || rlk_lock_on_its_way(lock)) {
		return REDLOCK_EBUSY;
	}
	if (lock->state == RLK_IDLE) {
		if (lock->config.token_len == 0) {
			return REDLOCK_EEXPIRED;
		}
		status = adopt(lock);
		if (status != 0) {
			return status;
		}
	}
	lock->user_extends = true;
	lock->asked_us = rlk_now(lock->cluster);
	lock->attempts = 0;
	if (lock->state != RLK_EXTENDING) {
		renew(lock); /* Else the renewal under way is what was asked for. */
	}
	return 0;
}

void rlk_lock_hold_alarm(struct rlk_lock *lock, uint64_t now_us)
{
	uint64_t valid_us = atomic_load(&lock->valid_until_us);

	if (lock->adopting) {
		return;
	}
	if (rlk_later(now_us, RLK_EARLY_US) >= valid_us) {
		lose(lock);
		return;
	}
	if (lock->warned_of_us != valid_us &&
	    rlk_later(now_us, rlk_us(lock->config.at_risk_ms) + RLK_EARLY_US) >= valid_us) {
		lock->warned_of_us = valid_us;
		if (!RLK_MUTANT(RISK_UNTOLD)) {
			rlk_lock_news(lock, RLK_AT_RISK, 0);
		}
	}
	if (lock->state == RLK_HELD && lock->renew_us <= now_us) {
		renew(lock);
		return;
	}
	if (lock->fill_us != 0 && lock->fill_us <= now_us) {
		rlk_lock_fill(lock, now_us);
	}
	rearm(lock);
}
