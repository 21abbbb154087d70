#include "lab_options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

#define EXIT_USAGE 64

static const char usage[] =
	"usage: redlock-bench [load|growth|timeline|spin] [options]\n"
	"load    Cycles (acquire, then release) by many at once: latency, throughput, and what it\n"
	"        costs client and servers, beside the floor: the same work with raw sockets.\n"
	"growth  What an operation and a lock cost when so many are held, or wait, in one client.\n"
	"timeline One cycle after the other, and how long they took at which moment, while "
	"somebody\n"
	"        ends and stops nodes: says \"begin\" on standard output when it begins.\n"
	"spin    Cycles of one contender in this very process; for a profiler.\n"
	"\n"
	"  --in-flight LIST  load: cycles in flight, 1 to 100000 (default 1,64,1024)\n"
	"                    growth: locks held (default 10,1000,10000); spin: 1\n"
	"  --resources N     load: they share so many resources (default: each has its own)\n"
	"  --rate R          load: open loop, R starts a second; latency counts from the moment "
	"at\n"
	"                    which a cycle was due. Default: closed loop\n"
	"  --rounds N        turns of everything (default 5)\n"
	"  --seconds S       length of each block (default 1; fractions are fine)\n"
	"  --cycles N        cycles in each block, in place of --seconds\n"
	"  --warmup N        cycles before each block that are not counted\n"
	"  --ttl MS          lease length (default 30000)\n"
	"  --node-timeout MS of the library (default 5000)\n"
	"  --interval MS     timeline: the moments are so long (default 50)\n"
	"  --who WHO         spin: ours, floor or ping (default ours)\n"
	"  --settle US       spin: sleep so long before each wait for events, so that all runs do\n"
	"                    the same work\n"
	"  --nodes URLS      use these nodes (redis://host:port, comma separated);\n"
	"                    default: five servers of our own on free loopback ports\n"
	"  --port P          lowest port for servers of our own (default 23500)\n"
	"  --json FILE       write the result there, too\n";

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
	default:
		return take_other(options, which, text);
	}
}

static bool take_mode(struct lab_options *options, const char *word)
{
	static const struct {
		const char *word;
		enum lab_mode mode;
	} modes[] = {{"load", LAB_LOAD},
		     {"growth", LAB_GROWTH},
		     {"timeline", LAB_TIMELINE},
		     {"spin", LAB_SPIN}};
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(word, modes[i].word) == 0) {
			options->mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

static void fill_in(struct lab_options *options)
{
	static const uint32_t load[] = {1, 64, 1024};
	static const uint32_t growth[] = {10, 1000, 10000};

	if (options->level_count == 0) {
		memcpy(options->levels, options->mode == LAB_GROWTH ? growth : load, sizeof(load));
		options->level_count = 3;
	}
}

/* The message, and what to exit with. */
static int complain(const char *about, int *code)
{
	if (about) {
		/* The value is not repeated: a URL may hold a password. */
		fprintf(stderr, "redlock-bench: bad value for --%s\n", about);
	} else {
		fputs(usage, stderr);
	}
	*code = EXIT_USAGE;
	return -1;
}

int lab_options_parse(struct lab_options *options, int argc, char **argv, int *code)
{
	int which;

	*options = (struct lab_options){
		.rounds = 5,
		.duration_ns = 1000000000,
		.warmup = UINT64_MAX,
		.ttl_ms = 30000,
		.node_timeout_ms = 5000,
		.interval_ms = 50,
		.first_port = 23500,
		.who = &crowd_ours,
	};
	while ((which = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (which == HELP) {
			fputs(usage, stdout);
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
	fill_in(options);
	return 0;
}
