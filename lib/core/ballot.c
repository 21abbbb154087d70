/* ballot.c - from a node's answer to a vote in the lock's round.
 *
 * Every attempt has a token of its own, and every round a number of its own: an
 * answer counts only in the round that asked, since an answer to an earlier one
 * would make the lease look younger than it is. */
#include <inttypes.h>
#include <stdio.h>

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"

static void heard(void *owner, unsigned node, const struct rlk_request *request,
		  const struct rlk_answer *answer)
{
	struct rlk_lock *lock = owner;

	/* One round: an answer counts only in the round that asked. */
	if (request->round != lock->round.serial && !RLK_MUTANT(ROUND_MIXED) &&
	    !RLK_MUTANT(ATTEMPT_MIXED)) {
		return;
	}
	switch (lock->state) {
	case RLK_ACQUIRING:
		rlk_lock_heard_acquire(lock, node, request, answer);
		break;
	case RLK_WAITING:
		rlk_lock_heard_join(lock, node, request, answer);
		break;
	case RLK_HELD:
	case RLK_EXTENDING:
		rlk_lock_heard_extend(lock, node, request, answer);
		break;
	case RLK_RELEASING:
		rlk_lock_heard_release(lock, node, request, answer);
		break;
	case RLK_IDLE:
	case RLK_QUEUED:
	case RLK_PAUSING:
		break;
	}
}

struct rlk_attempt *rlk_lock_attempt(struct rlk_lock *lock)
{
	struct rlk_attempt *attempt =
		rlk_attempt_new(lock->cluster, lock->name, lock->config.ttl_ms, lock->config.token,
				lock->config.token_len);

	if (attempt == NULL) {
		return NULL;
	}
	attempt->owner = lock;
	attempt->heard = heard;
	attempt->shared = lock->config.shared;
	return attempt;
}

int rlk_lock_equip(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;

	lock->attempt = rlk_lock_attempt(lock);
	if (lock->attempt == NULL) {
		return REDLOCK_ENOMEM;
	}
	/* One attempt, one token: what was meant for an earlier attempt and comes late cannot hurt
	 * this one. */
	if (lock->config.token_len == 0) {
		if (RLK_MUTANT(TOKEN_REUSED)) {
			snprintf(lock->attempt->token, RLK_TOKEN_LEN + 1, "%032" PRIxPTR,
				 (uintptr_t)lock);
		} else if (!cluster->ports->token(cluster->world, lock->attempt->token)) {
			return REDLOCK_EENTROPY;
		}
		lock->attempt->token_len = RLK_TOKEN_LEN;
	}
	lock->attempt->fence = lock->config.fence ? rlk_fence_propose(cluster) : 0;
	return 0;
}

bool rlk_lock_in_debt(const struct rlk_lock *lock, unsigned node)
{
	return lock->config.token_len > 0 && !RLK_MUTANT(OWN_TOKEN_ASKED) &&
	       rlk_attempt_owed_part(&lock->cluster->nodes[node], lock->name, lock->config.token,
				     lock->config.token_len);
}

void rlk_lock_clear_ballots(struct rlk_lock *lock)
{
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		lock->ballots[i] = (struct rlk_ballot_note){.remaining_ms = -1};
	}
}

void rlk_lock_note_remaining(struct rlk_lock *lock, unsigned node, int64_t remaining_ms)
{
	lock->ballots[node].fence = RLK_FENCE_FINE;
	lock->ballots[node].remaining_ms = remaining_ms;
}

void rlk_lock_open_round(struct rlk_lock *lock)
{
	/* Numbered through all locks of the client: an attempt may pass from one to another. */
	lock->round.serial = lock->cluster->rounds;
	rlk_round_open(&lock->round, lock->cluster->node_count, rlk_now(lock->cluster));
	lock->cluster->rounds = lock->round.serial;
	rlk_lock_clear_ballots(lock);
}

void rlk_lock_counted(struct rlk_lock *lock, unsigned node)
{
	lock->attempt->claims[node].counted_until_us = rlk_valid_until_us(
		lock->round.start_us, lock->config.ttl_ms, lock->cluster->config.drift_ppm);
}

void rlk_lock_ballot(struct rlk_lock *lock, unsigned node, enum rlk_ballot ballot,
		     enum redlock_vote vote, const struct rlk_request *request)
{
	struct rlk_ballot_note *note = &lock->ballots[node];

	if (note->vote == REDLOCK_VOTE_NONE || note->vote == REDLOCK_VOTE_MISSING) {
		note->vote = (uint8_t)vote;
		if (request != NULL) {
			note->rtt_us = lock->cluster->nodes[node].rtt_us;
		}
	}
	rlk_round_vote(&lock->round, node, ballot);
}

void rlk_lock_no_answer(struct rlk_lock *lock, unsigned node, enum rlk_answer_kind kind,
			const struct rlk_request *request)
{
	const struct rlk_node *at = &lock->cluster->nodes[node];
	enum redlock_vote vote = REDLOCK_VOTE_UNREACHABLE;

	switch (kind) {
	case RLK_SILENT:
		vote = REDLOCK_VOTE_TIMED_OUT;
		break;
	case RLK_WITHHELD:
		vote = REDLOCK_VOTE_WITHHELD;
		rlk_lock_note_remaining(
			lock, node,
			(int64_t)(rlk_until(at->guard_until_us, rlk_now(lock->cluster)) / 1000 +
				  1));
		break;
	case RLK_UNREACHABLE:
		vote = at->suspect ? REDLOCK_VOTE_TIMED_OUT : REDLOCK_VOTE_UNREACHABLE;
		break;
	case RLK_ERROR:
	case RLK_BARRED:
		lock->ballots[node].failed = true;
		vote = REDLOCK_VOTE_ERROR;
		break;
	case RLK_FULL:
		vote = REDLOCK_VOTE_ERROR;
		break;
	default:
		break;
	}
	/* Only an answer has a round-trip time. */
	rlk_lock_ballot(lock, node, RLK_BALLOT_FAULT, vote, kind == RLK_ERROR ? request : NULL);
}

/* Nodes that refuse the fencing token alone are no other owner. */
int rlk_lock_why_refused(const struct rlk_lock *lock)
{
	unsigned i, held = 0;

	for (i = 0; i < lock->cluster->node_count; i++) {
		held += lock->ballots[i].vote == REDLOCK_VOTE_HELD;
	}
	return held > 0 && rlk_round_reason(&lock->round) == RLK_REFUSED ? REDLOCK_EHELD
									 : REDLOCK_ENOQUORUM;
}
