/* retry.c - the pause doubles with each failure, up to a limit, and is drawn
 * from its upper half and lower half alike: contenders that failed together
 * must not come back together. */
#include "retry.h"

uint64_t rlk_random(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * UINT64_C(2685821657736338717);
}

void rlk_retry_reset(struct rlk_retry *retry)
{
	retry->failures = 0;
}

uint64_t rlk_pause_us(uint64_t min_us, uint64_t max_us, unsigned failures, uint64_t *random)
{
	uint64_t limit_us = min_us;
	unsigned i;

	for (i = 0; i < failures && limit_us < max_us; i++) {
		limit_us *= 2;
	}
	if (limit_us > max_us) {
		limit_us = max_us;
	}
	/* Half of it is certain, so that nobody retries at once. */
	return limit_us / 2 + (limit_us > 1 ? rlk_random(random) % (limit_us - limit_us / 2) : 0);
}

uint64_t rlk_retry_pause_us(struct rlk_retry *retry, uint64_t *random)
{
	return rlk_pause_us(retry->min_us, retry->max_us, retry->failures++, random);
}
