/* clock.h - milliseconds of the clock that leases are measured on. */
#ifndef CLI_CLOCK_H
#define CLI_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Counts while the machine sleeps, as a lease does on the servers. */
#ifdef CLOCK_BOOTTIME
#define CLI_CLOCK CLOCK_BOOTTIME
#else
#define CLI_CLOCK CLOCK_MONOTONIC
#endif

static inline uint64_t clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLI_CLOCK, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void clock_sleep_ms(unsigned ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
}

#endif
