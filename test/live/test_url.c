/* test_url.c - what a client accepts as nodes and options, and how it says no. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "hunter2"

static void rig_without_servers(void)
{
	rig_open(0, NULL);
}

static int open_with(const char *const *urls, size_t count, const struct redlock_options *options,
		     struct redlock_error *error)
{
	struct redlock_client *client = NULL;
	int rv = redlock_client_new(&client, &rig.loop, urls, count, options, error);

	if (rv == REDLOCK_OK) {
		close_sync(&rig.loop, client);
	} else {
		ck_assert_ptr_null(client);
	}
	return rv;
}

/* ---- URLs ------------------------------------------------------------------------------------ */

struct bad_url {
	const char *url, *part;
};

static const struct bad_url bad_urls[] = {
	{"", "scheme"},
	{"127.0.0.1:6379", "scheme"},
	{"http://u:" SECRET "@127.0.0.1", "scheme"},
	{"redis:/u:" SECRET "@127.0.0.1", "scheme"},
	{"redis://", "host"},
	{"redis://:7000", "host"},
	{"redis://u:" SECRET "@", "host"},
	{"redis://u:" SECRET "@:7000", "host"},
	{"redis://u:" SECRET "@[::1", "host"},
	{"redis://u:" SECRET "@[]:7000", "host"},
	{"redis://u:" SECRET "@[::1]7000", "host"},
	{"redis://u:" SECRET "@ho%00st", "host"},
	{"redis://u:" SECRET "@127.0.0.1:", "port"},
	{"redis://u:" SECRET "@127.0.0.1:0", "port"},
	{"redis://u:" SECRET "@127.0.0.1:65536", "port"},
	{"redis://u:" SECRET "@127.0.0.1:4294967297", "port"},
	{"redis://u:" SECRET "@127.0.0.1:-1", "port"},
	{"redis://u:" SECRET "@127.0.0.1:70x", "port"},
	{"redis://::1:7000", "host"},
	{"redis://fe80::1", "port"},
	{"redis://u:" SECRET "@127.0.0.1/x", "db"},
	{"redis://u:" SECRET "@127.0.0.1/-1", "db"},
	{"redis://u:" SECRET "@127.0.0.1/1/2", "db"},
	{"redis://u:" SECRET "@127.0.0.1/99999999999", "db"},
	{"redis://u:" SECRET "@127.0.0.1?db=1", "query"},
	{"redis://u:" SECRET "%zz@127.0.0.1", "password"},
	{"redis://u:" SECRET "%@127.0.0.1", "password"},
	{"redis://u:" SECRET "%00@127.0.0.1", "password"},
	{"redis://u%4:" SECRET "@127.0.0.1", "user"},
	{"redis://@127.0.0.1", "user"},
	{"unix://", "path"},
	{"unix://relative/path", "path"},
	{"unix:///", "path"},
	{"unix:///tmp/x%zz", "path"},
	{"unix:///tmp/x?d=1", "query"},
	{"unix:///tmp/x?db=", "query"},
	{"unix:///tmp/x?db=one", "db"},
};

START_TEST(a_bad_url_is_refused_with_the_part_that_is_wrong_and_no_secret)
{
	for (size_t i = 0; i < sizeof bad_urls / sizeof *bad_urls; i++) {
		const struct bad_url *bad = &bad_urls[i];
		struct redlock_error error = {0};

		ck_assert_msg(open_with(&bad->url, 1, NULL, &error) == REDLOCK_EINVAL, "%s",
			      bad->url);
		ck_assert_int_eq(error.status, REDLOCK_EINVAL);
		ck_assert_msg(strstr(error.text, bad->part), "%s: %s", bad->url, error.text);
		ck_assert_msg(!strstr(error.text, SECRET), "%s: %s", bad->url, error.text);
	}
}
END_TEST

START_TEST(the_error_may_be_left_out)
{
	const char *url = "http://127.0.0.1";

	ck_assert_int_eq(open_with(&url, 1, NULL, NULL), REDLOCK_EINVAL);
}
END_TEST

START_TEST(good_urls_are_accepted_though_nobody_listens)
{
	static const char *const urls[] = {
		"redis://127.0.0.1:1",
		"REDIS://127.0.0.1:2/",
		"redis://127.0.0.1:3/15",
		"redis://:" SECRET "@127.0.0.1:4",
		"redis://u:%40%2f%3A@127.0.0.1:5",
		"redis://[::1]:6",
		"unix:///tmp/no/such/socket",
		"unix:///tmp/no%20such?db=3",
	};
	struct redlock_error error = {0};

	ck_assert_msg(open_with(urls, sizeof urls / sizeof *urls, NULL, &error) == REDLOCK_OK, "%s",
		      error.text);
}
END_TEST

START_TEST(a_url_of_any_length_is_refused_or_accepted_but_survived)
{
	size_t size = 100000;
	char *url = malloc(size);
	const char *const *urls = (const char *const *)&url;

	ck_assert_ptr_nonnull(url);
	for (size_t len = 20; len < size; len *= 3) {
		memset(url, 'a', len);
		memcpy(url, "redis://", 8);
		url[len] = '\0';
		if (len > 4000) {
			ck_assert_int_eq(open_with(urls, 1, NULL, NULL), REDLOCK_EINVAL);
		}
		memcpy(url, "unix:///", 8);
		if (len > 200) {
			ck_assert_int_eq(open_with(urls, 1, NULL, NULL), REDLOCK_EINVAL);
		}
	}
	free(url);
}
END_TEST

START_TEST(the_same_address_twice_is_refused)
{
	static const char *const pairs[][2] = {
		{"redis://127.0.0.1:7001", "redis://127.0.0.1:7001"},
		{"redis://127.0.0.1:7001", "redis://127.0.0.1:7001/3"},
		{"redis://127.0.0.1:7001", "redis://u:" SECRET "@127.0.0.1:7001"},
		{"redis://127.0.0.1", "redis://127.0.0.1:6379"},
		{"redis://localhost:7001", "redis://LOCALHOST:7001"},
		{"redis://[::1]:7001", "redis://[::1]:7001"},
		{"unix:///tmp/a", "unix:///tmp/a?db=1"},
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct redlock_error error = {0};

		ck_assert_msg(open_with(pairs[i], 2, NULL, &error) == REDLOCK_EINVAL, "%s",
			      pairs[i][1]);
		ck_assert_str_ne(error.text, "");
		ck_assert_msg(!strstr(error.text, SECRET), "%s", error.text);
	}
}
END_TEST

START_TEST(there_are_1_to_32_nodes)
{
	static char texts[REDLOCK_NODES_MAX + 1][32];
	const char *urls[REDLOCK_NODES_MAX + 1];

	for (unsigned i = 0; i <= REDLOCK_NODES_MAX; i++) {
		(void)snprintf(texts[i], sizeof texts[i], "redis://127.0.0.1:%u", 1 + i);
		urls[i] = texts[i];
	}
	ck_assert_int_eq(open_with(urls, 0, NULL, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(open_with(NULL, 1, NULL, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(open_with(urls, REDLOCK_NODES_MAX + 1, NULL, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(open_with(urls, REDLOCK_NODES_MAX, NULL, NULL), REDLOCK_OK);
	urls[1] = NULL;
	ck_assert_int_eq(open_with(urls, 2, NULL, NULL), REDLOCK_EINVAL);
}
END_TEST

START_TEST(tls_is_there_or_refused_in_words)
{
	const char *url = "rediss://u:" SECRET "@127.0.0.1:1";
	struct redlock_error error = {0};
	int rv = open_with(&url, 1, NULL, &error);

	if (rv != REDLOCK_OK) {
		ck_assert_int_eq(rv, REDLOCK_EUNSUPPORTED);
		ck_assert_ptr_nonnull(strstr(error.text, "TLS"));
		ck_assert_ptr_null(strstr(error.text, SECRET));
	}
}
END_TEST

/* ---- Options --------------------------------------------------------------------------------- */

static const char *const one_url[] = {"redis://127.0.0.1:1"};

/* The caller's header is newer than the library. */
struct longer_options {
	struct redlock_options known;
	uint64_t unknown[2];
};

START_TEST(an_unknown_option_that_is_set_is_refused)
{
	struct longer_options options;
	struct redlock_error error = {0};

	redlock_options_init_sized(&options.known, sizeof options);
	ck_assert_uint_eq(options.unknown[0], 0);
	ck_assert_uint_eq(options.unknown[1], 0);
	ck_assert_int_eq(open_with(one_url, 1, &options.known, NULL), REDLOCK_OK);
	options.unknown[1] = 1;
	ck_assert_int_eq(open_with(one_url, 1, &options.known, &error), REDLOCK_EINVAL);
	ck_assert_str_ne(error.text, "");
}
END_TEST

/* The caller's header is older: what follows its options is somebody else's memory. */
START_TEST(options_of_an_older_header_are_accepted_and_nothing_behind_them_is_touched)
{
	volatile size_t older_size = offsetof(struct redlock_options, trace);
	size_t size = older_size;
	unsigned char *memory = malloc(size);
	struct redlock_options *options = (struct redlock_options *)(void *)memory;

	ck_assert_ptr_nonnull(memory);
	memset(memory, 0xa5, size);
	redlock_options_init_sized(options, size);
	ck_assert_uint_eq(options->size, size);
	ck_assert_uint_eq(options->ttl_ms, 10000);
	ck_assert_int_eq(open_with(one_url, 1, options, NULL), REDLOCK_OK);
	free(memory);
}
END_TEST

START_TEST(options_that_were_never_set_up_are_refused)
{
	struct redlock_options options = {0};

	ck_assert_int_eq(open_with(one_url, 1, &options, NULL), REDLOCK_EINVAL);
}
END_TEST

struct longer_lock_options {
	struct redlock_lock_options known;
	uint64_t unknown;
};

START_TEST(options_of_a_lock_follow_the_same_rule)
{
	struct redlock_lock_options none = {0};
	struct longer_lock_options longer;
	struct redlock_client *client = NULL;
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(redlock_client_new(&client, &rig.loop, one_url, 1, NULL, NULL), 0);
	redlock_lock_options_init_sized(&longer.known, sizeof longer);
	ck_assert_int_eq(redlock_lock_new(&lock, client, "a", 1, &longer.known), REDLOCK_OK);
	redlock_lock_free(lock);
	longer.unknown = 1;
	ck_assert_int_eq(redlock_lock_new(&lock, client, "a", 1, &longer.known), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new(&lock, client, "a", 1, &none), REDLOCK_EINVAL);
	redlock_lock_options_init_sized(&none, offsetof(struct redlock_lock_options, token));
	ck_assert_int_eq(redlock_lock_new(&lock, client, "a", 1, &none), REDLOCK_OK);
	redlock_lock_free(lock);
	close_sync(&rig.loop, client);
}
END_TEST

START_TEST(the_defaults_are_as_documented)
{
	struct redlock_options options;

	redlock_options_init(&options);
	ck_assert_uint_eq(options.size, sizeof options);
	ck_assert_uint_eq(options.ttl_ms, 10000);
	ck_assert_uint_eq(options.max_ttl_ms, 60000);
	ck_assert_uint_eq(options.drift_ppm, 10000);
	ck_assert_uint_eq(options.connect_timeout_ms, 2000);
	ck_assert_uint_eq(options.min_validity_percent, 20);
	ck_assert_uint_eq(options.retry_min_ms, 5);
	ck_assert_uint_eq(options.retry_max_ms, 250);
	ck_assert_uint_eq(options.reconnect_min_ms, 50);
	ck_assert_uint_eq(options.reconnect_max_ms, 5000);
	ck_assert_uint_eq(options.max_in_flight, 65536);
	ck_assert_int_eq(options.guard, REDLOCK_GUARD_ON);
}
END_TEST

START_TEST(a_key_format_has_one_place_for_the_resource)
{
	static const char *const bad[] = {"", "mutex:", "%d", "%s%s", "%", "%%", "a%sb%", "%5s"};
	struct redlock_options options;

	redlock_options_init(&options);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		options.key_format = bad[i];
		ck_assert_msg(open_with(one_url, 1, &options, NULL) == REDLOCK_EINVAL, "\"%s\"",
			      bad[i]);
	}
	options.key_format = "mutex:{%s}";
	ck_assert_int_eq(open_with(one_url, 1, &options, NULL), REDLOCK_OK);
}
END_TEST

START_TEST(a_lock_whose_ttl_makes_no_sense_is_refused)
{
	struct redlock_lock_options options;
	struct redlock_client *client = NULL;
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(redlock_client_new(&client, &rig.loop, one_url, 1, NULL, NULL), 0);
	redlock_lock_options_init(&options);
	options.ttl_ms = 60001;
	ck_assert_int_eq(redlock_lock_new(&lock, client, "a", 1, &options), REDLOCK_EINVAL);
	options.ttl_ms = 1;
	ck_assert_int_eq(redlock_lock_new(&lock, client, "a", 1, &options), REDLOCK_EINVAL);
	options.ttl_ms = 60000;
	ck_assert_int_eq(redlock_lock_new(&lock, client, "a", 1, &options), REDLOCK_OK);
	redlock_lock_free(lock);
	close_sync(&rig.loop, client);
}
END_TEST

static void add_tests(TCase *none)
{
	tcase_add_test(none, a_bad_url_is_refused_with_the_part_that_is_wrong_and_no_secret);
	tcase_add_test(none, the_error_may_be_left_out);
	tcase_add_test(none, good_urls_are_accepted_though_nobody_listens);
	tcase_add_test(none, a_url_of_any_length_is_refused_or_accepted_but_survived);
	tcase_add_test(none, the_same_address_twice_is_refused);
	tcase_add_test(none, there_are_1_to_32_nodes);
	tcase_add_test(none, tls_is_there_or_refused_in_words);
	tcase_add_test(none, an_unknown_option_that_is_set_is_refused);
	tcase_add_test(none,
		       options_of_an_older_header_are_accepted_and_nothing_behind_them_is_touched);
	tcase_add_test(none, options_that_were_never_set_up_are_refused);
	tcase_add_test(none, options_of_a_lock_follow_the_same_rule);
	tcase_add_test(none, the_defaults_are_as_documented);
	tcase_add_test(none, a_key_format_has_one_place_for_the_resource);
	tcase_add_test(none, a_lock_whose_ttl_makes_no_sense_is_refused);
}

int main(void)
{
	Suite *suite = suite_create("url");

	add_tests(rig_case(suite, "no servers", rig_without_servers));
	return rig_run(suite);
}
