#include "rivals.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "block.h"

#define NS_PER_MS 1000000ULL
#define LOOK_NS 200000
#define READY_MS 30000

/* Behind those of the waiters. */
#define END_ALARM(rivals) ((rivals)->plan->count)

static uint64_t cpu_ns(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return (uint64_t)cpu.tv_sec * 1000000000ULL + (uint64_t)cpu.tv_nsec;
}

uint64_t rivals_draw(struct rivals *rivals, uint64_t low, uint64_t high)
{
	double part = (double)rand_r(&rivals->seed) / RAND_MAX;

	return low + (uint64_t)(part * (double)(high - low));
}

int rivals_open(struct rivals *rivals, struct contend_shared *shared,
		const struct contend_plan *plan)
{
	*rivals = (struct rivals){
		.plan = plan,
		.shared = shared,
		.own = &shared->process[plan->process],
		.seed = plan->first + 1,
	};
	if (alarms_open(&rivals->alarms, plan->count + 1) != 0) {
		return -1;
	}
	rivals->all = calloc(plan->count, sizeof(*rivals->all));
	return rivals->all ? 0 : -1;
}

void rivals_close(struct rivals *rivals)
{
	alarms_close(&rivals->alarms);
	free(rivals->all);
}

static void think(struct rivals *rivals, uint32_t who, uint64_t least_ms)
{
	const struct contend_options *options = rivals->plan->options;

	rivals->all[who].state = RIVAL_THINKS;
	if (!rivals->over) {
		alarms_set(&rivals->alarms, who,
			   now_ns() + rivals_draw(rivals, least_ms * NS_PER_MS,
						  options->think_max_ms * NS_PER_MS));
	}
}

void rivals_begin(struct rivals *rivals)
{
	struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t give_up_ns = now_ns() + READY_MS * NS_PER_MS;
	uint64_t begin_ns = 0;
	uint32_t i;

	atomic_fetch_add(&rivals->shared->ready, 1);
	while ((begin_ns == 0 || now_ns() < begin_ns) && now_ns() < give_up_ns) {
		nanosleep(&pause, NULL);
		begin_ns = atomic_load(&rivals->shared->begin_ns);
	}
	rivals->cpu_ns = cpu_ns();
	rivals->until_ns = begin_ns + rivals->plan->lab->options.duration_ns;
	for (i = 0; i < rivals->plan->count; i++) {
		think(rivals, i, 0); /* The first time, so that they do not come together. */
	}
	alarms_set(&rivals->alarms, END_ALARM(rivals), rivals->until_ns);
}

/* ---- A turn ---------------------------------------------------------------------------------- */

static void want(struct rivals *rivals, uint32_t who)
{
	struct rival *rival = &rivals->all[who];

	rival->state = RIVAL_WANTS;
	rival->asked_ns = now_ns();
	atomic_fetch_add(&rivals->shared->wanting, 1);
	rivals->want(rivals->owner, who);
}

static void want_no_more(struct rivals *rivals)
{
	atomic_fetch_sub(&rivals->shared->wanting, 1);
}

static void count_wait(struct rivals *rivals, const struct rival *rival, uint64_t until_ns)
{
	uint64_t took_ns = until_ns > rival->asked_ns ? until_ns - rival->asked_ns : 0;

	if (took_ns > rivals->own->longest_ns) {
		rivals->own->longest_ns = took_ns;
	}
}

static void count_grant(struct rivals *rivals, uint32_t who)
{
	struct rival *rival = &rivals->all[who];
	uint64_t now = rival->granted_ns;
	uint64_t released_ns = atomic_exchange(&rivals->shared->released_ns, 0);

	if (now >= rivals->until_ns) {
		return;
	}
	rivals->shared->grants[rivals->plan->first + who]++;
	count_wait(rivals, rival, now);
	histogram_add(&rivals->own->wait, now - rival->asked_ns);
	if (released_ns > 0 && released_ns <= now) {
		histogram_add(&rivals->own->handover, now - released_ns);
	}
}

void rivals_granted(struct rivals *rivals, uint32_t who)
{
	struct rival *rival = &rivals->all[who];

	rival->granted_ns = now_ns();
	if (atomic_fetch_add(&rivals->shared->inside, 1) != 0) {
		atomic_fetch_add(&rivals->shared->overlaps, 1);
	}
	rival->state = RIVAL_HOLDS;
	want_no_more(rivals);
	count_grant(rivals, who);
	alarms_set(&rivals->alarms, who,
		   rival->granted_ns + rivals->plan->options->hold_ms * NS_PER_MS);
}

static void leave(struct rivals *rivals, uint32_t who)
{
	struct rival *rival = &rivals->all[who];
	uint64_t now = now_ns();
	bool wanted = atomic_load(&rivals->shared->wanting) > 0;

	rivals->own->held_ns += now - rival->granted_ns;
	rival->state = RIVAL_LEAVES;
	atomic_store(&rivals->shared->released_ns, wanted ? now : 0);
	atomic_fetch_sub(&rivals->shared->inside, 1);
	rivals->leave(rivals->owner, who);
}

void rivals_left(struct rivals *rivals, uint32_t who)
{
	think(rivals, who, rivals->plan->options->think_min_ms);
}

void rivals_failed(struct rivals *rivals, const char *step, const char *why)
{
	struct contend_process *own = rivals->own;

	if (own->errors++ == 0) {
		snprintf(own->first_error, sizeof(own->first_error), "%s: %s", step, why);
	}
}

void rivals_gave_up(struct rivals *rivals, uint32_t who, const char *step, const char *why)
{
	want_no_more(rivals);
	if (why) {
		rivals_failed(rivals, step, why);
	}
	think(rivals, who, rivals->plan->options->think_min_ms);
}

/* Who still waits has waited so long at least. */
static void stop(struct rivals *rivals)
{
	uint32_t i;

	rivals->over = true;
	for (i = 0; i < rivals->plan->count; i++) {
		if (rivals->all[i].state == RIVAL_THINKS) {
			alarms_set(&rivals->alarms, i, UINT64_MAX);
		} else if (rivals->all[i].state == RIVAL_WANTS) {
			count_wait(rivals, &rivals->all[i], rivals->until_ns);
			rivals->stop(rivals->owner, i);
		}
	}
}

void rivals_ring(struct rivals *rivals)
{
	uint32_t who;

	while (alarms_take(&rivals->alarms, &who)) {
		if (who == END_ALARM(rivals)) {
			stop(rivals);
		} else if (rivals->all[who].state == RIVAL_THINKS) {
			want(rivals, who);
		} else if (rivals->all[who].state == RIVAL_HOLDS) {
			leave(rivals, who);
		} else if (rivals->again) {
			rivals->again(rivals->owner, who);
		}
	}
	alarms_rest(&rivals->alarms);
}

bool rivals_are_done(const struct rivals *rivals)
{
	uint32_t i;

	for (i = 0; rivals->over && i < rivals->plan->count; i++) {
		if (rivals->all[i].state != RIVAL_THINKS) {
			return false;
		}
	}
	return rivals->over;
}

void rivals_end(struct rivals *rivals)
{
	rivals->own->cpu_ns = cpu_ns() - rivals->cpu_ns;
}
