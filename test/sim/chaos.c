/* chaos.c - random schedules of users and trouble, each from a seed, under the judge's eyes.
 *
 *   SIM_SCHEDULES=n  how many (default below)
 *   SIM_SEED=n       the first one's seed; without SIM_SCHEDULES, it is the only one
 *   SIM_TRACE=1      tell all that happens */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chaos.h"

#define SCHEDULES 3000
#define STUCK_S 60

static char doing[64];

/* An assertion of the core failed, or it turns in circles: say in which schedule. */
static void on_signal(int number)
{
	ssize_t written = write(STDERR_FILENO, doing, strlen(doing));

	(void)written;
	signal(number, SIG_DFL);
	raise(number);
}

static void watch(uint64_t seed)
{
	snprintf(doing, sizeof doing, "stopped in the schedule of SIM_SEED=%" PRIu64 "\n", seed);
	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	signal(SIGALRM, on_signal);
	alarm(STUCK_S);
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);
	return text == NULL ? fallback : strtoull(text, NULL, 10);
}

static struct sim *play(uint64_t seed, unsigned *leases, uint64_t *events)
{
	struct chaos chaos = {.sim = sim_new((unsigned)(seed % 5) + 1, seed)};

	snprintf(chaos.sim->label, sizeof chaos.sim->label, "SIM_SEED=%" PRIu64, seed);
	chaos_cast(&chaos);
	chaos_users_start(&chaos);
	chaos_trouble_start(&chaos);
	sim_run(chaos.sim, chaos.end_us - chaos.sim->now_us);
	*leases += chaos.sim->leases;
	chaos_calm(&chaos);
	*events += chaos.sim->event_count;
	return chaos.sim;
}

START_TEST(whatever_happens_nobody_shares_a_lock_and_nothing_is_left_behind)
{
	uint64_t first = number_of("SIM_SEED", 1), seed, events = 0;
	uint64_t schedules = number_of("SIM_SCHEDULES", getenv("SIM_SEED") ? 1 : SCHEDULES);
	unsigned leases = 0;

	for (seed = first; seed < first + schedules; seed++) {
		watch(seed);
		sim_end(play(seed, &leases, &events));
	}
	alarm(0);
	/* A schedule in which nobody gets anywhere shows nothing. */
	if (schedules >= 100) {
		ck_assert_uint_gt(leases, schedules);
	}
	printf("%" PRIu64 " schedules, %u leases, %" PRIu64 " events\n", schedules, leases, events);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chaos");
	TCase *tcase = tcase_create("schedules");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 0);
	tcase_add_test(tcase, whatever_happens_nobody_shares_a_lock_and_nothing_is_left_behind);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
