/* growth_floor.c - the cycles by which growth is judged, with nothing around them. */
#include "growth.h"
#include "herd.h"

#define PROBE_CYCLES 5000

uint64_t growth_probe_cycles(const struct lab *lab)
{
	return lab->options.cycles > 0 ? lab->options.cycles : PROBE_CYCLES;
}

bool growth_play_floor(void *shared, void *data)
{
	static struct run run;
	const struct growth_plan *plan = data;
	const struct lab_options *options = &plan->lab->options;
	const struct crowd_plan crowd_plan = {.nodes = &plan->lab->nodes,
					      .in_flight = HERD_IN_FLIGHT,
					      .resources = HERD_IN_FLIGHT,
					      .ttl_ms = options->ttl_ms};
	struct growth_end *end = shared;
	void *floor = crowd_floor.open(&crowd_plan, end->why, WHY_MAX);
	struct meter meter = {.servers = &plan->lab->servers};
	struct reading before;
	struct reading after;

	if (!floor) {
		return false;
	}
	run.cycles = growth_probe_cycles(plan->lab);
	crowd_floor.run(floor, &run);
	meter_begin(&meter, &before);
	crowd_floor.run(floor, &run);
	meter_end(&meter, &after);
	end->values[GROWTH_FLOOR_CYCLE] =
		(double)(after.cpu_ns - before.cpu_ns) / 1e3 / (double)run.cycles;
	crowd_floor.close(floor);
	return true;
}
