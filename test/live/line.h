/* line.h - what a node knows of those who wait in line at it. */
#ifndef REDLOCK_TEST_LINE_H
#define REDLOCK_TEST_LINE_H

#include "waiter.h"

#define LINE NAME ":line"

/* Somebody may have died in line: how much longer than the key it may be remembered, and some time
 * for the key. */
#define LINE_LIFE_MS 30000

/* Run until so many stand in line at every node that runs; or so many clients listen to it. */
void line_wait(long long count);
void line_wait_ears(size_t count);
/* Run until somebody stands in line at a quorum of the nodes. */
void line_wait_quorum(void);
/* How many listen to all nodes together. */
size_t line_ears(void);
/* One more client, connected; it joins the line behind the others, at every node. */
void line_join(struct waiter *waiter, struct redlock_client *client);
/* It waits no more, if it did; and its lock is freed. */
void line_leave(struct waiter *waiter);

/* How often a command came from clients, to all nodes that run. What scripts call counts, too. */
long long line_calls(const char *command);
/* All scripts that clients have asked for. */
long long line_scripts(void);

/* What is left of a line will not stay: and then it is removed. */
void line_expect_mortal(void);

#endif
