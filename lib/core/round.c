/* round.c - count the votes, decide once.
 *
 *            k yes
 *   VOTING ---------------------------> WON
 *      |---- k impossible, others hold -> REFUSED
 *      `---- k impossible, faults ------> NO_QUORUM
 *
 * The verdict falls at the vote that settles it and never changes afterwards: a
 * later yes adds redundancy, a later no is ignored. "Impossible" is judged as
 * yes + outstanding < k, which is right for even numbers of nodes too, where
 * waiting for k refusals would wait for ever.
 *
 * A node votes once. A second ballot of one node in one round is ignored, as
 * counting it would let a minority win. */
#include "round.h"

#include <assert.h>

#include "mutant.h"

unsigned rlk_count(uint32_t set)
{
	unsigned n = 0;
	for (; set != 0; set &= set - 1) {
		n++;
	}
	return n;
}

/* Quorum: any two of them share a node, which votes for one lease at a time. */
unsigned rlk_quorum(unsigned nodes)
{
	return (RLK_MUTANT(QUORUM_OF_HALF) ? nodes - 1 : nodes) / 2 + 1;
}

void rlk_round_open(struct rlk_round *round, unsigned nodes, uint64_t start_us)
{
	assert(nodes >= 1);
	assert(nodes <= 32);
	*round = (struct rlk_round){
		.serial = round->serial + 1,
		.nodes = (uint8_t)nodes,
		.quorum = (uint8_t)rlk_quorum(nodes),
		.verdict = RLK_VOTING,
		.start_us = start_us,
	};
}

static enum rlk_verdict judge(const struct rlk_round *round)
{
	unsigned yes = rlk_count(round->yes);
	unsigned no = rlk_count(round->no);
	unsigned outstanding = round->nodes - yes - no - rlk_count(round->fault);

	if (yes + (RLK_MUTANT(QUORUM_LESS_ONE) ? 1 : 0) >= round->quorum) {
		return RLK_WON;
	}
	if (yes + outstanding >= round->quorum) {
		return RLK_VOTING;
	}
	/* Tell contention from an outage: callers act differently. */
	return yes + outstanding + no >= round->quorum ? RLK_REFUSED : RLK_NO_QUORUM;
}

enum rlk_verdict rlk_round_vote(struct rlk_round *round, unsigned node, enum rlk_ballot ballot)
{
	uint32_t bit = UINT32_C(1) << node;

	assert(node < round->nodes);
	if (((round->yes | round->no | round->fault) & bit) != 0) {
		return round->verdict;
	}
	switch (ballot) {
	case RLK_BALLOT_YES:
		round->yes |= bit;
		break;
	case RLK_BALLOT_NO:
		round->no |= bit;
		break;
	case RLK_BALLOT_FAULT:
		round->fault |= bit;
		break;
	}
	/* Decide once: who acts on a verdict acts on it for good. */
	if (round->verdict == RLK_VOTING) {
		round->verdict = judge(round);
	}
	return round->verdict;
}

bool rlk_round_is_open(const struct rlk_round *round)
{
	unsigned faults = rlk_count(round->fault);
	unsigned answers = rlk_count(round->yes) + rlk_count(round->no);

	return round->verdict == RLK_REFUSED && faults > 0 && answers < round->quorum &&
	       round->nodes - faults >= round->quorum;
}

enum rlk_verdict rlk_round_reason(const struct rlk_round *round)
{
	return round->nodes - rlk_count(round->fault) >= round->quorum ? RLK_REFUSED
								       : RLK_NO_QUORUM;
}
