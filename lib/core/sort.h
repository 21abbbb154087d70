/* sort.h - a few numbers in order; pure. */
#ifndef RLK_SORT_H
#define RLK_SORT_H

#include <stdint.h>

static inline void rlk_sort(uint64_t *values, unsigned count)
{
	unsigned i, j;
	uint64_t swap;

	for (i = 1; i < count; i++) {
		for (j = i; j > 0 && values[j] < values[j - 1]; j--) {
			swap = values[j];
			values[j] = values[j - 1];
			values[j - 1] = swap;
		}
	}
}

#endif
