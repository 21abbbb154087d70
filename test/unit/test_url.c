/* test_url.c - what a node's URL may be, and that a bad one is refused without being quoted. */
#include "redis/url.h"

#include <string.h>

#include "unit.h"

struct good {
	const char *text, *address, *user, *password;
	enum rlk_url_kind kind;
	unsigned db;
};

static const struct good good[] = {
	{"redis://h", "h:6379", "", "", RLK_URL_TCP, 0},
	{"REDIS://h/", "h:6379", "", "", RLK_URL_TCP, 0},
	{"redis://10.0.0.1:7000/3", "10.0.0.1:7000", "", "", RLK_URL_TCP, 3},
	{"redis://[::1]:7000", "[::1]:7000", "", "", RLK_URL_TCP, 0},
	{"redis://[fe80::1%25eth0]", "[fe80::1%eth0]:6379", "", "", RLK_URL_TCP, 0},
	{"redis://:pw@h", "h:6379", "", "pw", RLK_URL_TCP, 0},
	{"redis://u:pw@h:1/65535", "h:1", "u", "pw", RLK_URL_TCP, 65535},
	{"redis://u%3Aser:p%40%2f%3a@h", "h:6379", "u:ser", "p@/:", RLK_URL_TCP, 0},
	{"redis://u:p:q@h", "h:6379", "u", "p:q", RLK_URL_TCP, 0},
	{"redis://u:p@q@h", "h:6379", "u", "p@q", RLK_URL_TCP, 0},
	{"rediss://h:6380", "h:6380", "", "", RLK_URL_TLS, 0},
	{"unix:///run/redis.sock", "/run/redis.sock", "", "", RLK_URL_UNIX, 0},
	{"unix:///a%20b?db=2", "/a b", "", "", RLK_URL_UNIX, 2},
	{"unix://u:pw@/run/r", "/run/r", "u", "pw", RLK_URL_UNIX, 0},
};

START_TEST(good_urls_are_understood)
{
	struct rlk_url url;
	size_t i;

	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		const char *bad = rlk_url_parse(&url, good[i].text);
		ck_assert_msg(bad == NULL, "%s: %s", good[i].text, bad);
		ck_assert_int_eq(url.kind, good[i].kind);
		ck_assert_str_eq(url.address, good[i].address);
		ck_assert_str_eq(url.user, good[i].user);
		ck_assert_str_eq(url.password, good[i].password);
		ck_assert_uint_eq(url.db, good[i].db);
	}
}
END_TEST

static const struct {
	const char *text, *part;
} bad[] = {
	{"", "scheme"},
	{"h:6379", "scheme"},
	{"http://h", "scheme"},
	{"redis:/h", "scheme"},
	{"redis://", "host"},
	{"redis://:6379", "host"},
	{"redis:///1", "host"},
	{"redis://[::1", "host"},
	{"redis://[]", "host"},
	{"redis://[::1]x", "host"},
	{"redis://h%", "host"},
	{"redis://h%zz", "host"},
	{"redis://h%00", "host"},
	{"redis://h\n", "host"},
	{"redis://h%1b", "host"},
	{"redis://two%20hosts", "host"},
	{"redis://h:", "port"},
	{"redis://h:0", "port"},
	{"redis://h:65536", "port"},
	{"redis://h:6379x", "port"},
	{"redis://h:-1", "port"},
	{"redis://::1", "host"},
	{"redis://h/x", "db"},
	{"redis://h/-1", "db"},
	{"redis://h/65536", "db"},
	{"redis://h/1/2", "db"},
	{"redis://h?db=1", "query"},
	{"redis://h/1?x=y", "db"},
	{"redis://@h", "user"},
	{"redis://user@h", "password"},
	{"redis://user:@h", "password"},
	{"redis://u%:SECRET@h", "user"},
	{"redis://u:SECRET%@h", "password"},
	{"redis://u:SECRET%00@h", "password"},
	{"redis://u:SECRET@h:port", "port"},
	{"redis://u:SECRET@", "host"},
	{"redis://u:SEC/RET@h", "port"},
	{"unix://", "path"},
	{"unix://relative", "path"},
	{"unix:///", "path"},
	{"unix:///a?db=", "query"},
	{"unix:///a?db=x", "db"},
	{"unix:///a?x=1", "query"},
	{"unix:///a%00", "path"},
	{"unix:///a%0a", "path"},
};

START_TEST(bad_urls_are_refused_by_part)
{
	struct rlk_url url;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = rlk_url_parse(&url, bad[i].text);
		ck_assert_msg(why != NULL, "accepted: %s", bad[i].text);
		ck_assert_msg(strncmp(why, bad[i].part, strlen(bad[i].part)) == 0, "%s: %s",
			      bad[i].text, why);
		ck_assert_ptr_null(strstr(why, "SEC"));
		ck_assert_str_eq(url.password, "");
	}
}
END_TEST

static void expect_too_long(const char *head, size_t len, const char *tail, const char *part)
{
	char text[2048];
	struct rlk_url url;
	const char *why;
	size_t n = strlen(head);

	memcpy(text, head, n);
	memset(text + n, 'a', len);
	strcpy(text + n + len, tail);
	why = rlk_url_parse(&url, text);
	ck_assert_ptr_nonnull(why);
	ck_assert_int_eq(strncmp(why, part, strlen(part)), 0);
}

START_TEST(parts_that_are_too_long_are_refused)
{
	expect_too_long("redis://", RLK_HOST_MAX, "", "host");
	expect_too_long("redis://", RLK_SECRET_MAX, ":x@h", "user");
	expect_too_long("redis://u:", RLK_SECRET_MAX, "@h", "password");
	expect_too_long("unix:///", RLK_PATH_MAX, "", "path");
}
END_TEST

START_TEST(two_urls_of_one_server_are_the_same)
{
	struct rlk_url a, b;

	rlk_url_parse(&a, "redis://Host:6379/1");
	rlk_url_parse(&b, "redis://u:p@host");
	ck_assert(rlk_url_same(&a, &b));
	rlk_url_parse(&b, "redis://host:6380");
	ck_assert(!rlk_url_same(&a, &b));
	rlk_url_parse(&a, "unix:///a");
	ck_assert(!rlk_url_same(&a, &b));
	rlk_url_parse(&b, "unix:///a?db=1");
	ck_assert(rlk_url_same(&a, &b));
}
END_TEST

START_TEST(secrets_can_be_wiped)
{
	static const char zeros[RLK_SECRET_MAX];
	struct rlk_url url;

	rlk_url_parse(&url, "redis://user:SECRET@h");
	rlk_url_wipe(&url);
	ck_assert_mem_eq(url.user, zeros, sizeof zeros);
	ck_assert_mem_eq(url.password, zeros, sizeof zeros);
	ck_assert_str_eq(url.address, "h:6379");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("url");
	TCase *tcase = tcase_create("parser");

	tcase_add_test(tcase, good_urls_are_understood);
	tcase_add_test(tcase, bad_urls_are_refused_by_part);
	tcase_add_test(tcase, parts_that_are_too_long_are_refused);
	tcase_add_test(tcase, two_urls_of_one_server_are_the_same);
	tcase_add_test(tcase, secrets_can_be_wiped);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
