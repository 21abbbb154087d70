/* values.c - numbers and durations as people write them; pure.
 *
 * Written out instead of strtod(): that one takes "inf", "0x10", "1e3" and the
 * decimal comma of some locales, none of which anybody means here. */
#include "values.h"

#include <stddef.h>
#include <string.h>

static const char not_duration[] = "expected a duration: 500ms, 10s, 2m, 1h or plain seconds";
static const char too_long[] = "too long a time";

static const struct unit {
	const char *name;
	uint64_t ms;
} units[] = {
	{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000},
};

static uint64_t unit_ms(const char *name)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(units[i].name, name) == 0) {
			return units[i].ms;
		}
	}
	return 0;
}

/* Read digits; false if they overflow. Moves *text behind the last. */
static bool read_digits(const char **text, uint64_t *number)
{
	*number = 0;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		uint64_t digit = (uint64_t)(**text - '0');
		if (*number > (UINT64_MAX - digit) / 10) {
			return false;
		}
		*number = *number * 10 + digit;
	}
	return true;
}

/* The digits behind the point in billionths. What lies below still counts as
 * one more: a time that is not 0 must not become 0. */
static uint64_t read_billionths(const char **text)
{
	uint64_t billionths = 0;
	uint64_t weight = 1000000000;
	bool below = false;
	for (; **text >= '0' && **text <= '9'; ++*text) {
		weight /= 10;
		billionths += weight * (uint64_t)(**text - '0');
		below = below || (weight == 0 && **text != '0');
	}
	return billionths + below;
}

const char *value_duration(const char *text, uint64_t max_ms, uint64_t *ms)
{
	const char *at = text;
	uint64_t whole = 0;
	uint64_t billionths = 0;
	if (*text == '-') {
		return "must not be negative";
	}
	bool fits = read_digits(&at, &whole);
	bool digits = at > text;
	if (*at == '.') {
		const char *point = at++;
		billionths = read_billionths(&at);
		digits = at > point + 1;
	}
	uint64_t unit = unit_ms(at);
	if (!digits || unit == 0) {
		/* An overflowing number leaves digits behind; skip them before judging. */
		bool long_number = !fits && unit_ms(at + strspn(at, "0123456789")) != 0;
		return long_number ? too_long : not_duration;
	}
	if (!fits || whole > max_ms / unit) {
		return too_long;
	}
	*ms = whole * unit + (billionths * unit + 999999999) / 1000000000;
	return *ms <= max_ms ? NULL : too_long;
}

const char *value_number(const char *text, uint64_t max, uint64_t *number)
{
	const char *at = text;
	bool fits = read_digits(&at, number);
	if (at == text || (fits && *at != '\0')) {
		return "expected a whole number";
	}
	return fits && *number <= max ? NULL : "too large a number";
}
