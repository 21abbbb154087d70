/* test_also.c - run with more than one name: all of them or none. */
#include "stage.h"

#include <string.h>

#define ALSO "--also", "savings"

START_TEST(a_command_runs_under_all_the_names)
{
	const struct result *result =
		TOOL("run", ALSO, "--also=loan", "cash", "--", "sh", "-c",
		     "for name in cash savings loan other; do"
		     " \"$REDLOCK_TOOL\" run -n $name echo $name 2>/dev/null || echo $?; done");

	ck_assert_msg(result->code == 0, "%s", result->err);
	ck_assert_str_eq(result->out, "75\n75\n75\nother\n");
	ck_assert_uint_eq(
		stage_count_key("cash") + stage_count_key("savings") + stage_count_key("loan"), 0);
}
END_TEST

START_TEST(where_one_of_them_is_held_nothing_is_run)
{
	const struct result *result = TOOL("run", "savings", "--", "sh", "-c",
					   "\"$REDLOCK_TOOL\" run -n --also savings cash echo no");

	ck_assert_int_eq(result->code, 75);
	ck_assert_str_eq(result->out, "");
	ck_assert_ptr_nonnull(strstr(result->err, "cash: "));
	ck_assert_uint_eq(stage_count_key("cash"), 0);
}
END_TEST

START_TEST(the_lease_on_all_of_them_is_renewed)
{
	const struct result *result =
		TOOL("run", "--ttl", "1s", ALSO, "cash", "--", "sh", "-c",
		     "sleep 2.5; \"$REDLOCK_TOOL\" run -n savings echo no 2>/dev/null || echo $?");

	ck_assert_msg(result->code == 0, "%s", result->err);
	ck_assert_str_eq(result->out, "75\n");
}
END_TEST

START_TEST(what_cannot_be_locked_together_is_a_slip)
{
	static const struct {
		const char *words[8];
		const char *said;
	} bad[] = {
		{{"run", ALSO, "savings", "true"}, "--also: the same name twice"},
		{{"run", ALSO, ALSO, "cash", "true"}, "--also: the same name twice"},
		{{"run", "--also", "", "cash", "true"}, "--also: must not be empty"},
		{{"run", "--also", "a:fence", "cash", "true"}, "--also: may not end in :fence"},
		{{"run", "--also"}, "--also: needs a value"},
		{{"run", ALSO, "--fence", "cash", "true"}, "--fence and --also"},
		{{"run", ALSO, "--permits=2", "cash", "true"}, "--permits and --also"},
		{{"lock", ALSO, "cash"}, "--also: no option of 'lock'"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct result *result = tool_run(bad[i].words, NULL);
		ck_assert_int_eq(result->code, 64);
		ck_assert_msg(strstr(result->err, bad[i].said) != NULL, "%zu: %s", i, result->err);
	}
	const char *many[40] = {"run"};
	for (size_t i = 1; i <= 32; i += 2) {
		many[i] = "--also";
		many[i + 1] = "a";
	}
	ck_assert_ptr_nonnull(strstr(tool_run(many, NULL)->err, "--also: too many of them"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool also");
	TCase *tests = tcase_create("also");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, a_command_runs_under_all_the_names);
	tcase_add_test(tests, where_one_of_them_is_held_nothing_is_run);
	tcase_add_test(tests, the_lease_on_all_of_them_is_renewed);
	tcase_add_test(tests, what_cannot_be_locked_together_is_a_slip);
	suite_add_tcase(suite, tests);
	return stage_run(suite);
}
