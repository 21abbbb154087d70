/* parts.h - the resources behind one name: one, or several that are had all or none. */
#ifndef RLK_PARTS_H
#define RLK_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "ports.h"

#define RLK_PARTS_MAX 16
/* In front of each of several: its length. */
#define RLK_PART_HEAD 4

struct rlk_part {
	const char *bytes;
	size_t len;
};

static inline bool rlk_is_several(const struct rlk_name *name)
{
	return name->several > 0;
}

/* Write the head of a part of @len bytes; returns where they belong. */
char *rlk_part_begin(char *at, size_t len);
/* The part after *@part, which is zero at first. False: that was the last one. */
bool rlk_part_next(const struct rlk_name *name, struct rlk_part *part);
/* Is there a resource that both names are for? */
bool rlk_names_meet(const struct rlk_name *a, const struct rlk_name *b);

#endif
