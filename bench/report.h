/* report.h - the results in words or as JSON, always with their conditions. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "options.h"
#include "results.h"

/* What the figures depend on, besides the options. */
struct setting {
	const char *server; /* "redis 7.0.15" */
	size_t nodes;
	size_t quorum;
	size_t conditions; /* Conditions measured: only the first where no node may be hung. */
	double load_before;
};

void report_table(const struct results *results, const struct setting *setting,
		  const struct bench_options *options);

void report_json(const struct results *results, const struct setting *setting,
		 const struct bench_options *options);

#endif
