/* test_permits.c - run --permits: so many commands at once, each with a slot of its own. */
#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run that has a permit until it is told to end; returns when the command runs. */
static struct tool holder(unsigned number)
{
	const char *mark = stage_path("permit.%u", number);
	struct tool tool = TOOL_START("run", "--permits", "2", "many", "--", "sh", "-c",
				      "trap 'exit 0' TERM; echo $(($REDLOCK_SLOT + 1)) >\"$0\"; "
				      "while :; do sleep 0.05; done",
				      mark);
	UNTIL(file_number(mark) != 0);
	return tool;
}

static void end_holder(struct tool *tool)
{
	kill(tool->pid, SIGTERM);
	ck_assert_int_eq(tool_wait(tool)->code, 0);
}

static unsigned count_keys(void)
{
	return stage_count_key("many#0") + stage_count_key("many#1");
}

START_TEST(as_many_run_as_there_are_permits_and_the_next_is_refused)
{
	struct tool first = holder(0), second = holder(1);

	ck_assert_int_eq(file_number(stage_path("permit.0")) + file_number(stage_path("permit.1")),
			 3); /* Slots 0 and 1. */
	const struct result *result =
		TOOL("run", "-n", "--json", "--permits", "2", "many", "--", "true");
	ck_assert_int_eq(result->code, 75);
	ck_assert_ptr_nonnull(strstr(result->err, "\"status\":\"REDLOCK_EHELD\""));
	ck_assert_int_eq(TOOL("run", "-w", "0.2", "--permits", "2", "many", "true")->code, 75);
	ck_assert_int_eq(TOOL("run", "-nE", "3", "--permits", "2", "many", "true")->code, 3);
	end_holder(&first);
	result = TOOL("run", "-n", "--json", "--permits", "2", "many", "--", "true");
	ck_assert_int_eq(result->code, 0);
	ck_assert_ptr_nonnull(strstr(result->err, "\"slot\":"));
	end_holder(&second);
	ck_assert_uint_eq(count_keys(), 0);
}
END_TEST

START_TEST(one_that_waits_for_a_permit_starts_when_there_is_one)
{
	struct tool first = holder(2), second = holder(3);
	struct tool next = TOOL_START("run", "--permits", "2", "many", "--", "echo", "my turn");

	sleep_ms(300);
	ck_assert(!tool_ended(&next));
	end_holder(&second);
	const struct result *result = tool_wait(&next);
	ck_assert_int_eq(result->code, 0);
	ck_assert_str_eq(result->out, "my turn\n");
	end_holder(&first);
	ck_assert_uint_eq(count_keys(), 0);
}
END_TEST

START_TEST(a_signal_ends_the_wait_for_a_permit)
{
	struct tool first = holder(4), second = holder(5);
	struct tool next = TOOL_START("run", "--permits", "2", "many", "--", "true");

	UNTIL(tool_listens(next.pid));
	sleep_ms(100);
	kill(next.pid, SIGINT);
	ck_assert_int_eq(tool_wait(&next)->code, 128 + SIGINT);
	end_holder(&first);
	end_holder(&second);
	ck_assert_uint_eq(count_keys(), 0);
}
END_TEST

START_TEST(the_command_knows_its_slot)
{
	setenv("REDLOCK_SLOT", "from outside", 1);
	const struct result *result =
		TOOL("run", "--permits", "1", "-c",
		     "echo $REDLOCK_NAME $REDLOCK_SLOT ${REDLOCK_FENCE-none}; "
		     "\"$REDLOCK_TOOL\" extend \"$REDLOCK_NAME#$REDLOCK_SLOT\" $REDLOCK_TOKEN",
		     "known");
	ck_assert_msg(result->code == 0, "%s", result->err);
	ck_assert_str_eq(result->out, "known 0 none\n");
	result = TOOL("run", "-c", "echo ${REDLOCK_SLOT-none}", "known");
	ck_assert_str_eq(result->out, "none\n");
}
END_TEST

START_TEST(fencing_tokens_of_a_slot_grow)
{
	unsigned long long before = 0;
	for (unsigned i = 0; i < 3; i++) {
		const struct result *result = TOOL("run", "--fence", "--permits", "1", "-c",
						   "echo $REDLOCK_FENCE", "fenced");
		ck_assert_int_eq(result->code, 0);
		unsigned long long fence = strtoull(result->out, NULL, 10);
		ck_assert_uint_gt(fence, before);
		before = fence;
	}
}
END_TEST

START_TEST(a_lost_permit_stops_the_command)
{
	const char *mark = stage_path("lost");
	struct tool tool = TOOL_START("run", "--ttl", "1500ms", "--permits", "2", "many", "--",
				      "sh", "-c", "echo 1 >\"$0\"; sleep 60", mark);

	UNTIL(file_number(mark) != 0);
	for (unsigned i = 0; i < 3; i++) {
		stage_freeze(i);
	}
	ck_assert_int_eq(tool_wait(&tool)->code, 79);
}
END_TEST

START_TEST(a_number_of_permits_that_cannot_be_is_wrong_usage)
{
	static const char *const numbers[] = {"0", "65", "-1", "", "two"};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		const struct result *result =
			TOOL("run", "--permits", numbers[i], "many", "--", "true");
		ck_assert_int_eq(result->code, 64);
		ck_assert_ptr_nonnull(
			strstr(result->err, "--permits: expected a number from 1 to 64"));
	}
	ck_assert_int_eq(TOOL("lock", "--permits", "2", "many")->code, 64);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("permits");
	TCase *tcase = tcase_create("permits");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, NULL, stage_thaw);
	tcase_add_test(tcase, as_many_run_as_there_are_permits_and_the_next_is_refused);
	tcase_add_test(tcase, one_that_waits_for_a_permit_starts_when_there_is_one);
	tcase_add_test(tcase, a_signal_ends_the_wait_for_a_permit);
	tcase_add_test(tcase, the_command_knows_its_slot);
	tcase_add_test(tcase, fencing_tokens_of_a_slot_grow);
	tcase_add_test(tcase, a_lost_permit_stops_the_command);
	tcase_add_test(tcase, a_number_of_permits_that_cannot_be_is_wrong_usage);
	suite_add_tcase(suite, tcase);
	return stage_run(suite);
}
