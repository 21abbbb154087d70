/* test_lesson.c - what went wrong elsewhere between a client and real servers. */
#include "rig.h"

#include <string.h>

#define NAME "orders:17"
#define OTHER_TTL_MS 30000

/* ---- Keys of others -------------------------------------------------------------------------- */

static struct redlock_lock *lock_of(bool fence)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.ttl_ms = 60000;
	options.fence = fence;
	return rig_lock_with(rig.client, NAME, &options);
}

static void strangers_come(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		rig_stranger_for(i, NAME, OTHER_TTL_MS);
	}
}

static void strangers_go(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		server_do(&rig.servers.at[i], "DEL %s", NAME);
	}
}

static void expect_strangers_as_they_were(size_t count)
{
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), count);
	for (size_t i = 0; i < count; i++) {
		ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 0);
		ck_assert_int_le(server_pttl(&rig.servers.at[i], NAME), OTHER_TTL_MS);
	}
}

/* After the quorum, all keys were set to expire later, whoever had them. */
START_TEST(winning_lengthens_no_key_of_others)
{
	for (int fence = 0; fence <= 1; fence++) {
		struct redlock_lock *lock = lock_of(fence);

		strangers_come(2);
		rig_acquire(lock);
		expect_strangers_as_they_were(2);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		expect_strangers_as_they_were(2);
		rig_release(lock);
		expect_strangers_as_they_were(2);
		strangers_go(2);
		redlock_lock_free(lock);
	}
}
END_TEST

/* It was renewed, so it was told, with every node in another's hand. */
START_TEST(a_renewal_neither_counts_nor_lengthens_a_key_of_others)
{
	for (int fence = 0; fence <= 1; fence++) {
		struct redlock_lock *lock = lock_of(fence);
		uint64_t left_ms;

		rig_acquire(lock);
		loop_run_ms(&rig.loop, 50);
		left_ms = redlock_lock_validity_ms(lock);
		strangers_come(5);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
		ck_assert_uint_le(redlock_lock_validity_ms(lock), left_ms);
		expect_strangers_as_they_were(5);
		ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
		expect_strangers_as_they_were(5);
		strangers_go(5);
		redlock_lock_free(lock);
	}
}
END_TEST

/* ---- Servers without scripts ----------------------------------------------------------------- */

static void rig_3_without_scripts(void)
{
	const struct server_options options = {
		.acl = "rename-command EVAL \"\"\nrename-command EVALSHA \"\"",
	};

	rig_open(3, &options);
	rig.client = rig_client();
}

static void expect_it_works(struct redlock_lock *lock)
{
	rig_acquire(lock);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
}

static void expect_it_is_told(struct redlock_lock *lock)
{
	struct outcome outcome;
	size_t told = 0;

	/* Now and then a node is being looked at anew, and not connected. */
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(acquire_sync(&rig.loop, lock, 20, &outcome), REDLOCK_ENOQUORUM);
		for (size_t node = 0; node < 3; node++) {
			told += strstr(outcome.errors[node], "unknown command") != NULL;
		}
		ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	}
	ck_assert_uint_ge(told, 20);
}

/* Taken, and then neither renewed nor given back: "unknown command" for the life of the key. Newer
 * servers have other commands that will do. */
START_TEST(servers_without_scripts_are_told_of_and_keep_no_key)
{
	struct redlock_lock *lock = rig_lock(NAME);

	if (server_sets_if_equal(&rig.servers.at[0])) {
		expect_it_works(lock);
	} else {
		expect_it_is_told(lock);
	}
	redlock_lock_free(lock);
}
END_TEST

static void rig_3_unconnected(void)
{
	rig_open(3, NULL);
}

START_TEST(one_server_whose_scripts_are_forbidden_is_not_needed)
{
	struct redlock_lock *lock;
	struct outcome outcome;

	server_do(&rig.servers.at[0], "ACL SETUSER default -eval -evalsha");
	rig.client = rig_client();
	rig_wait_up(rig.client, 2);
	lock = rig_lock(NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 5000, &outcome), REDLOCK_OK);
	ck_assert(server_sets_if_equal(&rig.servers.at[0]) ||
		  server_has(&rig.servers.at[0], NAME, NULL));
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lesson");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, winning_lengthens_no_key_of_others);
	tcase_add_test(five, a_renewal_neither_counts_nor_lengthens_a_key_of_others);
	tcase_add_test(rig_case(suite, "without scripts", rig_3_without_scripts),
		       servers_without_scripts_are_told_of_and_keep_no_key);
	tcase_add_test(rig_case(suite, "unconnected", rig_3_unconnected),
		       one_server_whose_scripts_are_forbidden_is_not_needed);
	return rig_run(suite);
}
