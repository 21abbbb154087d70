/* test_show_guard.c - five servers without a disk, and most of them restarted under a lease.
 *
 * What the restart guard is for, seen from outside: three of five servers are
 * killed and come back empty while a lock is held, so a majority has forgotten
 * it. The last test shows the hole that is there without the guard. */
#include "sandbox.h"
#include "servers.h"
#include "tool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <hiredis/hiredis.h>

#define NAME "nightly"
#define NODES 5
#define QUORUM 3
#define CASE_SECONDS 120

/* Lease and guard where their end is waited for, where they are outlived, and where nothing ends.
 */
#define SHORT "3s"
#define SHORT_MS 3000
#define MIDDLE "5s"
#define MIDDLE_MS 5000
#define LONG "60s"
/* By so much, at most, the holder's own reckoning of its lease is shorter: 1 % and 2 ms. */
#define ALLOWANCE_MS (SHORT_MS / 100 + 2)

#define HELD_BY_ANOTHER 75
#define TOO_FEW_CAN_VOTE 69

static struct servers servers;

/* ---- The servers ----------------------------------------------------------------------------- */

static void start_servers(void)
{
	char nodes[NODES * 64] = "";
	size_t used = 0;

	servers_start(&servers, NODES, NULL);
	for (size_t i = 0; i < NODES; i++) {
		server_make_old(&servers.at[i]);
		used += (size_t)snprintf(nodes + used, sizeof nodes - used, "redis://%s ",
					 servers.at[i].address);
	}
	ck_assert_int_eq(setenv("REDLOCK_NODES", nodes, 1), 0);
}

static void finish_servers(void)
{
	servers_finish(&servers);
}

static void forget_on_a_majority(void)
{
	for (size_t i = 0; i < QUORUM; i++) {
		server_kill(&servers.at[i]);
	}
	for (size_t i = 0; i < QUORUM; i++) {
		server_start_again(&servers.at[i], false);
	}
}

/* ---- Two who want the lock ------------------------------------------------------------------- */

static const char *path(const char *file)
{
	static char text[160];

	(void)snprintf(text, sizeof text, "%s/%s", servers.at[0].dir, file);
	return text;
}

/* A command that says its process number, and stays until somebody ends it. */
static struct tool hold(const char *ttl, pid_t *command)
{
	char script[256];
	struct tool tool;

	(void)snprintf(script, sizeof script, "echo $$ > %s; exec sleep 600", path("first"));
	tool = TOOL_START("run", "-w", "20s", "--ttl", ttl, "--max-ttl", ttl, "-c", script, NAME);
	UNTIL(file_number(path("first")) != 0 || tool_ended(&tool));
	ck_assert_msg(!tool_ended(&tool), "%s", tool_wait(&tool)->err);
	*command = (pid_t)file_number(path("first"));
	return tool;
}

static uint64_t wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void end_hold(struct tool *tool)
{
	ck_assert_int_eq(kill(tool->pid, SIGTERM), 0);
	(void)tool_wait(tool);
}

/* The second: an exit code of 0 means that its command ran, and said when. */
static int try_once(const char *ttl, uint64_t *let_in_ms)
{
	const struct result *result =
		TOOL("run", "-n", "--ttl", ttl, "--max-ttl", ttl, NAME, "date", "+%s%3N");

	*let_in_ms = strtoull(result->out, NULL, 10);
	ck_assert_msg(result->code == 0 || result->code == HELD_BY_ANOTHER ||
			      result->code == TOO_FEW_CAN_VOTE,
		      "code %d: %s", result->code, result->err);
	return result->code;
}

/* ---- The guard ------------------------------------------------------------------------------- */

/* Nobody renews this lease: it is there for its TTL, and for no longer. */
START_TEST(a_forgotten_lease_lets_nobody_in_until_it_is_over)
{
	uint64_t began_ms = wall_ms(), let_in_ms;
	unsigned refused = 0;
	const struct result *result =
		TOOL("lock", "-w", "20s", "--ttl", SHORT, "--max-ttl", SHORT, NAME);

	ck_assert_msg(result->code == 0, "code %d: %s", result->code, result->err);
	forget_on_a_majority();
	while (try_once(SHORT, &let_in_ms) != 0) {
		refused++;
		ck_assert_msg(wall_ms() < began_ms + PATIENCE_MS, "nobody is ever let in again");
	}
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_ge(let_in_ms, began_ms + SHORT_MS - ALLOWANCE_MS);
}
END_TEST

/* The holder renews on what is left, and repairs the rest. */
START_TEST(a_holder_outlives_the_loss_of_a_majority_and_nobody_else_gets_in)
{
	pid_t command;
	struct tool first = hold(MIDDLE, &command);
	uint64_t end_ms, let_in_ms;

	forget_on_a_majority();
	end_ms = now_ms() + MIDDLE_MS * 3 / 2;
	while (now_ms() < end_ms) {
		ck_assert_int_ne(try_once(MIDDLE, &let_in_ms), 0);
	}
	ck_assert(process_lives(command));
	end_hold(&first);
	UNTIL(try_once(MIDDLE, &let_in_ms) == 0);
}
END_TEST

/* The same moment, with the guard and without. */
START_TEST(without_the_guard_there_are_two_holders)
{
	pid_t command;
	struct tool first = hold(LONG, &command);
	const struct result *result;
	uint64_t let_in_ms;

	forget_on_a_majority();
	ck_assert_int_ne(try_once(LONG, &let_in_ms), 0);
	result = TOOL("run", "-n", "--no-restart-guard", "--ttl", LONG, NAME, "echo", "me too");
	ck_assert_msg(result->code == 0, "code %d: %s", result->code, result->err);
	ck_assert_str_eq(result->out, "me too\n");
	ck_assert(!tool_ended(&first));
	ck_assert(process_lives(command));
	end_hold(&first);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("show guard");
	TCase *tcase = tcase_create("five servers without a disk");

	tcase_set_timeout(tcase, CASE_SECONDS);
	tcase_add_checked_fixture(tcase, start_servers, finish_servers);
	tcase_add_test(tcase, a_forgotten_lease_lets_nobody_in_until_it_is_over);
	tcase_add_test(tcase, a_holder_outlives_the_loss_of_a_majority_and_nobody_else_gets_in);
	tcase_add_test(tcase, without_the_guard_there_are_two_holders);
	suite_add_tcase(suite, tcase);
	return sandbox_run(suite);
}
