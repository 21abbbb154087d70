/* load_report.c - the results of a load: a table for each level, or JSON. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab.h"

static double median_of(const struct lab *lab, const struct load_results *results, size_t level,
			int who, int figure)
{
	return figures_median(load_values(lab, results, level, who) + figure, FIGURES,
			      lab->options.rounds);
}

static double ratio_of(const struct lab *lab, const struct load_results *results, size_t level,
		       int who, int figure, int base)
{
	return figures_ratio(load_values(lab, results, level, who) + figure,
			     load_values(lab, results, level, base) + figure, FIGURES,
			     lab->options.rounds);
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

static void print_row(const struct lab *lab, const struct load_results *results, size_t level,
		      int figure)
{
	double ours = median_of(lab, results, level, WHO_OURS, figure);
	int decimals = ours >= 1000 ? 0 : ours >= 10 ? 1 : 2;
	/* The column is counted in bytes: µ has two. */
	int pad = 22 + (strstr(figure_names[figure].words, "µ") != NULL);

	printf("%-*s", pad, figure_names[figure].words);
	print_number(median_of(lab, results, level, WHO_FLOOR, figure), 11, decimals);
	print_number(ours, 11, decimals);
	print_number(ratio_of(lab, results, level, WHO_OURS, figure, WHO_FLOOR), 8, 2);
	if (ping_has(figure)) {
		print_number(median_of(lab, results, level, WHO_PING, figure), 11, decimals);
	}
	putchar('\n');
}

static void print_errors(const struct load_results *results, size_t level)
{
	int who;

	for (who = 0; who < WHO_COUNT; who++) {
		const struct load_errors *errors = &results->errors[level][who];

		if (errors->errors > 0) {
			printf("%s: %" PRIu64 " errors in %" PRIu64 " cycles, first: %s\n",
			       load_crowds[who]->name, errors->errors, errors->cycles,
			       errors->first);
		}
	}
}

static void print_level(const struct lab *lab, const struct load_results *results, size_t level)
{
	const struct lab_options *options = &lab->options;
	uint32_t in_flight = options->levels[level];
	int figure;

	printf("\n%u in flight, ", in_flight);
	if (options->resources > 0 && options->resources < in_flight) {
		printf("%u shared resources, ", options->resources);
	} else {
		printf("each on a resource of its own, ");
	}
	if (options->rate > 0) {
		printf("open loop: %.0f starts a second\n", options->rate);
	} else {
		printf("closed loop\n");
	}
	printf("%-22s %11s %11s %8s %11s\n", "", "floor", "ours", "/ floor", "PING");
	for (figure = 0; figure < FIGURES; figure++) {
		print_row(lab, results, level, figure);
	}
	print_errors(results, level);
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
	for (level = 0; level < options->level_count; level++) {
		print_level(lab, results, level);
	}
}

/* ---- For machines ---------------------------------------------------------------------------- */

static void write_figure(const struct lab *lab, const struct load_results *results, size_t level,
			 int who, int figure, FILE *file)
{
	const double *values = load_values(lab, results, level, who) + figure;
	unsigned round;

	fprintf(file, "      \"%s\": {\"median\": ", figure_names[figure].key);
	lab_write_number(file, median_of(lab, results, level, who, figure));
	fprintf(file, ", \"to_floor\": ");
	lab_write_number(file, ratio_of(lab, results, level, who, figure, WHO_FLOOR));
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

static void write_ranks(const struct lab *lab, const struct load_results *results, size_t level,
			int who, FILE *file)
{
	const double *ranks = load_ranks(lab, results, level, who);
	unsigned rank;

	fprintf(file, "     \"acquire_ranks_us\": [");
	for (rank = 0; rank < RANKS; rank++) {
		fputs(rank > 0 ? ", " : "", file);
		lab_write_number(file, rank_of(lab, ranks + rank));
	}
	fprintf(file, "],\n");
}

static void write_contender(const struct lab *lab, const struct load_results *results, size_t level,
			    int who, FILE *file)
{
	const struct load_errors *errors = &results->errors[level][who];
	uint32_t in_flight = lab->options.levels[level];
	uint32_t resources = lab->options.resources;
	const char *comma = "";
	int figure;

	fprintf(file, "    {\"who\": \"%s\", \"in_flight\": %u, \"resources\": %u,\n",
		load_crowds[who]->name, in_flight,
		resources > 0 && resources < in_flight ? resources : in_flight);
	fprintf(file, "     \"cycles\": %" PRIu64 ", \"errors\": %" PRIu64, errors->cycles,
		errors->errors);
	/* Names and fixed words: nothing to escape. */
	fprintf(file, ", \"first_error\": \"%s\",\n", errors->first);
	write_ranks(lab, results, level, who, file);
	fprintf(file, "     \"figures\": {\n");
	for (figure = 0; figure < FIGURES; figure++) {
		if (who == WHO_PING && !ping_has(figure)) {
			continue;
		}
		fprintf(file, "%s", comma);
		write_figure(lab, results, level, who, figure, file);
		comma = ",\n";
	}
	fprintf(file, "}}");
}

void load_write(const struct lab *lab, const struct load_results *results, FILE *file)
{
	const struct lab_options *options = &lab->options;
	const char *comma = "";
	unsigned rank;
	size_t level;
	int who;

	fprintf(file, "{\n  \"mode\": \"load\", \"loop\": \"%s\", \"rate\": ",
		options->rate > 0 ? "open" : "closed");
	lab_write_number(file, options->rate > 0 ? options->rate : (double)NAN);
	fprintf(file, ",\n");
	lab_write_setting(lab, file);
	fprintf(file, "  \"rounds\": %u, \"block_cycles\": %" PRIu64 ", \"block_s\": %g,\n",
		options->rounds, options->cycles,
		options->cycles > 0 ? 0.0 : (double)options->duration_ns / 1e9);
	fprintf(file, "  \"rank_percents\": [");
	for (rank = 0; rank < RANKS; rank++) {
		fprintf(file, "%s%.6g", rank > 0 ? ", " : "", rank_percent(rank));
	}
	fprintf(file, "],\n  \"results\": [\n");
	for (level = 0; level < options->level_count; level++) {
		for (who = 0; who < WHO_COUNT; who++) {
			fprintf(file, "%s", comma);
			write_contender(lab, results, level, who, file);
			comma = ",\n";
		}
	}
	fprintf(file, "\n  ]\n}\n");
}
