/* test_stats.c - run --stats: what is in the file while a command runs, and afterwards. */
#include "stage.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");
	size_t len;

	ck_assert_ptr_nonnull(file);
	len = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[len] = '\0';
	return text;
}

static bool has(const char *text, const char *words)
{
	return strstr(text, words) != NULL;
}

START_TEST(statistics_are_kept_in_a_file)
{
	const char *path = stage_path("run.prom");
	const struct result *result = TOOL("run", "--stats", path, "counted", "--", "sh", "-c",
					   "sleep 0.5; cat $0", path);

	ck_assert_msg(result->code == 0, "%s", result->err);
	ck_assert(has(result->out, "redlock_grants_total{client=\"counted\"} "));
	ck_assert(has(result->out, "redlock_locks{client=\"counted\"} 1\n"));
	ck_assert(has(result->out, "redlock_run_lost{client=\"counted\"} 0\n"));
	ck_assert(has(text_of(path), "redlock_releases_total{client=\"counted\"} 1\n"));
	ck_assert(has(text_of(path), "redlock_run_lost{client=\"counted\"} 0\n"));
}
END_TEST

/* A collector would take it for what is the case now, until the next run. */
START_TEST(nothing_of_a_moment_stays_in_it)
{
	const char *path = stage_path("over.prom");
	unsigned gauges = 0;

	ck_assert_int_eq(TOOL("run", "--stats", path, "over", "--", "true")->code, 0);
	for (const char *at = text_of(path); (at = strstr(at, " gauge\n")) != NULL; at++) {
		gauges++;
	}
	ck_assert_uint_eq(gauges, 1);
	ck_assert(has(text_of(path), "# TYPE redlock_run_lost gauge\n"));
	ck_assert(!has(text_of(path), "redlock_debts"));
	ck_assert(!has(text_of(path), "redlock_node_up"));
	ck_assert(has(text_of(path), "# TYPE redlock_node_rtt_seconds histogram\n"));
}
END_TEST

START_TEST(a_lost_lease_is_in_it)
{
	const char *path = stage_path("lost.prom"), *mark = stage_path("mark");
	struct tool tool = TOOL_START("run", "--ttl", "1s", "--stats", path, "lost\\1", "--", "sh",
				      "-c", "echo 1 >\"$0\"; exec sleep 60", mark);

	UNTIL(file_number(mark) != 0);
	for (unsigned i = 0; i < 3; i++) {
		stage_ask(stage_port(i), "SET lost\\1 other PX 60000");
	}
	ck_assert_int_eq(tool_wait(&tool)->code, 79);
	ck_assert(has(text_of(path), "redlock_run_lost{client=\"lost\\\\1\"} 1\n"));
}
END_TEST

START_TEST(a_command_goes_on_where_there_is_no_place_for_it)
{
	const struct result *result =
		TOOL("run", "--stats", "/not/there", "counted", "--", "echo", "done");

	ck_assert_int_eq(result->code, 0);
	ck_assert_str_eq(result->out, "done\n");
	ck_assert(has(result->err, "--stats: /not/there: "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool stats");
	TCase *tests = tcase_create("stats");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, statistics_are_kept_in_a_file);
	tcase_add_test(tests, nothing_of_a_moment_stays_in_it);
	tcase_add_test(tests, a_lost_lease_is_in_it);
	tcase_add_test(tests, a_command_goes_on_where_there_is_no_place_for_it);
	suite_add_tcase(suite, tests);
	return stage_run(suite);
}
