/* test_lab.c - the lab's own tools: histograms, schedules, counters, and the floor for many. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarms.h"
#include "block.h"
#include "condition.h"
#include "contend.h"
#include "crowd.h"
#include "figures.h"
#include "meter.h"
#include "ranks.h"
#include "rivals.h"
#include "servers.h"
#include "values.h"

static int failures;
static struct run run;

static void check(bool fine, const char *claim)
{
	printf("%s - %s\n", fine ? "ok" : "not ok", claim);
	failures += !fine;
}

static bool within(double value, double expected, double part)
{
	return fabs(value - expected) <= expected * part;
}

static void histograms_are_close(void)
{
	static struct histogram histogram;
	uint64_t value;

	check(within(histogram_percentile_us(&histogram, 50), 0, 0), "no values: 0");
	for (value = 1; value <= 100000; value++) {
		histogram_add(&histogram, value * 1000);
	}
	check(within(histogram_percentile_us(&histogram, 50), 50000, 0.002), "p50 is 0.2 % close");
	check(within(histogram_percentile_us(&histogram, 99.9), 99900, 0.002), "so is p99.9");
	check(within(histogram_percentile_us(&histogram, 0), 1, 0.002), "so is the smallest");
	check(within(histogram_percentile_us(&histogram, 100), 100000, 0), "the largest is exact");
	histogram_add(&histogram, UINT64_MAX);
	check(histogram.max == UINT64_MAX, "nothing is too large to be counted");
}

static void small_values_have_buckets_of_their_own(void)
{
	static struct histogram histogram;

	histogram_add(&histogram, 3);
	histogram_add(&histogram, 511);
	histogram_add(&histogram, 512);
	check(within(histogram_percentile_us(&histogram, 33), 0.003, 1e-9), "3 ns");
	check(within(histogram_percentile_us(&histogram, 66), 0.511, 1e-9), "511 ns");
	check(within(histogram_percentile_us(&histogram, 99), 0.512, 1e-9), "512 ns");
}

static void ranks_end_where_the_samples_do(void)
{
	static struct histogram histogram;
	double us[RANKS];
	uint64_t value;

	for (value = 1; value <= 100; value++) {
		histogram_add(&histogram, value * 1000);
	}
	ranks_of(&histogram, us);
	check(rank_percent(0) == 0 && within(us[0], 1, 0.002), "the first rank is the quickest");
	check(within(rank_percent(RANKS_PER_DECADE), 90, 1e-9) &&
		      within(us[RANKS_PER_DECADE], 90, 0.002),
	      "a power of ten later nine of ten are below");
	check(within(us[2 * RANKS_PER_DECADE], 99, 0.002), "one sample is above the rank of 99 %");
	check(isnan(us[2 * RANKS_PER_DECADE + 1]), "there is nothing to tell above it");
}

static void closed_loops_end_by_count(void)
{
	uint64_t due_ns;
	int i;

	run = (struct run){.cycles = 3};
	run_begin(&run);
	for (i = 0; i < 3; i++) {
		check(run_next(&run, &due_ns), "one more");
	}
	check(!run_next(&run, &due_ns) && run.over, "three and no more");
	check(!run_is_done(&run), "not done while one is in flight");
	run_finished(&run, 1, 2);
	run_finished(&run, 1, 2);
	run_failed(&run, "acquire", "why", false);
	run_failed(&run, "release", "not", true);
	check(run_is_done(&run), "done when all have ended");
	check(run.errors == 2 && strcmp(run.first_error, "acquire: why") == 0, "the first error");
}

/* A contender that comes late finds all that was due meanwhile, since when it was due. */
static void open_loops_do_not_wait_for_the_slow(void)
{
	uint64_t due_ns = 0;
	uint64_t late_ns;

	run = (struct run){.duration_ns = 10000000, .rate = 1000};
	run_begin(&run);
	check(run_interval_ns(&run) == 1000000, "a thousand a second: one in a millisecond");
	check(run_next(&run, &due_ns) && due_ns == run.begin_ns, "the first is due at once");
	late_ns = 50000000;
	run.begin_ns -= late_ns;
	while (run_next(&run, &due_ns)) {
	}
	check(run.started == 10 && run.over, "the schedule has ten, however late it is");
	check(due_ns == run.begin_ns + 9000000, "the last one counts since it was due");
	run = (struct run){.cycles = 2, .rate = 0.001};
	run_begin(&run);
	check(run_next(&run, &due_ns) && !run_next(&run, &due_ns) && !run.over,
	      "the next one is not due yet, and still to come");
}

static void commands_of_clients_are_counted(void)
{
	check(meter_count_commands("# Commandstats\r\ncmdstat_set:calls=12,usec=3\r\n"
				   "cmdstat_get:calls=99,usec=1\r\ncmdstat_info:calls=7,usec=1\r\n"
				   "cmdstat_evalsha:calls=30,usec=9\r\n"
				   "cmdstat_config|get:calls=5,usec=1\r\n") == 47,
	      "what scripts call, and what the meter asks, is left out");
}

static void processor_time_is_read(void)
{
	check(meter_cpu_ns("# CPU\r\nused_cpu_sys:1.500000\r\nused_cpu_user:0.250001\r\n"
			   "used_cpu_sys_children:9.0\r\nused_cpu_user_children:9.0\r\n"
			   "used_cpu_sys_main_thread:1.0\r\n") == 1750001000,
	      "system and user, of all threads, without children");
	check(meter_cpu_ns("# CPU\r\n") == 0, "nothing said");
}

static void ranges_are_read_strictly(void)
{
	uint32_t low;
	uint32_t high;

	check(value_range("10-30", 100, &low, &high) && low == 10 && high == 30, "from, to");
	check(value_range("7", 100, &low, &high) && low == 7 && high == 7, "one is both");
	check(!value_range("30-10", 100, &low, &high), "backwards");
	check(!value_range("10-101", 100, &low, &high), "too much");
	check(!value_range("10-", 100, &low, &high), "half of one");
	check(!value_range("", 100, &low, &high), "none");
}

static void conditions_have_names(void)
{
	struct condition_options options = {.rtt_ms = {10, 2, 8, 4, 6}, .rtt_count = 5};

	check(condition_options_take(&options, "rtt,hung2,rtt") && options.count == 3 &&
		      options.all[0] == LAB_HEALTHY && options.all[1] == LAB_RTT &&
		      options.all[2] == LAB_HUNG2,
	      "healthy is first, and each is there once");
	check(!condition_options_take(&options, "hung9"), "one that is not known");
	check(!condition_options_take(&options, "rtt,"), "one without a name");
	check(within(condition_quorum_rtt_ms(&options, 5), 6, 0), "the third of five is far off");
	check(condition_silent(LAB_HUNG2) == 2 && condition_absent(LAB_HUNG2) == 0,
	      "two that hang come back");
	check(condition_silent(LAB_DEAD1) == 1 && condition_absent(LAB_DEAD1) == 1,
	      "one that is dead does not");
}

static void the_ceiling_is_what_time_allows(void)
{
	struct contend_options options = {.hold_ms = 2, .think_min_ms = 10, .think_max_ms = 30};

	check(within(contend_ceiling(&options, 1), 1000.0 / 22, 0.01),
	      "one alone: one in each hold and mean think time");
	check(within(contend_ceiling(&options, 100), 500, 0.001), "many: one in each hold time");
	check(contend_ceiling(&options, 8) < 8 * 1000.0 / 22, "few are in each other's way");
	options.hold_ms = options.think_min_ms = options.think_max_ms = 0;
	check(isnan(contend_ceiling(&options, 4)), "no time at all: no limit");
}

static void alarms_ring_in_order(void)
{
	struct alarms alarms;
	uint32_t who = 9;

	check(alarms_open(&alarms, 3) == 0, "there is room");
	check(!alarms_take(&alarms, &who), "none is set");
	alarms_set(&alarms, 0, now_ns() + 3600000000000ULL);
	alarms_set(&alarms, 1, 2);
	alarms_set(&alarms, 2, 1);
	check(alarms_take(&alarms, &who) && who == 2, "the earliest first");
	check(alarms_take(&alarms, &who) && who == 1, "then the next");
	check(!alarms_take(&alarms, &who), "one is not due yet");
	alarms_rest(&alarms);
	check(alarms.armed_ns == alarms.due_ns[0], "and that one is waited for");
	alarms_close(&alarms);
}

static unsigned wanted;
static unsigned left;

static void count_want(void *owner, uint32_t who)
{
	(void)owner;
	(void)who;
	wanted++;
}

static void count_leave(void *owner, uint32_t who)
{
	(void)owner;
	(void)who;
	left++;
}

static void begin_rival(struct rivals *rivals, struct contend_shared *shared,
			const struct contend_plan *plan)
{
	check(rivals_open(rivals, shared, plan) == 0, "there is room");
	rivals->want = count_want;
	rivals->leave = count_leave;
	rivals->stop = count_leave;
	rivals_begin(rivals);
	rivals_ring(rivals); /* It has thought for no time at all. */
}

/* A lock that gives itself to two at once must not get through a benchmark unseen. */
static void two_who_hold_it_at_once_are_seen(void)
{
	static struct lab lab = {.options = {.duration_ns = 3600000000000ULL}};
	static struct contend_shared shared;
	const struct contend_options options = {.hold_ms = 0};
	const struct contend_plan plans[] = {
		{.lab = &lab, .options = &options, .count = 1},
		{.lab = &lab, .options = &options, .count = 1, .process = 1, .first = 1}};
	struct rivals first;
	struct rivals second;

	atomic_store(&shared.begin_ns, now_ns());
	begin_rival(&first, &shared, &plans[0]);
	begin_rival(&second, &shared, &plans[1]);
	check(wanted == 2 && atomic_load(&shared.wanting) == 2, "both want it");
	rivals_granted(&first, 0);
	check(atomic_load(&shared.overlaps) == 0, "one is alone with it");
	rivals_ring(&first);
	check(left == 1 && atomic_load(&shared.inside) == 0, "and leaves");
	rivals_granted(&second, 0);
	check(atomic_load(&shared.overlaps) == 0, "so is the next one");
	check(shared.process[0].handover.count + shared.process[1].handover.count == 1,
	      "who had waited: a handover is counted");
	rivals_left(&first, 0);
	rivals_ring(&first);
	rivals_granted(&first, 0);
	check(atomic_load(&shared.overlaps) == 1, "two at once are seen");
	check(shared.grants[0] == 2 && shared.grants[1] == 1, "each grant is somebody's");
	rivals_close(&first);
	rivals_close(&second);
}

static void lists_are_read_strictly(void)
{
	uint32_t values[3];
	size_t count;

	check(value_list("1,64,1024", 1, 2000, values, 3, &count) && count == 3 &&
		      values[2] == 1024,
	      "three of three");
	check(!value_list("1,2,3,4", 1, 9, values, 3, &count), "four of three are too many");
	check(!value_list("", 1, 9, values, 3, &count), "none");
	check(!value_list("1,,2", 1, 9, values, 3, &count), "a gap");
	check(!value_list("1,2,", 1, 9, values, 3, &count), "a comma at the end");
	check(!value_list("0", 1, 9, values, 3, &count), "below the least");
}

static void what_is_not_known_is_left_out(void)
{
	const double values[] = {4, NAN, 8};
	const double bases[] = {2, 1, 0};

	check(within(figures_median(values, 1, 3), 6, 1e-9), "a median of two of three");
	check(within(figures_ratio(values, bases, 1, 3), 2, 1e-9), "a ratio has a base");
	check(isnan(figures_median(values + 1, 1, 1)), "nothing is known");
}

static void the_crowd_does_its_work(const struct crowd *crowd, const struct crowd_plan *plan,
				    double rate)
{
	char why[256] = "";
	void *floor = crowd->open(plan, why, sizeof(why));

	printf("# %s, %u in flight, %u resources, rate %g %s\n", crowd->name, plan->in_flight,
	       plan->resources, rate, why);
	check(floor != NULL, "it connects");
	if (floor) {
		run = (struct run){.cycles = 300, .rate = rate};
		crowd->run(floor, &run);
		check(run.finished == 300 && run.errors == 0, "every cycle ends well");
		check(run.acquire.count == 300 && run.cycle.count == 300, "and is counted once");
		crowd->close(floor);
	}
}

static void the_crowd_is_far_away(const struct nodes *nodes)
{
	const struct delay_plan delays = {.rtt_ns = {3000000, 1000000, 2000000, 1000000, 1000000},
					  .jitter_ns = 500000};
	struct delay_proxy proxy;
	struct crowd_plan plan = {
		.nodes = &proxy.nodes, .ttl_ms = 30000, .in_flight = 50, .resources = 50};
	char why[256] = "";

	check(delay_proxy_start(&proxy, nodes, &delays, why, sizeof(why)) == 0, "a proxy starts");
	the_crowd_does_its_work(&crowd_floor, &plan, 0);
	/* No timing but this one: nothing is there before its delay is over. */
	check(histogram_percentile_us(&run.acquire, 0) >= 1000, "half a round trip each way");
	the_crowd_does_its_work(&crowd_ping, &plan, 0);
	delay_proxy_end(&proxy);
}

static void the_crowd_goes_on_without(struct servers *servers, const struct nodes *nodes,
				      enum lab_condition condition)
{
	struct crowd_plan plan = {
		.nodes = nodes, .ttl_ms = 30000, .in_flight = 20, .resources = 20};
	char why[256] = "";
	void *floor = crowd_floor.open(&plan, why, sizeof(why));

	printf("# %s %s\n", condition_names[condition], why);
	check(floor != NULL, "it connects");
	if (floor) {
		condition_impose(servers, condition);
		run = (struct run){.cycles = 300, .leave_open = true};
		crowd_floor.run(floor, &run);
		check(run.finished == 300 && run.errors == 0, "every cycle ends well");
		condition_lift(servers, condition);
		crowd_floor.drain(floor, &run, condition_absent(condition));
		check(run.errors == 0, "what was left open is answered");
		crowd_floor.close(floor);
	}
	check(condition_repair(servers, condition, why, sizeof(why)) == 0, "all are well again");
}

static void the_floor_serves_many(uint16_t first_port)
{
	static struct servers servers;
	struct nodes nodes = {0};
	struct crowd_plan plan = {.nodes = &nodes, .ttl_ms = 30000};
	char why[256] = "";
	size_t i;

	if (servers_start(&servers, 5, first_port, why, sizeof(why)) != 0) {
		printf("# %s\n", why);
		check(false, "five servers start");
		return;
	}
	for (i = 0; i < servers.count; i++) {
		nodes_add_local(&nodes, servers.all[i].port);
	}
	plan.in_flight = plan.resources = 1;
	the_crowd_does_its_work(&crowd_floor, &plan, 0);
	plan.in_flight = plan.resources = 50;
	the_crowd_does_its_work(&crowd_floor, &plan, 0);
	the_crowd_does_its_work(&crowd_ping, &plan, 0);
	the_crowd_does_its_work(&crowd_floor, &plan, 3000);
	plan.resources = 3;
	the_crowd_does_its_work(&crowd_floor, &plan, 0);
	the_crowd_does_its_work(&crowd_ping, &plan, 0);
	the_crowd_does_its_work(&crowd_floor_extend, &plan, 0);
	the_crowd_is_far_away(&nodes);
	the_crowd_goes_on_without(&servers, &nodes, LAB_HUNG1);
	the_crowd_goes_on_without(&servers, &nodes, LAB_HUNG2);
	the_crowd_goes_on_without(&servers, &nodes, LAB_DEAD1);
	the_crowd_goes_on_without(&servers, &nodes, LAB_HEALTHY);
	servers_end(&servers);
}

int main(int argc, char **argv)
{
	histograms_are_close();
	small_values_have_buckets_of_their_own();
	ranks_end_where_the_samples_do();
	closed_loops_end_by_count();
	open_loops_do_not_wait_for_the_slow();
	commands_of_clients_are_counted();
	processor_time_is_read();
	ranges_are_read_strictly();
	conditions_have_names();
	the_ceiling_is_what_time_allows();
	alarms_ring_in_order();
	two_who_hold_it_at_once_are_seen();
	lists_are_read_strictly();
	what_is_not_known_is_left_out();
	the_floor_serves_many((uint16_t)(argc > 1 ? atoi(argv[1]) : 23500));
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
