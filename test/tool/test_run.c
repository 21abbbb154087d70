/* test_run.c - run: what the command gets, what comes back, what signals do. */
#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int forwarded[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
#define FORWARDED_COUNT (sizeof forwarded / sizeof *forwarded)

/* A run that holds @name until it is told to end; returns when the command runs. */
static struct tool holder(const char *name)
{
	const char *mark = stage_path("holder.%s", name);
	struct tool tool =
		TOOL_START("run", name, "--", "sh", "-c",
			   "trap 'exit 0' TERM; echo $$ >\"$0\"; while :; do sleep 0.05; "
			   "done",
			   mark);
	UNTIL(file_number(mark) != 0);
	return tool;
}

static void end_holder(struct tool *tool)
{
	kill(tool->pid, SIGTERM);
	ck_assert_int_eq(tool_wait(tool)->code, 0);
}

START_TEST(the_exit_code_is_the_commands)
{
	ck_assert_int_eq(TOOL("run", "code", "--", "true")->code, 0);
	ck_assert_int_eq(TOOL("run", "code", "false")->code, 1);
	ck_assert_int_eq(TOOL("run", "code", "--", "sh", "-c", "exit 213")->code, 213);
	ck_assert_int_eq(TOOL("run", "code", "--", "sh", "-c", "kill -KILL $$")->code, 137);
	ck_assert_int_eq(TOOL("run", "code", "--", "sh", "-c", "kill -USR1 $$")->code, 138);
	ck_assert_int_eq(TOOL("run", "code", "--", "sh", "-c", "kill -PIPE $$")->code, 141);
	ck_assert_uint_eq(stage_count_key("code"), 0);
}
END_TEST

START_TEST(the_command_has_our_streams_and_its_own_words)
{
	const struct result *result =
		TOOL_FED("from stdin\n", "run", "streams", "--", "sh", "-c",
			 "cat; printf '[%s]' \"$@\" >&2", "sh", "-n", "a b", "--", "");
	ck_assert_int_eq(result->code, 0);
	ck_assert_str_eq(result->out, "from stdin\n");
	ck_assert_str_eq(result->err, "[-n][a b][--][]");
	result = TOOL("run", "-c", "echo $0 ${#REDLOCK_TOKEN}", "streams");
	ck_assert_str_eq(result->out, "/bin/sh 32\n");
}
END_TEST

START_TEST(the_command_knows_its_lock)
{
	setenv("REDLOCK_FENCE", "from outside", 1);
	const struct result *result =
		TOOL("run", "--ttl", "7s", "-c",
		     "echo $REDLOCK_NAME $REDLOCK_TTL_MS ${REDLOCK_FENCE-none}; "
		     "\"$REDLOCK_TOOL\" extend $REDLOCK_NAME $REDLOCK_TOKEN",
		     "known");
	ck_assert_msg(result->code == 0, "%s", result->err);
	ck_assert_str_eq(result->out, "known 7000 none\n");
}
END_TEST

/* The command is told, and nobody else: who knows it can release. */
START_TEST(an_owner_token_is_never_shown)
{
	const struct result *result =
		TOOL("run", "-vv", "token", "--", "sh", "-c", "echo \"$REDLOCK_TOKEN\"");
	char token[64];

	ck_assert_int_eq(result->code, 0);
	ck_assert_int_eq(sscanf(result->out, "%63s", token), 1);
	ck_assert_uint_eq(strlen(token), 32);
	ck_assert_str_ne(result->err, "");
	ck_assert_ptr_null(strstr(result->err, token));
}
END_TEST

START_TEST(fencing_tokens_grow)
{
	unsigned long long before = 0;
	for (unsigned i = 0; i < 5; i++) {
		const struct result *result =
			TOOL("run", "--fence", "-c", "echo $REDLOCK_FENCE", "fenced");
		ck_assert_int_eq(result->code, 0);
		unsigned long long fence = strtoull(result->out, NULL, 10);
		ck_assert_uint_gt(fence, before);
		before = fence;
	}
}
END_TEST

START_TEST(a_second_run_is_refused)
{
	struct tool first = holder("second");
	ck_assert_int_eq(TOOL("run", "-n", "second", "--", "true")->code, 75);
	ck_assert_int_eq(TOOL("run", "-w", "0.2", "second", "--", "true")->code, 75);
	ck_assert_int_eq(TOOL("run", "-n", "-E", "0", "second", "--", "true")->code, 0);
	ck_assert_int_eq(TOOL("run", "-nE255", "second", "--", "true")->code, 255);
	ck_assert_int_eq(TOOL("run", "-n", "other", "--", "true")->code, 0);
	end_holder(&first);
	ck_assert_int_eq(TOOL("run", "-n", "second", "--", "true")->code, 0);
	ck_assert_uint_eq(stage_count_key("second"), 0);
}
END_TEST

START_TEST(a_waiting_run_starts_when_the_lock_is_free)
{
	struct tool first = holder("queue");
	struct tool next = TOOL_START("run", "queue", "--", "echo", "my turn");
	sleep_ms(200);
	ck_assert(!tool_ended(&next));
	end_holder(&first);
	const struct result *result = tool_wait(&next);
	ck_assert_int_eq(result->code, 0);
	ck_assert_str_eq(result->out, "my turn\n");
}
END_TEST

START_TEST(what_cannot_be_executed_is_told_after_the_lock_is_free)
{
	const struct result *result = TOOL("run", "-n", "exec", "--", "/no/such/program");
	ck_assert_int_eq(result->code, 127);
	ck_assert_ptr_nonnull(strstr(result->err, "cannot run '/no/such/program': No such file"));
	ck_assert_uint_eq(stage_count_key("exec"), 0);
	ck_assert_int_eq(TOOL("run", "-n", "exec", "--", "no-such-program")->code, 127);
	ck_assert_int_eq(TOOL("run", "-n", "exec", "--", "/etc/passwd")->code, 126);
	ck_assert_int_eq(TOOL("run", "-n", "exec", "--", "/tmp")->code, 126);
	ck_assert_uint_eq(stage_count_key("exec"), 0);
}
END_TEST

START_TEST(too_few_nodes_mean_that_nothing_is_run)
{
	const char *mark = stage_path("never");
	stage_freeze(0);
	stage_freeze(1);
	stage_freeze(2);
	const struct result *result = TOOL("run", "-n", "few", "--", "touch", mark);
	ck_assert_int_eq(result->code, 69);
	ck_assert_uint_lt(result->took_ms, SOON_MS);
	ck_assert(!file_exists(mark));
	ck_assert_uint_eq(stage_count_key("few"), 0);
}
END_TEST

START_TEST(signals_reach_the_command)
{
	static const char *const names[] = {"INT", "TERM", "HUP", "QUIT", "USR1", "USR2"};
	char script[256];
	for (size_t i = 0; i < FORWARDED_COUNT; i++) {
		const char *mark = stage_path("signal.%s", names[i]);
		snprintf(
			script, sizeof script,
			"trap 'echo got %s; exit %zu' %s; echo $$ >\"$0\"; while :; do sleep 0.02; "
			"done",
			names[i], 40 + i, names[i]);
		struct tool tool = TOOL_START("run", "signals", "--", "sh", "-c", script, mark);
		UNTIL(file_number(mark) != 0);
		kill(tool.pid, forwarded[i]);
		const struct result *result = tool_wait(&tool);
		ck_assert_int_eq(result->code, (int)(40 + i));
		ck_assert_ptr_nonnull(strstr(result->out, "got"));
	}
	ck_assert_uint_eq(stage_count_key("signals"), 0);
}
END_TEST

START_TEST(a_signal_that_ends_the_command_is_its_exit_code)
{
	for (size_t i = 0; i < FORWARDED_COUNT; i++) {
		const char *mark = stage_path("deadly.%d", forwarded[i]);
		struct tool tool = TOOL_START("run", "deadly", "--", "sh", "-c",
					      "echo $$ >\"$0\"; exec sleep 60", mark);
		UNTIL(file_number(mark) != 0);
		kill(tool.pid, forwarded[i]);
		ck_assert_int_eq(tool_wait(&tool)->code, 128 + forwarded[i]);
	}
	ck_assert_uint_eq(stage_count_key("deadly"), 0);
}
END_TEST

START_TEST(signals_end_the_wait_for_the_lock)
{
	const char *mark = stage_path("waited");
	struct tool first = holder("waiting");
	for (size_t i = 0; i < FORWARDED_COUNT; i++) {
		struct tool next = TOOL_START("run", "waiting", "--", "touch", mark);
		UNTIL(tool_listens(next.pid));
		sleep_ms(150);
		ck_assert(!tool_ended(&next));
		kill(next.pid, forwarded[i]);
		ck_assert_int_eq(tool_wait(&next)->code, 128 + forwarded[i]);
	}
	end_holder(&first);
	ck_assert_uint_eq(stage_count_key("waiting"), 0);
	ck_assert(!file_exists(mark));
}
END_TEST

START_TEST(an_ignored_signal_stays_ignored)
{
	static const char script[] = "trap '' HUP; exec \"$REDLOCK_TOOL\" run ignored -- sh -c "
				     "'echo $$ >\"$0\"; sleep 0.5; exit 9' \"$0\"";
	const char *mark = stage_path("nohup");
	struct tool first = holder("ignored");
	struct tool shell =
		program_start((const char *const[]){"sh", "-c", script, mark, NULL}, NULL);
	UNTIL(tool_listens(shell.pid));
	kill(shell.pid, SIGHUP);
	sleep_ms(200);
	ck_assert(!tool_ended(&shell));
	end_holder(&first);
	UNTIL(file_number(mark) != 0);
	kill(shell.pid, SIGHUP);
	kill((pid_t)file_number(mark), SIGHUP);
	ck_assert_int_eq(tool_wait(&shell)->code, 9);
}
END_TEST

START_TEST(min_hold_keeps_the_lock_after_a_short_command)
{
	struct tool tool =
		TOOL_START("run", "--min-hold", "1.5s", "kept", "--", "sh", "-c", "exit 5");
	UNTIL(stage_count_key("kept") >= 3);
	for (;;) {
		unsigned keys = stage_count_key("kept");
		bool ended = tool_ended(&tool);
		/* What was seen later than this says nothing. */
		if (now_ms() >= tool.started_ms + 1500) {
			break;
		}
		ck_assert_uint_ge(keys, 3);
		ck_assert(!ended);
		sleep_ms(20);
	}
	const struct result *result = tool_wait(&tool);
	ck_assert_int_eq(result->code, 5);
	ck_assert_uint_ge(result->took_ms, 1500);
	ck_assert_uint_eq(stage_count_key("kept"), 0);
}
END_TEST

START_TEST(a_signal_ends_min_hold)
{
	const char *mark = stage_path("brief");
	struct tool tool = TOOL_START("run", "--min-hold", "1h", "brief", "--", "sh", "-c",
				      "echo $$ >\"$0\"; exit 5", mark);
	UNTIL(file_number(mark) != 0);
	UNTIL(!process_lives((pid_t)file_number(mark)));
	sleep_ms(200);
	ck_assert(!tool_ended(&tool));
	kill(tool.pid, SIGTERM);
	ck_assert_int_eq(tool_wait(&tool)->code, 5);
	ck_assert_uint_eq(stage_count_key("brief"), 0);
}
END_TEST

START_TEST(who_ends_the_command_ends_min_hold_as_well)
{
	const char *mark = stage_path("both");
	struct tool tool = TOOL_START("run", "--min-hold", "1h", "both", "--", "sh", "-c",
				      "echo 1 >\"$0\"; exec sleep 60", mark);
	UNTIL(file_number(mark) != 0);
	kill(tool.pid, SIGINT);
	ck_assert_int_eq(tool_wait(&tool)->code, 130);
	ck_assert_uint_eq(stage_count_key("both"), 0);
}
END_TEST

START_TEST(a_closed_stream_stays_closed_for_the_command)
{
	struct tool shell = program_start(
		(const char *const[]){
			"sh", "-c",
			"exec \"$REDLOCK_TOOL\" run closed -- sh -c 'test -e "
			"/proc/self/fd/0 && exit 3; test -e /proc/self/fd/1 && exit 4; "
			"exit 7' <&- >&-",
			NULL},
		NULL);
	ck_assert_int_eq(tool_wait(&shell)->code, 7);
}
END_TEST

START_TEST(a_lease_is_renewed_while_the_command_runs)
{
	const struct result *result =
		TOOL("run", "--ttl", "4s", "long", "--", "sh", "-c", "sleep 6; exit 3");
	ck_assert_msg(result->code == 3, "%d: %s", result->code, result->err);
}
END_TEST

/* What the key of a lock is worth to a script: every outcome, one object. */
START_TEST(json_is_one_object_for_every_outcome)
{
	struct tool first = holder("json");
	static const struct {
		const char *words[8];
		const char *said;
		bool on_stderr;
	} runs[] = {
		{{"run", "--json", "free", "--", "true"}, "\"command_exit\":0", true},
		{{"run", "--json", "free", "--", "sh", "-c", "kill $$"},
		 "\"command_signal\":15",
		 true},
		{{"run", "--json", "free", "--", "/no"}, "\"exit\":127", true},
		{{"run", "--json", "-n", "json", "--", "true"},
		 "\"status\":\"REDLOCK_EHELD\"",
		 true},
		{{"run", "--json", "--fence", "free", "--", "true"}, "\"fence\":", true},
		{{"lock", "--json", "-n", "json"}, "\"exit\":75", false},
		{{"unlock", "--json", "json", "wrong"}, "\"status\":\"REDLOCK_ELOST\"", false},
		{{"extend", "--json", "json", "wrong"}, "\"exit\":79", false},
		{{"status", "--json"}, "\"can_vote\":true", false},
		{{"status", "--json", "json"}, "\"holding\":\"held\"", false},
		{{"status", "--json", "na\"me\\\xff"}, "\"holding\":\"free\"", false},
	};
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		const struct result *result = tool_run(runs[i].words, NULL);
		const char *text = runs[i].on_stderr ? result->err : result->out;
		ck_assert_msg(strstr(text, runs[i].said) != NULL, "%zu: %s", i, text);
		ck_assert_ptr_nonnull(strstr(text, "\"nodes\":["));
		ck_assert_ptr_eq(last_line(text), text);
		char *copy = strdup(text);
		check_json(copy);
		free(copy);
	}
	end_holder(&first);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool run");
	TCase *tests = tcase_create("run");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, stage_thaw, stage_thaw);
	tcase_add_test(tests, the_exit_code_is_the_commands);
	tcase_add_test(tests, the_command_has_our_streams_and_its_own_words);
	tcase_add_test(tests, the_command_knows_its_lock);
	tcase_add_test(tests, an_owner_token_is_never_shown);
	tcase_add_test(tests, fencing_tokens_grow);
	tcase_add_test(tests, a_second_run_is_refused);
	tcase_add_test(tests, a_waiting_run_starts_when_the_lock_is_free);
	tcase_add_test(tests, what_cannot_be_executed_is_told_after_the_lock_is_free);
	tcase_add_test(tests, too_few_nodes_mean_that_nothing_is_run);
	tcase_add_test(tests, signals_reach_the_command);
	tcase_add_test(tests, a_signal_that_ends_the_command_is_its_exit_code);
	tcase_add_test(tests, signals_end_the_wait_for_the_lock);
	tcase_add_test(tests, an_ignored_signal_stays_ignored);
	tcase_add_test(tests, min_hold_keeps_the_lock_after_a_short_command);
	tcase_add_test(tests, a_signal_ends_min_hold);
	tcase_add_test(tests, who_ends_the_command_ends_min_hold_as_well);
	tcase_add_test(tests, a_closed_stream_stays_closed_for_the_command);
	tcase_add_test(tests, a_lease_is_renewed_while_the_command_runs);
	tcase_add_test(tests, json_is_one_object_for_every_outcome);
	suite_add_tcase(suite, tests);
	return stage_run(suite);
}
