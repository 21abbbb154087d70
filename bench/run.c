#include "run.h"

#include <stdio.h>
#include <string.h>

#include "block.h"

#define NS_PER_S 1e9

void run_begin(struct run *run)
{
	uint64_t cycles = run->cycles;
	uint64_t duration_ns = run->duration_ns;
	double rate = run->rate;
	bool leave_open = run->leave_open;

	memset(run, 0, sizeof(*run));
	run->cycles = cycles;
	run->duration_ns = duration_ns;
	run->rate = rate;
	run->leave_open = leave_open;
	run->begin_ns = now_ns();
}

uint64_t run_interval_ns(const struct run *run)
{
	uint64_t interval_ns = (uint64_t)(NS_PER_S / run->rate);

	return interval_ns > 0 ? interval_ns : 1;
}

/* The schedule is fixed from the beginning. It ends by count, or at the first start that is due
 * after the end, however late the contender comes to it. */
static bool next_open(struct run *run, uint64_t *due_ns)
{
	uint64_t offset_ns = (uint64_t)((double)run->started * NS_PER_S / run->rate);

	if (run->cycles > 0 ? run->started == run->cycles : offset_ns >= run->duration_ns) {
		run->over = true;
		return false;
	}
	*due_ns = run->begin_ns + offset_ns;
	return now_ns() >= *due_ns;
}

static bool next_closed(struct run *run, uint64_t *due_ns)
{
	*due_ns = now_ns();
	run->over = run->cycles > 0 ? run->started == run->cycles
				    : *due_ns >= run->begin_ns + run->duration_ns;
	return !run->over;
}

bool run_next(struct run *run, uint64_t *due_ns)
{
	if (run->over) {
		return false;
	}
	if (!(run->rate > 0 ? next_open(run, due_ns) : next_closed(run, due_ns))) {
		return false;
	}
	run->started++;
	return true;
}

bool run_is_done(const struct run *run)
{
	return run->over && run->finished == run->started;
}

void run_granted(struct run *run, uint64_t took_ns)
{
	histogram_add(&run->acquire, took_ns);
}

void run_finished(struct run *run, uint64_t release_ns, uint64_t cycle_ns)
{
	histogram_add(&run->release, release_ns);
	histogram_add(&run->cycle, cycle_ns);
	run->finished++;
}

void run_failed(struct run *run, const char *step, const char *why, bool ends)
{
	if (run->errors == 0) {
		snprintf(run->first_error, sizeof(run->first_error), "%s: %s", step, why);
	}
	run->errors++;
	run->finished += ends;
}

void run_end(struct run *run)
{
	run->end_ns = now_ns();
}
