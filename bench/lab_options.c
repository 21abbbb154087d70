#include "lab_options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

#define EXIT_USAGE 64

enum {
	IN_FLIGHT = 256,
	RESOURCES,
	RATE,
	ROUNDS,
	SECONDS,
	CYCLES,
	WARMUP,
	TTL,
	NODE_TIMEOUT,
	SETTLE,
	INTERVAL,
	CONDITION,
	RTT,
	JITTER,
	SLOW,
	PROCESSES,
	WAITERS,
	HOLD,
	THINK,
	HANDS,
	PLAIN,
	BRIEF,
	PLAIN_RELEASE,
	WHO,
	NODES,
	PORT,
	JSON,
	HELP
};

static const struct option known[] = {{"in-flight", required_argument, NULL, IN_FLIGHT},
				      {"resources", required_argument, NULL, RESOURCES},
				      {"rate", required_argument, NULL, RATE},
				      {"rounds", required_argument, NULL, ROUNDS},
				      {"seconds", required_argument, NULL, SECONDS},
				      {"cycles", required_argument, NULL, CYCLES},
				      {"warmup", required_argument, NULL, WARMUP},
				      {"ttl", required_argument, NULL, TTL},
				      {"node-timeout", required_argument, NULL, NODE_TIMEOUT},
				      {"settle", required_argument, NULL, SETTLE},
				      {"interval", required_argument, NULL, INTERVAL},
				      {"condition", required_argument, NULL, CONDITION},
				      {"rtt", required_argument, NULL, RTT},
				      {"jitter", required_argument, NULL, JITTER},
				      {"slow-ms", required_argument, NULL, SLOW},
				      {"processes", required_argument, NULL, PROCESSES},
				      {"waiters", required_argument, NULL, WAITERS},
				      {"hold-ms", required_argument, NULL, HOLD},
				      {"think-ms", required_argument, NULL, THINK},
				      {"hands", required_argument, NULL, HANDS},
				      {"plain-ms", required_argument, NULL, PLAIN},
				      {"brief", no_argument, NULL, BRIEF},
				      {"plain-release", no_argument, NULL, PLAIN_RELEASE},
				      {"who", required_argument, NULL, WHO},
				      {"nodes", required_argument, NULL, NODES},
				      {"port", required_argument, NULL, PORT},
				      {"json", required_argument, NULL, JSON},
				      {"help", no_argument, NULL, HELP},
				      {NULL, 0, NULL, 0}};

static bool take_small(const char *text, uint64_t min, uint64_t max, uint32_t *value)
{
	uint64_t wide = 0;
	bool fits = value_number(text, min, max, &wide);

	*value = (uint32_t)wide;
	return fits;
}

static bool take_who(const char *name, const struct crowd **who)
{
	const struct crowd *const all[] = {&crowd_ours, &crowd_floor, &crowd_ping};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(name, all[i]->name) == 0) {
			*who = all[i];
			return true;
		}
	}
	return false;
}

/* What nodes suffer. */
static bool take_condition(struct condition_options *options, int which, const char *text)
{
	switch (which) {
	case CONDITION:
		return condition_options_take(options, text);
	case RTT:
		return value_list(text, 0, 10000, options->rtt_ms, NODES_MAX, &options->rtt_count);
	case JITTER:
		return take_small(text, 0, 10000, &options->jitter_ms);
	default:
		return take_small(text, 1, 10000, &options->slow_ms);
	}
}

static bool take_contend(struct contend_options *options, int which, const char *text)
{
	switch (which) {
	case PROCESSES:
		return value_list(text, 1, PROCESSES_MAX, options->processes, LEVELS_MAX,
				  &options->process_counts);
	case WAITERS:
		return value_list(text, 2, WAITERS_MAX, options->waiters, LEVELS_MAX,
				  &options->waiter_counts);
	case HOLD:
		return take_small(text, 0, 10000, &options->hold_ms);
	case HANDS:
		return take_small(text, 0, 1000000, &options->hands);
	case THINK:
		return value_range(text, 60000, &options->think_min_ms, &options->think_max_ms);
	default:
		return take_small(text, 1, 10000, &options->plain_ms);
	}
}

static bool take_other(struct lab_options *options, int which, const char *text)
{
	uint32_t value = 0;

	switch (which) {
	case RATE:
		if (!take_small(text, 1, 10000000, &value)) {
			return false;
		}
		options->rate = value;
		return true;
	case PORT:
		if (!take_small(text, 1024, 65000, &value)) {
			return false;
		}
		options->first_port = (uint16_t)value;
		return true;
	case WHO:
		return take_who(text, &options->who);
	case BRIEF:
		options->brief = true;
		return true;
	case PLAIN_RELEASE:
		options->plain_release = true;
		return true;
	case NODES:
		return nodes_add_list(&options->nodes, text) == 0 && options->nodes.count > 0;
	default:
		options->json = text;
		return true;
	}
}

static bool take(struct lab_options *options, int which, const char *text)
{
	switch (which) {
	case IN_FLIGHT:
		return value_list(text, 1, IN_FLIGHT_MAX, options->levels, LEVELS_MAX,
				  &options->level_count);
	case RESOURCES:
		return take_small(text, 1, IN_FLIGHT_MAX, &options->resources);
	case ROUNDS:
		return take_small(text, 1, LAB_ROUNDS_MAX, &options->rounds);
	case SECONDS:
		return value_seconds(text, &options->duration_ns);
	case CYCLES:
		return value_number(text, 1, 1000000000, &options->cycles);
	case WARMUP:
		return value_number(text, 0, 1000000000, &options->warmup);
	case TTL:
		return take_small(text, 100, 3600000, &options->ttl_ms);
	case NODE_TIMEOUT:
		return take_small(text, 1, 600000, &options->node_timeout_ms);
	case SETTLE:
		return take_small(text, 0, 100000, &options->settle_us);
	case INTERVAL:
		return take_small(text, 1, 60000, &options->interval_ms);
	case CONDITION:
	case RTT:
	case JITTER:
	case SLOW:
		return take_condition(&options->conditions, which, text);
	case PROCESSES:
	case WAITERS:
	case HOLD:
	case THINK:
	case HANDS:
	case PLAIN:
		return take_contend(&options->contend, which, text);
	default:
		return take_other(options, which, text);
	}
}

static bool take_mode(struct lab_options *options, const char *word)
{
	static const struct {
		const char *word;
		enum lab_mode mode;
	} modes[] = {{"load", LAB_LOAD},     {"steps", LAB_STEPS},	 {"contend", LAB_CONTEND},
		     {"growth", LAB_GROWTH}, {"timeline", LAB_TIMELINE}, {"spin", LAB_SPIN}};
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(word, modes[i].word) == 0) {
			options->mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

static void fill_in_lists(struct lab_options *options)
{
	static const uint32_t load[] = {1, 64, 1024};
	static const uint32_t growth[] = {10, 1000, 10000};
	static const uint32_t rtt_ms[] = {2, 4, 6, 8, 10};
	struct contend_options *contend = &options->contend;

	if (options->level_count == 0) {
		memcpy(options->levels, options->mode == LAB_GROWTH ? growth : load, sizeof(load));
		options->level_count = 3;
	}
	if (options->conditions.rtt_count == 0) {
		memcpy(options->conditions.rtt_ms, rtt_ms, sizeof(rtt_ms));
		options->conditions.rtt_count = 5;
	}
	if (contend->process_counts == 0) {
		contend->processes[contend->process_counts++] = 4;
	}
	if (contend->waiter_counts == 0) {
		contend->waiters[contend->waiter_counts++] = 32;
	}
}

/* A client that is busy for so long may think ill of a node that is well; and what so many ask for
 * at once stands in line at the nodes, which answer some ten thousand of them in a second. */
static uint32_t gentle_timeout_ms(const struct lab_options *options)
{
	uint32_t least_ms = 5000;
	size_t i;

	for (i = 0; i < options->level_count; i++) {
		if (options->levels[i] / 4 > least_ms) {
			least_ms = options->levels[i] / 4;
		}
	}
	return least_ms;
}

static void fill_in(struct lab_options *options)
{
	bool harsh = options->mode == LAB_CONTEND || options->mode == LAB_STEPS ||
		     options->conditions.count > 1;

	fill_in_lists(options);
	if (options->node_timeout_ms == 0) {
		options->node_timeout_ms = harsh ? 500 : gentle_timeout_ms(options);
	}
	if (options->contend.hold_ms == UINT32_MAX) {
		options->contend.hold_ms = options->mode == LAB_STEPS ? 10 : 1;
	}
	if (options->duration_ns == 0) {
		options->duration_ns = options->mode == LAB_CONTEND ? 2000000000 : 1000000000;
	}
}

/* The message, and what to exit with. */
static int complain(const char *about, int *code)
{
	if (about) {
		/* The value is not repeated: a URL may hold a password. */
		fprintf(stderr, "redlock-bench: bad value for --%s\n", about);
	} else {
		fputs(lab_usage, stderr);
	}
	*code = EXIT_USAGE;
	return -1;
}

/* Why it cannot be done, or NULL. */
static const char *nonsense(const struct lab_options *options)
{
	size_t i;

	for (i = 0; i < options->conditions.count; i++) {
		if (condition_silent(options->conditions.all[i]) == 0) {
			continue;
		}
		if (options->nodes.count > 0) {
			return "nodes given by --nodes are neither stopped nor killed";
		}
		if (options->mode == LAB_CONTEND) {
			return "contend has slow1 and rtt alone";
		}
	}
	return NULL;
}

int lab_options_parse(struct lab_options *options, int argc, char **argv, int *code)
{
	int which;

	*options = (struct lab_options){
		.rounds = 5,
		.warmup = UINT64_MAX,
		.ttl_ms = 30000,
		.interval_ms = 50,
		.first_port = 23500,
		.conditions = {.slow_ms = 100},
		.contend = {.hold_ms = UINT32_MAX,
			    .think_min_ms = 10,
			    .think_max_ms = 30,
			    .hands = 16,
			    .plain_ms = 5},
		.who = &crowd_ours,
	};
	condition_options_take(&options->conditions, condition_names[LAB_HEALTHY]);
	while ((which = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (which == HELP) {
			fputs(lab_usage, stdout);
			*code = 0;
			return -1;
		}
		if (which < IN_FLIGHT) {
			return complain(NULL, code);
		}
		if (!take(options, which, optarg)) {
			return complain(known[which - IN_FLIGHT].name, code);
		}
	}
	if (optind < argc && !take_mode(options, argv[optind++])) {
		return complain(NULL, code);
	}
	if (optind < argc) {
		return complain(NULL, code);
	}
	if (nonsense(options)) {
		fprintf(stderr, "redlock-bench: --condition: %s\n", nonsense(options));
		*code = EXIT_USAGE;
		return -1;
	}
	fill_in(options);
	return 0;
}
