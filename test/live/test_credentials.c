/* test_credentials.c - the program is asked for user and password at each log-in. */
#include "hidden.h"
#include "line.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST "hunter2"
#define SECOND "correct-horse"
#define RIGHTS " ~* &* +@all"

/* What the program answers, and how often it was asked. */
static struct {
	const char *user, *password; /* NULL: none to give. */
	bool hidden;
	unsigned asked;
	char addresses[256];
} us = {.user = "app"};

static int answer(struct redlock_client *client, const char *address,
		  struct redlock_credentials *credentials, void *data)
{
	char password[HIDDEN_LEN + 1];
	int rv;

	ck_assert_ptr_nonnull(client);
	ck_assert_ptr_eq(data, &us);
	us.asked++;
	if (strlen(us.addresses) + strlen(address) + 2 < sizeof us.addresses) {
		(void)strcat(strcat(us.addresses, address), " ");
	}
	if (us.hidden) {
		hidden_reveal(password);
		rv = redlock_credentials_set(credentials, us.user, password);
		hidden_cover(password, sizeof password);
		return rv;
	}
	return us.password ? redlock_credentials_set(credentials, us.user, us.password) : -1;
}

static void open_with(const char *acl)
{
	rig_open(3, &(struct server_options){.acl = acl});
	rig.options.credentials = answer;
	rig.options.credentials_data = &us;
	us.password = FIRST;
}

static void rig_user(void)
{
	open_with("user default off\nuser app on >" FIRST RIGHTS);
}

static void rig_hidden(void)
{
	open_with("user default off\nuser app on #" HIDDEN_SHA256 RIGHTS);
	us.hidden = true;
}

static void expect_lock_works(void)
{
	struct redlock_lock *lock = rig_lock(NAME);

	rig_acquire(lock);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

START_TEST(each_log_in_asks_for_credentials)
{
	rig_connect();
	ck_assert_uint_eq(us.asked, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_nonnull(strstr(us.addresses, rig.servers.at[i].address));
	}
	expect_lock_works();
	ck_assert_uint_eq(us.asked, 3);
}
END_TEST

START_TEST(what_the_program_says_counts_and_not_the_url)
{
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://app:wrong@%s",
			       rig.servers.at[i].address);
	}
	rig_connect();
	expect_lock_works();
}
END_TEST

START_TEST(without_a_user_it_is_the_default_one)
{
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER default on resetpass >%s" RIGHTS,
			  SECOND);
	}
	us.user = NULL;
	us.password = SECOND;
	rig_connect();
	expect_lock_works();
}
END_TEST

static int say_nothing(struct redlock_client *client, const char *address,
		       struct redlock_credentials *credentials, void *data)
{
	(void)client, (void)address, (void)data;
	ck_assert_int_eq(redlock_credentials_set(NULL, "app", FIRST), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_credentials_set(credentials, "app", NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_credentials_set(credentials, "app", ""), REDLOCK_EINVAL);
	return 0;
}

START_TEST(without_an_answer_there_is_no_password)
{
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER default on nopass " RIGHTS);
	}
	rig.options.credentials = say_nothing;
	rig_connect();
	expect_lock_works();
}
END_TEST

static int answer_twice(struct redlock_client *client, const char *address,
			struct redlock_credentials *credentials, void *data)
{
	ck_assert_int_eq(redlock_credentials_set(credentials, "stranger", SECOND), 0);
	return answer(client, address, credentials, data);
}

START_TEST(the_last_answer_counts)
{
	rig.options.credentials = answer_twice;
	rig_connect();
	expect_lock_works();
}
END_TEST

START_TEST(who_has_none_to_give_is_asked_again)
{
	struct redlock_lock *lock;
	struct outcome outcome;

	us.password = NULL;
	rig.client = rig_client();
	loop_run_ms(&rig.loop, 100);
	lock = rig_lock(NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert_ptr_nonnull(strstr(outcome.errors[0], "no credentials"));
	us.password = FIRST;
	rig_wait_up(rig.client, 3);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_long_password_is_taken_whole)
{
	static char password[4001];

	memset(password, 'x', sizeof password - 1);
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER app resetpass >%s", password);
	}
	us.password = password;
	rig_connect();
	expect_lock_works();
}
END_TEST

/* rig.client holds the lock; another one stands in line, and gets it when it has been looked at. */
static void wait_in_line(void (*look)(void))
{
	static struct waiter holder, waiter;
	struct redlock_client *other;

	start_waiting(&holder, rig.client, 0);
	expect_won(&holder);
	other = rig_connected_client();
	start_waiting(&waiter, other, REDLOCK_WAIT_FOREVER);
	line_wait(1);
	look();
	rig_release(holder.lock);
	expect_won(&waiter);
	rig_release(waiter.lock);
	line_leave(&waiter);
	line_leave(&holder);
	close_sync(&rig.loop, other);
}

static void expect_nine_log_ins(void)
{
	ck_assert_uint_eq(us.asked, 9);
}

START_TEST(to_be_called_is_another_log_in)
{
	rig_connect();
	ck_assert_uint_eq(us.asked, 3);
	wait_in_line(expect_nine_log_ins);
}
END_TEST

/* ---- A password changes ---------------------------------------------------------------------- */

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *lost)
{
	(void)lock, (void)status, (void)report;
	++*(unsigned *)lost;
}

static void change_password(struct server *server, const char *password)
{
	server_do(server, "ACL SETUSER app resetpass >%s", password);
	server_do(server, "CLIENT KILL USER app");
}

static bool is_known(void *server)
{
	redisReply *list = server_command(server, "CLIENT LIST");
	bool known = strstr(list->str, "user=app") != NULL;

	freeReplyObject(list);
	return known;
}

/* One node after the other, and then all at once, as it is renewed all the time. */
START_TEST(a_new_password_costs_nobody_the_lock)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	unsigned lost = 0;
	char token[REDLOCK_TOKEN_MAX + 1];

	redlock_lock_options_init(&options);
	options.ttl_ms = 6000;
	options.auto_renew = true;
	options.on_lost = on_lost;
	options.data = &lost;
	rig_connect();
	lock = rig_lock_with(rig.client, NAME, &options);
	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	for (size_t i = 0; i < 3; i++) {
		us.password = SECOND;
		change_password(&rig.servers.at[i], SECOND);
		loop_until(&rig.loop, is_known, &rig.servers.at[i], "it is back");
		ck_assert(redlock_lock_held(lock));
	}
	us.password = FIRST;
	for (size_t i = 0; i < 3; i++) {
		change_password(&rig.servers.at[i], FIRST);
	}
	rig_wait_up(rig.client, 3);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	ck_assert_uint_eq(lost, 0);
	rig_until_everywhere(NAME, token);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(an_old_password_is_told_until_there_is_a_new_one)
{
	struct redlock_lock *lock;
	struct outcome outcome;

	rig_connect();
	for (size_t i = 0; i < 3; i++) {
		change_password(&rig.servers.at[i], SECOND);
	}
	loop_run_ms(&rig.loop, 300);
	lock = rig_lock(NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_msg(strstr(outcome.errors[i], "WRONGPASS"), "%s", outcome.errors[i]);
	}
	us.password = SECOND;
	rig_wait_up(rig.client, 3);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* ---- What is left in memory ------------------------------------------------------------------ */

static void expect_nothing_left(void)
{
	ck_assert_uint_eq(hidden_count(), 0);
}

START_TEST(a_password_is_gone_from_memory_when_it_has_been_answered)
{
	ck_assert_uint_eq(hidden_count(), 0);
	rig_connect();
	expect_nothing_left();
	wait_in_line(expect_nothing_left);
	ck_assert_uint_eq(us.asked, 9);
}
END_TEST

/* The connection ends before the node has heard it, or with no answer. */
START_TEST(a_password_that_was_never_answered_is_gone_from_memory)
{
	for (size_t i = 0; i < 3; i++) {
		server_stop(&rig.servers.at[i]);
	}
	rig.options.connect_timeout_ms = 200;
	rig.client = rig_client();
	while (us.asked < 6) {
		loop_run_ms(&rig.loop, 50);
	}
	close_sync(&rig.loop, rig.client);
	rig.client = NULL;
	ck_assert_uint_eq(hidden_count(), 0);
	for (size_t i = 0; i < 3; i++) {
		server_continue(&rig.servers.at[i]);
	}
}
END_TEST

START_TEST(a_password_in_a_url_is_gone_from_memory_with_the_client)
{
	char password[HIDDEN_LEN + 1];

	rig.options.credentials = NULL;
	hidden_reveal(password);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://app:%s@%s", password,
			       rig.servers.at[i].address);
	}
	hidden_cover(password, sizeof password);
	rig_connect();
	hidden_cover(rig.urls[0], sizeof rig.urls);
	expect_lock_works();
	ck_assert_uint_eq(hidden_count(), 3); /* It is needed to log in again. */
	close_sync(&rig.loop, rig.client);
	rig.client = NULL;
	ck_assert_uint_eq(hidden_count(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("credentials");
	TCase *user = rig_case(suite, "user", rig_user);
	TCase *hidden = rig_case(suite, "hidden", rig_hidden);

	tcase_add_test(user, each_log_in_asks_for_credentials);
	tcase_add_test(user, what_the_program_says_counts_and_not_the_url);
	tcase_add_test(user, without_a_user_it_is_the_default_one);
	tcase_add_test(user, without_an_answer_there_is_no_password);
	tcase_add_test(user, the_last_answer_counts);
	tcase_add_test(user, who_has_none_to_give_is_asked_again);
	tcase_add_test(user, a_long_password_is_taken_whole);
	tcase_add_test(user, to_be_called_is_another_log_in);
	tcase_add_test(user, a_new_password_costs_nobody_the_lock);
	tcase_add_test(user, an_old_password_is_told_until_there_is_a_new_one);
	tcase_add_test(hidden, a_password_is_gone_from_memory_when_it_has_been_answered);
	tcase_add_test(hidden, a_password_that_was_never_answered_is_gone_from_memory);
	tcase_add_test(hidden, a_password_in_a_url_is_gone_from_memory_with_the_client);
	return rig_run(suite);
}
