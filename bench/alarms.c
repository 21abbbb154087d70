#include "alarms.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "block.h"

#define NS_PER_S 1000000000ULL

int alarms_open(struct alarms *alarms, uint32_t count)
{
	uint32_t i;

	*alarms = (struct alarms){.count = count, .armed_ns = UINT64_MAX};
	alarms->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	alarms->due_ns = calloc(count, sizeof(*alarms->due_ns));
	if (alarms->fd < 0 || !alarms->due_ns) {
		alarms_close(alarms);
		return -1;
	}
	for (i = 0; i < count; i++) {
		alarms->due_ns[i] = UINT64_MAX;
	}
	return 0;
}

void alarms_close(struct alarms *alarms)
{
	if (alarms->fd >= 0) {
		close(alarms->fd);
	}
	free(alarms->due_ns);
	*alarms = (struct alarms){.fd = -1};
}

static void arm(struct alarms *alarms, uint64_t due_ns)
{
	struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due_ns / NS_PER_S),
					       .tv_nsec = (long)(due_ns % NS_PER_S)}};

	if (due_ns == UINT64_MAX) {
		when.it_value = (struct timespec){0}; /* Off. */
	}
	alarms->armed_ns = due_ns;
	timerfd_settime(alarms->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void alarms_set(struct alarms *alarms, uint32_t who, uint64_t due_ns)
{
	alarms->due_ns[who] = due_ns;
	if (due_ns < alarms->armed_ns) {
		arm(alarms, due_ns);
	}
}

static uint32_t earliest(const struct alarms *alarms)
{
	uint32_t first = 0;
	uint32_t i;

	for (i = 1; i < alarms->count; i++) {
		if (alarms->due_ns[i] < alarms->due_ns[first]) {
			first = i;
		}
	}
	return first;
}

bool alarms_take(struct alarms *alarms, uint32_t *who)
{
	*who = earliest(alarms);
	if (alarms->due_ns[*who] > now_ns()) {
		return false;
	}
	alarms->due_ns[*who] = UINT64_MAX;
	return true;
}

void alarms_rest(struct alarms *alarms)
{
	uint64_t ticks;

	if (read(alarms->fd, &ticks, sizeof(ticks)) < 0) {
		ticks = 0; /* Read already, or set anew since. */
	}
	arm(alarms, alarms->due_ns[earliest(alarms)]);
}
