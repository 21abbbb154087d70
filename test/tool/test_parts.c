/* test_parts.c - the parts of the tool that need no process and no server. */
#include "json.h"
#include "nodes.h"
#include "out.h"
#include "plan.h"
#include "values.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	uint64_t ms;
} good_durations[] = {
	{"0", 0},	{"1", 1000},	   {"10s", 10000},
	{"500ms", 500}, {"2m", 120000},	   {"1h", 3600000},
	{"0.5", 500},	{".5s", 500},	   {"1.5m", 90000},
	{"0.1ms", 1},	{"0.0000001s", 1}, {"1.0000000001s", 1001},
	{"0.000", 0},	{"007", 7000},	   {"4294967295ms", UINT32_MAX},
};

static const char *const bad_durations[] = {
	"",
	"s",
	"-1",
	"+1",
	"1 s",
	"1S",
	"10sec",
	"1e3",
	"0x10",
	"inf",
	"nan",
	"1.",
	".",
	"..5",
	"1.2.3",
	"1,5",
	"ms",
	"5d",
	" 5",
	"5 ",
	"4294967296ms",
	"4294968",
	"99999999999999999999",
	"99999999999999999999999h",
	"1193.1h",
};

START_TEST(durations_are_read_as_people_write_them)
{
	for (size_t i = 0; i < sizeof good_durations / sizeof *good_durations; i++) {
		uint64_t ms = 12345;
		const char *wrong = value_duration(good_durations[i].text, UINT32_MAX, &ms);
		ck_assert_msg(wrong == NULL, "%s: %s", good_durations[i].text, wrong);
		ck_assert_uint_eq(ms, good_durations[i].ms);
	}
}
END_TEST

START_TEST(other_durations_are_refused)
{
	for (size_t i = 0; i < sizeof bad_durations / sizeof *bad_durations; i++) {
		uint64_t ms;
		ck_assert_msg(value_duration(bad_durations[i], UINT32_MAX, &ms) != NULL, "'%s'",
			      bad_durations[i]);
	}
}
END_TEST

START_TEST(a_long_number_is_told_from_junk)
{
	uint64_t ms;
	ck_assert_str_eq(value_duration("99999999999999999999s", UINT32_MAX, &ms),
			 "too long a time");
	ck_assert_ptr_nonnull(strstr(value_duration("9x", UINT32_MAX, &ms), "expected"));
}
END_TEST

START_TEST(numbers_are_whole_and_bounded)
{
	uint64_t number;
	ck_assert_ptr_null(value_number("255", 255, &number));
	ck_assert_uint_eq(number, 255);
	ck_assert_ptr_nonnull(value_number("256", 255, &number));
	ck_assert_ptr_nonnull(value_number("", 255, &number));
	ck_assert_ptr_nonnull(value_number("-1", 255, &number));
	ck_assert_ptr_nonnull(value_number("1x", 255, &number));
	ck_assert_ptr_nonnull(value_number("18446744073709551616", UINT64_MAX, &number));
}
END_TEST

START_TEST(lists_of_nodes_are_split_between_urls_only)
{
	struct nodes nodes = {0};
	ck_assert_ptr_null(nodes_add(&nodes, " redis://a:1,redis://b:2, redis://c:3\n,"
					     "redis://:pass,word@d unix:///x ,"));
	ck_assert_uint_eq(nodes.count, 5);
	ck_assert_str_eq(nodes.urls[0], "redis://a:1");
	ck_assert_str_eq(nodes.urls[1], "redis://b:2");
	ck_assert_str_eq(nodes.urls[2], "redis://c:3");
	ck_assert_str_eq(nodes.urls[3], "redis://:pass,word@d");
	ck_assert_str_eq(nodes.urls[4], "unix:///x");
	nodes_clear(&nodes);
}
END_TEST

START_TEST(passwords_are_blotted_out)
{
	char one[] = "redis://u:secret@host:1";
	char two[] = "redis://:one@a,redis://:two@b";
	char none[] = "redis://host:1/2";
	char odd[] = "u:secret@host";
	nodes_blot(one);
	nodes_blot(two);
	nodes_blot(none);
	nodes_blot(odd);
	ck_assert_str_eq(one, "redis://********@host:1");
	ck_assert_ptr_null(strstr(two, "one"));
	ck_assert_ptr_null(strstr(two, "two"));
	ck_assert_str_eq(none, "redis://host:1/2");
	ck_assert_str_eq(odd, "********@host");
}
END_TEST

START_TEST(a_command_is_dead_before_its_lease_is_over)
{
	for (uint32_t ttl_ms = PLAN_TTL_MIN_MS; ttl_ms < 100000; ttl_ms += 7) {
		struct plan plan;
		plan_make(&plan, ttl_ms, false, 0);
		ck_assert_uint_ge(plan.slack_ms, 20);
		ck_assert_uint_le(plan.at_risk_ms, ttl_ms / 2);
		ck_assert_uint_eq(plan_kill_at_ms(&plan, 1000, ttl_ms),
				  1000 + ttl_ms - plan.slack_ms);
		ck_assert_uint_le(plan_term_at_ms(&plan, 1000, ttl_ms) + plan.grace_ms,
				  plan_kill_at_ms(&plan, 1000, ttl_ms));
		plan_make(&plan, ttl_ms, true, plan_grace_max_ms(ttl_ms));
		ck_assert_uint_le(plan.at_risk_ms, ttl_ms / 2);
	}
}
END_TEST

START_TEST(a_lease_that_is_over_kills_at_once)
{
	struct plan plan;
	plan_make(&plan, 10000, false, 0);
	ck_assert_uint_eq(plan_kill_at_ms(&plan, 1000, 0), 1000);
	ck_assert_uint_eq(plan_term_at_ms(&plan, 1000, 5), 1000);
	ck_assert_uint_gt(plan_pause_ms(&plan, 0), 0);
}
END_TEST

START_TEST(json_is_well_formed_whatever_the_text)
{
	char text[512];
	FILE *file = fmemopen(text, sizeof text, "w");
	struct json json;
	json_begin(&json, file);
	json_string(&json, "a\"b", "quote\" back\\ line\n tab\t del\x7f bell\x07");
	json_string(&json, "u", "\xc3\xa9 \xff \xc0\x80 \xed\xa0\x80 \xf0\x9f\x98\x80");
	json_string(&json, "none", NULL);
	json_open(&json, "list", '[');
	json_int(&json, NULL, -1);
	json_uint(&json, NULL, UINT64_MAX);
	json_close(&json, '[');
	json_bool(&json, "yes", true);
	ck_assert(json_end(&json));
	fclose(file);
	ck_assert_str_eq(text, "{\"a\\\"b\":\"quote\\\" back\\\\ line\\u000a tab\\u0009 del\\u007f "
			       "bell\\u0007\",\"u\":\"\xc3\xa9 \\ufffd \\ufffd\\ufffd "
			       "\\ufffd\\ufffd\\ufffd \xf0\x9f\x98\x80\",\"none\":null,"
			       "\"list\":[-1,18446744073709551615],\"yes\":true}\n");
}
END_TEST

START_TEST(json_tells_when_it_could_not_be_written)
{
	FILE *file = fopen("/dev/full", "w");
	struct json json;
	json_begin(&json, file);
	ck_assert(!json_end(&json));
	fclose(file);
}
END_TEST

START_TEST(bytes_are_shown_without_harm)
{
	char text[64];
	out_escape(text, sizeof text, "a\x1b[2J\\\xff", 7);
	ck_assert_str_eq(text, "a\\x1b[2J\\x5c\\xff");
	out_escape(text, 6, "abc\x01", 4);
	ck_assert_str_eq(text, "abc");
	out_escape(text, sizeof text, "", 0);
	ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parts of the tool");
	TCase *tests = tcase_create("parts");
	tcase_add_test(tests, durations_are_read_as_people_write_them);
	tcase_add_test(tests, other_durations_are_refused);
	tcase_add_test(tests, a_long_number_is_told_from_junk);
	tcase_add_test(tests, numbers_are_whole_and_bounded);
	tcase_add_test(tests, lists_of_nodes_are_split_between_urls_only);
	tcase_add_test(tests, passwords_are_blotted_out);
	tcase_add_test(tests, a_command_is_dead_before_its_lease_is_over);
	tcase_add_test(tests, a_lease_that_is_over_kills_at_once);
	tcase_add_test(tests, json_is_well_formed_whatever_the_text);
	tcase_add_test(tests, json_tells_when_it_could_not_be_written);
	tcase_add_test(tests, bytes_are_shown_without_harm);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
