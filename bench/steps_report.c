/* steps_report.c - how long extending and handing over take: a table for each condition, or JSON.
 */
#include <inttypes.h>
#include <math.h>

#include "steps.h"

static const char *const figure_keys[STEP_FIGURES] = {"p50_us", "p90_us", "p99_us", "p999_us",
						      "max_us"};

/* What each is called, and what nothing can be quicker than. */
static const struct {
	const char *words;
	const char *key;
	const char *who;
	int floor;
} names[STEPS] = {
	[PING_ALL] = {"PING, quorum of answers", "ping", "ping", PING_ALL},
	[EXTEND_FLOOR] = {"extend: floor", "extend", "floor", EXTEND_FLOOR},
	[EXTEND_OURS] = {"extend: ours", "extend", "ours", EXTEND_FLOOR},
	[HAND_OURS] = {"hand over in a client: ours", "hand_over", "ours", PING_ALL},
	[PASS_FLOOR] = {"to another process: floor", "pass_on", "floor", PASS_FLOOR},
	[PASS_OURS] = {"to another process: ours", "pass_on", "ours", PASS_FLOOR},
};

static double ratio_of(const struct lab *lab, const struct steps_results *results,
		       enum lab_condition condition, int step, int base, int figure)
{
	return figures_ratio(steps_values(lab, results, condition, step) + figure,
			     steps_values(lab, results, condition, base) + figure, STEP_FIGURES,
			     lab->options.rounds);
}

static double median_of(const struct lab *lab, const struct steps_results *results,
			enum lab_condition condition, int step, int figure)
{
	return figures_median(steps_values(lab, results, condition, step) + figure, STEP_FIGURES,
			      lab->options.rounds);
}

static double to_healthy(const struct lab *lab, const struct steps_results *results,
			 enum lab_condition condition, int step, int figure)
{
	return figures_ratio(steps_values(lab, results, condition, step) + figure,
			     steps_values(lab, results, LAB_HEALTHY, step) + figure, STEP_FIGURES,
			     lab->options.rounds);
}

/* ---- For people ------------------------------------------------------------------------------ */

static void print_row(const struct lab *lab, const struct steps_results *results,
		      enum lab_condition condition, int step)
{
	const struct step_row *row = &results->rows[condition][step];
	int figure;

	printf("%-28s", names[step].words);
	for (figure = 0; figure < STEP_FIGURES; figure++) {
		double value = median_of(lab, results, condition, step, figure);

		printf(" %9.*f", value >= 1000 ? 0 : 1, value);
	}
	printf(" %8.2f %8.2f", ratio_of(lab, results, condition, step, names[step].floor, 0),
	       ratio_of(lab, results, condition, step, names[step].floor, 2));
	printf(" %9" PRIu64 "\n", row->count);
	if (row->errors > 0) {
		printf("  %" PRIu64 " errors, first: %s\n", row->errors, row->first_error);
	}
}

void steps_print(const struct lab *lab, const struct steps_results *results)
{
	const struct lab_options *options = &lab->options;
	size_t i;
	int step;

	lab_print_setting(lab);
	printf("%u rounds, blocks in turns, each in a process of its own; medians over the rounds, "
	       "ratios within\neach round. hand over: from release() to the callback of the next "
	       "one in the same client, to PING.\nto another process: kept for about %u ms before; "
	       "floor: release, then acquire, one after the other.\n",
	       options->rounds, options->contend.hold_ms);
	for (i = 0; i < options->conditions.count; i++) {
		enum lab_condition condition = options->conditions.all[i];

		printf("\n%-28s %9s %9s %9s %9s %9s %8s %8s %9s\n", condition_names[condition],
		       "p50 us", "p90", "p99", "p99.9", "max", "/ floor", "p99", "count");
		for (step = 0; step < STEPS; step++) {
			print_row(lab, results, condition, step);
		}
	}
}

/* ---- For machines ---------------------------------------------------------------------------- */

static void write_figure(const struct lab *lab, const struct steps_results *results,
			 enum lab_condition condition, int step, int figure, FILE *file)
{
	const double *values = steps_values(lab, results, condition, step) + figure;
	unsigned round;

	fprintf(file, "%s\n      \"%s\": {\"median\": ", figure > 0 ? "," : "",
		figure_keys[figure]);
	lab_write_number(file, median_of(lab, results, condition, step, figure));
	fprintf(file, ", \"to_floor\": ");
	lab_write_number(file, ratio_of(lab, results, condition, step, names[step].floor, figure));
	fprintf(file, ", \"to_ping\": ");
	lab_write_number(file, ratio_of(lab, results, condition, step, PING_ALL, figure));
	fprintf(file, ", \"to_healthy\": ");
	lab_write_number(file, to_healthy(lab, results, condition, step, figure));
	fprintf(file, ", \"rounds\": [");
	for (round = 0; round < lab->options.rounds; round++) {
		fputs(round > 0 ? ", " : "", file);
		lab_write_number(file, values[(size_t)round * STEP_FIGURES]);
	}
	fprintf(file, "]}");
}

static void write_row(const struct lab *lab, const struct steps_results *results,
		      enum lab_condition condition, int step, FILE *file)
{
	const struct step_row *row = &results->rows[condition][step];
	int figure;

	/* Names and fixed words: nothing to escape. */
	fprintf(file,
		"    {\"step\": \"%s\", \"who\": \"%s\", \"condition\": \"%s\",\n     \"count\": "
		"%" PRIu64 ", \"errors\": %" PRIu64 ", \"first_error\": \"%s\",\n     \"figures\": "
		"{",
		names[step].key, names[step].who, condition_names[condition], row->count,
		row->errors, row->first_error);
	for (figure = 0; figure < STEP_FIGURES; figure++) {
		write_figure(lab, results, condition, step, figure, file);
	}
	fprintf(file, "}}");
}

void steps_write(const struct lab *lab, const void *data, FILE *file)
{
	const struct steps_results *results = data;
	const struct lab_options *options = &lab->options;
	size_t rows = options->conditions.count * STEPS;
	size_t i;

	fprintf(file, "{\n  \"mode\": \"steps\",\n");
	lab_write_setting(lab, file);
	lab_write_conditions(lab, file);
	fprintf(file,
		"  \"hold_ms\": %u, \"rounds\": %u, \"block_cycles\": %" PRIu64
		", \"block_s\": %g,\n  \"results\": [\n",
		options->contend.hold_ms, options->rounds, options->cycles,
		options->cycles > 0 ? 0.0 : (double)options->duration_ns / 1e9);
	for (i = 0; i < rows; i++) {
		fprintf(file, "%s", i > 0 ? ",\n" : "");
		write_row(lab, results, options->conditions.all[i / STEPS], (int)(i % STEPS), file);
	}
	fprintf(file, "\n  ]\n}\n");
}
