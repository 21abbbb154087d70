/* load_report.c - the results of a load: a table for each level, or JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab.h"

static double median_of(const struct lab *lab, const struct load_results *results,
			const struct load_cell *cell, int figure)
{
	return figures_median(load_values(lab, results, cell) + figure, FIGURES,
			      lab->options.rounds);
}

static double ratio_of(const struct lab *lab, const struct load_results *results,
		       const struct load_cell *cell, const struct load_cell *base, int figure)
{
	return figures_ratio(load_values(lab, results, cell) + figure,
			     load_values(lab, results, base) + figure, FIGURES,
			     lab->options.rounds);
}

static struct load_cell of_who(const struct load_cell *cell, int who)
{
	return (struct load_cell){cell->level, cell->condition, who};
}

static struct load_cell when_healthy(const struct load_cell *cell)
{
	return (struct load_cell){cell->level, LAB_HEALTHY, cell->who};
}

/* ---- For people ------------------------------------------------------------------------------ */

static void print_number(double value, int width, int decimals)
{
	if (isfinite(value)) {
		printf(" %*.*f", width, decimals, value);
	} else {
		printf(" %*s", width, "-");
	}
}

/* A PING has one step, and no lock. */
static bool ping_has(int figure)
{
	return figure <= ACQUIRE_MAX || figure >= CYCLES_PER_S;
}

static void print_row(const struct lab *lab, const struct load_results *results,
		      const struct load_cell *ours, int figure)
{
	const struct load_cell floor = of_who(ours, WHO_FLOOR);
	const struct load_cell ping = of_who(ours, WHO_PING);
	const struct load_cell base = when_healthy(ours);
	double value = median_of(lab, results, ours, figure);
	int decimals = value >= 1000 ? 0 : value >= 10 ? 1 : 2;
	/* The column is counted in bytes: µ has two. */
	int pad = 22 + (strstr(figure_names[figure].words, "µ") != NULL);

	printf("%-*s", pad, figure_names[figure].words);
	print_number(median_of(lab, results, &floor, figure), 11, decimals);
	print_number(value, 11, decimals);
	print_number(ratio_of(lab, results, ours, &floor, figure), 8, 2);
	if (ours->condition != LAB_HEALTHY) {
		print_number(ratio_of(lab, results, ours, &base, figure), 10, 2);
	}
	if (ping_has(figure)) {
		print_number(median_of(lab, results, &ping, figure), 11, decimals);
	}
	putchar('\n');
}

static void print_errors(const struct load_results *results, const struct load_cell *cell)
{
	int who;

	for (who = 0; who < WHO_COUNT; who++) {
		const struct load_errors *errors =
			&results->errors[cell->level][cell->condition][who];

		if (errors->errors > 0) {
			printf("%s: %" PRIu64 " errors in %" PRIu64 " cycles, first: %s\n",
			       load_crowds[who]->name, errors->errors, errors->cycles,
			       errors->first);
		}
	}
}

static void print_condition(const struct lab *lab, enum lab_condition condition)
{
	const struct condition_options *options = &lab->options.conditions;
	size_t i;

	switch (condition) {
	case LAB_HEALTHY:
		break;
	case LAB_HUNG1:
	case LAB_HUNG2:
		printf(", %zu of them hung (SIGSTOP)", condition_silent(condition));
		break;
	case LAB_DEAD1:
		printf(", one of them killed");
		break;
	case LAB_SLOW1:
		printf(", one of them slow by %u ms", options->slow_ms);
		break;
	default:
		printf(", round trips of ");
		for (i = 0; i < lab->nodes.count; i++) {
			printf("%s%u", i > 0 ? "/" : "", options->rtt_ms[i % options->rtt_count]);
		}
		printf(" ms (the quorum's: %g ms)",
		       condition_quorum_rtt_ms(options, lab->nodes.count));
		break;
	}
	if (options->jitter_ms > 0 && (condition == LAB_SLOW1 || condition == LAB_RTT)) {
		printf(", up to %u ms more each way", options->jitter_ms);
	}
}

static void print_cell(const struct lab *lab, const struct load_results *results,
		       const struct load_cell *cell)
{
	const struct lab_options *options = &lab->options;
	uint32_t in_flight = options->levels[cell->level];
	int figure;

	printf("\n%u in flight, ", in_flight);
	if (options->resources > 0 && options->resources < in_flight) {
		printf("%u shared resources, ", options->resources);
	} else {
		printf("each on a resource of its own, ");
	}
	if (options->rate > 0) {
		printf("open loop: %.0f starts a second", options->rate);
	} else {
		printf("closed loop");
	}
	print_condition(lab, cell->condition);
	printf("\n%-22s %11s %11s %8s", "", "floor", "ours", "/ floor");
	printf(cell->condition != LAB_HEALTHY ? " / healthy %11s\n" : " %11s\n", "PING");
	for (figure = 0; figure < FIGURES; figure++) {
		print_row(lab, results, cell, figure);
	}
	print_errors(results, cell);
}

static void print_level(const struct lab *lab, const struct load_results *results, size_t level)
{
	const struct condition_options *conditions = &lab->options.conditions;
	size_t i;

	for (i = 0; i < conditions->count; i++) {
		const struct load_cell cell = {level, conditions->all[i], WHO_OURS};

		print_cell(lab, results, &cell);
	}
}

void load_print(const struct lab *lab, const struct load_results *results)
{
	const struct lab_options *options = &lab->options;
	size_t level;

	lab_print_setting(lab);
	if (options->cycles > 0) {
		printf("%u rounds of %" PRIu64 " cycles a block", options->rounds, options->cycles);
	} else {
		printf("%u rounds of %g s a block", options->rounds,
		       (double)options->duration_ns / 1e9);
	}
	printf(", in turns, each in a process of its own; medians over the rounds,\n"
	       "ratios taken within each round. PING: to all, until a quorum has answered.\n");
	if (options->conditions.count > 1) {
		printf("/ healthy: ours to ours of the same round, all nodes well. CPU and "
		       "commands: of the nodes that answer.\n");
	}
	for (level = 0; level < options->level_count; level++) {
		print_level(lab, results, level);
	}
}

/* ---- For machines ---------------------------------------------------------------------------- */

static void write_figure(const struct lab *lab, const struct load_results *results,
			 const struct load_cell *cell, int figure, FILE *file)
{
	const double *values = load_values(lab, results, cell) + figure;
	const struct load_cell floor = of_who(cell, WHO_FLOOR);
	const struct load_cell ping = of_who(cell, WHO_PING);
	const struct load_cell base = when_healthy(cell);
	unsigned round;

	fprintf(file, "      \"%s\": {\"median\": ", figure_names[figure].key);
	lab_write_number(file, median_of(lab, results, cell, figure));
	fprintf(file, ", \"to_floor\": ");
	lab_write_number(file, ratio_of(lab, results, cell, &floor, figure));
	fprintf(file, ", \"to_healthy\": ");
	lab_write_number(file, ratio_of(lab, results, cell, &base, figure));
	if (ping_has(figure)) {
		fprintf(file, ", \"to_ping\": ");
		lab_write_number(file, ratio_of(lab, results, cell, &ping, figure));
	}
	fprintf(file, ", \"rounds\": [");
	for (round = 0; round < lab->options.rounds; round++) {
		fputs(round > 0 ? ", " : "", file);
		lab_write_number(file, values[(size_t)round * FIGURES]);
	}
	fprintf(file, "]}");
}

/* A rank that one of the blocks was too short for is not known: the others alone would stand out of
 * line with its neighbours. */
static double rank_of(const struct lab *lab, const double *values)
{
	unsigned round;

	for (round = 0; round < lab->options.rounds; round++) {
		if (!isfinite(values[(size_t)round * RANKS])) {
			return (double)NAN;
		}
	}
	return figures_median(values, RANKS, lab->options.rounds);
}

static void write_ranks(const struct lab *lab, const struct load_results *results,
			const struct load_cell *cell, FILE *file)
{
	const double *ranks = load_ranks(lab, results, cell);
	unsigned rank;

	fprintf(file, "     \"acquire_ranks_us\": [");
	for (rank = 0; rank < RANKS; rank++) {
		fputs(rank > 0 ? ", " : "", file);
		lab_write_number(file, rank_of(lab, ranks + rank));
	}
	fprintf(file, "],\n");
}

static void write_cell(const struct lab *lab, const struct load_results *results,
		       const struct load_cell *cell, FILE *file)
{
	const struct load_errors *errors =
		&results->errors[cell->level][cell->condition][cell->who];
	uint32_t in_flight = lab->options.levels[cell->level];
	uint32_t resources = lab->options.resources;
	const char *comma = "";
	int figure;

	fprintf(file,
		"    {\"who\": \"%s\", \"condition\": \"%s\", \"in_flight\": %u, "
		"\"resources\": %u,\n",
		load_crowds[cell->who]->name, condition_names[cell->condition], in_flight,
		resources > 0 && resources < in_flight ? resources : in_flight);
	fprintf(file, "     \"cycles\": %" PRIu64 ", \"errors\": %" PRIu64, errors->cycles,
		errors->errors);
	/* Names and fixed words: nothing to escape. */
	fprintf(file, ", \"first_error\": \"%s\",\n", errors->first);
	write_ranks(lab, results, cell, file);
	fprintf(file, "     \"figures\": {\n");
	for (figure = 0; figure < FIGURES; figure++) {
		if (cell->who == WHO_PING && !ping_has(figure)) {
			continue;
		}
		fprintf(file, "%s", comma);
		write_figure(lab, results, cell, figure, file);
		comma = ",\n";
	}
	fprintf(file, "}}");
}

static void write_cells(const struct lab *lab, const struct load_results *results, FILE *file)
{
	const struct condition_options *conditions = &lab->options.conditions;
	size_t cells = lab->options.level_count * conditions->count * WHO_COUNT;
	size_t i;

	for (i = 0; i < cells; i++) {
		const struct load_cell cell = {
			.level = i / WHO_COUNT / conditions->count,
			.condition = conditions->all[i / WHO_COUNT % conditions->count],
			.who = (int)(i % WHO_COUNT),
		};

		fprintf(file, "%s", i > 0 ? ",\n" : "");
		write_cell(lab, results, &cell, file);
	}
}

void load_write(const struct lab *lab, const struct load_results *results, FILE *file)
{
	const struct lab_options *options = &lab->options;
	unsigned rank;

	fprintf(file, "{\n  \"mode\": \"load\", \"loop\": \"%s\", \"rate\": ",
		options->rate > 0 ? "open" : "closed");
	lab_write_number(file, options->rate > 0 ? options->rate : (double)NAN);
	fprintf(file, ",\n");
	lab_write_setting(lab, file);
	lab_write_conditions(lab, file);
	fprintf(file, "  \"rounds\": %u, \"block_cycles\": %" PRIu64 ", \"block_s\": %g,\n",
		options->rounds, options->cycles,
		options->cycles > 0 ? 0.0 : (double)options->duration_ns / 1e9);
	fprintf(file, "  \"rank_percents\": [");
	for (rank = 0; rank < RANKS; rank++) {
		fprintf(file, "%s%.6g", rank > 0 ? ", " : "", rank_percent(rank));
	}
	fprintf(file, "],\n  \"results\": [\n");
	write_cells(lab, results, file);
	fprintf(file, "\n  ]\n}\n");
}
