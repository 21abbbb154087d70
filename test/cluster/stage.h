/* stage.h - what every test of the cluster stands on: five sound nodes, a loop, two clients.
 *
 * Faults are done while the loop runs, as in a program that has other things to
 * do. When a test is over, however it ended, the nodes are made good again; when
 * it ended well, its resource must be free everywhere. */
#ifndef REDLOCK_TEST_STAGE_H
#define REDLOCK_TEST_STAGE_H

#include "loop.h"
#include "nodes.h"

#include <check.h>
#include <redlock/redlock.h>

/* Leases outlive every wait: what is left behind cannot expire unseen. */
#define LONG_TTL_MS 60000

struct stage {
	uv_loop_t loop;
	struct redlock_client *alice;
	struct redlock_client *bob;
	char resource[64]; /* New for each test. */
};

extern struct stage stage;

/* Locks on stage.resource; the test frees them. */
struct redlock_lock *stage_lock(struct redlock_client *client);
struct redlock_lock *stage_lock_with(struct redlock_client *client,
				     const struct redlock_lock_options *options);

/* Do this to nodes @first to @last (from 0) while the loop runs. */
void stage_fault(size_t first, size_t last, enum fault fault);

/* Wait until exactly @count nodes are up and vote, as redlock_inspect() tells. */
void stage_wait_votes(struct redlock_client *client, size_t count);
/* Wait until nodes @first to @last hold stage.resource under @token; NULL: do not hold it. */
void stage_wait_keys(size_t first, size_t last, const char *token);

/* Add a test in a case of its own. */
void stage_case(Suite *suite, const TTest *test);

/* The tests, by file. */
void add_sound(Suite *suite);
void add_minority(Suite *suite);
void add_majority(Suite *suite);
void add_comeback(Suite *suite);

#endif
