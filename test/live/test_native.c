/* test_native.c - users who may not run scripts: what they can do without, and where they cannot,
 * that they are told why and leave nothing behind that does not die by itself.
 *
 * Each test says both: what holds on a server with SET IFEQ, and what on an older one. */
#include "users.h"

#define TOKEN "machine-7/job-19"

static struct redlock_lock *lock_by_token(const char *token, uint32_t ttl_ms)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.token = token;
	options.token_len = strlen(token);
	options.ttl_ms = ttl_ms;
	return rig_lock_with(rig.client, NAME, &options);
}

/* Of a quorum at least, each of which says which right is missing. */
static void expect_right_named(const struct outcome *outcome, const char *command)
{
	size_t told = 0;

	for (size_t i = 0; i < 3; i++) {
		told += strstr(outcome->errors[i], "NOPERM") && strstr(outcome->errors[i], command);
	}
	ck_assert_uint_ge(told, 2);
}

static void expect_told(struct redlock_lock *lock)
{
	struct outcome outcome;

	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	expect_right_named(&outcome, "'eval'");
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_EEXPIRED);
}

static void expect_works(struct redlock_lock *lock)
{
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
}

static void expect_works_or_is_told(struct redlock_lock *lock)
{
	if (is_native()) {
		expect_works(lock);
	} else {
		expect_told(lock);
	}
}

START_TEST(a_lock_works_without_scripts_or_names_the_right_that_is_missing)
{
	struct redlock_lock *lock;

	rig.client = client_as("plain");
	lock = rig_lock(NAME);
	for (int i = 0; i < 3; i++) {
		expect_works_or_is_told(lock);
	}
	redlock_lock_free(lock);
}
END_TEST

START_TEST(without_the_restart_guard_not_even_the_time_is_needed)
{
	struct redlock_lock *lock;

	rig.client = client_as("timeless");
	lock = rig_lock(NAME);
	expect_works_or_is_told(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(who_may_not_name_digests_sends_texts)
{
	struct redlock_lock *lock;

	rig.client = client_as("texts");
	lock = rig_lock(NAME);
	expect_works(lock);
	expect_works(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(without_scripts_only_our_own_key_is_extended_and_deleted)
{
	struct redlock_lock *lock;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig.client = client_as("plain");
	lock = rig_lock(NAME);
	if (is_native()) {
		rig_acquire(lock);
		rig_token(lock, token, sizeof token);
		rig_until_everywhere(NAME, token);
		rig_stranger_for(0, NAME, 50000);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		for (size_t i = 0; i < 3; i++) {
			rig_stranger_for(i, NAME, 50000);
		}
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
		ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
		loop_run_ms(&rig.loop, 100);
		ck_assert_uint_eq(rig_count(NAME, STRANGER), 3);
		for (size_t i = 0; i < 3; i++) {
			ck_assert_int_le(server_pttl(&rig.servers.at[i], NAME), 50000);
		}
	}
	redlock_lock_free(lock);
}
END_TEST

START_TEST(without_scripts_a_key_of_another_kind_is_anothers)
{
	struct redlock_lock *lock;

	rig.client = client_as("plain");
	lock = rig_lock(NAME);
	if (is_native()) {
		rig_acquire(lock);
		for (size_t i = 0; i < 3; i++) {
			server_do(&rig.servers.at[i], "DEL " NAME);
			server_do(&rig.servers.at[i], "RPUSH " NAME " x");
		}
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
		ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
		for (size_t i = 0; i < 3; i++) {
			ck_assert_int_eq(server_number(&rig.servers.at[i], "DEL " NAME), 1);
		}
	}
	redlock_lock_free(lock);
}
END_TEST

START_TEST(without_scripts_an_extend_never_shortens_and_never_creates)
{
	struct redlock_lock *mine, *hasty;

	rig.client = client_as("plain");
	mine = lock_by_token(TOKEN, 50000);
	hasty = lock_by_token(TOKEN, 2000);
	if (is_native()) {
		ck_assert_int_eq(extend_sync(&rig.loop, hasty, NULL), REDLOCK_ELOST);
		loop_run_ms(&rig.loop, 50);
		ck_assert_uint_eq(rig_count(NAME, NULL), 3);
		rig_acquire(mine);
		rig_until_everywhere(NAME, TOKEN);
		ck_assert_int_eq(extend_sync(&rig.loop, hasty, NULL), REDLOCK_OK);
		ck_assert_uint_le(redlock_lock_validity_ms(hasty), 2000);
		loop_run_ms(&rig.loop, 50);
		for (size_t i = 0; i < 3; i++) {
			ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 20000);
		}
		rig_release(mine);
		rig_until_gone(NAME);
	}
	redlock_lock_free(mine);
	redlock_lock_free(hasty);
}
END_TEST

START_TEST(without_scripts_a_lost_key_is_given_back)
{
	struct redlock_lock *lock;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig.client = client_as("plain");
	lock = rig_lock(NAME);
	if (is_native()) {
		rig_acquire(lock);
		rig_token(lock, token, sizeof token);
		rig_until_everywhere(NAME, token);
		server_do(&rig.servers.at[1], "DEL " NAME);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_until_everywhere(NAME, token);
		rig_release(lock);
		rig_until_gone(NAME);
	}
	redlock_lock_free(lock);
}
END_TEST

START_TEST(what_only_a_script_can_do_names_the_right_that_is_missing)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	struct outcome outcome;

	rig.client = client_as("plain");
	redlock_lock_options_init(&options);
	options.fence = true;
	lock = rig_lock_with(rig.client, NAME, &options);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	expect_right_named(&outcome, "'eval'");
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	redlock_lock_free(lock);
}
END_TEST

static void expect_no_debt(struct redlock_lock *lock)
{
	struct redlock_stats stats;
	struct outcome outcome;

	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	expect_right_named(&outcome, "'eval'");
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	redlock_lock_free(lock);
	loop_run_ms(&rig.loop, 100);
	ck_assert_int_eq(redlock_client_stats(rig.client, &stats), 0);
	ck_assert_uint_eq(stats.debts_now, 0);
}

START_TEST(what_no_script_has_set_is_owed_to_nobody)
{
	static const struct redlock_resource resources[] = {{NAME, sizeof NAME - 1},
							    {"orders:18", 9}};
	struct redlock_lock_options options;
	struct redlock_lock *several;

	rig.client = client_as("plain");
	if (!is_native()) {
		return;
	}
	redlock_lock_options_init(&options);
	options.shared = true;
	expect_no_debt(rig_lock_with(rig.client, NAME, &options));
	ck_assert_int_eq(redlock_lock_new_all(&several, rig.client, resources, 2, NULL), 0);
	expect_no_debt(several);
}
END_TEST

/* ---- Rights that go while a lock is held ----------------------------------------------------- */

START_TEST(a_right_that_is_taken_away_leaves_the_key_or_its_release_to_the_server)
{
	struct redlock_lock *lock;
	struct outcome outcome;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig.client = client_as("locks");
	lock = rig_lock(NAME);
	expect_works(lock); /* So that scripts go by digest. */
	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER locks -eval -evalsha");
	}
	if (is_native()) {
		(void)release_sync(&rig.loop, lock, NULL);
		rig_until_gone(NAME); /* By the next connection. */
	} else {
		ck_assert_int_eq(release_sync(&rig.loop, lock, &outcome), REDLOCK_ENOQUORUM);
		expect_right_named(&outcome, "'eval");
		loop_run_ms(&rig.loop, 200);
		ck_assert_uint_eq(rig_count(NAME, token), 3);
		for (size_t i = 0; i < 3; i++) {
			ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 0);
			server_do(&rig.servers.at[i], "DEL " NAME);
		}
	}
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("native");
	TCase *users = rig_case(suite, "users", rig_users);

	tcase_add_test(users, a_lock_works_without_scripts_or_names_the_right_that_is_missing);
	tcase_add_test(users, without_the_restart_guard_not_even_the_time_is_needed);
	tcase_add_test(users, who_may_not_name_digests_sends_texts);
	tcase_add_test(users, without_scripts_only_our_own_key_is_extended_and_deleted);
	tcase_add_test(users, without_scripts_a_key_of_another_kind_is_anothers);
	tcase_add_test(users, without_scripts_an_extend_never_shortens_and_never_creates);
	tcase_add_test(users, without_scripts_a_lost_key_is_given_back);
	tcase_add_test(users, what_only_a_script_can_do_names_the_right_that_is_missing);
	tcase_add_test(users, what_no_script_has_set_is_owed_to_nobody);
	tcase_add_test(users,
		       a_right_that_is_taken_away_leaves_the_key_or_its_release_to_the_server);
	return rig_run(suite);
}
