/* steps.c - extending and handing over, each in blocks of its own, in turns. */
#include "steps.h"

#include <stdlib.h>
#include <string.h>

#include "load_block.h"
#include "stage.h"

#define PATIENCE_MS 120000
#define WARMUP_LEAST 200
#define WARMUP_LEAST_LONG 5 /* Where each takes milliseconds. */

/* How each is measured: by which crowd, and which of its figures. */
static const struct {
	const struct crowd *crowd;
	enum figure first;
} plays[STEPS] = {
	[PING_ALL] = {&crowd_ping, ACQUIRE_P50},
	[EXTEND_FLOOR] = {&crowd_floor_extend, ACQUIRE_P50},
	[EXTEND_OURS] = {&crowd_ours_extend, ACQUIRE_P50},
	[HAND_OURS] = {&crowd_ours_hand, ACQUIRE_P50},
	[PASS_FLOOR] = {&crowd_floor, CYCLE_P50},
	[PASS_OURS] = {&crowd_ours_pass, ACQUIRE_P50},
};

double *steps_values(const struct lab *lab, const struct steps_results *results,
		     enum lab_condition condition, int step)
{
	size_t place = ((size_t)condition * STEPS + (size_t)step) * lab->options.rounds;

	return results->values + place * STEP_FIGURES;
}

static void keep(const struct lab *lab, struct steps_results *results, enum lab_condition condition,
		 int step, unsigned round, const struct block_end *end)
{
	double *values = steps_values(lab, results, condition, step);
	struct step_row *row = &results->rows[condition][step];

	memcpy(values + (size_t)round * STEP_FIGURES, end->values + plays[step].first,
	       STEP_FIGURES * sizeof(double));
	if (row->errors == 0) {
		memcpy(row->first_error, end->run.first_error, sizeof(row->first_error));
	}
	row->errors += end->run.errors;
	row->count += end->run.acquire.count;
}

static bool add_block(struct lab *lab, struct steps_results *results, struct stage *stage,
		      enum lab_condition condition, int step, unsigned round)
{
	bool takes_long = condition == LAB_RTT || step == PASS_OURS;
	struct block_plan block = {
		.lab = lab,
		.crowd = plays[step].crowd,
		.condition = condition,
		.in_flight = 1,
		.round = round,
		.warmup_least = takes_long ? WARMUP_LEAST_LONG : WARMUP_LEAST,
	};
	struct block_end *end = stage->shared;
	bool fine;

	lab_progress("round %u of %u, %s, step %d of %d", round + 1, lab->options.rounds,
		     condition_names[condition], step + 1, STEPS);
	fine = stage_play(stage, load_block_play, &block,
			  PATIENCE_MS + lab->options.duration_ns / 1000000, NULL);
	if (lab->servers.count > 0 &&
	    condition_repair(&lab->servers, condition, end->why, WHY_MAX) != 0) {
		fine = false;
	}
	if (!fine) {
		fprintf(stderr, "redlock-bench: %s, step %d: %s\n", condition_names[condition],
			step + 1, end->why[0] ? end->why : "its process did not come to its end");
		return false;
	}
	keep(lab, results, condition, step, round, end);
	return true;
}

static bool run_rounds(struct lab *lab, struct steps_results *results, struct stage *stage)
{
	const struct condition_options *conditions = &lab->options.conditions;
	unsigned round;
	unsigned turn;
	size_t i;

	for (round = 0; round < lab->options.rounds; round++) {
		for (i = 0; i < conditions->count; i++) {
			for (turn = 0; turn < STEPS; turn++) {
				int step = (int)((round + turn) % STEPS);

				if (!add_block(lab, results, stage, conditions->all[i], step,
					       round)) {
					return false;
				}
			}
		}
	}
	lab_progress("%s", "");
	return true;
}

static bool is_clean(const struct steps_results *results)
{
	int i;

	for (i = 0; i < LAB_CONDITIONS * STEPS; i++) {
		if (results->rows[i / STEPS][i % STEPS].errors > 0) {
			return false;
		}
	}
	return true;
}

int lab_steps(struct lab *lab)
{
	static struct steps_results results;
	size_t blocks = (size_t)LAB_CONDITIONS * STEPS * lab->options.rounds;
	struct stage stage = {0};
	int code = EXIT_FAILURE;

	results.values = calloc(blocks * STEP_FIGURES, sizeof(double));
	if (!results.values || stage_open(&stage, sizeof(struct block_end)) != 0) {
		fputs("redlock-bench: out of memory\n", stderr);
	} else if (run_rounds(lab, &results, &stage)) {
		steps_print(lab, &results);
		if (lab_write_json(lab, steps_write, &results)) {
			code = is_clean(&results) ? EXIT_SUCCESS : 2;
		}
	}
	stage_close(&stage);
	free(results.values);
	return code;
}
