/* give_back.c - the end of a lease by its holder's will.
 *
 * held() is false before anything else happens. Every key that may be set
 * becomes a debt of its node, so that what cannot be answered now is settled
 * later; the user is told as soon as a quorum has answered either way. */
#include "lock_parts.h"
#include "mutant.h"
#include "queue.h"

/* Release: not what was granted, but what may be set, now or later. */
static bool may_be_set(const struct rlk_lock *lock, unsigned node)
{
	uint8_t state = lock->attempt->claims[node].state;

	return RLK_MUTANT(RELEASE_GRANTED_ONLY) ? state == RLK_CLAIM_SET : state != RLK_CLAIM_NONE;
}

static unsigned refusals(const struct rlk_lock *lock)
{
	unsigned i, n = 0;

	for (i = 0; i < lock->cluster->node_count; i++) {
		n += lock->ballots[i].vote == REDLOCK_VOTE_HELD;
	}
	return n;
}

static void over(struct rlk_lock *lock, int status)
{
	rlk_attempt_leave(lock->attempt);
	lock->attempt = NULL;
	lock->state = RLK_IDLE;
	lock->decided_us = rlk_now(lock->cluster);
	rlk_queue_freed(lock); /* If others were to have a chance first: they have had it. */
	if (lock->user_releases) {
		rlk_lock_news(lock, RLK_RELEASED, status);
	}
}

static void decide(struct rlk_lock *lock)
{
	switch (lock->round.verdict) {
	case RLK_VOTING:
		break;
	case RLK_WON:
		over(lock, refusals(lock) >= lock->cluster->quorum ? REDLOCK_ELOST : 0);
		break;
	case RLK_REFUSED:
	case RLK_NO_QUORUM:
		over(lock, REDLOCK_ENOQUORUM);
		break;
	}
}

void rlk_lock_heard_release(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			    const struct rlk_answer *answer)
{
	if (request->op != RLK_OP_RELEASE) {
		return;
	}
	/* Yes and no are both an answer: the key is not there any more. */
	if (answer->kind == RLK_YES) {
		lock->name->contended = answer->passed;
		rlk_lock_ballot(lock, node, RLK_BALLOT_YES, REDLOCK_VOTE_GRANTED, request);
	} else if (answer->kind == RLK_NO) {
		rlk_lock_ballot(lock, node, RLK_BALLOT_YES, REDLOCK_VOTE_HELD, request);
	} else {
		rlk_lock_no_answer(lock, node, answer->kind, request);
	}
	decide(lock);
}

static void ask(struct rlk_lock *lock, unsigned node)
{
	const struct rlk_node *at = &lock->cluster->nodes[node];
	bool reachable = at->state != RLK_DOWN && !at->barred && !RLK_MUTANT(RELEASE_GRANTED_ONLY);
	/* One debt for an own token is enough, however often its release is asked for. */
	bool owed = lock->config.token_len > 0 && at->state != RLK_UP &&
		    rlk_attempt_owed(at, lock->name, lock->config.token, lock->config.token_len);

	if (owed || (!may_be_set(lock, node) && !reachable) ||
	    rlk_attempt_release(lock->attempt, node, lock->round.serial, lock->round.start_us) !=
		    RLK_YES) {
		rlk_lock_no_answer(lock, node, RLK_UNREACHABLE, NULL);
	} else if (at->suspect) {
		rlk_lock_no_answer(lock, node, RLK_SILENT, NULL); /* Sent, not waited for. */
	}
}

static int hold_of(struct rlk_lock *lock)
{
	unsigned i;

	if (lock->attempt != NULL) {
		return 0;
	}
	if (lock->config.token_len == 0) {
		return REDLOCK_EEXPIRED;
	}
	/* Taken by somebody else under the token that we were given: it may be
	 * set anywhere. */
	lock->attempt = rlk_lock_attempt(lock);
	if (lock->attempt == NULL) {
		return REDLOCK_ENOMEM;
	}
	for (i = 0; i < lock->cluster->node_count; i++) {
		lock->attempt->claims[i].state = RLK_CLAIM_ASKED;
	}
	return 0;
}

/* No node was asked, and none will be on our behalf. */
static void handed_on(struct rlk_lock *lock, bool tell)
{
	lock->cluster->counts.handed++;
	rlk_lock_clear_ballots(lock);
	lock->attempts = 0;
	lock->decided_us = lock->asked_us;
	rlk_lock_extend_over(lock, REDLOCK_ECANCELED);
	if (tell) {
		rlk_lock_news(lock, RLK_RELEASED, 0);
	}
}

int rlk_lock_release(struct rlk_lock *lock, bool tell)
{
	unsigned i;
	int status;

	if (lock->cluster->closing) {
		return REDLOCK_ECLOSED;
	}
	if (rlk_lock_on_its_way(lock)) {
		return REDLOCK_EBUSY;
	}
	status = hold_of(lock);
	if (status != 0) {
		return status;
	}
	lock->asked_us = rlk_now(lock->cluster);
	if (rlk_lock_hand_on(lock)) {
		handed_on(lock, tell);
		return 0;
	}
	/* Release: not held from here on, whoever may be told first. */
	if (!RLK_MUTANT(HELD_WHILE_RELEASED)) {
		atomic_store(&lock->valid_until_us, 0);
	}
	lock->adopting = false;
	rlk_lock_extend_over(lock, REDLOCK_ECANCELED);
	rlk_timer_stop(&lock->cluster->timers, &lock->alarm);
	lock->state = RLK_RELEASING;
	lock->cluster->counts.released++;
	lock->user_releases = tell;
	lock->attempts = 1;
	rlk_lock_open_round(lock);
	for (i = 0; i < lock->cluster->node_count; i++) {
		ask(lock, i);
	}
	if (!rlk_queue_must_yield(lock)) {
		rlk_queue_freed(
			lock); /* Whoever is next asks behind us, on the same connections. */
	}
	decide(lock);
	return 0;
}
