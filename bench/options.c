#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include "values.h"

#define EXIT_USAGE 64

static const char usage[] =
	"usage: acquire_latency [options]\n"
	"Measures how long it takes to be granted a lock, beside the floor: the same round with\n"
	"raw sockets. Both are measured in turns, healthy, with one and with two nodes hung.\n"
	"  --rounds N      turns of everything (default 5)\n"
	"  --seconds S     length of each block (default 1; fractions are fine)\n"
	"  --cycles N      cycles in each block, in place of --seconds\n"
	"  --warmup N      first cycles of a block that are not counted (default 100)\n"
	"  --ttl MS        lease length (default 10000)\n"
	"  --nodes URLS    use these nodes (redis://host:port, comma separated) and hang none;\n"
	"                  default: five servers of our own on free loopback ports\n"
	"  --port P        lowest port for servers of our own (default 23500)\n"
	"  --json          print JSON in place of the table\n";

enum { ROUNDS = 256, SECONDS, CYCLES, WARMUP, TTL, NODES, PORT, JSON, HELP };

static const struct option known[] = {
	{"rounds", required_argument, NULL, ROUNDS}, {"seconds", required_argument, NULL, SECONDS},
	{"cycles", required_argument, NULL, CYCLES}, {"warmup", required_argument, NULL, WARMUP},
	{"ttl", required_argument, NULL, TTL},	     {"nodes", required_argument, NULL, NODES},
	{"port", required_argument, NULL, PORT},     {"json", no_argument, NULL, JSON},
	{"help", no_argument, NULL, HELP},	     {NULL, 0, NULL, 0}};

static bool take(struct bench_options *options, int which, const char *text)
{
	uint64_t value = 0;

	switch (which) {
	case ROUNDS:
		if (!value_number(text, 1, ROUNDS_MAX, &value)) {
			return false;
		}
		options->rounds = (unsigned)value;
		return true;
	case SECONDS:
		return value_seconds(text, &options->plan.duration_ns);
	case CYCLES:
		return value_number(text, 1, 100000000, &options->plan.cycles);
	case WARMUP:
		return value_number(text, 0, 1000000, &options->plan.warmup_cycles);
	case TTL:
		if (!value_number(text, 100, 3600000, &value)) {
			return false;
		}
		options->ttl_ms = (uint32_t)value;
		return true;
	case PORT:
		if (!value_number(text, 1024, 65000, &value)) {
			return false;
		}
		options->first_port = (uint16_t)value;
		return true;
	case NODES:
		return nodes_add_list(&options->nodes, text) == 0 && options->nodes.count > 0;
	default:
		options->json = true;
		return true;
	}
}

static const char *name_of(int which)
{
	return known[which - ROUNDS].name;
}

int options_parse(struct bench_options *options, int argc, char **argv, int *code)
{
	int which;

	*options = (struct bench_options){
		.rounds = 5,
		.ttl_ms = 10000,
		.first_port = 23500,
		.plan = {.duration_ns = 1000000000, .warmup_cycles = 100},
	};
	*code = EXIT_USAGE;
	while ((which = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (which == HELP) {
			fputs(usage, stdout);
			*code = 0;
			return -1;
		}
		if (which < ROUNDS) {
			fputs(usage, stderr);
			return -1;
		}
		if (!take(options, which, optarg)) {
			/* The value is not repeated: a URL may hold a password. */
			fprintf(stderr, "acquire_latency: bad value for --%s\n", name_of(which));
			return -1;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return -1;
	}
	return 0;
}
