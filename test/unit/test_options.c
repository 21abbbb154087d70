/* test_options.c - defaults, bounds, and structs of older and newer callers. */
#include <string.h>

#include "client.h"
#include "unit.h"

static struct redlock_options options, imported;
static struct redlock_error error;

static void setup(void)
{
	redlock_options_init(&options);
}

static void expect_bad(const char *field)
{
	memset(&error, 0, sizeof error);
	ck_assert_int_eq(rlk_options_import(&imported, &options, &error), REDLOCK_EINVAL);
	ck_assert_int_eq(error.status, REDLOCK_EINVAL);
	ck_assert_msg(strncmp(error.text, field, strlen(field)) == 0, "%s", error.text);
	redlock_options_init(&options);
}

START_TEST(the_defaults_are_good)
{
	ck_assert_int_eq(rlk_options_import(&imported, &options, &error), 0);
	ck_assert_int_eq(memcmp(&imported, &options, sizeof options), 0);
	ck_assert_int_eq(rlk_options_import(&imported, NULL, &error), 0);
	ck_assert_uint_eq(imported.ttl_ms, 10000);
	ck_assert_uint_eq(imported.drift_ppm, 10000);
	ck_assert_uint_eq(imported.min_validity_percent, 20);
	ck_assert_int_eq(imported.guard, REDLOCK_GUARD_ON);
}
END_TEST

START_TEST(the_node_timeout_follows_the_ttl_within_bounds)
{
	ck_assert_uint_eq(rlk_options_node_timeout_ms(&options), 500);
	options.ttl_ms = 4000;
	ck_assert_uint_eq(rlk_options_node_timeout_ms(&options), 200);
	options.ttl_ms = 400;
	ck_assert_uint_eq(rlk_options_node_timeout_ms(&options), 50);
	options.ttl_ms = 60000;
	ck_assert_uint_eq(rlk_options_node_timeout_ms(&options), 500);
	options.node_timeout_ms = 7;
	ck_assert_uint_eq(rlk_options_node_timeout_ms(&options), 7);
}
END_TEST

START_TEST(bad_values_are_refused_by_name)
{
	options.ttl_ms = 0;
	expect_bad("ttl_ms");
	options.ttl_ms = options.max_ttl_ms + 1;
	expect_bad("ttl_ms");
	options.ttl_ms = 2;
	expect_bad("ttl_ms");
	options.max_ttl_ms = 0;
	expect_bad("max_ttl_ms");
	options.max_ttl_ms = UINT32_MAX;
	expect_bad("max_ttl_ms");
	options.drift_ppm = 500001;
	expect_bad("drift_ppm");
	options.min_validity_percent = 100;
	expect_bad("min_validity_percent");
	options.retry_min_ms = 0;
	expect_bad("retry_min_ms");
	options.retry_min_ms = options.retry_max_ms + 1;
	expect_bad("retry_min_ms");
	options.reconnect_min_ms = 0;
	expect_bad("reconnect_min_ms");
	options.reconnect_max_ms = options.reconnect_min_ms - 1;
	expect_bad("reconnect_min_ms");
	options.connect_timeout_ms = 0;
	expect_bad("connect_timeout_ms");
	options.max_in_flight = 0;
	expect_bad("max_in_flight");
	options.guard = (enum redlock_guard)3;
	expect_bad("guard");
	options.client_name = "two words";
	expect_bad("client_name");
	options.client_name = "";
	expect_bad("client_name");
	options.client_name = NULL;
	expect_bad("client_name");
}
END_TEST

START_TEST(a_key_format_has_one_place)
{
	static const char *const bad[] = {"", "no place", "%s%s", "%d", "%", "%s%", "%S"};
	static const char *const good[] = {"%s", "mutex:%s", "%s:lock", "100%%:%s"};
	char too_long[2000];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		options.key_format = bad[i];
		expect_bad("key_format");
	}
	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		options.key_format = good[i];
		ck_assert_int_eq(rlk_options_import(&imported, &options, NULL), 0);
	}
	memset(too_long, 'a', sizeof too_long);
	strcpy(too_long + sizeof too_long - 3, "%s");
	options.key_format = too_long;
	expect_bad("key_format");
	options.key_format = NULL;
	expect_bad("key_format");
}
END_TEST

START_TEST(an_allocator_has_both_functions)
{
	struct redlock_allocator allocator = rlk_libc_allocator;

	options.allocator = &allocator;
	allocator.free = NULL;
	expect_bad("allocator");
}
END_TEST

START_TEST(an_older_caller_gets_defaults_for_the_rest)
{
	options.ttl_ms = 5000;
	options.size = offsetof(struct redlock_options, drift_ppm);
	options.drift_ppm = 999999; /* Beyond its size: not the caller's. */
	ck_assert_int_eq(rlk_options_import(&imported, &options, NULL), 0);
	ck_assert_uint_eq(imported.ttl_ms, 5000);
	ck_assert_uint_eq(imported.drift_ppm, 10000);
	options.size = 0;
	expect_bad("options");
	options.size = offsetof(struct redlock_options, key_format) + 4;
	expect_bad("options"); /* It would be half of a pointer. */
}
END_TEST

START_TEST(a_newer_caller_may_not_ask_for_what_we_do_not_know)
{
	struct {
		struct redlock_options known;
		uint64_t unknown;
	} newer;

	redlock_options_init_sized(&newer.known, sizeof newer);
	ck_assert_uint_eq(newer.unknown, 0);
	ck_assert_int_eq(rlk_options_import(&imported, &newer.known, &error), 0);
	newer.unknown = 1;
	ck_assert_int_eq(rlk_options_import(&imported, &newer.known, &error), REDLOCK_EINVAL);
}
END_TEST

START_TEST(lock_options_are_checked)
{
	struct redlock_lock_options lock, got;
	char token[REDLOCK_TOKEN_MAX + 1] = "t";

	redlock_lock_options_init(&lock);
	ck_assert_int_eq(rlk_lock_options_import(&got, NULL), 0);
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), 0);
	lock.token = token;
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), REDLOCK_EINVAL);
	lock.token_len = REDLOCK_TOKEN_MAX + 1;
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), REDLOCK_EINVAL);
	lock.token_len = REDLOCK_TOKEN_MAX;
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), 0);
	lock.shared = true;
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), 0);
	ck_assert(got.shared);
	lock.fence = true; /* Readers are not told from each other. */
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), REDLOCK_EINVAL);
	lock.fence = false;
	lock.token = REDLOCK_OWNER_READERS;
	lock.token_len = sizeof REDLOCK_OWNER_READERS - 1;
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), REDLOCK_EINVAL);
	lock.token_len--;
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), 0);
	lock.size = 1;
	ck_assert_int_eq(rlk_lock_options_import(&got, &lock), REDLOCK_EINVAL);
}
END_TEST

START_TEST(a_ttl_must_leave_some_validity)
{
	ck_assert_int_eq(rlk_lock_ttl_check(&options, 0), REDLOCK_EINVAL);
	ck_assert_int_eq(rlk_lock_ttl_check(&options, 2), REDLOCK_EINVAL);
	ck_assert_int_eq(rlk_lock_ttl_check(&options, 4), REDLOCK_EINVAL);
	ck_assert_int_eq(rlk_lock_ttl_check(&options, 5), 0);
	ck_assert_int_eq(rlk_lock_ttl_check(&options, options.max_ttl_ms), 0);
	ck_assert_int_eq(rlk_lock_ttl_check(&options, options.max_ttl_ms + 1), REDLOCK_EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tcase = tcase_create("import");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, the_defaults_are_good);
	tcase_add_test(tcase, the_node_timeout_follows_the_ttl_within_bounds);
	tcase_add_test(tcase, bad_values_are_refused_by_name);
	tcase_add_test(tcase, a_key_format_has_one_place);
	tcase_add_test(tcase, an_allocator_has_both_functions);
	tcase_add_test(tcase, an_older_caller_gets_defaults_for_the_rest);
	tcase_add_test(tcase, a_newer_caller_may_not_ask_for_what_we_do_not_know);
	tcase_add_test(tcase, lock_options_are_checked);
	tcase_add_test(tcase, a_ttl_must_leave_some_validity);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
