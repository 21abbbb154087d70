/* hand.c - hand a lease on to the next lock of this client, instead of giving it back.
 *
 * A lease is an owner token on a quorum of nodes and an end by this process's
 * clock; both pass to the heir as they are, without a word to the nodes, so
 * nobody else can come in between.
 *
 * Two things may need a round first: an end that is too near, which is extended,
 * and fencing. Two holders must never share a fencing token, so the heir needs
 * one of its own: a quorum has to *advance* to it, which raises what it
 * remembers and lengthens the key, if the key is still ours. Until that round is
 * won nobody holds the lease, and it counts only inside the old validity. If it
 * is lost, the heir gives everything back and tries for itself. */
#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"
#include "queue.h"

static void take_over_claims(struct rlk_attempt *attempt, struct rlk_lock *heir)
{
	uint32_t ttl_ms = heir->config.ttl_ms;

	/* What was set for longer may live for longer. */
	attempt->longest_ms = attempt->longest_ms > ttl_ms ? attempt->longest_ms : ttl_ms;
	/* What the giver asked, and has not left, would leave as if the heir had asked it. */
	rlk_attempt_withdraw(attempt);
	attempt->ttl_ms = ttl_ms;
	attempt->owner = heir;
	heir->attempt = attempt;
}

static bool is_enough(const struct rlk_lock *heir, uint64_t left_us)
{
	uint64_t ttl_us = rlk_us(heir->config.ttl_ms);

	return left_us >= ttl_us / 2 &&
	       left_us >= ttl_us / 100 * heir->cluster->config.min_validity_percent;
}

/* It holds from this moment on. @lacking: nodes that perhaps do not have the key: fill.c. */
static void hold_at_once(struct rlk_lock *heir, uint32_t lacking, uint64_t valid_us,
			 uint64_t now_us)
{
	if (!RLK_MUTANT(HAND_FENCE_SHARED)) {
		heir->attempt->fence = 0; /* It was another's, and would be shared. */
	}
	rlk_lock_open_round(heir);
	heir->round.no = lacking;
	heir->round.verdict =
		RLK_WON; /* Nobody votes: answers to earlier questions mean nothing. */
	/* Hand on: the end is the old one, since no key has been lengthened. */
	atomic_store(&heir->valid_until_us, RLK_MUTANT(HAND_RENEWED)
						    ? rlk_later(now_us, rlk_us(heir->config.ttl_ms))
						    : valid_us);
	rlk_lock_hold(heir, now_us);
	rlk_lock_take_over(heir, 0);
}

/* It holds as soon as a quorum has agreed. */
static void hold_by_vote(struct rlk_lock *lock, uint64_t valid_us)
{
	struct rlk_attempt *attempt = lock->attempt;
	uint64_t proposed = lock->config.fence ? rlk_fence_propose(lock->cluster) : 0;

	/* The giver's fencing token was the greatest: anything above it will do. */
	attempt->fence =
		proposed != 0 && proposed <= attempt->fence ? attempt->fence + 1 : proposed;
	lock->inherited_us = valid_us;
	rlk_lock_ask_for_votes(lock, lock->config.fence ? RLK_OP_ADVANCE : RLK_OP_EXTEND);
}

bool rlk_lock_hand_on(struct rlk_lock *lock)
{
	uint64_t now_us = rlk_now(lock->cluster);
	uint64_t valid_us = atomic_load(&lock->valid_until_us);
	struct rlk_attempt *attempt = lock->attempt;
	struct rlk_lock *heir;
	uint32_t lacking;

	if (lock->adopting || valid_us <= rlk_later(now_us, RLK_EARLY_US)) {
		return false;
	}
	heir = rlk_queue_succeed(lock, now_us);
	if (heir == NULL) {
		return false;
	}
	if (!RLK_MUTANT(HAND_KEPT)) {
		atomic_store(&lock->valid_until_us, 0); /* Before anybody else may be told. */
	}
	lacking = rlk_lock_lacking(lock);
	lock->attempt = NULL;
	lock->state = RLK_IDLE;
	rlk_timer_stop(&lock->cluster->timers, &lock->alarm);
	rlk_trace(lock->cluster, "handed on to the next of this client");
	take_over_claims(attempt, heir);
	if ((!heir->config.fence || RLK_MUTANT(HAND_FENCE_SHARED)) &&
	    is_enough(heir, valid_us - now_us)) {
		hold_at_once(heir, lacking, valid_us, now_us);
	} else {
		hold_by_vote(heir, valid_us);
	}
	return true;
}
