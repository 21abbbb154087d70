/* values.h - values of options, read strictly. */
#ifndef BENCH_VALUES_H
#define BENCH_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A whole number from @min to @max. */
bool value_number(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/** More than none, at most an hour. */
bool value_seconds(const char *text, uint64_t *duration_ns);

/** "A-B", or "A" for both: whole numbers up to @max, the first not above the second. */
bool value_range(const char *text, uint64_t max, uint32_t *low, uint32_t *high);

/** Numbers separated by commas, at least one and at most @room. */
bool value_list(const char *text, uint64_t min, uint64_t max, uint32_t *values, size_t room,
		size_t *count);

#endif
