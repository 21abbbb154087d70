/* stage.h - each contender has its block in a process of its own.
 *
 * So its processor time and memory are its alone, nothing of the one before is
 * left in the heap, and one that crashes or hangs does not take the rest along. */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory that a block and its watcher share. */
struct stage {
	size_t size;
	void *shared;
};

/** Room for @size bytes, zeroed. Returns 0, or -1. */
int stage_open(struct stage *stage, size_t size);
void stage_close(struct stage *stage);

/** Run @play in a child process, for at most @patience_ms. While it lasts, @look is called now and
 * then, and once more at the end; NULL: nobody looks. True if the child ended with @play's true. */
bool stage_play(struct stage *stage, bool (*play)(void *shared, void *data), void *data,
		uint64_t patience_ms, void (*look)(const void *shared, void *data));

#endif
