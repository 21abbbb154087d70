/* counts.h - what has happened so far; counted where it happens, read by whoever asks. */
#ifndef RLK_COUNTS_H
#define RLK_COUNTS_H

#include <redlock/redlock.h>
#include <stdint.h>

/* From 64 us on, each twice as long as the one before; the last one has no end. */
#define RLK_RTT_BUCKETS 20
#define RLK_RTT_FIRST_US 64

struct rlk_counts {
	uint64_t rounds; /* For a vote on taking a lease. */
	uint64_t grants;
	uint64_t refused_held, refused_no_quorum, refused_late;
	uint64_t waits[4]; /* By enum redlock_way, of those that are over. */
	uint64_t called;   /* Granted after a call. */
	uint64_t handed;   /* From lock to lock of this client. */
	uint64_t renewals, renewals_failed;
	uint64_t released, lost;
};

struct rlk_node_counts {
	uint64_t asked, errors, silences, late; /* Answers: all in rtt. */
	uint64_t ups, downs;
	uint64_t rtt_sum_us;
	uint64_t rtt[RLK_RTT_BUCKETS];
};

static inline void rlk_count_loss(struct rlk_counts *counts, int status)
{
	counts->refused_held += status == REDLOCK_EHELD;
	counts->refused_no_quorum += status == REDLOCK_ENOQUORUM;
	counts->refused_late += status == REDLOCK_EEXPIRED;
}

static inline unsigned rlk_rtt_bucket(uint32_t rtt_us)
{
	/* The number of bits above those of the first bucket. */
	unsigned bits = 32 - (unsigned)__builtin_clz(rtt_us | (RLK_RTT_FIRST_US - 1)) - 6;

	return bits < RLK_RTT_BUCKETS ? bits : RLK_RTT_BUCKETS - 1;
}

#endif
