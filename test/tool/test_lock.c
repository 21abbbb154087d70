/* test_lock.c - lock, extend, unlock and status: one lease over several processes, or several
 * readers. */
#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Take @name; the token, to be freed. */
static char *take(const char *name, const char *ttl)
{
	const struct result *result = TOOL("lock", PATIENT, "-n", "--ttl", ttl, name);
	ck_assert_msg(result->code == 0, "%s", result->err);
	char *token = strdup(result->out);
	token[strcspn(token, "\n")] = '\0';
	return token;
}

/* So that what a test leaves locked is not in the way of anything. */
static void drop(const char *name, char *token)
{
	ck_assert_int_eq(TOOL("unlock", PATIENT, name, token)->code, 0);
	UNTIL(stage_count_key(name) == 0);
	free(token);
}

START_TEST(lock_prints_the_token_and_nothing_else)
{
	char *token = take("plain", "60s");
	ck_assert_uint_eq(strlen(token), 32);
	ck_assert_uint_eq(strspn(token, "ghijklmnopqrstuv"), 32);
	ck_assert_uint_eq(stage_count_key("plain"), STAGE_NODES);
	drop("plain", token);
}
END_TEST

START_TEST(a_lease_goes_from_process_to_process)
{
	char left[32];
	char *token = take("trip", "60s");
	const struct result *result = TOOL("extend", "--ttl", "50s", "trip", token);
	ck_assert_int_eq(result->code, 0);
	ck_assert_str_eq(result->out, "");
	result = TOOL("status", "trip");
	ck_assert_int_eq(result->code, 0);
	snprintf(left, sizeof left, "%.8s\u2026", token);
	ck_assert_ptr_nonnull(strstr(result->out, left));
	ck_assert_ptr_nonnull(strstr(result->out, "trip: held by "));
	ck_assert_ptr_null(strstr(result->out, token));
	const char *after = strstr(result->out, "of 5 nodes, ");
	ck_assert_ptr_nonnull(after);
	ck_assert_double_gt(atof(after + strlen("of 5 nodes, ")), 20);
	drop("trip", token);
	result = TOOL("status", "trip");
	ck_assert_ptr_nonnull(strstr(result->out, "trip: free"));
}
END_TEST

START_TEST(extend_and_unlock_take_the_token_from_standard_input)
{
	char *token = take("fed", "60s");
	ck_assert_int_eq(TOOL_FED(token, "extend", "fed", "-")->code, 0);
	char line[64];
	snprintf(line, sizeof line, "%s\n", token);
	ck_assert_int_eq(TOOL_FED(line, "unlock", "fed", "-")->code, 0);
	UNTIL(stage_count_key("fed") == 0);
	free(token);
}
END_TEST

START_TEST(a_second_lock_is_refused_and_leaves_nothing)
{
	char *token = take("twice", "60s");
	const struct result *result = TOOL("lock", "-n", "twice");
	ck_assert_int_eq(result->code, 75);
	ck_assert_str_eq(result->out, "");
	ck_assert_ptr_nonnull(strstr(result->err, "redlock: twice: held by another owner"));
	ck_assert_ptr_nonnull(strstr(result->err, "of 5 nodes)"));
	result = TOOL("lock", "-q", "-w", "0.2", "twice");
	ck_assert_int_eq(result->code, 75);
	ck_assert_str_eq(result->err, "");
	result = TOOL("lock", "-v", "-w", "0", "twice");
	ck_assert_int_eq(result->code, 75);
	ck_assert_ptr_nonnull(strstr(result->err, "127.0.0.1:"));
	drop("twice", token);
}
END_TEST

START_TEST(a_waiter_gets_the_lock_when_it_is_given_back)
{
	char *token = take("handed", "60s");
	struct tool waiter = TOOL_START("lock", "-w", "20s", "handed");
	sleep_ms(200);
	ck_assert(!tool_ended(&waiter));
	ck_assert_int_eq(TOOL("unlock", "handed", token)->code, 0);
	free(token);
	const struct result *result = tool_wait(&waiter);
	ck_assert_int_eq(result->code, 0);
	token = strndup(result->out, 32);
	drop("handed", token);
}
END_TEST

START_TEST(a_wrong_token_neither_unlocks_nor_extends)
{
	char *token = take("guarded", "60s");
	const struct result *result = TOOL("unlock", "guarded", "wrong");
	ck_assert_int_eq(result->code, 79);
	ck_assert_ptr_nonnull(strstr(result->err, "guarded: not held with this token"));
	result = TOOL("extend", "guarded", "wrong");
	ck_assert_int_eq(result->code, 79);
	ck_assert_uint_eq(stage_count_key("guarded"), STAGE_NODES);
	drop("guarded", token);
	ck_assert_int_eq(TOOL("unlock", "guarded", "gone")->code, 79);
	ck_assert_int_eq(TOOL("extend", "guarded", "gone")->code, 79);
	ck_assert_uint_eq(stage_count_key("guarded"), 0);
}
END_TEST

START_TEST(a_lease_that_ran_out_is_not_extended)
{
	/* So brief a lease may need more than one attempt. */
	const struct result *result = TOOL("lock", "-w", "20s", "--ttl", "1s", "short");
	ck_assert_msg(result->code == 0, "%s", result->err);
	char *token = strndup(result->out, strcspn(result->out, "\n"));
	UNTIL(stage_count_key("short") == 0);
	ck_assert_int_eq(TOOL("extend", "short", token)->code, 79);
	ck_assert_uint_eq(stage_count_key("short"), 0);
	free(token);
}
END_TEST

START_TEST(too_few_nodes_are_told_soon_and_nothing_stays)
{
	stage_freeze(0);
	stage_freeze(2);
	stage_freeze(4);
	const struct result *result = TOOL("lock", "-n", "few");
	ck_assert_int_eq(result->code, 69);
	ck_assert_uint_lt(result->took_ms, SOON_MS);
	ck_assert_str_eq(result->out, "");
	ck_assert_ptr_nonnull(strstr(result->err, "few: too few nodes can vote"));
	ck_assert_uint_eq(stage_count_key("few"), 0);
	ck_assert_int_eq(TOOL("unlock", "few", "t")->code, 69);
	result = TOOL("status", "few");
	ck_assert_int_eq(result->code, 69);
	ck_assert_ptr_nonnull(strstr(result->out, "2 of 5 nodes can vote, 3 needed"));
	ck_assert_ptr_nonnull(strstr(result->out, "few: no quorum"));
}
END_TEST

/* Silence says nothing about who has the lock: two refusals of five are no loss. */
START_TEST(an_extend_that_too_few_answer_is_no_loss)
{
	stage_freeze(0);
	stage_freeze(2);
	stage_freeze(4);
	const struct result *result = TOOL("extend", "few", "t");
	ck_assert_msg(result->code == 69, "%d: %s", result->code, result->err);
}
END_TEST

START_TEST(two_nodes_down_change_nothing)
{
	stage_freeze(1);
	stage_freeze(3);
	char *token = take("enough", "60s");
	ck_assert_int_eq(TOOL("extend", "enough", token)->code, 0);
	ck_assert_int_eq(TOOL("lock", "-n", "enough")->code, 75);
	ck_assert_int_eq(TOOL("status", "enough")->code, 0);
	ck_assert_int_eq(TOOL("unlock", "enough", token)->code, 0);
	UNTIL(stage_count_key("enough") == 0);
	free(token);
}
END_TEST

START_TEST(a_token_that_cannot_be_printed_is_given_back)
{
	static const char *const places[] = {">/dev/full", ">&-"};
	char command[256];
	for (unsigned i = 0; i < 2; i++) {
		snprintf(command, sizeof command, "\"$REDLOCK_TOOL\" lock -n unheard %s",
			 places[i]);
		struct tool shell =
			program_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
		const struct result *result = tool_wait(&shell);
		ck_assert_msg(result->code == 74, "%s: %d", places[i], result->code);
		ck_assert_ptr_nonnull(strstr(result->err, "cannot print the token"));
		ck_assert_uint_eq(stage_count_key("unheard"), 0);
	}
}
END_TEST

START_TEST(a_reader_that_is_gone_gives_the_lock_back)
{
	static const char command[] = "{ sleep 0.3; \"$REDLOCK_TOOL\" lock -n deaf; "
				      "echo $? >\"$0\"; } | true";
	const char *code = stage_path("deaf");
	struct tool shell =
		program_start((const char *const[]){"sh", "-c", command, code, NULL}, NULL);
	tool_wait(&shell);
	UNTIL(file_number(code) != 0);
	ck_assert_int_eq(file_number(code), 74);
	ck_assert_uint_eq(stage_count_key("deaf"), 0);
}
END_TEST

START_TEST(a_signal_ends_the_wait)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
	char *token = take("awaited", "60s");
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct tool waiter = TOOL_START("lock", "awaited");
		UNTIL(tool_listens(waiter.pid));
		sleep_ms(150);
		ck_assert(!tool_ended(&waiter));
		kill(waiter.pid, signals[i]);
		const struct result *result = tool_wait(&waiter);
		ck_assert_int_eq(result->code, 128 + signals[i]);
		ck_assert_str_eq(result->out, "");
	}
	drop("awaited", token);
	ck_assert_uint_eq(stage_count_key("awaited"), 0);
}
END_TEST

START_TEST(status_never_shows_a_whole_token)
{
	static const char *const values[] = {"x", "ab", "short", "twelve-chars", "new\x1bline"};
	char command[256];
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		for (unsigned node = 0; node < STAGE_NODES; node++) {
			snprintf(command, sizeof command, "SET foreign \"%s\" PX 30000", values[i]);
			stage_ask(stage_port(node), "%s", command);
		}
		const struct result *result = TOOL("status", "foreign");
		ck_assert_ptr_nonnull(strstr(result->out, "foreign: held by "));
		ck_assert_ptr_null(strstr(result->out, "\x1b"));
		char shown[64];
		snprintf(shown, sizeof shown, " %s ", values[i]);
		ck_assert_ptr_null(strstr(result->out, shown));
		check_json(TOOL("status", "--json", "foreign")->out);
	}
	for (unsigned node = 0; node < STAGE_NODES; node++) {
		stage_ask(stage_port(node), "DEL foreign");
	}
}
END_TEST

START_TEST(status_tells_a_split_from_a_lock)
{
	for (unsigned node = 0; node < STAGE_NODES; node++) {
		stage_ask(stage_port(node), "SET split owner-%u-%s PX 30000", node / 2, "abcdefgh");
	}
	const struct result *result = TOOL("status", "split");
	ck_assert_ptr_nonnull(strstr(result->out, "split: held by nobody, but not free"));
	stage_ask(stage_port(0), "DEL split");
	stage_ask(stage_port(1), "DEL split");
	stage_ask(stage_port(2), "DEL split");
	result = TOOL("status", "split");
	ck_assert_ptr_nonnull(strstr(result->out, "split: free (owner-"));
	stage_ask(stage_port(3), "DEL split");
	stage_ask(stage_port(4), "DEL split");
	stage_ask(stage_port(0), "SET split for-ever-and-ever");
	stage_ask(stage_port(1), "SET split for-ever-and-ever");
	stage_ask(stage_port(2), "SET split for-ever-and-ever");
	result = TOOL("status", "split");
	ck_assert_ptr_nonnull(strstr(result->out, "on 3 of 5 nodes, without end"));
	for (unsigned node = 0; node < 3; node++) {
		stage_ask(stage_port(node), "DEL split");
	}
}
END_TEST

START_TEST(status_may_be_watched_until_nobody_reads_or_a_signal_comes)
{
	static const char *const commands[] = {
		"\"$REDLOCK_TOOL\" status --watch --json watched | head -n 2",
		"\"$REDLOCK_TOOL\" status --watch watched >\"$0\" & "
		"until [ -s \"$0\" ]; do sleep 0.05; done; kill -TERM $!; wait $!"};
	const struct result *result;
	struct tool shell;

	shell = program_start((const char *const[]){"sh", "-c", commands[0], NULL}, NULL);
	result = tool_wait(&shell);
	ck_assert_int_eq(result->code, 0);
	ck_assert_ptr_nonnull(strstr(result->out, "}\n{\"event\":\"status\""));
	shell = program_start(
		(const char *const[]){"sh", "-c", commands[1], stage_path("watched"), NULL}, NULL);
	ck_assert_int_eq(tool_wait(&shell)->code, 0);
}
END_TEST

START_TEST(a_right_that_a_user_lacks_is_shown)
{
	char url[128];
	stage_ask(stage_port(0), "ACL SETUSER app on >x ~* &* +@all -info -config|get");
	snprintf(url, sizeof url, "redis://app:x@127.0.0.1:%u", stage_port(0));
	const struct result *result = TOOL("status", PATIENT, "--node", url);
	ck_assert_ptr_nonnull(strstr(result->out, "its user lacks +info +config|get"));
	result = TOOL("status", PATIENT, "--json", "--node", url, "a");
	ck_assert_ptr_nonnull(strstr(result->out, "\"lacks\":\"+info +config|get\""));
	stage_ask(stage_port(0), "ACL DELUSER app");
}
END_TEST

START_TEST(shared_runs_run_together_and_no_other_beside_them)
{
	const char *inside = "\"$REDLOCK_TOOL\" run --shared -n shelf -- echo read; "
			     "\"$REDLOCK_TOOL\" run -n shelf -- echo written; echo $?; "
			     "\"$REDLOCK_TOOL\" status shelf | tail -n 3";
	const struct result *result = TOOL("run", "--shared", "-c", inside, "shelf");

	ck_assert_int_eq(result->code, 0);
	ck_assert_int_eq(strncmp(result->out, "read\n75\nshelf: held by readers on ", 34), 0);
	ck_assert_uint_eq(stage_count_key("shelf"), 0);
	ck_assert_uint_eq(stage_count_key("shelf:readers"), 0);
	const char *alone = "\"$REDLOCK_TOOL\" run --shared -n shelf -- true; echo $?";
	ck_assert_str_eq(TOOL("run", "-c", alone, "shelf")->out, "75\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool lock");
	TCase *tests = tcase_create("lock");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, stage_thaw, stage_thaw);
	tcase_add_test(tests, lock_prints_the_token_and_nothing_else);
	tcase_add_test(tests, shared_runs_run_together_and_no_other_beside_them);
	tcase_add_test(tests, status_may_be_watched_until_nobody_reads_or_a_signal_comes);
	tcase_add_test(tests, a_right_that_a_user_lacks_is_shown);
	tcase_add_test(tests, a_lease_goes_from_process_to_process);
	tcase_add_test(tests, extend_and_unlock_take_the_token_from_standard_input);
	tcase_add_test(tests, a_second_lock_is_refused_and_leaves_nothing);
	tcase_add_test(tests, a_waiter_gets_the_lock_when_it_is_given_back);
	tcase_add_test(tests, a_wrong_token_neither_unlocks_nor_extends);
	tcase_add_test(tests, a_lease_that_ran_out_is_not_extended);
	tcase_add_test(tests, too_few_nodes_are_told_soon_and_nothing_stays);
	tcase_add_test(tests, an_extend_that_too_few_answer_is_no_loss);
	tcase_add_test(tests, two_nodes_down_change_nothing);
	tcase_add_test(tests, a_token_that_cannot_be_printed_is_given_back);
	tcase_add_test(tests, a_reader_that_is_gone_gives_the_lock_back);
	tcase_add_test(tests, a_signal_ends_the_wait);
	tcase_add_test(tests, status_never_shows_a_whole_token);
	tcase_add_test(tests, status_tells_a_split_from_a_lock);
	suite_add_tcase(suite, tests);
	return stage_run(suite);
}
