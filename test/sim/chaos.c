/* chaos.c - random schedules of users and trouble, each from a seed, under the judge's eyes.
 *
 *   --seeds N     how many (SIM_SCHEDULES)
 *   --seed FIRST  the first one's seed (SIM_SEED); without --seeds, it is the only one
 *   --jobs J      in so many processes; as a rule, one for each processor
 *   --trace       tell all that happens (SIM_TRACE); nodes count from 0, but from 1 where the
 *                 library speaks
 *   --as-it-is    do not shrink the schedule that fails */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "chaos_work.h"

#define SEEDS 20000

struct options {
	uint64_t seeds, first;
	unsigned jobs;
	bool trace, as_it_is;
};

static double started_s;
static uint64_t wanted;

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);
	return text == NULL ? fallback : strtoull(text, NULL, 10);
}

static struct options read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{"seeds", required_argument, NULL, 'n'}, {"seed", required_argument, NULL, 's'},
		{"jobs", required_argument, NULL, 'j'},	 {"trace", no_argument, NULL, 't'},
		{"as-it-is", no_argument, NULL, 'a'},	 {0},
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct options options = {
		.seeds = number_of("SIM_SCHEDULES", 0),
		.first = number_of("SIM_SEED", 0),
		.jobs = processors < 1 ? 1 : (unsigned)processors,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'n':
			options.seeds = strtoull(optarg, NULL, 10);
			break;
		case 's':
			options.first = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			options.jobs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			options.trace = true;
			break;
		case 'a':
			options.as_it_is = true;
			break;
		default:
			fprintf(stderr,
				"usage: %s [--seeds N] [--seed FIRST] [--jobs J] [--trace] "
				"[--as-it-is]\n",
				argv[0]);
			exit(2);
		}
	}
	if (options.seeds == 0) {
		options.seeds = options.first == 0 ? SEEDS : 1;
	}
	options.jobs = options.jobs < 1 ? 1 : options.jobs;
	options.jobs = options.jobs > CHAOS_JOBS_MAX ? CHAOS_JOBS_MAX : options.jobs;
	if (options.seeds == 1) {
		options.jobs = 1;
	}
	return options;
}

static void on_progress(const struct chaos_work *work)
{
	static double told_s;
	uint64_t done = 0;
	unsigned i;

	if (!isatty(STDOUT_FILENO) || now_s() < told_s + 0.5) {
		return;
	}
	told_s = now_s();
	for (i = 0; i < work->jobs; i++) {
		done += work->workers[i].sum.schedules;
	}
	printf("\r%" PRIu64 " of %" PRIu64 " schedules, %.0f/s ", done, wanted,
	       (double)done / (told_s - started_s));
	fflush(stdout);
}

static void report(const struct chaos_sum *sum, unsigned jobs, bool failed)
{
	static const char *const names[] = {
#define CHAOS_TEXT(name, text) text,
		CHAOS_TROUBLES(CHAOS_TEXT)};
	const struct sim_tally *tally = &sum->tally;
	double seconds = now_s() - started_s;
	unsigned kind;

	printf("%s%" PRIu64 " schedules, %" PRIu64 " events, %" PRIu64 " acts of users\n",
	       isatty(STDOUT_FILENO) ? "\r\033[K" : "", sum->schedules, sum->events, sum->acts);
	printf("%" PRIu64 " grants, %" PRIu64 " of them of several, %" PRIu64 " handovers, %" PRIu64
	       " extends, %" PRIu64 " repairs, %" PRIu64 " fencing tokens, %" PRIu64
	       " grants of readers, %" PRIu64 " of them beside others; %" PRIu64
	       " grants of another library\n",
	       tally->grants, tally->sets, tally->handovers, tally->extends, tally->repairs,
	       tally->fences, tally->reads, tally->together, tally->foreign);
	printf("faults:");
	for (kind = 0; kind < CHAOS_TROUBLE_KINDS; kind++) {
		printf("%s %" PRIu64 " %s", kind == 0 ? "" : ",", sum->struck[kind], names[kind]);
	}
	printf("\nthe median schedule: %" PRIu64 " events, %" PRIu64 " grants, %" PRIu64
	       " faults\n",
	       chaos_median(&sum->events_each), chaos_median(&sum->grants_each),
	       chaos_median(&sum->faults_each));
	printf("%d violations; %.1f s, %.0f schedules/s in %u process%s\n", failed, seconds,
	       (double)sum->schedules / seconds, jobs, jobs == 1 ? "" : "es");
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	struct chaos_work *work = chaos_share(sizeof *work);
	const struct chaos_failure *failure;
	struct chaos_sum sum = {0};
	unsigned i;

	started_s = now_s();
	wanted = options.seeds;
	work->next = options.first == 0 ? 1 : options.first;
	work->limit = work->next + options.seeds;
	work->jobs = options.jobs;
	work->trace = options.trace;
	failure = chaos_work_all(work, on_progress);
	for (i = 0; i < options.jobs; i++) {
		chaos_sum_add(&sum, &work->workers[i].sum);
	}
	report(&sum, options.jobs, failure != NULL);
	if (failure != NULL) {
		printf("VIOLATION in seed %" PRIu64 " at %.3f ms: %s\n", failure->seed,
		       (double)failure->at_us / 1000, failure->text);
		printf("to see it: ./dev sim --seed %" PRIu64 " --trace\n", failure->seed);
		if (!options.as_it_is) {
			chaos_shrink(failure);
		}
		return EXIT_FAILURE;
	}
	/* Schedules in which nobody gets anywhere show nothing. */
	if (sum.schedules >= 100 && sum.tally.grants < 2 * sum.schedules) {
		printf("too few grants\n");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
