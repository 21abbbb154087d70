/* arrival_clock.h - ticks at the rate of an open loop, finer than the milliseconds of libuv. */
#ifndef BENCH_ARRIVAL_CLOCK_H
#define BENCH_ARRIVAL_CLOCK_H

#include <stdint.h>

/** A file descriptor that is readable once in @interval_ns; -1: none to be had. */
int arrival_clock_open(uint64_t interval_ns);

/** Quiet until the next tick. */
void arrival_clock_read(int clock);

void arrival_clock_close(int clock);

#endif
