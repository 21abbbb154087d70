/* spin.c - one contender's cycles in this very process, for a profiler. */
#include <stdlib.h>

#include "lab.h"
#include "syscalls.h"

#define CYCLES 1000

int lab_spin(struct lab *lab)
{
	static struct run run;
	const struct lab_options *options = &lab->options;
	const struct crowd_plan plan = {
		.nodes = &lab->nodes,
		.in_flight = options->levels[0],
		.resources = options->levels[0],
		.ttl_ms = options->ttl_ms,
		.node_timeout_ms = options->node_timeout_ms,
		.plain_release = options->plain_release,
	};
	char why[WHY_MAX] = "";
	void *contender = options->who->open(&plan, why, sizeof(why));

	if (!contender) {
		fprintf(stderr, "redlock-bench: %s\n", why);
		return EXIT_FAILURE;
	}
	run.cycles = options->cycles > 0 ? options->cycles : CYCLES;
	syscalls_settle_before_waiting(options->settle_us);
	options->who->run(contender, &run);
	syscalls_settle_before_waiting(0);
	options->who->close(contender);
	if (run.errors > 0) {
		fprintf(stderr, "redlock-bench: %s\n", run.first_error);
		return 2;
	}
	return EXIT_SUCCESS;
}
