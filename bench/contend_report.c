/* contend_report.c - who got the resource how often: a table for each number of waiters, or JSON.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "contend.h"

static const struct figure_name names[CONTEND_FIGURES] = {
	[HANDOVERS_PER_S] = {"handovers a second", "handovers_per_s"},
	[TO_CEILING] = {"  of the ceiling", "to_ceiling"},
	[HANDOVER_P50] = {"handing over p50 µs", "handover_p50_us"},
	[HANDOVER_P90] = {"handing over p90", "handover_p90_us"},
	[HANDOVER_P99] = {"handing over p99", "handover_p99_us"},
	[HANDOVER_P999] = {"handing over p99.9", "handover_p999_us"},
	[HANDOVER_MAX] = {"handing over max", "handover_max_us"},
	[WAIT_P50] = {"wait, median ms", "wait_p50_ms"},
	[WAIT_P99] = {"wait p99", "wait_p99_ms"},
	[WAIT_MAX] = {"longest wait", "wait_max_ms"},
	[JAIN] = {"Jain index, waiters", "jain"},
	[JAIN_PROCESSES] = {"Jain index, processes", "jain_processes"},
	[HANDOVER_COMMANDS] = {"commands/handover", "commands_per_handover"},
	[HANDOVER_CLIENT_CPU] = {"client CPU µs/handover", "client_cpu_us_per_handover"},
	[HANDOVER_SERVER_CPU] = {"server CPU µs/handover", "server_cpu_us_per_handover"},
	[HOLD_MEAN] = {"mean hold ms", "hold_mean_ms"},
};

static double median_of(const struct lab *lab, const struct contend_results *results,
			const struct contend_cell *cell, int figure)
{
	return figures_median(contend_values(lab, results, cell) + figure, CONTEND_FIGURES,
			      lab->options.rounds);
}

static struct contend_cell plain_of(const struct contend_cell *cell)
{
	struct contend_cell plain = *cell;

	plain.who = CONTEND_PLAIN;
	return plain;
}

static const char *condition_of(const struct lab *lab, const struct contend_cell *cell)
{
	return condition_names[lab->options.conditions.all[cell->condition]];
}

static double to_plain(const struct lab *lab, const struct contend_results *results,
		       const struct contend_cell *cell, int figure)
{
	const struct contend_cell plain = plain_of(cell);

	return figures_ratio(contend_values(lab, results, cell) + figure,
			     contend_values(lab, results, &plain) + figure, CONTEND_FIGURES,
			     lab->options.rounds);
}

static uint32_t waiters_of(const struct lab *lab, const struct contend_cell *cell)
{
	return lab->options.contend.waiters[cell->waiters];
}

static uint32_t processes_of(const struct lab *lab, const struct contend_cell *cell)
{
	uint32_t processes = lab->options.contend.processes[cell->processes];

	return processes < waiters_of(lab, cell) ? processes : waiters_of(lab, cell);
}

/* ---- For people ------------------------------------------------------------------------------ */

static void print_number(double value, int width)
{
	double size = fabs(value);

	if (isfinite(value)) {
		printf(" %*.*f", width, size >= 1000 ? 0 : size >= 10 ? 1 : 3, value);
	} else {
		printf(" %*s", width, "-");
	}
}

static void print_row(const struct lab *lab, const struct contend_results *results,
		      const struct contend_cell *ours, int figure)
{
	const struct contend_cell plain = plain_of(ours);
	/* The column is counted in bytes: µ has two. */
	int pad = 24 + (strstr(names[figure].words, "µ") != NULL);

	printf("%-*s", pad, names[figure].words);
	print_number(median_of(lab, results, &plain, figure), 11);
	print_number(median_of(lab, results, ours, figure), 11);
	print_number(to_plain(lab, results, ours, figure), 9);
	putchar('\n');
}

static void print_faults(const struct lab *lab, const struct contend_results *results,
			 const struct contend_cell *cell)
{
	const struct contend_row *row = contend_row(lab, results, cell);

	if (row->overlaps > 0) {
		printf("%s: %" PRIu64 " TIMES TWO HELD IT AT ONCE\n", contend_names[cell->who],
		       row->overlaps);
	}
	if (row->errors > 0) {
		printf("%s: %" PRIu64 " errors, first: %s\n", contend_names[cell->who], row->errors,
		       row->first_error);
	}
}

static void print_cell(const struct lab *lab, const struct contend_results *results,
		       const struct contend_cell *ours)
{
	const struct contend_cell plain = plain_of(ours);
	uint32_t waiters = waiters_of(lab, ours);
	int figure;

	printf("\n%u waiters in %u processes, %s; ceiling %.1f handovers a second\n", waiters,
	       processes_of(lab, ours), condition_of(lab, ours),
	       contend_ceiling(&lab->options.contend, waiters));
	printf("%-24s %11s %11s %9s\n", "", "plain", "ours", "/ plain");
	for (figure = 0; figure < CONTEND_FIGURES; figure++) {
		print_row(lab, results, ours, figure);
	}
	print_faults(lab, results, &plain);
	print_faults(lab, results, ours);
}

void contend_print(const struct lab *lab, const struct contend_results *results)
{
	const struct contend_options *options = &lab->options.contend;
	size_t cells = contend_cells(lab);
	struct contend_cell cell;
	size_t i;

	lab_print_setting(lab);
	printf("%u rounds of %g s a block, in turns; medians over the rounds, ratios taken within "
	       "each round.\n",
	       lab->options.rounds, (double)lab->options.duration_ns / 1e9);
	printf("Held for %u ms, wanted again after %u to %u ms. plain: raw sockets, SET to all "
	       "every %u ms (half more or\nless), undone without a quorum. Two at once would be "
	       "seen: a counter in shared memory.\n",
	       options->hold_ms, options->think_min_ms, options->think_max_ms, options->plain_ms);
	for (i = 0; i < cells; i++) {
		cell = contend_cell(lab, i);
		if (cell.who == CONTEND_OURS) {
			print_cell(lab, results, &cell);
		}
	}
}

/* ---- For machines ---------------------------------------------------------------------------- */

static void write_figure(const struct lab *lab, const struct contend_results *results,
			 const struct contend_cell *cell, int figure, FILE *file)
{
	const double *values = contend_values(lab, results, cell) + figure;
	unsigned round;

	fprintf(file, "%s\n      \"%s\": {\"median\": ", figure > 0 ? "," : "", names[figure].key);
	lab_write_number(file, median_of(lab, results, cell, figure));
	fprintf(file, ", \"to_plain\": ");
	lab_write_number(file, to_plain(lab, results, cell, figure));
	fprintf(file, ", \"rounds\": [");
	for (round = 0; round < lab->options.rounds; round++) {
		fputs(round > 0 ? ", " : "", file);
		lab_write_number(file, values[(size_t)round * CONTEND_FIGURES]);
	}
	fprintf(file, "]}");
}

static void write_cell(const struct lab *lab, const struct contend_results *results,
		       const struct contend_cell *cell, FILE *file)
{
	const struct contend_row *row = contend_row(lab, results, cell);
	int figure;

	fprintf(file,
		"    {\"who\": \"%s\", \"condition\": \"%s\", \"processes\": %u, \"waiters\": %u, "
		"\"ceiling_per_s\": ",
		contend_names[cell->who], condition_of(lab, cell), processes_of(lab, cell),
		waiters_of(lab, cell));
	lab_write_number(file, contend_ceiling(&lab->options.contend, waiters_of(lab, cell)));
	/* Names and fixed words: nothing to escape. */
	fprintf(file,
		",\n     \"handovers\": %" PRIu64 ", \"overlaps\": %" PRIu64
		", \"errors\": %" PRIu64 ", \"first_error\": \"%s\",\n     \"figures\": {",
		row->handovers, row->overlaps, row->errors, row->first_error);
	for (figure = 0; figure < CONTEND_FIGURES; figure++) {
		write_figure(lab, results, cell, figure, file);
	}
	fprintf(file, "}}");
}

void contend_write(const struct lab *lab, const void *data, FILE *file)
{
	const struct contend_results *results = data;
	const struct contend_options *options = &lab->options.contend;
	size_t cells = contend_cells(lab);
	size_t i;

	fprintf(file, "{\n  \"mode\": \"contend\",\n");
	lab_write_setting(lab, file);
	lab_write_conditions(lab, file);
	fprintf(file,
		"  \"hold_ms\": %u, \"think_min_ms\": %u, \"think_max_ms\": %u, "
		"\"hands\": %u, \"plain_ms\": %u,\n",
		options->hold_ms, options->think_min_ms, options->think_max_ms, options->hands,
		options->plain_ms);
	fprintf(file, "  \"rounds\": %u, \"block_s\": %g,\n  \"results\": [\n", lab->options.rounds,
		(double)lab->options.duration_ns / 1e9);
	for (i = 0; i < cells; i++) {
		const struct contend_cell cell = contend_cell(lab, i);

		fprintf(file, "%s", i > 0 ? ",\n" : "");
		write_cell(lab, results, &cell, file);
	}
	fprintf(file, "\n  ]\n}\n");
}
