/* retry.h - growing pauses with jitter; pure, with a seeded generator. */
#ifndef RLK_RETRY_H
#define RLK_RETRY_H

#include <stdint.h>

struct rlk_retry {
	uint64_t min_us, max_us;
	unsigned failures; /* Since the last rlk_retry_reset(). */
};

void rlk_retry_reset(struct rlk_retry *retry);
/* Pause after one more failure; @random is the generator's state, never 0. */
uint64_t rlk_retry_pause_us(struct rlk_retry *retry, uint64_t *random);
/* The same, for who counts the failures before this one himself. */
uint64_t rlk_pause_us(uint64_t min_us, uint64_t max_us, unsigned failures, uint64_t *random);
/* xorshift64*: spreads contenders apart; not for secrets. */
uint64_t rlk_random(uint64_t *state);

#endif
