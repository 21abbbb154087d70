/* wall_clock.c - a wall clock that is wrong, for one process.
 *
 * Loaded in front of the C library (LD_PRELOAD). CHAOS_CLOCK names a file whose first eight bytes
 * are a number of microseconds by which the wall clock is ahead; it may change at any moment.
 * Monotonic clocks are right. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_us;

__attribute__((constructor)) static void open_file(void)
{
	const char *path = getenv("CHAOS_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = MAP_FAILED;

	if (fd >= 0) {
		page = mmap(NULL, sizeof *ahead_us, PROT_READ, MAP_SHARED, fd, 0);
		(void)close(fd);
	}
	if (page != MAP_FAILED) {
		ahead_us = page;
	}
}

static void shift(struct timespec *at)
{
	int64_t ns = at->tv_nsec + (ahead_us ? *ahead_us : 0) % 1000000 * 1000;

	at->tv_sec += (ahead_us ? *ahead_us : 0) / 1000000 + (ns < 0 ? -1 : ns / 1000000000);
	at->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
	int status = (int)syscall(SYS_clock_gettime, clock, at);

	if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		shift(at);
	}
	return status;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	at->tv_sec = now.tv_sec;
	at->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *at)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (at) {
		*at = now.tv_sec;
	}
	return now.tv_sec;
}
