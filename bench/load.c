/* load.c - many cycles at once, by the floor and by the library in turns.
 *
 * In each round, at each level and under each condition, each contender has a
 * block; the order goes round, so that none is always the first after the
 * others. Healthy comes first: what the others come to is told beside it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "load_block.h"
#include "stage.h"

#define PATIENCE_MS 120000
#define WARMUP_LEAST 200
#define WARMUP_LEAST_FAR 20 /* Where each takes milliseconds. */

const struct crowd *const load_crowds[WHO_COUNT] = {&crowd_floor, &crowd_ours, &crowd_ping};

static size_t rows_before(const struct lab *lab, const struct load_cell *cell)
{
	size_t row = cell->level * LAB_CONDITIONS + (size_t)cell->condition;

	return (row * WHO_COUNT + (size_t)cell->who) * lab->options.rounds;
}

double *load_values(const struct lab *lab, const struct load_results *results,
		    const struct load_cell *cell)
{
	return results->values + rows_before(lab, cell) * FIGURES;
}

double *load_ranks(const struct lab *lab, const struct load_results *results,
		   const struct load_cell *cell)
{
	return results->ranks + rows_before(lab, cell) * RANKS;
}

static void look(const void *shared, void *data)
{
	const struct block_plan *block = data;
	const struct block_end *end = shared;

	lab_progress("round %u of %u, %u in flight, %s, %s: %" PRIu64 " cycles", block->round + 1,
		     block->lab->options.rounds, block->in_flight,
		     condition_names[block->condition], block->crowd->name, end->run.finished);
}

static void keep(const struct lab *lab, struct load_results *results, const struct load_cell *cell,
		 unsigned round, const struct block_end *end)
{
	struct load_errors *errors = &results->errors[cell->level][cell->condition][cell->who];

	memcpy(load_values(lab, results, cell) + (size_t)round * FIGURES, end->values,
	       sizeof(end->values));
	memcpy(load_ranks(lab, results, cell) + (size_t)round * RANKS, end->ranks,
	       sizeof(end->ranks));
	if (errors->errors == 0) {
		memcpy(errors->first, end->run.first_error, sizeof(errors->first));
	}
	errors->errors += end->run.errors;
	errors->cycles += end->run.finished;
}

static bool add_block(struct lab *lab, struct load_results *results, struct stage *stage,
		      const struct load_cell *cell, unsigned round)
{
	struct block_plan block = {
		.lab = lab,
		.crowd = load_crowds[cell->who],
		.condition = cell->condition,
		.in_flight = lab->options.levels[cell->level],
		.round = round,
		.warmup_least = cell->condition == LAB_RTT ? WARMUP_LEAST_FAR : WARMUP_LEAST,
	};
	struct block_end *end = stage->shared;
	bool fine;

	fine = stage_play(stage, load_block_play, &block,
			  PATIENCE_MS + lab->options.duration_ns / 1000000, look);
	if (lab->servers.count > 0 &&
	    condition_repair(&lab->servers, cell->condition, end->why, WHY_MAX) != 0) {
		fine = false;
	}
	if (!fine) {
		fprintf(stderr, "redlock-bench: %s, %s: %s\n", condition_names[cell->condition],
			block.crowd->name,
			end->why[0] ? end->why : "its process did not come to its end");
		return false;
	}
	keep(lab, results, cell, round, end);
	return true;
}

static bool add_blocks(struct lab *lab, struct load_results *results, struct stage *stage,
		       size_t level, unsigned round)
{
	const struct condition_options *conditions = &lab->options.conditions;
	unsigned turn;
	size_t i;

	for (i = 0; i < conditions->count; i++) {
		for (turn = 0; turn < WHO_COUNT; turn++) {
			struct load_cell cell = {level, conditions->all[i],
						 (int)((round + turn) % WHO_COUNT)};

			if (!add_block(lab, results, stage, &cell, round)) {
				return false;
			}
		}
	}
	return true;
}

static bool run_rounds(struct lab *lab, struct load_results *results, struct stage *stage)
{
	unsigned round;
	size_t level;

	for (round = 0; round < lab->options.rounds; round++) {
		for (level = 0; level < lab->options.level_count; level++) {
			if (!add_blocks(lab, results, stage, level, round)) {
				return false;
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
	int i;

	for (level = 0; level < lab->options.level_count; level++) {
		for (i = 0; i < LAB_CONDITIONS * WHO_COUNT; i++) {
			errors += results->errors[level][i / WHO_COUNT][i % WHO_COUNT].errors;
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
	size_t cells = lab->options.level_count * LAB_CONDITIONS * WHO_COUNT;
	int code = EXIT_FAILURE;

	results.values = calloc(cells * lab->options.rounds * FIGURES, sizeof(double));
	results.ranks = calloc(cells * lab->options.rounds * RANKS, sizeof(double));
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
