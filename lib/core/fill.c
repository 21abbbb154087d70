/* fill.c - nodes that do not know of a lease which was won, or renewed, are asked again.
 *
 * Who tried at the same moment may have had them, and gives them back as soon as it has lost; or
 * they did not answer, and do again. A lease that only a bare quorum knows of ends too early if one
 * of its nodes forgets it; one that every node knows of survives a minority that does. So they are
 * asked as a renewal would ask them, soon after, when what was given back has arrived: a few times,
 * since it may be late; and when the key must be gone that another has there, if the node tells.
 * Nothing of the lease depends on the answers, and its end stays the same. A node that does not
 * answer costs no more than a look at the clock, since it is not asked before it answers again.
 * Nor is one that has not answered yet what it was asked before: if that is a no, it must not be
 * taken for the answer to what would set the key.
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
#include "parts.h"

/* The first time so long after the win, where the nodes are near: the sooner, the shorter is a
 * lease at the mercy of each of its nodes. Where many stand in line, a node that has called another
 * may pass the key on among them for a tenth of a second: so there are many times. */
#define FIRST_US UINT64_C(500)
#define LATER_TIMES 3
#define LATER_MOST_US UINT64_C(150000)
#define FILLS 16
/* Keys live a little longer than they say. */
#define GONE_US 1000

/* It has not said that it has the key. Who answers with an error does so again. */
static bool is_lacking(const struct rlk_lock *lock, unsigned node)
{
	return lock->attempt->claims[node].state != RLK_CLAIM_SET && !lock->ballots[node].failed;
}

/* Those that refused or did not answer. */
static bool is_wanting(const struct rlk_lock *lock, unsigned node)
{
	return ((lock->round.no | lock->round.fault) & (UINT32_C(1) << node)) != 0 &&
	       is_lacking(lock, node);
}

/* In two round trips: its refusal has come to us, and to them what they give back. A node that was
 * silent has been far away. */
static uint64_t first_us(const struct rlk_lock *lock)
{
	uint64_t us = FIRST_US, trips_us;
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		const struct rlk_node *node = &lock->cluster->nodes[i];
		trips_us = 2 * (uint64_t)node->rtt_us;
		if (trips_us > us && is_wanting(lock, i) && node->state == RLK_UP &&
		    !node->suspect) {
			us = trips_us;
		}
	}
	return us;
}

static bool is_any_wanting(const struct rlk_lock *lock)
{
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		if (is_wanting(lock, i)) {
			return true;
		}
	}
	return false;
}

static void plan(struct rlk_lock *lock, uint64_t now_us)
{
	uint64_t us;
	unsigned i;

	lock->fill_us = 0;
	if ((lock->round.no | lock->round.fault) == 0 || lock->fills == FILLS ||
	    lock->config.token_len > 0 || !is_any_wanting(lock)) {
		return;
	}
	us = first_us(lock);
	for (i = 0; i < lock->fills && us < LATER_MOST_US; i++) {
		us *= LATER_TIMES;
	}
	lock->fill_us = rlk_later(now_us, us < LATER_MOST_US ? us : LATER_MOST_US);
}

void rlk_lock_fill_begin(struct rlk_lock *lock, uint64_t now_us)
{
	lock->fills = 0;
	plan(lock, now_us);
}

uint32_t rlk_lock_lacking(const struct rlk_lock *lock)
{
	uint32_t nodes = 0;
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		nodes |= (uint32_t)is_lacking(lock, i) << i;
	}
	return nodes;
}

/* Another has the key there, and the node tells for how long. One that tells little again and again
 * does not make us ask all the time. */
static void plan_for(struct rlk_lock *lock, int64_t remaining_ms, uint64_t now_us)
{
	uint64_t us = rlk_us((uint64_t)remaining_ms) + GONE_US;

	if (lock->fills == FILLS && us < LATER_MOST_US) {
		us = LATER_MOST_US;
	}
	if (lock->fill_us == 0 || rlk_later(now_us, us) < lock->fill_us) {
		lock->fill_us = rlk_later(now_us, us);
	}
}

static enum rlk_ballot ballot_of(enum rlk_answer_kind kind)
{
	return kind == RLK_NO || kind == RLK_MISSING || kind == RLK_FENCE_LOW ? RLK_BALLOT_NO
									      : RLK_BALLOT_FAULT;
}

bool rlk_lock_fill_heard(struct rlk_lock *lock, unsigned node, const struct rlk_answer *answer)
{
	uint64_t now_us;

	if (answer->kind == RLK_YES || lock->config.token_len > 0) {
		return false;
	}
	rlk_round_vote(&lock->round, node, ballot_of(answer->kind));
	if (answer->kind == RLK_ERROR) {
		lock->ballots[node].failed = true;
		return false;
	}
	if (answer->kind == RLK_FENCE_LOW) {
		rlk_fence_note_floor(lock->cluster, answer->fence);
	}
	now_us = rlk_now(lock->cluster);
	if (lock->fill_us == 0) {
		plan(lock, now_us);
	}
	if (answer->kind == RLK_NO && answer->remaining_ms > 0) {
		plan_for(lock, answer->remaining_ms, now_us);
	}
	if (answer->kind == RLK_FENCE_LOW && lock->attempt->claims[node].blocks &&
	    lock->fills < FILLS) {
		lock->fill_us = now_us; /* It is free, and may not be for long. */
	}
	return lock->fill_us != 0;
}

/* A plain repair is refused by our own key, if that is there after all. */
static enum rlk_op question(const struct rlk_lock *lock, unsigned node)
{
	const struct rlk_attempt *attempt = lock->attempt;
	bool is_plain = attempt->ticket.seq == 0 && attempt->fence == 0 && !attempt->shared &&
			!rlk_is_several(lock->name) && !lock->cluster->config.may_change;

	return is_plain && attempt->claims[node].state != RLK_CLAIM_NONE ? RLK_OP_EXTEND
									 : RLK_OP_REPAIR;
}

void rlk_lock_fill(struct rlk_lock *lock, uint64_t now_us)
{
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		if (is_wanting(lock, i) && lock->attempt->claims[i].unanswered == 0) {
			rlk_attempt_ask(lock->attempt, i, question(lock, i), lock->round.serial,
					now_us);
		}
	}
	lock->fills = (uint8_t)(lock->fills + (lock->fills < FILLS));
	plan(lock, now_us);
}
