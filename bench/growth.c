/* growth.c - does an operation cost more, the more locks a client holds, or the more wait in it?
 *
 * One process for each number of locks and round goes through it all: cycles
 * while nothing else is held, then with that many held, with one waiter behind
 * each of them; and in a client of its own, with as many waiters on resources
 * that somebody else holds. */
#include "growth.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "growth_play.h"
#include "stage.h"

#define TTL_MS 3600000
#define PLAY_MS 300000
#define MANY 'm'

/* ---- The account ----------------------------------------------------------------------------- */

static void *counting_calloc(size_t count, size_t size, void *data)
{
	struct growth *growth = data;
	void *block = calloc(count, size);

	growth->heap_bytes += malloc_usable_size(block);
	return block;
}

static void counting_free(void *block, void *data)
{
	struct growth *growth = data;

	growth->heap_bytes -= malloc_usable_size(block);
	free(block);
}

void growth_weigh(struct growth *growth)
{
	growth->heap_before = growth->heap_bytes;
	growth->rss_before = meter_rss_bytes();
}

double growth_heap_each(const struct growth *growth)
{
	return ((double)growth->heap_bytes - (double)growth->heap_before) / growth->count;
}

/* Only where nothing has been freed before: the system gives memory, and does not take it back. */
static double rss_each(const struct growth *growth)
{
	return ((double)meter_rss_bytes() - (double)growth->rss_before) / growth->count;
}

double growth_spent_us(const struct growth *growth, const struct reading *now, double operations)
{
	return (double)(now->cpu_ns - growth->since.cpu_ns) / 1e3 / operations;
}

void growth_probe(struct growth *growth, enum growth_figure figure)
{
	uint64_t cycles = growth_probe_cycles(growth->lab);
	struct reading now;

	herd_cycle(&growth->probes, cycles / 4 + 1); /* Warm. */
	session_settle(&growth->session, NULL, GROWTH_PATIENCE_MS);
	meter_begin(&growth->meter, &growth->since);
	herd_cycle(&growth->probes, cycles);
	meter_end(&growth->meter, &now);
	growth->values[figure] = growth_spent_us(growth, &now, (double)cycles);
}

/* ---- Scenes ---------------------------------------------------------------------------------- */

static int hold_many(struct growth *growth)
{
	struct reading now;
	int rv;

	growth_weigh(growth);
	rv = herd_open(&growth->holders, &growth->session, MANY, growth->count);
	if (rv != REDLOCK_OK) {
		return rv;
	}
	meter_begin(&growth->meter, &growth->since);
	herd_take(&growth->holders);
	meter_end(&growth->meter, &now);
	growth->values[GROWTH_TAKE] = growth_spent_us(growth, &now, growth->count);
	session_settle(&growth->session, NULL, GROWTH_PATIENCE_MS);
	growth->values[GROWTH_HELD_HEAP] = growth_heap_each(growth);
	growth->values[GROWTH_HELD_RSS] = rss_each(growth);
	growth_probe(growth, GROWTH_HELD);
	return REDLOCK_OK;
}

static int stand_in_line(struct growth *growth)
{
	int rv;

	growth_weigh(growth);
	rv = herd_open(&growth->waiters, &growth->session, MANY, growth->count);
	if (rv == REDLOCK_OK) {
		herd_wait(&growth->waiters);
		session_settle(&growth->session, NULL, GROWTH_PATIENCE_MS);
		growth->values[GROWTH_LINE_HEAP] = growth_heap_each(growth);
		growth->values[GROWTH_LINE_RSS] = rss_each(growth);
		growth_probe(growth, GROWTH_LINE);
	}
	return rv;
}

static void hand_over(struct growth *growth)
{
	struct reading now;

	meter_begin(&growth->meter, &growth->since);
	herd_give_back(&growth->holders);
	herd_await(&growth->waiters);
	herd_await(&growth->holders);
	meter_end(&growth->meter, &now);
	growth->values[GROWTH_HAND] = growth_spent_us(growth, &now, growth->count);
	growth->values[GROWTH_HAND_COMMANDS] =
		(double)(now.commands - growth->since.commands) / growth->count;
}

static void give_back(struct growth *growth)
{
	struct reading now;

	meter_begin(&growth->meter, &growth->since);
	herd_give_back(&growth->waiters);
	herd_await(&growth->waiters);
	session_settle(&growth->session, NULL, GROWTH_PATIENCE_MS);
	meter_end(&growth->meter, &now);
	growth->values[GROWTH_GIVE_BACK] = growth_spent_us(growth, &now, growth->count);
}

/* ---- A play ---------------------------------------------------------------------------------- */

int growth_open_client(struct growth *growth, char *why)
{
	const struct redlock_allocator allocator = {counting_calloc, counting_free, growth};
	struct redlock_options options;

	session_options(&options, TTL_MS);
	options.node_timeout_ms = growth->lab->options.node_timeout_ms;
	options.max_in_flight = 16 * growth->count + 65536;
	options.allocator = &allocator;
	if (session_open(&growth->session, &growth->lab->nodes, &options, why, WHY_MAX) != 0) {
		return -1;
	}
	if (session_settle(&growth->session, NULL, GROWTH_PATIENCE_MS) > 0) {
		snprintf(why, WHY_MAX, "the library does not find all nodes well");
		session_close(&growth->session);
		return -1;
	}
	return 0;
}

static int with_own(struct growth *growth)
{
	int rv = herd_open(&growth->probes, &growth->session, 'p', HERD_IN_FLIGHT);

	if (rv == REDLOCK_OK) {
		growth_probe(growth, GROWTH_ALONE);
		rv = hold_many(growth);
	}
	if (rv == REDLOCK_OK) {
		rv = stand_in_line(growth);
	}
	if (rv == REDLOCK_OK) {
		hand_over(growth);
		give_back(growth);
	}
	return rv;
}

static uint32_t errors_of(const struct growth *growth)
{
	return growth->probes.errors + growth->holders.errors + growth->waiters.errors;
}

static bool told(struct growth_end *end, int rv)
{
	if (rv != REDLOCK_OK && !end->why[0]) {
		snprintf(end->why, WHY_MAX, "%s", redlock_strerror(rv));
	}
	return rv == REDLOCK_OK;
}

static bool play_own(struct growth *growth, struct growth_end *end)
{
	int rv;

	if (growth_open_client(growth, end->why) != 0) {
		return false;
	}
	rv = with_own(growth);
	end->errors += errors_of(growth);
	herd_close(&growth->holders);
	herd_close(&growth->waiters);
	herd_close(&growth->probes);
	session_close(&growth->session);
	return told(end, rv);
}

static bool play_with_others(struct growth *growth, struct growth_end *end)
{
	int rv = growth_with_others(growth, end->why);

	end->errors += growth->errors;
	return told(end, rv);
}

static bool play(void *shared, void *data)
{
	static struct growth growth;
	const struct growth_plan *plan = data;
	struct growth_end *end = shared;
	bool fine;
	int figure;

	growth.lab = plan->lab;
	growth.count = plan->count;
	growth.values = end->values;
	for (figure = 0; figure < GROWTH_FIGURES; figure++) {
		growth.values[figure] = (double)NAN; /* Until it is measured. */
	}
	if (meter_open(&growth.meter, &plan->lab->nodes, &plan->lab->servers, end->why, WHY_MAX) !=
	    0) {
		return false;
	}
	fine = play_own(&growth, end) &&
	       (plan->lab->options.brief || play_with_others(&growth, end));
	meter_close(&growth.meter);
	return fine;
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

static bool add_play(const struct lab *lab, struct growth_results *results, struct stage *stage,
		     size_t level, unsigned round)
{
	size_t place = level * lab->options.rounds + round;
	double *values = results->values + place * GROWTH_FIGURES;
	struct growth_plan plan = {lab, lab->options.levels[level], round};
	const struct growth_end *end = stage->shared;
	double floor_cycle;
	bool fine;

	lab_progress("round %u of %u, %u locks", round + 1, lab->options.rounds, plan.count);
	fine = stage_play(stage, growth_play_floor, &plan, PLAY_MS, NULL);
	floor_cycle = end->values[GROWTH_FLOOR_CYCLE];
	fine = fine && stage_play(stage, play, &plan, PLAY_MS, NULL);
	if (!fine) {
		fprintf(stderr, "redlock-bench: %u locks: %s\n", plan.count,
			end->why[0] ? end->why : "its process did not come to its end");
		return false;
	}
	memcpy(values, end->values, sizeof(end->values));
	values[GROWTH_FLOOR_CYCLE] = floor_cycle;
	results->errors[level] += end->errors;
	return true;
}

static bool run_rounds(const struct lab *lab, struct growth_results *results, struct stage *stage)
{
	unsigned round;
	size_t level;

	for (round = 0; round < lab->options.rounds; round++) {
		for (level = 0; level < lab->options.level_count; level++) {
			if (!add_play(lab, results, stage, level, round)) {
				return false;
			}
		}
	}
	lab_progress("%s", "");
	return true;
}

int lab_growth(struct lab *lab)
{
	static struct growth_results results;
	struct stage stage = {0};
	size_t plays = lab->options.level_count * lab->options.rounds;
	int code = EXIT_FAILURE;
	size_t level;

	lab->options.ttl_ms = TTL_MS;
	results.values = calloc(plays * GROWTH_FIGURES, sizeof(double));
	if (!results.values || stage_open(&stage, sizeof(struct growth_end)) != 0) {
		fputs("redlock-bench: out of memory\n", stderr);
	} else if (run_rounds(lab, &results, &stage)) {
		growth_print(lab, &results);
		if (lab_write_json(lab, growth_write, &results)) {
			code = EXIT_SUCCESS;
		}
		for (level = 0; level < lab->options.level_count; level++) {
			code = results.errors[level] > 0 && code == EXIT_SUCCESS ? 2 : code;
		}
	}
	stage_close(&stage);
	free(results.values);
	return code;
}
