/* test_lesson.c - what went wrong elsewhere with a tool in the hand. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Take @name; the token, to be freed. */
static char *take(const char *name)
{
	const struct result *result = TOOL("lock", PATIENT, "-n", "--ttl", "60s", name);
	ck_assert_msg(result->code == 0, "%s", result->err);
	return strndup(result->out, strcspn(result->out, "\n"));
}

/* A stranger's script would do as much with the token that was printed. */
static unsigned count_owned(const char *name, const char *token)
{
	unsigned count = 0;
	for (unsigned node = 0; node < STAGE_NODES; node++) {
		const char *answer = stage_ask(
			stage_port(node),
			"EVAL \"return redis.call('GET',KEYS[1])==ARGV[1] and 1 or 0\" 1 %s %s",
			name, token);
		count += strcmp(answer, ":1") == 0;
	}
	return count;
}

/* It printed b'...' for a token, which unlocked nothing; and said "ok" to that. */
START_TEST(the_printed_token_is_the_value_of_the_key_and_unlocks_it)
{
	char *token = take("printed");
	ck_assert_uint_eq(count_owned("printed", token), STAGE_NODES);
	ck_assert_int_eq(TOOL("unlock", PATIENT, "printed", token)->code, 0);
	UNTIL(stage_count_key("printed") == 0);
	const struct result *result = TOOL("unlock", PATIENT, "printed", token);
	ck_assert_int_eq(result->code, 79);
	ck_assert_str_ne(result->err, "");
	free(token);
}
END_TEST

START_TEST(a_token_in_quotes_unlocks_nothing_and_is_not_ok)
{
	char quoted[128];
	char *token = take("quoted");
	snprintf(quoted, sizeof quoted, "b'%s'", token);
	ck_assert_int_eq(TOOL("unlock", PATIENT, "quoted", quoted)->code, 79);
	ck_assert_uint_eq(count_owned("quoted", token), STAGE_NODES);
	ck_assert_int_eq(TOOL("unlock", PATIENT, "quoted", token)->code, 0);
	UNTIL(stage_count_key("quoted") == 0);
	free(token);
}
END_TEST

/* A generator that nobody seeds draws the same in every process. */
START_TEST(no_two_processes_draw_the_same_token)
{
	char *tokens[8];
	for (unsigned i = 0; i < 8; i++) {
		tokens[i] = take("drawn");
		for (unsigned j = 0; j < i; j++) {
			ck_assert_str_ne(tokens[i], tokens[j]);
		}
		ck_assert_int_eq(TOOL("unlock", PATIENT, "drawn", tokens[i])->code, 0);
		UNTIL(stage_count_key("drawn") == 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		free(tokens[i]);
	}
}
END_TEST

/* The error of the release took the place of the result of the work. */
START_TEST(a_release_that_fails_does_not_hide_the_exit_code_of_the_command)
{
	const struct result *result = TOOL(
		"run", "-n", "-c",
		"\"$REDLOCK_TOOL\" unlock \"$REDLOCK_NAME\" \"$REDLOCK_TOKEN\"; exit 7", "hidden");
	ck_assert_int_eq(result->code, 7);
	ck_assert_ptr_nonnull(strstr(result->err, "hidden: was not ours any more"));
	ck_assert_uint_eq(stage_count_key("hidden"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool lesson");
	TCase *tests = tcase_create("lesson");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, stage_thaw, stage_thaw);
	tcase_add_test(tests, the_printed_token_is_the_value_of_the_key_and_unlocks_it);
	tcase_add_test(tests, a_token_in_quotes_unlocks_nothing_and_is_not_ok);
	tcase_add_test(tests, no_two_processes_draw_the_same_token);
	tcase_add_test(tests, a_release_that_fails_does_not_hide_the_exit_code_of_the_command);
	suite_add_tcase(suite, tests);
	return stage_run(suite);
}
