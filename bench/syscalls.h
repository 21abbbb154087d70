/* syscalls.h - how many system calls the client makes.
 *
 * The program has functions of its own in the place of those by which hiredis,
 * libuv and the floor ask the kernel: they count, and pass on. It costs some
 * nanoseconds, and both contenders pay. Calls that no event loop makes in each
 * turn are not among them. */
#ifndef BENCH_SYSCALLS_H
#define BENCH_SYSCALLS_H

#include <stdint.h>

/** How many of them so far. */
uint64_t syscalls_count(void);

/** From now on sleep this long before each wait for events, so that all answers that will come are
 * there by then: the client then does the same work in each run. 0: do not. */
void syscalls_settle_before_waiting(unsigned pause_us);

#endif
