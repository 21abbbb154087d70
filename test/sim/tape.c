/* tape.c - marks in the order of their making; a tape is short, and played by the shrinker only. */
#include "tape.h"

#include <stdlib.h>

struct tape_mark *tape_find(struct tape *tape, unsigned actor, uint32_t ordinal)
{
	size_t i;

	for (i = 0; i < tape->count; i++) {
		if (tape->marks[i].actor == actor && tape->marks[i].ordinal == ordinal) {
			return &tape->marks[i];
		}
	}
	return NULL;
}

static void record(struct tape *tape, unsigned actor, uint32_t ordinal, uint64_t now_us)
{
	if (tape->count == TAPE_MARKS_MAX) {
		abort();
	}
	tape->marks[tape->count++] =
		(struct tape_mark){.at_us = now_us, .actor = actor, .ordinal = ordinal};
}

bool tape_pass(struct tape *tape, unsigned actor, uint32_t ordinal, uint64_t now_us)
{
	const struct tape_mark *mark;

	if (tape->playing) {
		mark = tape_find(tape, actor, ordinal);
		return mark != NULL && !mark->skip;
	}
	record(tape, actor, ordinal, now_us);
	return true;
}
