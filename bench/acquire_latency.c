/* acquire_latency.c - how long does it take to be granted a lock, beside the floor?
 *
 * Everything is measured in one run, in turns: in each round the nodes are
 * healthy, then one hangs, then two, and under each condition the floor and the
 * library have a block each, the other one first in every second round. What
 * else the machine does so hits both alike, and the ratios can be trusted
 * further than the microseconds. */
#include <stdio.h>
#include <stdlib.h>

#include "floor_raw.h"
#include "options.h"
#include "ours.h"
#include "report.h"
#include "results.h"
#include "servers.h"

#define NODE_COUNT 5
#define PATIENCE_MS 20000
#define WHY_MAX 256

struct bench {
	struct bench_options options;
	struct servers servers; /* None where nodes were given. */
	struct nodes nodes;
	struct floor *floor;
	struct ours *ours;
	struct results results;
	struct block block;
};

static int find_nodes(struct bench *bench, char *why)
{
	size_t i;

	if (bench->options.nodes.count > 0) {
		bench->nodes = bench->options.nodes;
		return 0;
	}
	if (servers_start(&bench->servers, NODE_COUNT, bench->options.first_port, why, WHY_MAX) !=
	    0) {
		return -1;
	}
	for (i = 0; i < bench->servers.count; i++) {
		nodes_add_local(&bench->nodes, bench->servers.all[i].port);
	}
	return 0;
}

static int set_up(struct bench *bench, char *why)
{
	const struct bench_options *options = &bench->options;

	if (find_nodes(bench, why) != 0) {
		return -1;
	}
	if (results_init(&bench->results, options->rounds) != 0) {
		snprintf(why, WHY_MAX, "out of memory");
		return -1;
	}
	bench->floor = floor_open(&bench->nodes, "bench:floor", options->ttl_ms, why, WHY_MAX);
	if (!bench->floor) {
		return -1;
	}
	bench->ours = ours_open(&bench->nodes, "bench:ours", options->ttl_ms, why, WHY_MAX);
	if (!bench->ours) {
		return -1;
	}
	if (ours_settle(bench->ours, PATIENCE_MS) > 0) {
		snprintf(why, WHY_MAX, "the library does not find all nodes well");
		return -1;
	}
	return 0;
}

static void tear_down(struct bench *bench)
{
	if (bench->ours) {
		ours_close(bench->ours);
	}
	if (bench->floor) {
		floor_close(bench->floor);
	}
	servers_end(&bench->servers);
	results_fini(&bench->results);
	block_free(&bench->block);
}

/* The last nodes hang, so that the first ones asked are the quick ones in every condition. */
static void impose(struct bench *bench, enum condition condition)
{
	size_t hung;

	for (hung = 1; hung <= (size_t)condition; hung++) {
		servers_hang(&bench->servers, bench->servers.count - hung);
	}
}

/* Every round starts with all nodes well, and with nothing of the last one left. */
static void heal(struct bench *bench)
{
	uint64_t patience_ms = PATIENCE_MS + bench->options.ttl_ms;
	size_t i;

	for (i = 0; i < bench->servers.count; i++) {
		servers_resume(&bench->servers, i);
	}
	bench->results.late_nodes += floor_drain(bench->floor, (int)patience_ms);
	bench->results.late_nodes += ours_settle(bench->ours, patience_ms);
}

static void measure(struct bench *bench, unsigned round, enum contender who, enum condition when)
{
	if (who == FLOOR) {
		floor_measure(bench->floor, &bench->options.plan, &bench->block);
	} else {
		ours_measure(bench->ours, &bench->options.plan, &bench->block);
	}
	results_add(&bench->results, round, who, when, &bench->block);
}

static void run_round(struct bench *bench, unsigned round, size_t conditions)
{
	enum contender first = round % 2 == 0 ? FLOOR : OURS;
	size_t when;

	for (when = 0; when < conditions; when++) {
		impose(bench, (enum condition)when);
		measure(bench, round, first, (enum condition)when);
		measure(bench, round, first == FLOOR ? OURS : FLOOR, (enum condition)when);
	}
	heal(bench);
}

static double load_average(void)
{
	double load[1];

	return getloadavg(load, 1) == 1 ? load[0] : 0;
}

static void run(struct bench *bench)
{
	struct setting setting = {
		.server = floor_server_version(bench->floor),
		.nodes = bench->nodes.count,
		.quorum = nodes_quorum(&bench->nodes),
		.conditions = bench->servers.count > 0 ? CONDITIONS : 1,
		.load_before = load_average(),
	};
	unsigned round;

	for (round = 0; round < bench->options.rounds; round++) {
		fprintf(stderr, "round %u of %u\n", round + 1, bench->options.rounds);
		run_round(bench, round, setting.conditions);
	}
	if (bench->options.json) {
		report_json(&bench->results, &setting, &bench->options);
	} else {
		report_table(&bench->results, &setting, &bench->options);
	}
}

int main(int argc, char **argv)
{
	static struct bench bench;
	char why[WHY_MAX] = "";
	int code;

	if (options_parse(&bench.options, argc, argv, &code) != 0) {
		return code;
	}
	code = EXIT_FAILURE;
	if (set_up(&bench, why) != 0) {
		fprintf(stderr, "acquire_latency: %s\n", why);
	} else {
		run(&bench);
		/* A benchmark with errors is a finding, not a success. */
		code = results_errors(&bench.results) == 0 ? EXIT_SUCCESS : 2;
	}
	tear_down(&bench);
	return code;
}
