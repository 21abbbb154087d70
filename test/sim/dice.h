/* dice.h - seeded chance: splitmix64.
 *
 * Everything that is left to chance has dice of its own, so that one thing less
 * that happens does not change what the others roll. */
#ifndef REDLOCK_TEST_DICE_H
#define REDLOCK_TEST_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct sim_dice {
	uint64_t state;
};

static inline uint64_t dice_roll(struct sim_dice *dice)
{
	uint64_t z = (dice->state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Dice for the @which-th thing of all that has @seed. */
static inline struct sim_dice dice_for(uint64_t seed, uint64_t which)
{
	struct sim_dice dice = {seed};

	dice.state = dice_roll(&dice) ^ which * UINT64_C(0xd6e8feb86659fd93);
	dice.state = dice_roll(&dice);
	return dice;
}

static inline uint64_t dice_between(struct sim_dice *dice, uint64_t least, uint64_t most)
{
	uint64_t roll = dice_roll(dice) >> 16; /* 48 bits are plenty, and need no division. */
	return most <= least ? least
			     : least + (uint64_t)(((__uint128_t)roll * (most - least + 1)) >> 48);
}

static inline bool dice_chance(struct sim_dice *dice, unsigned percent)
{
	return percent > 0 && dice_between(dice, 0, 99) < percent;
}

#endif
