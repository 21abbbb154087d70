/* parts.c - several resources in the bytes of one name.
 *
 * Each has its length in front, so that no two sets have the same bytes; and
 * they stand in an order that does not depend on who named them. So all that
 * goes by name (the line of a client's locks, handing on, debts) goes by set. */
#include "parts.h"

#include <string.h>

char *rlk_part_begin(char *at, size_t len)
{
	unsigned i;

	for (i = 0; i < RLK_PART_HEAD; i++) {
		*at++ = (char)(len >> 8 * i & 255);
	}
	return at;
}

static size_t length_at(const char *at)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < RLK_PART_HEAD; i++) {
		len |= (size_t)(unsigned char)at[i] << 8 * i;
	}
	return len;
}

bool rlk_part_next(const struct rlk_name *name, struct rlk_part *part)
{
	const char *at = part->bytes == NULL ? name->bytes : part->bytes + part->len;

	if (!rlk_is_several(name)) {
		bool first = part->bytes == NULL;
		*part = (struct rlk_part){name->bytes, name->len};
		return first;
	}
	if (at == name->bytes + name->len) {
		return false;
	}
	*part = (struct rlk_part){at + RLK_PART_HEAD, length_at(at)};
	return true;
}

static bool has(const struct rlk_name *name, const struct rlk_part *wanted)
{
	struct rlk_part part = {0};

	while (rlk_part_next(name, &part)) {
		if (part.len == wanted->len && memcmp(part.bytes, wanted->bytes, part.len) == 0) {
			return true;
		}
	}
	return false;
}

bool rlk_names_meet(const struct rlk_name *a, const struct rlk_name *b)
{
	struct rlk_part part = {0};

	while (rlk_part_next(a, &part)) {
		if (has(b, &part)) {
			return true;
		}
	}
	return false;
}
