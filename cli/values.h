/* values.h - numbers and durations as people write them; pure. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <stdbool.h>
#include <stdint.h>

/* No duration may be longer: a thousand years, so that sums never overflow. */
#define VALUE_DURATION_MAX_MS UINT64_C(31622400000000)

/* Both return NULL and set the value, or return what is wrong with @text. */
const char *value_duration(const char *text, uint64_t max_ms, uint64_t *ms);
const char *value_number(const char *text, uint64_t max, uint64_t *number);

#endif
