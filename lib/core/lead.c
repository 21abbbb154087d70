/* lead.c - trying again, one node first.
 *
 * Contenders that ask all nodes at once split the votes among them, and nobody
 * wins; in step, they would do so for ever. So the first attempt asks all at
 * once, which takes one round trip and is the right thing where nobody else
 * asks; those after it ask one node alone, the same one for all clients that
 * have the nodes in the same order. Only one contender at a time gets past it,
 * and it asks the others. Refused there, the attempt is over, and has cost one
 * command.
 *
 * A single node must not decide for long: its key may be nobody's any more. So
 * every fourth attempt asks all at once again. */
#include "lease.h"
#include "lock_parts.h"

#define ALL_AT_ONCE_EVERY 4

/* The first that can be asked at all. Where there is no quorum of such nodes, none: whoever is
 * refused by one of them would be told that somebody else has the lock. */
static unsigned lead_of(const struct rlk_lock *lock, uint64_t now_us)
{
	unsigned i, lead = 0, votes = 0;

	for (i = lock->cluster->node_count; i-- > 0;) {
		if (rlk_node_may_vote(&lock->cluster->nodes[i], now_us) &&
		    !rlk_lock_in_debt(lock, i)) {
			lead = i;
			votes++;
		}
	}
	return votes >= lock->cluster->quorum ? lead : RLK_NODES_MAX;
}

/* Returns whether it did: else all have to be asked at once. */
bool rlk_lock_ask_lead(struct rlk_lock *lock)
{
	unsigned lead = lead_of(lock, lock->round.start_us);
	bool turn = lock->attempts % ALL_AT_ONCE_EVERY != 0;

	if (!lock->paused || !turn || lock->attempt->ticket.seq != 0 || lock->inherited_us != 0 ||
	    lead == RLK_NODES_MAX ||
	    rlk_attempt_ask(lock->attempt, lead, RLK_OP_ACQUIRE, lock->round.serial,
			    lock->round.start_us) != RLK_YES) {
		return false;
	}
	lock->lead = (uint8_t)lead;
	lock->led = lock->held_back = true;
	return true;
}

bool rlk_lock_heard_lead(struct rlk_lock *lock, unsigned node, enum rlk_answer_kind kind)
{
	if (!lock->held_back || node != lock->lead) {
		return false;
	}
	lock->held_back = false;
	return kind == RLK_NO;
}
