#include "block.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000ULL

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void block_begin(struct block *block, const struct plan *plan)
{
	samples_clear(&block->acquire);
	samples_clear(&block->release);
	block->errors = 0;
	block->slowest_error_ns = 0;
	block->first_error[0] = '\0';
	block->cycles = 0;
	block->until_ns = UINT64_MAX;
	block->plan = plan;
}

static bool warming_up(const struct block *block)
{
	return block->cycles <= block->plan->warmup_cycles;
}

bool block_next(struct block *block)
{
	if (block->plan->cycles) {
		if (block->cycles == block->plan->warmup_cycles + block->plan->cycles) {
			return false;
		}
	} else if (now_ns() >= block->until_ns) {
		return false;
	}
	if (block->cycles == block->plan->warmup_cycles) {
		block->until_ns = now_ns() + block->plan->duration_ns;
	}
	block->cycles++;
	return true;
}

void block_granted(struct block *block, uint64_t took_ns)
{
	if (!warming_up(block)) {
		samples_add(&block->acquire, took_ns);
	}
}

void block_released(struct block *block, uint64_t took_ns)
{
	if (!warming_up(block)) {
		samples_add(&block->release, took_ns);
	}
}

void block_failed(struct block *block, const char *step, const char *why, uint64_t took_ns)
{
	if (block->errors == 0) {
		snprintf(block->first_error, sizeof(block->first_error), "%s: %s", step, why);
	}
	block->errors++;
	if (took_ns > block->slowest_error_ns) {
		block->slowest_error_ns = took_ns;
	}
}

void block_free(struct block *block)
{
	samples_free(&block->acquire);
	samples_free(&block->release);
}
