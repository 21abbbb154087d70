/* chaos_work.c - plays schedules in processes of their own, each of which ends at a failure.
 *
 * A schedule depends on its seed alone, so it does not matter who plays it. The
 * failure that is reported is that of the smallest seed, whoever was first. */
#include "chaos_work.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STUCK_S 120
#define BLOCK 32

void *chaos_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("mmap");
		exit(EXIT_FAILURE);
	}
	return memory;
}

/* ---- Failures -------------------------------------------------------------------------------- */

/* Of this process. */
static struct chaos_worker *at_work;
static const struct sim *playing;
static bool tracing;

static _Noreturn void give_up(const char *kind, const char *text)
{
	struct chaos_failure *failure = &at_work->failure;

	failure->happened = true;
	failure->seed = at_work->seed;
	failure->at_us = playing == NULL ? 0 : sim_elapsed_us(playing);
	snprintf(failure->kind, sizeof failure->kind, "%s", kind);
	snprintf(failure->text, sizeof failure->text, "%s", text);
	_exit(EXIT_FAILURE);
}

static void on_failed(const struct sim *sim, const char *kind, const char *text)
{
	sim_note(sim, "FAILED: %s", text);
	give_up(kind, text);
}

static void on_signal(int number)
{
	give_up(number == SIGPROF ? "stuck" : "crashed",
		number == SIGPROF ? "it does not come to an end" : strsignal(number));
}

/* In the place of the C library's, which would not tell us what it was. */
_Noreturn void __assert_fail(const char *what, const char *file, unsigned line, const char *where);

_Noreturn void __assert_fail(const char *what, const char *file, unsigned line, const char *where)
{
	char text[256];

	snprintf(text, sizeof text, "%s:%u: %s: assertion: %s", file, line, where, what);
	if (at_work == NULL) {
		fprintf(stderr, "%s\n", text);
		abort();
	}
	give_up(what, text);
}

/* ---- Sums ------------------------------------------------------------------------------------ */

/* Exact up to 64, then 32 to each doubling. */
static unsigned bucket_of(uint64_t value)
{
	unsigned doublings = 0;

	while (value >= 64) {
		value /= 2;
		doublings++;
	}
	return doublings * 32 + (unsigned)value;
}

static uint64_t value_of(unsigned bucket)
{
	unsigned doublings = bucket < 64 ? 0 : bucket / 32 - 1;
	return (uint64_t)(bucket - 32 * doublings) << doublings;
}

uint64_t chaos_median(const struct chaos_spread *spread)
{
	uint64_t all = 0, below = 0;
	unsigned i;

	for (i = 0; i < CHAOS_BUCKETS; i++) {
		all += spread->buckets[i];
	}
	for (i = 0; i < CHAOS_BUCKETS - 1; i++) {
		below += spread->buckets[i];
		if (2 * below >= all) {
			break;
		}
	}
	return value_of(i);
}

static void spread_add(struct chaos_spread *spread, const struct chaos_spread *more)
{
	unsigned i;

	for (i = 0; i < CHAOS_BUCKETS; i++) {
		spread->buckets[i] += more->buckets[i];
	}
}

static void tally_add(struct sim_tally *tally, const struct sim_tally *more)
{
	tally->grants += more->grants;
	tally->sets += more->sets;
	tally->handovers += more->handovers;
	tally->extends += more->extends;
	tally->repairs += more->repairs;
	tally->fences += more->fences;
	tally->foreign += more->foreign;
	tally->reads += more->reads;
	tally->together += more->together;
}

void chaos_sum_add(struct chaos_sum *sum, const struct chaos_sum *more)
{
	unsigned kind;

	sum->schedules += more->schedules;
	sum->events += more->events;
	sum->acts += more->acts;
	tally_add(&sum->tally, &more->tally);
	for (kind = 0; kind < CHAOS_TROUBLE_KINDS; kind++) {
		sum->struck[kind] += more->struck[kind];
	}
	spread_add(&sum->events_each, &more->events_each);
	spread_add(&sum->grants_each, &more->grants_each);
	spread_add(&sum->faults_each, &more->faults_each);
}

static void note(struct chaos_sum *sum, const struct chaos *chaos)
{
	uint64_t faults = 0;
	unsigned kind;

	sum->schedules++;
	sum->events += chaos->sim->event_count;
	sum->acts += chaos->acts;
	tally_add(&sum->tally, &chaos->sim->tally);
	for (kind = 0; kind < CHAOS_TROUBLE_KINDS; kind++) {
		sum->struck[kind] += chaos->struck[kind];
		faults += chaos->struck[kind];
	}
	sum->events_each.buckets[bucket_of(chaos->sim->event_count)]++;
	sum->grants_each.buckets[bucket_of(chaos->sim->tally.grants)]++;
	sum->faults_each.buckets[bucket_of(faults)]++;
}

/* ---- Work ------------------------------------------------------------------------------------ */

static void set_up(struct sim *sim)
{
	sim->failed = on_failed;
	sim->trace |= tracing;
	playing = sim;
}

void chaos_work_one(struct chaos_worker *worker, uint64_t seed, struct tape *tape, bool trace)
{
	struct chaos chaos = {.tape = tape};

	at_work = worker;
	tracing = trace;
	worker->seed = seed;
	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	signal(SIGPROF, on_signal);
	chaos_play(&chaos, seed, set_up);
	note(&worker->sum, &chaos);
	sim_end(chaos.sim);
	playing = NULL;
}

/* Of processor time: neither a busy machine nor one that sleeps is to be blamed on the schedule. */
void chaos_work_within(unsigned seconds)
{
	const struct itimerval timer = {.it_value.tv_sec = seconds};

	setitimer(ITIMER_PROF, &timer, NULL);
}

static void work(struct chaos_work *work, struct chaos_worker *worker)
{
	uint64_t seed, end;

	for (;;) {
		seed = atomic_fetch_add(&work->next, BLOCK);
		end = seed + BLOCK;
		chaos_work_within(STUCK_S);
		for (; seed < end; seed++) {
			if (seed >= atomic_load(&work->limit)) {
				return;
			}
			chaos_work_one(worker, seed, NULL, work->trace);
		}
	}
}

bool chaos_work_over(struct chaos_worker *worker, int status)
{
	struct chaos_failure *failure = &worker->failure;

	if (status != 0 && !failure->happened) {
		*failure = (struct chaos_failure){.happened = true, .seed = worker->seed};
		snprintf(failure->kind, sizeof failure->kind, "died");
		snprintf(failure->text, sizeof failure->text, "it died with status %d", status);
	}
	return failure->happened;
}

static void stop_at(struct chaos_work *work, struct chaos_worker *worker, int status)
{
	if (chaos_work_over(worker, status) && worker->failure.seed < atomic_load(&work->limit)) {
		atomic_store(&work->limit, worker->failure.seed);
	}
}

const struct chaos_failure *chaos_work_all(struct chaos_work *all,
					   void (*progress)(const struct chaos_work *work))
{
	const struct timespec moment = {.tv_nsec = 10000000};
	const struct chaos_failure *first = NULL, *failure;
	pid_t pids[CHAOS_JOBS_MAX] = {0};
	unsigned i, running = all->jobs;
	int status;

	fflush(NULL);
	for (i = 0; i < all->jobs; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			work(all, &all->workers[i]);
			exit(EXIT_SUCCESS); /* Where leaks are looked for, this is the moment. */
		}
	}
	while (running > 0) {
		nanosleep(&moment, NULL);
		for (i = 0; i < all->jobs; i++) {
			if (pids[i] != 0 && waitpid(pids[i], &status, WNOHANG) != 0) {
				stop_at(all, &all->workers[i], status);
				pids[i] = 0;
				running--;
			}
		}
		progress(all);
	}
	for (i = 0; i < all->jobs; i++) {
		failure = &all->workers[i].failure;
		if (failure->happened && (first == NULL || failure->seed < first->seed)) {
			first = failure;
		}
	}
	return first;
}
