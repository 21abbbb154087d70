/* growth_report.c - what a client with many locks costs: a column for each number of them. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "growth.h"
#include "herd.h"

static const struct figure_name names[GROWTH_FIGURES] = {
	[GROWTH_FLOOR_CYCLE] = {"floor: a cycle, CPU µs", "floor_cycle_cpu_us"},
	[GROWTH_ALONE] = {"a cycle, nothing else held, CPU µs", "alone_cycle_cpu_us"},
	[GROWTH_TAKE] = {"taking one of the many, CPU µs", "take_cpu_us"},
	[GROWTH_HELD] = {"a cycle while they are held, CPU µs", "held_cycle_cpu_us"},
	[GROWTH_HELD_HEAP] = {"a held lock, heap bytes", "held_heap_bytes"},
	[GROWTH_HELD_RSS] = {"a held lock, RSS bytes", "held_rss_bytes"},
	[GROWTH_LINE] = {"a cycle, one waiter behind each, CPU µs", "line_cycle_cpu_us"},
	[GROWTH_LINE_HEAP] = {"a waiter behind one, heap bytes", "line_heap_bytes"},
	[GROWTH_LINE_RSS] = {"a waiter behind one, RSS bytes", "line_rss_bytes"},
	[GROWTH_HAND] = {"handing one over, CPU µs", "hand_over_cpu_us"},
	[GROWTH_HAND_COMMANDS] = {"handing one over, commands", "hand_over_commands"},
	[GROWTH_GIVE_BACK] = {"giving one back, CPU µs", "give_back_cpu_us"},
	[GROWTH_WAIT_BEGIN] = {"beginning to wait for others, CPU µs", "wait_begin_cpu_us"},
	[GROWTH_WAIT_BEGIN_COMMANDS] = {"  commands to a node", "wait_begin_commands_per_node"},
	[GROWTH_WAIT_HEAP] = {"a waiter for others, heap bytes", "wait_heap_bytes"},
	[GROWTH_WAIT_CPU] = {"so many wait: client CPU, % of a core", "wait_client_cpu_percent"},
	[GROWTH_WAIT_SERVER_CPU] = {"  all servers, % of a core", "wait_server_cpu_percent"},
	[GROWTH_WAIT_COMMANDS] = {"  commands a second to a node, each",
				  "wait_commands_per_node_s"},
	[GROWTH_WAIT] = {"a cycle, as many wait for others, CPU µs", "wait_cycle_cpu_us"},
};

static const double *values_of(const struct lab *lab, const struct growth_results *results,
			       size_t level)
{
	return results->values + level * lab->options.rounds * GROWTH_FIGURES;
}

static double median_of(const struct lab *lab, const struct growth_results *results, size_t level,
			int figure)
{
	return figures_median(values_of(lab, results, level) + figure, GROWTH_FIGURES,
			      lab->options.rounds);
}

/* Against the floor's cycle. */
static double ratio_of(const struct lab *lab, const struct growth_results *results, size_t level,
		       int figure)
{
	const double *values = values_of(lab, results, level);

	return figures_ratio(values + figure, values + GROWTH_FLOOR_CYCLE, GROWTH_FIGURES,
			     lab->options.rounds);
}

/* Against the fewest locks of the same round: 1 where it is flat. */
static double growth_of(const struct lab *lab, const struct growth_results *results, size_t level,
			int figure)
{
	return figures_ratio(values_of(lab, results, level) + figure,
			     values_of(lab, results, 0) + figure, GROWTH_FIGURES,
			     lab->options.rounds);
}

static bool is_of_a_cycle(int figure)
{
	return figure == GROWTH_FLOOR_CYCLE || figure == GROWTH_ALONE || figure == GROWTH_HELD ||
	       figure == GROWTH_LINE || figure == GROWTH_WAIT;
}

static void print_row(const struct lab *lab, const struct growth_results *results, int figure)
{
	const char *words = names[figure].words;
	int pad = 41 + (strstr(words, "µ") != NULL);
	size_t level;

	printf("%-*s", pad, words);
	for (level = 0; level < lab->options.level_count; level++) {
		double value = median_of(lab, results, level, figure);

		if (!isfinite(value)) {
			printf(" %10s %6s", "-", "");
			continue;
		}
		printf(" %10.*f", value >= 1000 ? 0 : value >= 10 ? 1 : 2, value);
		if (is_of_a_cycle(figure)) {
			printf(" %6.2f", ratio_of(lab, results, level, figure));
		} else {
			printf(" %6s", "");
		}
	}
	putchar('\n');
}

/* What does not become dearer with the number of locks has ones here. */
static void print_growth(const struct lab *lab, const struct growth_results *results, int figure)
{
	size_t level;

	if (!isfinite(growth_of(lab, results, 0, figure))) {
		return;
	}
	printf("%-41s", names[figure].words);
	printf("%s", strstr(names[figure].words, "µ") != NULL ? " " : "");
	for (level = 0; level < lab->options.level_count; level++) {
		printf(" %10.2f %6s", growth_of(lab, results, level, figure), "");
	}
	putchar('\n');
}

void growth_print(const struct lab *lab, const struct growth_results *results)
{
	size_t level;
	int figure;

	lab_print_setting(lab);
	printf("%u rounds, medians; cycles %d at a time; small figures: to the floor's cycle of "
	       "the "
	       "same round\n\n",
	       lab->options.rounds, HERD_IN_FLIGHT);
	printf("%-41s", "locks");
	for (level = 0; level < lab->options.level_count; level++) {
		printf(" %10u %6s", lab->options.levels[level], "");
	}
	putchar('\n');
	for (figure = 0; figure < GROWTH_FIGURES; figure++) {
		print_row(lab, results, figure);
	}
	printf("\nto the first column of the same round\n");
	print_growth(lab, results, GROWTH_ALONE);
	print_growth(lab, results, GROWTH_HELD);
	print_growth(lab, results, GROWTH_LINE);
	print_growth(lab, results, GROWTH_WAIT);
	for (level = 0; level < lab->options.level_count; level++) {
		if (results->errors[level] > 0) {
			printf("%u locks: %" PRIu64 " operations failed\n",
			       lab->options.levels[level], results->errors[level]);
		}
	}
}

static void write_figure(const struct lab *lab, const struct growth_results *results, size_t level,
			 int figure, FILE *file)
{
	const double *values = values_of(lab, results, level) + figure;
	unsigned round;

	fprintf(file, "%s\n      \"%s\": {\"median\": ", figure > 0 ? "," : "", names[figure].key);
	lab_write_number(file, median_of(lab, results, level, figure));
	fprintf(file, ", \"to_floor_cycle\": ");
	lab_write_number(file, is_of_a_cycle(figure) ? ratio_of(lab, results, level, figure)
						     : (double)NAN);
	fprintf(file, ", \"to_fewest\": ");
	lab_write_number(file, growth_of(lab, results, level, figure));
	fprintf(file, ", \"rounds\": [");
	for (round = 0; round < lab->options.rounds; round++) {
		fputs(round > 0 ? ", " : "", file);
		lab_write_number(file, values[(size_t)round * GROWTH_FIGURES]);
	}
	fprintf(file, "]}");
}

void growth_write(const struct lab *lab, const void *data, FILE *file)
{
	const struct growth_results *results = data;
	size_t level;
	int figure;

	fprintf(file, "{\n  \"mode\": \"growth\",\n");
	lab_write_setting(lab, file);
	fprintf(file, "  \"rounds\": %u,\n  \"results\": [", lab->options.rounds);
	for (level = 0; level < lab->options.level_count; level++) {
		fprintf(file, "%s\n    {\"locks\": %u, \"errors\": %" PRIu64 ", \"figures\": {",
			level > 0 ? "," : "", lab->options.levels[level], results->errors[level]);
		for (figure = 0; figure < GROWTH_FIGURES; figure++) {
			write_figure(lab, results, level, figure, file);
		}
		fprintf(file, "}}");
	}
	fprintf(file, "\n  ]\n}\n");
}
