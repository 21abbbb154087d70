/* options.h - the command line of acquire_latency. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "block.h"
#include "nodes.h"

#define ROUNDS_MAX 1000

struct bench_options {
	unsigned rounds;
	uint32_t ttl_ms;
	uint16_t first_port;
	struct plan plan;
	bool json;
	struct nodes nodes; /* Empty: start servers. */
};

/** Read the command line. Returns 0 to go on; otherwise the message is printed, and *@code is what
 * to exit with. */
int options_parse(struct bench_options *options, int argc, char **argv, int *code);

#endif
