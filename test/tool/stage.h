/* stage.h - five servers of `redlock cluster` for the tests of one program. */
#ifndef REDLOCK_TEST_STAGE_H
#define REDLOCK_TEST_STAGE_H

#include "tool.h"

#define STAGE_NODES 5

/* Run a suite between the start and the stop of the servers; REDLOCK_NODES names
 * them. The program's exit code. */
int stage_run(Suite *suite);
/* The same with a directory, but without servers. */
int stage_run_bare(Suite *suite);

/* A path in the directory of this run, in a static buffer of its own for each of
 * the last eight calls. */
const char *stage_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* First of so many neighbouring ports on which nobody listens. */
unsigned stage_ports(unsigned count);
unsigned stage_port(unsigned node);

/* Freeze a server; thaw all (checked fixture, so that no test leaves one behind). */
void stage_freeze(unsigned node);
void stage_thaw(void);

/* Send one command line to a server; the first line of its answer. */
const char *stage_ask(unsigned port, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* How many of the servers have the key? Frozen ones are not asked. */
unsigned stage_count_key(const char *key);

#endif
