/* lab.h - what the modes of redlock-bench share, and the results of a load. */
#ifndef BENCH_LAB_H
#define BENCH_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "condition.h"
#include "crowd.h"
#include "figures.h"
#include "lab_options.h"
#include "ranks.h"
#include "servers.h"

#define WHY_MAX 256

enum { WHO_FLOOR, WHO_OURS, WHO_PING, WHO_COUNT };

struct lab {
	struct lab_options options;
	struct servers servers; /* None where nodes were given. */
	struct nodes nodes;
	struct conditions conditions;
	double load_before;
	char product[64];
};

/* Of one contender at one level, under one condition. */
struct load_errors {
	uint64_t errors;
	uint64_t cycles;
	char first[RUN_ERROR_MAX];
};

struct load_results {
	double *values; /* [level][condition][who][round][figure] */
	double *ranks;	/* [level][condition][who][round][rank], of acquire */
	struct load_errors errors[LEVELS_MAX][LAB_CONDITIONS][WHO_COUNT];
};

struct load_cell {
	size_t level;
	enum lab_condition condition;
	int who;
};

extern const struct crowd *const load_crowds[WHO_COUNT];

/** The values at the ranks of acquire, of all rounds: RANKS apart. */
double *load_ranks(const struct lab *lab, const struct load_results *results,
		   const struct load_cell *cell);

/** The values of all rounds: FIGURES apart. */
double *load_values(const struct lab *lab, const struct load_results *results,
		    const struct load_cell *cell);

/** Each returns what to exit with. */
int lab_load(struct lab *lab);
int lab_growth(struct lab *lab);
int lab_steps(struct lab *lab);
int lab_contend(struct lab *lab);
int lab_spin(struct lab *lab);
int lab_timeline(struct lab *lab);

void load_print(const struct lab *lab, const struct load_results *results);
void load_write(const struct lab *lab, const struct load_results *results, FILE *file);

/** The conditions: one or two lines for people, members of an object for machines. */
void lab_print_setting(const struct lab *lab);
void lab_write_setting(const struct lab *lab, FILE *file);

/** The same of what nodes suffer. */
void lab_write_conditions(const struct lab *lab, FILE *file);

/** A number, or null if it is not known. */
void lab_write_number(FILE *file, double value);

/** Open what --json names, for @write. Returns false, with a message, if that fails. */
bool lab_write_json(const struct lab *lab,
		    void (*write)(const struct lab *lab, const void *results, FILE *file),
		    const void *results);

/** The foot of the screen: what happens now. Only on a terminal. */
void lab_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
