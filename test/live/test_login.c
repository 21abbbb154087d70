/* test_login.c - reaching servers and logging in: passwords, users, sockets, names, databases. */
#include "rig.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#define NAME "orders:17"
#define PASSWORD "p@ss/word:%"
#define PASSWORD_ENCODED "p%40ss%2Fword%3A%25"

/* Everything that the client says about itself, to search it for secrets. */
static char said[1 << 16];

static void listen_to_trace(struct redlock_client *client, const char *line, void *data)
{
	size_t len = strlen(said);

	(void)client;
	(void)data;
	ck_assert_ptr_null(strchr(line, '\n'));
	if (len + strlen(line) + 1 < sizeof said) {
		(void)snprintf(said + len, sizeof said - len, "%s\n", line);
	}
}

static void set_urls(const char *credentials, const char *suffix)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://%s%s%s", credentials,
			       rig.servers.at[i].address, suffix);
	}
}

static void expect_lock_works(void)
{
	struct redlock_lock *lock = rig_lock(NAME);

	rig_acquire(lock);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}

/* ---- Secrets --------------------------------------------------------------------------------- */

static void rig_password(void)
{
	rig_open(3, &(struct server_options){.password = PASSWORD});
	rig.options.trace = listen_to_trace;
}

static void rig_user(void)
{
	rig_open(3, &(struct server_options){.acl = "user default off\nuser app on >" PASSWORD
						    " ~* +@all"});
}

/* Some of the rights of docs/operations.md, and no more. */
static void rig_least_user(void)
{
	rig_open(3, &(struct server_options){
			    .acl = "user default off\n"
				   "user app on >" PASSWORD " resetkeys ~orders:* "
				   "~redlock:incarnation resetchannels -@all "
				   "+set +get +del +pexpire +pttl +time +evalsha +eval +info"});
}

START_TEST(a_password_logs_in)
{
	set_urls(":" PASSWORD_ENCODED "@", "");
	rig_connect();
	expect_lock_works();
	ck_assert_str_ne(said, "");
	ck_assert_ptr_null(strstr(said, PASSWORD));
	ck_assert_ptr_null(strstr(said, PASSWORD_ENCODED));
}
END_TEST

START_TEST(no_trace_line_holds_an_owner_token)
{
	struct redlock_lock *lock;
	char token[REDLOCK_TOKEN_MAX + 1];

	set_urls(":" PASSWORD_ENCODED "@", "");
	rig_connect();
	lock = rig_lock(NAME);
	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_release(lock);
	ck_assert_ptr_null(strstr(said, token));
	redlock_lock_free(lock);
}
END_TEST

/* No node can be asked: each says why, and none tells the secret. */
static void expect_refused_without_secret(const char *credentials, const char *secret,
					  const char *words)
{
	struct redlock_client *client;
	struct redlock_lock *lock;
	struct outcome outcome;
	size_t told = 0;

	set_urls(credentials, "");
	client = rig_client();
	lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_null(strstr(outcome.errors[i], secret));
		told += strncmp(outcome.errors[i], words, strlen(words)) == 0;
	}
	ck_assert_uint_ge(told, 2);
	ck_assert_ptr_null(strstr(said, secret));
	redlock_lock_free(lock);
	close_sync(&rig.loop, client);
}

START_TEST(a_wrong_password_is_told_for_each_node_and_never_shown)
{
	expect_refused_without_secret(":wrong-horse@", "wrong-horse", "WRONGPASS ");
}
END_TEST

START_TEST(a_missing_password_is_told_for_each_node)
{
	expect_refused_without_secret("", PASSWORD, "NOAUTH ");
}
END_TEST

START_TEST(a_user_logs_in)
{
	set_urls("app:" PASSWORD_ENCODED "@", "");
	rig_connect();
	expect_lock_works();
}
END_TEST

START_TEST(an_unknown_user_is_told_for_each_node)
{
	expect_refused_without_secret("stranger:" PASSWORD_ENCODED "@", PASSWORD, "WRONGPASS ");
}
END_TEST

START_TEST(a_user_with_the_least_rights_locks_what_it_may)
{
	struct redlock_lock *forbidden;

	set_urls("app:" PASSWORD_ENCODED "@", "");
	rig_connect();
	expect_lock_works();
	forbidden = rig_lock("elsewhere:1");
	ck_assert_int_eq(acquire_sync(&rig.loop, forbidden, 0, NULL), REDLOCK_ENOQUORUM);
	redlock_lock_free(forbidden);
}
END_TEST

/* ---- Ways to a server ------------------------------------------------------------------------ */

static void rig_3_unconnected(void)
{
	rig_open(3, NULL);
}

START_TEST(a_unix_socket_is_a_node)
{
	struct redlock_lock *lock;
	struct outcome outcome;

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "unix://%s",
			       rig.servers.at[i].socket_path);
	}
	rig_connect();
	expect_lock_works();
	lock = rig_lock(NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_str_eq(outcome.addresses[0], rig.servers.at[0].socket_path);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

static void use_host(const char *host)
{
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://%s:%u", host,
			       rig.servers.at[i].port);
	}
}

START_TEST(a_name_is_resolved)
{
	use_host("localhost");
	rig_connect();
	expect_lock_works();
}
END_TEST

START_TEST(an_ipv6_address_is_a_node)
{
	use_host("[::1]");
	rig_connect();
	expect_lock_works();
}
END_TEST

/* Does the machine have ::1? Containers often do not. */
static bool have_ipv6(void)
{
	redisContext *probe = redisConnect("::1", 1);
	bool have = probe && strstr(probe->errstr, "refused");

	redisFree(probe);
	return have;
}

START_TEST(a_database_is_chosen)
{
	struct redlock_lock *lock;
	char token[REDLOCK_TOKEN_MAX + 1];

	set_urls("", "/3");
	(void)snprintf(rig.urls[2], sizeof rig.urls[2], "unix://%s?db=3",
		       rig.servers.at[2].socket_path);
	rig_connect();
	lock = rig_lock(NAME);
	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "SELECT 3");
	}
	rig_until_everywhere(NAME, token);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_database_that_is_not_there_is_an_error_of_the_node)
{
	struct redlock_client *client;
	struct redlock_lock *lock;
	struct outcome outcome;

	set_urls("", "/4000");
	client = rig_client();
	lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert(outcome.errors[0][0] || outcome.errors[1][0] || outcome.errors[2][0]);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(server_leftovers(&rig.servers.at[i]), 0);
	}
	redlock_lock_free(lock);
	close_sync(&rig.loop, client);
}
END_TEST

START_TEST(a_key_format_makes_the_key)
{
	struct redlock_lock *lock;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig.options.key_format = "mutex:%s:x";
	rig_connect();
	lock = rig_lock(NAME);
	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere("mutex:" NAME ":x", token);
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone("mutex:" NAME ":x");
	redlock_lock_free(lock);
}
END_TEST

START_TEST(the_client_has_a_name)
{
	redisReply *list;

	rig.options.client_name = "till-7";
	rig_connect();
	list = server_command(&rig.servers.at[0], "CLIENT LIST");
	ck_assert_ptr_nonnull(strstr(list->str, "name=till-7"));
	freeReplyObject(list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("login");
	TCase *password = rig_case(suite, "password", rig_password);
	TCase *user = rig_case(suite, "user", rig_user);
	TCase *least = rig_case(suite, "least user", rig_least_user);
	TCase *open = rig_case(suite, "open", rig_3_unconnected);

	tcase_add_test(password, a_password_logs_in);
	tcase_add_test(password, no_trace_line_holds_an_owner_token);
	tcase_add_test(password, a_wrong_password_is_told_for_each_node_and_never_shown);
	tcase_add_test(password, a_missing_password_is_told_for_each_node);
	tcase_add_test(user, a_user_logs_in);
	tcase_add_test(user, an_unknown_user_is_told_for_each_node);
	tcase_add_test(least, a_user_with_the_least_rights_locks_what_it_may);
	tcase_add_test(open, a_unix_socket_is_a_node);
	tcase_add_test(open, a_name_is_resolved);
	tcase_add_test(open, a_database_is_chosen);
	tcase_add_test(open, a_database_that_is_not_there_is_an_error_of_the_node);
	tcase_add_test(open, a_key_format_makes_the_key);
	tcase_add_test(open, the_client_has_a_name);
	if (have_ipv6()) {
		tcase_add_test(open, an_ipv6_address_is_a_node);
	} else {
		(void)printf("login: this machine has no ::1: not tested\n");
	}
	return rig_run(suite);
}
