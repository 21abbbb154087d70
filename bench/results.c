#include "results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const contender_names[CONTENDERS] = {"floor", "ours"};
const char *const condition_names[CONDITIONS] = {"healthy", "one hung", "two hung"};
const char *const operation_names[OPERATIONS] = {"acquire", "release"};

static struct series *nth_series(struct results *results, size_t i)
{
	struct cell *cells = &results->cell[0][0];

	return &cells[i / OPERATIONS].operation[i % OPERATIONS];
}

#define SERIES_COUNT ((size_t)CONTENDERS * CONDITIONS * OPERATIONS)

int results_init(struct results *results, size_t rounds)
{
	size_t i;

	*results = (struct results){.rounds = rounds};
	results->scratch = calloc(rounds, sizeof(double));
	if (!results->scratch) {
		return -1;
	}
	for (i = 0; i < SERIES_COUNT; i++) {
		struct series *series = nth_series(results, i);

		series->p50_us = calloc(rounds, sizeof(double));
		series->p99_us = calloc(rounds, sizeof(double));
		if (!series->p50_us || !series->p99_us) {
			results_fini(results);
			return -1;
		}
	}
	return 0;
}

void results_fini(struct results *results)
{
	size_t i;

	for (i = 0; i < SERIES_COUNT; i++) {
		free(nth_series(results, i)->p50_us);
		free(nth_series(results, i)->p99_us);
	}
	free(results->scratch);
	*results = (struct results){0};
}

void results_add(struct results *results, size_t round, enum contender who, enum condition when,
		 struct block *block)
{
	struct cell *cell = &results->cell[who][when];
	struct samples *samples[OPERATIONS] = {&block->acquire, &block->release};
	int what;

	for (what = 0; what < OPERATIONS; what++) {
		cell->operation[what].p50_us[round] = samples_percentile_us(samples[what], 50);
		cell->operation[what].p99_us[round] = samples_percentile_us(samples[what], 99);
	}
	cell->cycles += block->cycles;
	if (cell->errors == 0 && block->errors > 0) {
		memcpy(cell->first_error, block->first_error, sizeof(cell->first_error));
	}
	cell->errors += block->errors;
	if (block->slowest_error_ns > cell->slowest_error_ns) {
		cell->slowest_error_ns = block->slowest_error_ns;
	}
}

/* Median over the rounds of @values, or of their ratio to @bases. Rounds without a value on either
 * side are left out: the errors next to the figure tell of them. */
static double over_rounds(const struct results *results, const double *values, const double *bases)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < results->rounds; i++) {
		double value = bases ? ratio(values[i], bases[i]) : values[i];

		if (value > 0) {
			results->scratch[count++] = value;
		}
	}
	return median(results->scratch, count);
}

struct figure results_figure(const struct results *results, enum contender who, enum condition when,
			     enum operation what)
{
	const struct series *own = &results->cell[who][when].operation[what];
	const struct series *floor = &results->cell[FLOOR][when].operation[what];
	const struct series *healthy = &results->cell[OURS][HEALTHY].operation[what];

	return (struct figure){
		.p50_us = over_rounds(results, own->p50_us, NULL),
		.p99_us = over_rounds(results, own->p99_us, NULL),
		.p50_to_floor = over_rounds(results, own->p50_us, floor->p50_us),
		.p99_to_floor = over_rounds(results, own->p99_us, floor->p99_us),
		.p50_to_healthy = over_rounds(results, own->p50_us, healthy->p50_us),
		.p99_to_healthy = over_rounds(results, own->p99_us, healthy->p50_us),
	};
}

uint64_t results_errors(const struct results *results)
{
	uint64_t errors = 0;
	int who;
	int when;

	for (who = 0; who < CONTENDERS; who++) {
		for (when = 0; when < CONDITIONS; when++) {
			errors += results->cell[who][when].errors;
		}
	}
	return errors;
}
