#include "arrival_clock.h"

#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_S 1000000000ULL

int arrival_clock_open(uint64_t interval_ns)
{
	struct itimerspec when = {
		.it_value = {.tv_nsec = 1}, /* The first one comes at once. */
		.it_interval = {.tv_sec = (time_t)(interval_ns / NS_PER_S),
				.tv_nsec = (long)(interval_ns % NS_PER_S)},
	};
	int clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (clock >= 0 && timerfd_settime(clock, 0, &when, NULL) != 0) {
		close(clock);
		return -1;
	}
	return clock;
}

void arrival_clock_read(int clock)
{
	uint64_t ticks;

	if (read(clock, &ticks, sizeof(ticks)) < 0) {
		return; /* Read already. */
	}
}

void arrival_clock_close(int clock)
{
	if (clock >= 0) {
		close(clock);
	}
}
