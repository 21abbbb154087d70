/* load.c - many cycles at once, by the floor and by the library in turns.
 *
 * In each round, at each level, each contender has a block; the order goes
 * round, so that none is always the first after the others. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "stage.h"

#define PATIENCE_MS 120000
#define WARMUP_LEAST 200

const struct crowd *const load_crowds[WHO_COUNT] = {&crowd_floor, &crowd_ours, &crowd_ping};

/* One block: what it is to do, and where it is among the others. */
struct block_plan {
	const struct lab *lab;
	const struct crowd *crowd;
	uint32_t in_flight;
	unsigned round;
};

/* What the process of a block leaves behind. */
struct block_end {
	struct run run;
	double values[FIGURES];
	double ranks[RANKS];
	char why[WHY_MAX];
};

double *load_values(const struct lab *lab, const struct load_results *results, size_t level,
		    int who)
{
	size_t place = (level * WHO_COUNT + (size_t)who) * lab->options.rounds;

	return results->values + place * FIGURES;
}

double *load_ranks(const struct lab *lab, const struct load_results *results, size_t level, int who)
{
	size_t place = (level * WHO_COUNT + (size_t)who) * lab->options.rounds;

	return results->ranks + place * RANKS;
}

/* ---- Inside the block's process -------------------------------------------------------------- */

static struct crowd_plan plan_of(const struct block_plan *block)
{
	const struct lab_options *options = &block->lab->options;
	uint32_t resources = options->resources;

	if (resources == 0 || resources > block->in_flight) {
		resources = block->in_flight;
	}
	return (struct crowd_plan){
		.nodes = &block->lab->nodes,
		.in_flight = block->in_flight,
		.resources = resources,
		.ttl_ms = options->ttl_ms,
		.node_timeout_ms = options->node_timeout_ms,
	};
}

static void warm_up(const struct block_plan *block, void *contender, struct run *run)
{
	uint64_t cycles = block->lab->options.warmup;

	if (cycles == UINT64_MAX) {
		cycles = 2 * (uint64_t)block->in_flight;
		cycles = cycles < WARMUP_LEAST ? WARMUP_LEAST : cycles;
	}
	if (cycles > 0) {
		run->cycles = cycles;
		block->crowd->run(contender, run);
	}
}

static void measure(const struct block_plan *block, void *contender, const struct meter *meter,
		    struct block_end *end)
{
	const struct lab_options *options = &block->lab->options;
	struct reading before;
	struct reading after;
	uint64_t errors;

	warm_up(block, contender, &end->run);
	errors = end->run.errors; /* They always count. */
	end->run.cycles = options->cycles;
	end->run.duration_ns = options->duration_ns;
	end->run.rate = options->rate;
	meter_begin(meter, &before);
	block->crowd->run(contender, &end->run);
	meter_end(meter, &after);
	end->run.errors += errors;
	figures_of(&end->run, &before, &after, (double)meter_rss_bytes() / 1048576, end->values);
	ranks_of(&end->run.acquire, end->ranks);
}

static bool play(void *shared, void *data)
{
	const struct block_plan *block = data;
	const struct crowd_plan plan = plan_of(block);
	struct block_end *end = shared;
	struct meter meter;
	void *contender;

	if (meter_open(&meter, &block->lab->nodes, &block->lab->servers, end->why, WHY_MAX) != 0) {
		return false;
	}
	contender = block->crowd->open(&plan, end->why, WHY_MAX);
	if (contender) {
		measure(block, contender, &meter, end);
		block->crowd->close(contender);
	}
	meter_close(&meter);
	return contender != NULL;
}

/* ---- Around it ------------------------------------------------------------------------------- */

static void look(const void *shared, void *data)
{
	const struct block_plan *block = data;
	const struct block_end *end = shared;

	lab_progress("round %u of %u, %u in flight, %s: %" PRIu64 " cycles", block->round + 1,
		     block->lab->options.rounds, block->in_flight, block->crowd->name,
		     end->run.finished);
}

static bool add_block(const struct lab *lab, struct load_results *results, struct stage *stage,
		      size_t level, int who, unsigned round)
{
	struct block_plan block = {lab, load_crowds[who], lab->options.levels[level], round};
	struct load_errors *errors = &results->errors[level][who];
	const struct block_end *end = stage->shared;

	if (!stage_play(stage, play, &block, PATIENCE_MS + lab->options.duration_ns / 1000000,
			look)) {
		fprintf(stderr, "redlock-bench: %s: %s\n", block.crowd->name,
			end->why[0] ? end->why : "its process did not come to its end");
		return false;
	}
	memcpy(load_values(lab, results, level, who) + (size_t)round * FIGURES, end->values,
	       sizeof(end->values));
	memcpy(load_ranks(lab, results, level, who) + (size_t)round * RANKS, end->ranks,
	       sizeof(end->ranks));
	if (errors->errors == 0) {
		memcpy(errors->first, end->run.first_error, sizeof(errors->first));
	}
	errors->errors += end->run.errors;
	errors->cycles += end->run.finished;
	return true;
}

static bool run_rounds(const struct lab *lab, struct load_results *results, struct stage *stage)
{
	unsigned round;
	size_t level;
	int turn;

	for (round = 0; round < lab->options.rounds; round++) {
		for (level = 0; level < lab->options.level_count; level++) {
			for (turn = 0; turn < WHO_COUNT; turn++) {
				int who = (int)((round + (unsigned)turn) % WHO_COUNT);

				if (!add_block(lab, results, stage, level, who, round)) {
					return false;
				}
			}
		}
	}
	lab_progress("%s", "");
	return true;
}

static uint64_t all_errors(const struct lab *lab, const struct load_results *results)
{
	uint64_t errors = 0;
	size_t level;
	int who;

	for (level = 0; level < lab->options.level_count; level++) {
		for (who = 0; who < WHO_COUNT; who++) {
			errors += results->errors[level][who].errors;
		}
	}
	return errors;
}

static void write_results(const struct lab *lab, const void *results, FILE *file)
{
	load_write(lab, results, file);
}

int lab_load(struct lab *lab)
{
	static struct load_results results;
	struct stage stage = {0};
	size_t blocks = lab->options.level_count * WHO_COUNT * lab->options.rounds;
	int code = EXIT_FAILURE;

	results.values = calloc(blocks * FIGURES, sizeof(double));
	results.ranks = calloc(blocks * RANKS, sizeof(double));
	if (!results.values || !results.ranks ||
	    stage_open(&stage, sizeof(struct block_end)) != 0) {
		fputs("redlock-bench: out of memory\n", stderr);
	} else if (run_rounds(lab, &results, &stage)) {
		load_print(lab, &results);
		if (lab_write_json(lab, write_results, &results)) {
			/* A benchmark with errors is a finding, not a success. */
			code = all_errors(lab, &results) == 0 ? EXIT_SUCCESS : 2;
		}
	}
	stage_close(&stage);
	free(results.ranks);
	free(results.values);
	return code;
}
