/* tape.h - what was decided in a schedule, and when: played again, all of it or less. */
#ifndef REDLOCK_TEST_TAPE_H
#define REDLOCK_TEST_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The @ordinal-th thing that an actor decides. */
struct tape_mark {
	uint64_t at_us; /* 0: it was not decided. */
	unsigned actor;
	uint32_t ordinal;
	bool skip;
};

#define TAPE_MARKS_MAX 32768

struct tape {
	bool playing; /* Else recording. */
	size_t count;
	struct tape_mark marks[TAPE_MARKS_MAX];
};

/* Recording: note it. Playing: is it on the tape, and not to be left out? */
bool tape_pass(struct tape *tape, unsigned actor, uint32_t ordinal, uint64_t now_us);
/* NULL: it is not on the tape. */
struct tape_mark *tape_find(struct tape *tape, unsigned actor, uint32_t ordinal);

#endif
