/* stage.h - each contender has its block in a process of its own.
 *
 * So its processor time and memory are its alone, nothing of the one before is
 * left in the heap, and one that crashes or hangs does not take the rest along. */
#ifndef BENCH_STAGE_H
#define BENCH_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Memory that a block and its watcher share. */
struct stage {
	size_t size;
	void *shared;
};

/** Room for @size bytes, zeroed. Returns 0, or -1. */
int stage_open(struct stage *stage, size_t size);
void stage_close(struct stage *stage);

/** Start @play in a child process, beside others perhaps. Returns its number, or -1. */
pid_t stage_fork(struct stage *stage, bool (*play)(void *shared, void *data), void *data);

/** Wait for a child until @until_ns (CLOCK_MONOTONIC), then end it. While it lasts, @look is called
 * now and then, and once more at the end; NULL: nobody looks. True if it ended with true. */
bool stage_await(const struct stage *stage, pid_t child, uint64_t until_ns,
		 void (*look)(const void *shared, void *data), void *data);

/** Clear the memory, run @play in a child process, and wait for it for at most @patience_ms. */
bool stage_play(struct stage *stage, bool (*play)(void *shared, void *data), void *data,
		uint64_t patience_ms, void (*look)(const void *shared, void *data));

#endif
