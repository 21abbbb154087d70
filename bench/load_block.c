/* load_block.c - one block of a load, in a process of its own: one contender under one condition.
 *
 * The contender is connected and warm when the nodes fall ill, and has as many
 * cycles to get used to that. Only then its clock starts. */
#include "load_block.h"

static struct crowd_plan plan_of(const struct block_plan *block)
{
	const struct lab_options *options = &block->lab->options;
	uint32_t resources = options->resources;

	if (resources == 0 || resources > block->in_flight) {
		resources = block->in_flight;
	}
	return (struct crowd_plan){
		.nodes = &block->lab->conditions.nodes[block->condition],
		.in_flight = block->in_flight,
		.resources = resources,
		.ttl_ms = options->ttl_ms,
		.node_timeout_ms = options->node_timeout_ms,
		.plain_release = options->plain_release,
		.hold_ms = options->contend.hold_ms,
	};
}

/* Returns the errors: they always count. */
static uint64_t warm_up(const struct block_plan *block, void *contender, struct run *run)
{
	uint64_t cycles = block->lab->options.warmup;

	if (cycles == UINT64_MAX) {
		cycles = 2 * (uint64_t)block->in_flight;
		cycles = cycles < block->warmup_least ? block->warmup_least : cycles;
	}
	if (cycles == 0) {
		return 0;
	}
	run->cycles = cycles;
	block->crowd->run(contender, run);
	return run->errors;
}

static uint64_t fall_ill(const struct block_plan *block, void *contender, struct meter *meter,
			 struct run *run)
{
	size_t silent = condition_silent(block->condition);
	uint64_t errors;
	size_t i;

	for (i = 1; i <= silent; i++) {
		meter_leave_out(meter, meter->count - i);
	}
	condition_impose(&block->lab->servers, block->condition);
	run->leave_open = true;
	errors = warm_up(block, contender, run);
	if (silent == 0) {
		block->crowd->drain(contender, run, 0);
	}
	return errors;
}

static void measure(const struct block_plan *block, void *contender, struct meter *meter,
		    struct block_end *end)
{
	const struct lab_options *options = &block->lab->options;
	size_t absent = condition_absent(block->condition);
	struct run *run = &end->run;
	struct reading before;
	struct reading after;
	uint64_t errors = warm_up(block, contender, run);

	if (block->condition != LAB_HEALTHY) {
		errors += fall_ill(block, contender, meter, run);
	}
	run->cycles = options->cycles;
	run->duration_ns = options->duration_ns;
	run->rate = options->rate;
	meter_begin(meter, &before);
	block->crowd->run(contender, run);
	if (run->leave_open && condition_silent(block->condition) == 0) {
		block->crowd->drain(contender, run, absent); /* It is part of the work. */
	}
	meter_end(meter, &after);
	if (condition_silent(block->condition) > 0) {
		condition_lift(&block->lab->servers, block->condition);
		block->crowd->drain(contender, run, absent);
	}
	run->errors += errors;
	figures_of(run, &before, &after, (double)meter_rss_bytes() / 1048576, end->values);
	ranks_of(&run->acquire, end->ranks);
}

bool load_block_play(void *shared, void *data)
{
	const struct block_plan *block = data;
	const struct crowd_plan plan = plan_of(block);
	struct block_end *end = shared;
	struct meter meter;
	void *contender;

	if (meter_open(&meter, &block->lab->nodes, &block->lab->servers, end->why, WHY_MAX) != 0) {
		return false;
	}
	contender = block->crowd->open(&plan, end->why, WHY_MAX);
	if (contender) {
		measure(block, contender, &meter, end);
		block->crowd->close(contender);
	}
	meter_close(&meter);
	return contender != NULL;
}
