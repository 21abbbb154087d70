/* sandbox.h - the directory and the ports of one test run.
 *
 * Check ends a failed test on the spot, without its teardown, and a hung one
 * with SIGKILL. So a process of its own waits for the last of them to go, and
 * then removes the directory. */
#ifndef REDLOCK_TEST_SANDBOX_H
#define REDLOCK_TEST_SANDBOX_H

#include <check.h>

/* Run a suite in it; for main() to return, before any thread is made. */
int sandbox_run(Suite *suite);

/* The directory of the run. */
const char *sandbox_root(void);

/* Remove a file, or a directory with all that is in it; it may be absent. */
void sandbox_remove(const char *path);

/* A port of 127.0.0.1 on which nobody listens. */
unsigned sandbox_port(void);

#endif
