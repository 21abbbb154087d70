/* round.h - one vote among the nodes; pure. */
#ifndef RLK_ROUND_H
#define RLK_ROUND_H

#include <stdbool.h>
#include <stdint.h>

enum rlk_verdict {
	RLK_VOTING,
	RLK_WON,      /* k nodes said yes. */
	RLK_REFUSED,  /* k is out of reach, and others' refusals made it so. */
	RLK_NO_QUORUM /* k is out of reach whatever the refusing nodes had said. */
};

enum rlk_ballot { RLK_BALLOT_YES, RLK_BALLOT_NO, RLK_BALLOT_FAULT };

struct rlk_round {
	uint64_t start_us;	 /* Read before the first byte left. */
	uint32_t serial;	 /* Answers to any other round do not count. */
	uint32_t yes, no, fault; /* Sets: bit i stands for node i. */
	uint8_t nodes, quorum;
	enum rlk_verdict verdict : 8;
};

void rlk_round_open(struct rlk_round *round, unsigned nodes, uint64_t start_us);
enum rlk_verdict rlk_round_vote(struct rlk_round *round, unsigned node, enum rlk_ballot ballot);
/* Lost, with some nodes silent and others refusing, and not clear yet which it is for. */
bool rlk_round_is_open(const struct rlk_round *round);
/* Lost, and clear: RLK_REFUSED or RLK_NO_QUORUM. */
enum rlk_verdict rlk_round_reason(const struct rlk_round *round);
unsigned rlk_quorum(unsigned nodes);
/* How many nodes are in a set. */
unsigned rlk_count(uint32_t set);

#endif
