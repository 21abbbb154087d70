/* fence.c - which fencing token to propose.
 *
 * A node grants only a token above all that it has, or can have, granted; and
 * none too far ahead of its clock. So whatever a client proposes is safe, and
 * this file is only about being granted: by our wall clock first, and by what
 * the nodes say if that is refused. */
#include <string.h>

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"
#include "sort.h"

#define HURRIES_MAX 3
#define FENCE_MAX (UINT64_C(1) << 53) /* Lua counts in doubles. */
/* A floor so far ahead of our clock is a mad node's, or our clock is far behind. */
#define FAR_US (UINT64_C(24) * 3600 * 1000000)
/* So far ahead of our clock we follow a single node: no farther than what all others still grant,
 * if their clocks are not far apart. They grant 60 s. */
#define REACH_US (UINT64_C(50) * 1000000)

static uint64_t clock_of(const struct rlk_cluster *cluster)
{
	return cluster->ports->wall_us(cluster->world) + (uint64_t)cluster->fence_skew_us;
}

static bool is_within_reach(const struct rlk_cluster *cluster, uint64_t fence)
{
	return fence <= rlk_later(clock_of(cluster), REACH_US);
}

/* Always above the last one: nodes that granted it in an attempt that was lost remember it. */
uint64_t rlk_fence_propose(struct rlk_cluster *cluster)
{
	uint64_t clock_us = clock_of(cluster);

	if (cluster->fence_floor >= clock_us && is_within_reach(cluster, cluster->fence_floor)) {
		clock_us = cluster->fence_floor + 1;
	}
	if (cluster->last_fence > cluster->proposed_fence) {
		cluster->proposed_fence = cluster->last_fence;
	}
	if (RLK_MUTANT(FENCE_REUSED) && cluster->proposed_fence != 0) {
		return cluster->proposed_fence;
	}
	cluster->proposed_fence =
		clock_us > cluster->proposed_fence ? clock_us : cluster->proposed_fence + 1;
	return cluster->proposed_fence;
}

void rlk_fence_won(struct rlk_lock *lock)
{
	if (lock->attempt->fence > lock->cluster->last_fence) {
		lock->cluster->last_fence = lock->attempt->fence;
	}
}

void rlk_fence_blocks(struct rlk_lock *lock, unsigned node, uint64_t fence)
{
	struct rlk_claim *claim = &lock->attempt->claims[node];

	if (fence == 0 || fence >= FENCE_MAX || lock->config.token_len > 0 || claim->owed) {
		return;
	}
	claim->blocks = true;
	claim->block_fence = fence;
}

void rlk_fence_note_floor(struct rlk_cluster *cluster, uint64_t floor)
{
	if (floor > cluster->fence_floor && is_within_reach(cluster, floor)) {
		cluster->fence_floor = floor;
	}
}

void rlk_fence_refused(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
		       const struct rlk_answer *answer)
{
	struct rlk_ballot_note *note = &lock->ballots[node];

	/* Beyond what a node can count in, it is no fencing token; and nobody may have asked. */
	if (lock->attempt->fence == 0 || answer->fence == 0 || answer->fence >= FENCE_MAX) {
		rlk_lock_no_answer(lock, node, RLK_ERROR, request);
		return;
	}
	note->fence = answer->kind == RLK_FENCE_LOW ? RLK_FENCE_TOO_LOW : RLK_FENCE_TOO_HIGH;
	note->limit = answer->fence;
	if (answer->kind == RLK_FENCE_LOW) {
		rlk_fence_note_floor(lock->cluster, answer->fence);
	}
	rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_ERROR, request);
}

/* How the nodes took the fencing token. */
struct fence_count {
	unsigned yes, open; /* Open: not heard of yet. */
	unsigned low, high; /* Refused it alone: too low, too far ahead. */
	uint64_t floors[RLK_NODES_MAX], clocks[RLK_NODES_MAX];
};

static void count_fence(const struct rlk_lock *lock, struct fence_count *count)
{
	unsigned i;

	*count = (struct fence_count){0};
	for (i = 0; i < lock->cluster->node_count; i++) {
		const struct rlk_ballot_note *note = &lock->ballots[i];
		count->yes += (lock->round.yes >> i) & 1;
		count->open += note->vote == REDLOCK_VOTE_NONE;
		if (note->fence == RLK_FENCE_TOO_LOW) {
			count->floors[count->low++] = note->limit;
		} else if (note->fence == RLK_FENCE_TOO_HIGH) {
			count->clocks[count->high++] = note->limit;
		}
	}
	rlk_sort(count->floors, count->low);
	rlk_sort(count->clocks, count->high);
}

/* The lowest floor above which a quorum would grant; 0: no quorum would, for its floor alone. */
static uint64_t floor_of_quorum(const struct rlk_lock *lock, const struct fence_count *count)
{
	unsigned quorum = lock->cluster->quorum;

	if (count->low == 0 || count->yes >= quorum || count->yes + count->low < quorum) {
		return 0;
	}
	return count->floors[quorum - count->yes - 1];
}

/* The round is lost, but perhaps for its fencing token alone: what the others say tells how to
 * choose the next one. A floor that is out of all reach may be that of one mad node, and is taken
 * up only if nobody is left to say less. */
bool rlk_fence_is_open(const struct rlk_lock *lock)
{
	struct fence_count count;
	uint64_t floor;
	unsigned mine;

	count_fence(lock, &count);
	floor = floor_of_quorum(lock, &count);
	if (floor > rlk_later(clock_of(lock->cluster), FAR_US)) {
		return count.open > 0;
	}
	mine = count.yes + count.low + count.high;
	return mine > count.yes && mine < lock->cluster->quorum &&
	       mine + count.open >= lock->cluster->quorum;
}

/* A quorum would have granted another fencing token: choose it, above the lowest floor that makes a
 * quorum, by the clock of a node in the middle. Not what fewer nodes ask for: one mad node could
 * drive tokens out of reach of all others; as far as it is within reach, the next lease heeds it.
 * Returns false if that is not why the attempt was lost, or if it has been tried often enough. */
bool rlk_fence_mend(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;
	struct fence_count count;
	uint64_t floor;

	count_fence(lock, &count);
	if (count.yes + count.low + count.high < cluster->quorum) {
		return false;
	}
	floor = floor_of_quorum(lock, &count);
	if (floor != 0) {
		/* A proposal, and no more than that: what no node grants is forgotten again. */
		if (floor > cluster->proposed_fence && !RLK_MUTANT(FENCE_NOT_RAISED)) {
			cluster->proposed_fence = floor;
		}
	} else if (count.high > 0) {
		cluster->proposed_fence = cluster->fence_floor = 0; /* It was out of reach. */
		cluster->fence_skew_us = (int64_t)(count.clocks[count.high / 2] -
						   cluster->ports->wall_us(cluster->world));
	}
	return lock->hurried++ < HURRIES_MAX;
}
