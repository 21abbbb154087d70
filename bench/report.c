#include "report.h"

#include <inttypes.h>
#include <redlock/redlock.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

static void print_length(const struct plan *plan)
{
	if (plan->cycles) {
		printf("%" PRIu64 " cycles", plan->cycles);
	} else {
		printf("%g s", (double)plan->duration_ns / 1e9);
	}
}

static void print_setting(const struct setting *setting, const struct bench_options *options)
{
	printf("%zu nodes (%s), quorum %zu; libredlock %s, hiredis %s, libuv %s\n", setting->nodes,
	       setting->server, setting->quorum, redlock_version(), HIREDIS_VERSION,
	       uv_version_string());
	printf("TTL %u ms; the same resource in each cycle, released before the next acquire; "
	       "restart guard off\n",
	       options->ttl_ms);
	if (options->nodes.count > 0) {
		printf("nodes given by --nodes: their persistence is not known here, none is "
		       "hung\n");
	} else {
		printf("servers of our own on loopback, no persistence (--save '' --appendonly "
		       "no); hung = SIGSTOP\n");
	}
	printf("%u rounds of ", options->rounds);
	print_length(&options->plan);
	printf(" a block, floor and ours in turns; first %" PRIu64 " cycles of a block not "
	       "counted\n",
	       options->plan.warmup_cycles);
	printf("%ld processors, load %.2f before\n", sysconf(_SC_NPROCESSORS_ONLN),
	       setting->load_before);
}

static void print_errors(const struct cell *cell)
{
	printf("  %" PRIu64 "/%" PRIu64, cell->errors, cell->cycles);
	if (cell->errors > 0) {
		printf(" (first: %s; slowest %.1f ms)", cell->first_error,
		       (double)cell->slowest_error_ns / 1e6);
	}
	putchar('\n');
}

static void print_row(const struct results *results, enum contender who, enum condition when,
		      enum operation what)
{
	struct figure figure = results_figure(results, who, when, what);

	printf("%-9s %-6s %9.1f %9.1f %8.2f %6.2f %9.2f %6.2f", condition_names[when],
	       contender_names[who], figure.p50_us, figure.p99_us, figure.p50_to_floor,
	       figure.p99_to_floor, figure.p50_to_healthy, figure.p99_to_healthy);
	print_errors(&results->cell[who][when]);
}

static void print_operation(const struct results *results, const struct setting *setting,
			    enum operation what)
{
	int when;

	printf("\n%s, call to callback     µs            / floor        / our healthy p50\n",
	       operation_names[what]);
	printf("%-9s %-6s %9s %9s %8s %6s %9s %6s  %s\n", "condition", "who", "p50", "p99", "p50",
	       "p99", "p50", "p99", "errors/cycles");
	for (when = 0; when < (int)setting->conditions; when++) {
		print_row(results, FLOOR, (enum condition)when, what);
		print_row(results, OURS, (enum condition)when, what);
	}
}

void report_table(const struct results *results, const struct setting *setting,
		  const struct bench_options *options)
{
	print_setting(setting, options);
	print_operation(results, setting, ACQUIRE);
	print_operation(results, setting, RELEASE);
	printf("\nMedians over the rounds; ratios are taken within each round. Errors are acquires "
	       "and releases\nthat failed, warm-up included; they are in no percentile.\n");
	if (results->late_nodes > 0) {
		printf("%zu times a node was not well again, or still had our key, when a new "
		       "round "
		       "had to begin.\n",
		       results->late_nodes);
	}
}

static void json_figure(const struct figure *figure)
{
	printf("{\"p50_us\": %.1f, \"p99_us\": %.1f, \"p50_to_floor\": %.3f, \"p99_to_floor\": "
	       "%.3f, \"p50_to_healthy_p50\": %.3f, \"p99_to_healthy_p50\": %.3f}",
	       figure->p50_us, figure->p99_us, figure->p50_to_floor, figure->p99_to_floor,
	       figure->p50_to_healthy, figure->p99_to_healthy);
}

static void json_row(const struct results *results, enum contender who, enum condition when)
{
	const struct cell *cell = &results->cell[who][when];
	int what;

	printf("    {\"condition\": \"%s\", \"who\": \"%s\"", condition_names[when],
	       contender_names[who]);
	for (what = 0; what < OPERATIONS; what++) {
		struct figure figure = results_figure(results, who, when, (enum operation)what);

		printf(",\n     \"%s\": ", operation_names[what]);
		json_figure(&figure);
	}
	/* The texts are names and fixed words: nothing to escape. */
	printf(",\n     \"cycles\": %" PRIu64 ", \"errors\": %" PRIu64
	       ", \"slowest_error_us\": %.1f, \"first_error\": \"%s\"}",
	       cell->cycles, cell->errors, (double)cell->slowest_error_ns / 1e3, cell->first_error);
}

static void json_setting(const struct setting *setting, const struct bench_options *options)
{
	const struct plan *plan = &options->plan;

	printf("  \"nodes\": %zu, \"quorum\": %zu, \"server\": \"%s\", \"own_servers\": %s,\n",
	       setting->nodes, setting->quorum, setting->server,
	       options->nodes.count ? "false" : "true");
	printf("  \"persistence\": \"%s\", \"guard\": \"off\", \"resource\": \"same each "
	       "cycle\",\n",
	       options->nodes.count ? "unknown" : "none");
	printf("  \"libredlock\": \"%s\", \"hiredis\": \"%s\", \"libuv\": \"%s\",\n",
	       redlock_version(), HIREDIS_VERSION, uv_version_string());
	printf("  \"ttl_ms\": %u, \"rounds\": %u, \"block_cycles\": %" PRIu64
	       ", \"block_s\": %g, \"warmup_cycles\": %" PRIu64 ",\n",
	       options->ttl_ms, options->rounds, plan->cycles,
	       plan->cycles ? 0.0 : (double)plan->duration_ns / 1e9, plan->warmup_cycles);
	printf("  \"processors\": %ld, \"load_before\": %.2f,\n", sysconf(_SC_NPROCESSORS_ONLN),
	       setting->load_before);
}

void report_json(const struct results *results, const struct setting *setting,
		 const struct bench_options *options)
{
	int when;

	printf("{\n");
	json_setting(setting, options);
	printf("  \"late_nodes\": %zu,\n  \"results\": [\n", results->late_nodes);
	for (when = 0; when < (int)setting->conditions; when++) {
		json_row(results, FLOOR, (enum condition)when);
		printf(",\n");
		json_row(results, OURS, (enum condition)when);
		printf(when + 1 < (int)setting->conditions ? ",\n" : "\n");
	}
	printf("  ]\n}\n");
}
