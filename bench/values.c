#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool value_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *value >= min && *value <= max;
}

bool value_seconds(const char *text, uint64_t *duration_ns)
{
	char *end;
	double value = strtod(text, &end);

	*duration_ns = (uint64_t)(value * 1e9);
	return end != text && *end == '\0' && value > 0 && value <= 3600;
}

bool value_range(const char *text, uint64_t max, uint32_t *low, uint32_t *high)
{
	size_t len = strcspn(text, "-");
	char number[16];
	uint64_t first;
	uint64_t second;

	if (len >= sizeof(number)) {
		return false;
	}
	snprintf(number, sizeof(number), "%.*s", (int)len, text);
	if (!value_number(number, 0, max, &first)) {
		return false;
	}
	second = first;
	if (text[len] == '-' && !value_number(text + len + 1, first, max, &second)) {
		return false;
	}
	*low = (uint32_t)first;
	*high = (uint32_t)second;
	return true;
}

bool value_list(const char *text, uint64_t min, uint64_t max, uint32_t *values, size_t room,
		size_t *count)
{
	char number[16];
	uint64_t value;
	size_t len;

	for (*count = 0; *count < room; text++) {
		len = strcspn(text, ",");
		if (len >= sizeof(number)) {
			return false;
		}
		snprintf(number, sizeof(number), "%.*s", (int)len, text);
		if (!value_number(number, min, max, &value)) {
			return false;
		}
		values[(*count)++] = (uint32_t)value;
		text += len;
		if (*text == '\0') {
			return true;
		}
	}
	return false;
}
