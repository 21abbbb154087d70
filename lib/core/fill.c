/* fill.c - nodes that refused a lease which was won, or renewed, all the same are asked again.
 *
 * Who tried at the same moment may have had them, and gives them back as soon as it has lost. A
 * lease that only a bare quorum knows of ends too early if one of its nodes forgets it; one that
 * every node knows of survives a minority that does. So they are asked as a renewal would ask them,
 * soon after, when what was given back has arrived: a few times, since it may be late.
 * Nothing of the lease depends on the answers, and its end stays the same.
 *
 * A node that has granted a greater fencing token meanwhile, to an attempt that was lost, may not
 * vote for this lease any more: if the token's owner had won after all, and its key had been lost,
 * we would go on with a lease that is superseded. But our key may keep others out there. So it is
 * set under the node's own fencing token, and whatever the node says of it later is no vote.
 *
 * Nothing of this under a caller's own token: who goes on with the lease elsewhere could not know
 * which nodes only keep others out, and who gives it back there is not waited for here. */
#include "lease.h"
#include "lock_parts.h"

/* The first time so long after the win, where the nodes are near: the sooner, the shorter is a
 * lease at the mercy of each of its nodes. Where many stand in line, a node that has called another
 * may pass the key on among them for a tenth of a second: so the last times are much later. */
#define FIRST_US UINT64_C(500)
#define LATER_TIMES 3
#define FILLS 8

/* Those that refused, and do not have the key by now. */
static bool is_wanting(const struct rlk_lock *lock, unsigned node)
{
	return (lock->round.no & (UINT32_C(1) << node)) != 0 &&
	       lock->attempt->claims[node].state != RLK_CLAIM_SET && !rlk_lock_in_debt(lock, node);
}

/* In two round trips: its refusal has come to us, and to them what they give back. */
static void plan(struct rlk_lock *lock, uint64_t now_us)
{
	uint64_t us = FIRST_US;
	bool any = false;
	unsigned i;

	lock->fill_us = 0;
	if (lock->round.no == 0 || lock->fills == FILLS || lock->config.token_len > 0) {
		return;
	}
	for (i = 0; i < lock->cluster->node_count; i++) {
		uint64_t trips_us = 2 * (uint64_t)lock->cluster->nodes[i].rtt_us;
		if (is_wanting(lock, i)) {
			any = true;
			us = trips_us > us ? trips_us : us;
		}
	}
	for (i = 0; i < lock->fills; i++) {
		us *= LATER_TIMES;
	}
	if (any) {
		lock->fill_us = rlk_later(now_us, us);
	}
}

void rlk_lock_fill_begin(struct rlk_lock *lock, uint64_t now_us)
{
	lock->fills = 0;
	plan(lock, now_us);
}

bool rlk_lock_fill_on(struct rlk_lock *lock)
{
	if (lock->fill_us == 0) {
		plan(lock, rlk_now(lock->cluster));
	}
	return lock->fill_us != 0;
}

bool rlk_lock_fill_heard(struct rlk_lock *lock, unsigned node, const struct rlk_answer *answer)
{
	if (answer->kind == RLK_FENCE_LOW) {
		rlk_fence_note_floor(lock->cluster, answer->fence);
	} else if (answer->kind != RLK_NO && answer->kind != RLK_MISSING) {
		return false;
	}
	rlk_round_vote(&lock->round, node, RLK_BALLOT_NO);
	return rlk_lock_fill_on(lock);
}

void rlk_lock_fill(struct rlk_lock *lock, uint64_t now_us)
{
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		if (is_wanting(lock, i)) {
			rlk_attempt_ask(lock->attempt, i, RLK_OP_REPAIR, lock->round.serial,
					now_us);
		}
	}
	lock->fills++;
	plan(lock, now_us);
}
