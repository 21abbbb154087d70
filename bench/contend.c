/* contend.c - rounds of contention: ours and plain polling in turns, each in several processes. */
#include "contend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "block.h"
#include "stage.h"

#define PATIENCE_MS 60000
#define HEAD_START_NS 20000000 /* All processes see the beginning before it comes. */
#define LOOK_NS 1000000

const char *const contend_names[CONTEND_WHO_COUNT] = {"ours", "plain"};

static size_t place_of(const struct lab *lab, const struct contend_cell *cell)
{
	const struct contend_options *options = &lab->options.contend;
	size_t row = cell->condition * options->process_counts + cell->processes;

	return (row * options->waiter_counts + cell->waiters) * CONTEND_WHO_COUNT +
	       (size_t)cell->who;
}

size_t contend_cells(const struct lab *lab)
{
	const struct contend_options *options = &lab->options.contend;

	return lab->options.conditions.count * options->process_counts * options->waiter_counts *
	       CONTEND_WHO_COUNT;
}

struct contend_cell contend_cell(const struct lab *lab, size_t which)
{
	const struct contend_options *options = &lab->options.contend;
	size_t row = which / CONTEND_WHO_COUNT / options->waiter_counts;

	return (struct contend_cell){
		.condition = row / options->process_counts,
		.processes = row % options->process_counts,
		.waiters = which / CONTEND_WHO_COUNT % options->waiter_counts,
		.who = (int)(which % CONTEND_WHO_COUNT),
	};
}

double *contend_values(const struct lab *lab, const struct contend_results *results,
		       const struct contend_cell *cell)
{
	return results->values + place_of(lab, cell) * lab->options.rounds * CONTEND_FIGURES;
}

struct contend_row *contend_row(const struct lab *lab, const struct contend_results *results,
				const struct contend_cell *cell)
{
	return &results->rows[place_of(lab, cell)];
}

/* ---- Figures --------------------------------------------------------------------------------- */

/* 1: all got the same; 1 / count: one got all. */
static double jain(const uint32_t *shares, size_t count)
{
	double sum = 0;
	double squares = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		sum += shares[i];
		squares += (double)shares[i] * shares[i];
	}
	return squares > 0 ? sum * sum / (squares * (double)count) : (double)NAN;
}

static void add_histogram(struct histogram *sum, const struct histogram *part)
{
	size_t i;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		sum->bucket[i] += part->bucket[i];
	}
	sum->count += part->count;
	sum->max = part->max > sum->max ? part->max : sum->max;
}

static uint32_t share_of(const struct contend_plan *plan, uint32_t process)
{
	return plan->waiters / plan->processes + (process < plan->waiters % plan->processes);
}

/* What waiters and processes got. */
static void count_shares(const struct contend_shared *shared, const struct contend_plan *plan,
			 double *values, uint64_t *handovers)
{
	uint32_t of_process[PROCESSES_MAX] = {0};
	uint32_t who = 0;
	uint32_t process;
	uint32_t i;

	*handovers = 0;
	for (process = 0; process < plan->processes; process++) {
		for (i = 0; i < share_of(plan, process); i++) {
			of_process[process] += shared->grants[who++];
		}
		*handovers += of_process[process];
	}
	values[JAIN] = jain(shared->grants, plan->waiters);
	values[JAIN_PROCESSES] = jain(of_process, plan->processes);
}

static void tell_times(const struct contend_shared *shared, const struct contend_plan *plan,
		       double *values)
{
	static const double percents[] = {50, 90, 99, 99.9, 100};
	static struct histogram wait;
	static struct histogram handover;
	uint64_t longest_ns = 0;
	uint32_t i;

	memset(&wait, 0, sizeof(wait));
	memset(&handover, 0, sizeof(handover));
	for (i = 0; i < plan->processes; i++) {
		const struct contend_process *process = &shared->process[i];

		add_histogram(&wait, &process->wait);
		add_histogram(&handover, &process->handover);
		longest_ns = process->longest_ns > longest_ns ? process->longest_ns : longest_ns;
	}
	for (i = 0; i < 5; i++) {
		values[HANDOVER_P50 + i] = handover.count > 0
						   ? histogram_percentile_us(&handover, percents[i])
						   : (double)NAN;
	}
	values[WAIT_P50] = histogram_percentile_us(&wait, 50) / 1000;
	values[WAIT_P99] = histogram_percentile_us(&wait, 99) / 1000;
	values[WAIT_MAX] = (double)longest_ns / 1e6;
}

static void tell_costs(const struct contend_shared *shared, const struct contend_plan *plan,
		       const struct reading *before, const struct reading *after, double handovers,
		       double *values)
{
	uint64_t cpu_ns = 0;
	uint64_t held_ns = 0;
	uint32_t i;

	for (i = 0; i < plan->processes; i++) {
		cpu_ns += shared->process[i].cpu_ns;
		held_ns += shared->process[i].held_ns;
	}
	values[HOLD_MEAN] = (double)held_ns / 1e6 / handovers;
	values[HANDOVER_CLIENT_CPU] = (double)cpu_ns / 1e3 / handovers;
	values[HANDOVER_COMMANDS] =
		before->has_commands && after->has_commands
			? (double)(after->commands - before->commands) / handovers
			: (double)NAN;
	values[HANDOVER_SERVER_CPU] =
		before->has_server_ns && after->has_server_ns
			? (double)(after->server_ns - before->server_ns) / 1e3 / handovers
			: (double)NAN;
}

static void keep_row(const struct contend_shared *shared, const struct contend_plan *plan,
		     uint64_t handovers, struct contend_row *row)
{
	uint32_t i;

	row->handovers += handovers;
	row->overlaps += atomic_load(&shared->overlaps);
	for (i = 0; i < plan->processes; i++) {
		const struct contend_process *process = &shared->process[i];

		if (row->errors == 0) {
			memcpy(row->first_error, process->first_error, sizeof(row->first_error));
		}
		row->errors += process->errors;
	}
}

static void keep(const struct contend_shared *shared, const struct contend_plan *plan,
		 const struct reading *before, const struct reading *after, double *values,
		 struct contend_row *row)
{
	double seconds = (double)plan->lab->options.duration_ns / 1e9;
	uint64_t handovers;

	count_shares(shared, plan, values, &handovers);
	values[HANDOVERS_PER_S] = (double)handovers / seconds;
	values[TO_CEILING] =
		values[HANDOVERS_PER_S] / contend_ceiling(plan->options, plan->waiters);
	tell_times(shared, plan, values);
	tell_costs(shared, plan, before, after, (double)handovers, values);
	keep_row(shared, plan, handovers, row);
}

/* ---- A block --------------------------------------------------------------------------------- */

static const char *reason(const struct contend_shared *shared, uint32_t processes)
{
	uint32_t i;

	for (i = 0; i < processes; i++) {
		if (shared->process[i].why[0]) {
			return shared->process[i].why;
		}
	}
	return "one of its processes did not come to its end";
}

/* A process that cannot begin leaves the others waiting, but not for ever. */
static void start_together(struct contend_shared *shared, uint32_t processes, uint64_t until_ns,
			   const struct meter *meter, struct reading *before)
{
	struct timespec pause = {.tv_nsec = LOOK_NS};

	while (atomic_load(&shared->ready) < processes && now_ns() < until_ns) {
		nanosleep(&pause, NULL);
	}
	meter_begin(meter, before);
	atomic_store(&shared->begin_ns, now_ns() + HEAD_START_NS);
}

static bool play(struct stage *stage, const struct contend_plan *plan, int who,
		 const struct meter *meter, struct reading *before, struct reading *after)
{
	bool (*const roles[CONTEND_WHO_COUNT])(void *, void *) = {contend_ours, contend_plain};
	struct contend_plan parts[PROCESSES_MAX];
	pid_t pids[PROCESSES_MAX];
	uint64_t until_ns = now_ns() + plan->lab->options.duration_ns + PATIENCE_MS * 1000000ULL;
	uint32_t first = 0;
	bool fine = true;
	uint32_t i;

	memset(stage->shared, 0, stage->size);
	for (i = 0; i < plan->processes; i++) {
		parts[i] = *plan;
		parts[i].process = i;
		parts[i].first = first;
		parts[i].count = share_of(plan, i);
		first += parts[i].count;
		pids[i] = stage_fork(stage, roles[who], &parts[i]);
	}
	start_together(stage->shared, plan->processes, now_ns() + PATIENCE_MS * 500000ULL, meter,
		       before);
	for (i = 0; i < plan->processes; i++) {
		fine = pids[i] > 0 && stage_await(stage, pids[i], until_ns, NULL, NULL) && fine;
	}
	meter_end(meter, after);
	return fine;
}

/* No block meets what another one has left behind. */
static void name_resource(struct contend_plan *plan)
{
	static unsigned block;

	snprintf(plan->resource, sizeof(plan->resource), "bench:c%u:line", ++block);
}

static bool add_block(struct lab *lab, struct contend_results *results, struct stage *stage,
		      const struct contend_cell *cell, unsigned round, const struct meter *meter)
{
	const struct contend_options *options = &lab->options.contend;
	struct contend_plan plan = {.lab = lab, .options = options};
	struct reading before;
	struct reading after;

	plan.nodes = &lab->conditions.nodes[lab->options.conditions.all[cell->condition]];
	plan.waiters = options->waiters[cell->waiters];
	plan.processes = options->processes[cell->processes];
	plan.processes = plan.processes < plan.waiters ? plan.processes : plan.waiters;
	name_resource(&plan);
	lab_progress("round %u of %u, %u waiters in %u processes, %s", round + 1,
		     lab->options.rounds, plan.waiters, plan.processes, contend_names[cell->who]);
	if (!play(stage, &plan, cell->who, meter, &before, &after)) {
		fprintf(stderr, "redlock-bench: %s: %s\n", contend_names[cell->who],
			reason(stage->shared, plan.processes));
		return false;
	}
	keep(stage->shared, &plan, &before, &after,
	     contend_values(lab, results, cell) + (size_t)round * CONTEND_FIGURES,
	     contend_row(lab, results, cell));
	return true;
}

static bool run_rounds(struct lab *lab, struct contend_results *results, struct stage *stage,
		       const struct meter *meter)
{
	size_t cells = contend_cells(lab);
	unsigned round;
	size_t i;

	for (round = 0; round < lab->options.rounds; round++) {
		for (i = 0; i < cells; i++) {
			struct contend_cell cell = contend_cell(lab, i);

			cell.who = (int)((i + round) % CONTEND_WHO_COUNT); /* In turns. */
			if (!add_block(lab, results, stage, &cell, round, meter)) {
				return false;
			}
		}
	}
	lab_progress("%s", "");
	return true;
}

/* Two holders at once are worse than any error. */
static bool is_clean(const struct contend_results *results, size_t cells)
{
	size_t i;

	for (i = 0; i < cells; i++) {
		if (results->rows[i].errors > 0 || results->rows[i].overlaps > 0) {
			return false;
		}
	}
	return true;
}

int lab_contend(struct lab *lab)
{
	static struct contend_results results;
	size_t cells = contend_cells(lab);
	struct stage stage = {0};
	struct meter meter = {0};
	char why[WHY_MAX] = "out of memory";
	int code = EXIT_FAILURE;

	results.values = calloc(cells * lab->options.rounds * CONTEND_FIGURES, sizeof(double));
	results.rows = calloc(cells, sizeof(*results.rows));
	if (!results.values || !results.rows ||
	    stage_open(&stage, sizeof(struct contend_shared)) != 0 ||
	    meter_open(&meter, &lab->nodes, &lab->servers, why, sizeof(why)) != 0) {
		fprintf(stderr, "redlock-bench: %s\n", why);
	} else if (run_rounds(lab, &results, &stage, &meter)) {
		contend_print(lab, &results);
		if (lab_write_json(lab, contend_write, &results)) {
			code = is_clean(&results, cells) ? EXIT_SUCCESS : 2;
		}
	}
	meter_close(&meter);
	stage_close(&stage);
	free(results.values);
	free(results.rows);
	return code;
}
