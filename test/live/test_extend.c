/* test_extend.c - renewing a lease, and what may have happened to its keys meanwhile. */
#include "rig.h"

#include <string.h>

#define NAME "orders:17"

/* Take NAME, wait until all nodes have it, and copy its token. */
static struct redlock_lock *held_everywhere(uint32_t ttl_ms, char *token)
{
	struct redlock_lock *lock = rig_lock_for(NAME, ttl_ms);

	rig_acquire(lock);
	rig_token(lock, token, REDLOCK_TOKEN_MAX + 1);
	rig_until_everywhere(NAME, token);
	return lock;
}

static void release_and_free(struct redlock_lock *lock)
{
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}

/* ---- Time ------------------------------------------------------------------------------------ */

static bool all_live_longer_than(void *ms)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		if (server_pttl(&rig.servers.at[i], NAME) <= *(const long long *)ms) {
			return false;
		}
	}
	return true;
}

static long long longest_pttl(void)
{
	long long longest = -2;

	for (size_t i = 0; i < rig.servers.count; i++) {
		long long pttl = server_pttl(&rig.servers.at[i], NAME);

		longest = pttl > longest ? pttl : longest;
	}
	return longest;
}

START_TEST(an_extend_raises_the_ttl_on_every_node)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);
	struct outcome outcome;
	long long before;

	loop_run_ms(&rig.loop, 500);
	before = longest_pttl();
	ck_assert_int_eq(extend_sync(&rig.loop, lock, &outcome), REDLOCK_OK);
	ck_assert(outcome.held);
	ck_assert_uint_le(outcome.report.validity_ms, 60000 - 602);
	ck_assert_uint_ge(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 3);
	loop_until(&rig.loop, all_live_longer_than, &before, "the TTL is raised");
	/* It is set anew, not added. */
	ck_assert_int_le(longest_pttl(), 60000);
	ck_assert_uint_eq(rig_count(NAME, token), 5);
	ck_assert_str_eq(redlock_lock_token(lock, NULL), token);
	release_and_free(lock);
}
END_TEST

START_TEST(an_extended_lock_outlives_its_first_ttl)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(1500, token);

	for (int i = 0; i < 6; i++) {
		loop_run_ms(&rig.loop, 400);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	}
	ck_assert(redlock_lock_held(lock));
	release_and_free(lock);
}
END_TEST

START_TEST(an_extend_after_expiry_fails_and_creates_nothing)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(600, token);

	rig_until_gone(NAME);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_EEXPIRED);
	ck_assert(!redlock_lock_held(lock));
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, NULL), 5);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_lock_that_was_never_taken_cannot_be_extended)
{
	struct redlock_lock *lock = rig_lock(NAME);

	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_EEXPIRED);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(only_one_extend_at_a_time)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome first = {0}, second = {0};

	rig_acquire(lock);
	ck_assert_int_eq(redlock_extend(lock, outcome_take, &first), REDLOCK_OK);
	ck_assert_int_eq(redlock_extend(lock, outcome_take, &second), REDLOCK_EBUSY);
	loop_wait_for(&rig.loop, &first);
	ck_assert_int_eq(first.status, REDLOCK_OK);
	ck_assert_uint_eq(second.calls, 0);
	release_and_free(lock);
}
END_TEST

START_TEST(a_release_overtakes_an_extend)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome extended = {0}, released = {0};

	rig_acquire(lock);
	ck_assert_int_eq(redlock_extend(lock, outcome_take, &extended), REDLOCK_OK);
	ck_assert_int_eq(redlock_release(lock, outcome_take, &released), REDLOCK_OK);
	ck_assert(!redlock_lock_held(lock));
	loop_wait_for(&rig.loop, &extended);
	loop_wait_for(&rig.loop, &released);
	ck_assert_int_eq(extended.status, REDLOCK_ECANCELED);
	ck_assert_int_eq(released.status, REDLOCK_OK);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

/* ---- Behind the holder's back ---------------------------------------------------------------- */

static void delete_on(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		server_do(&rig.servers.at[i], "DEL %s", NAME);
	}
}

START_TEST(a_minority_that_lost_the_key_gets_it_back)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);

	delete_on(2);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_until_everywhere(NAME, token);
	ck_assert_int_gt(server_pttl(&rig.servers.at[0], NAME), 0);
	release_and_free(lock);
}
END_TEST

/* Nobody else can have become owner in between: a repair sets the key only where there is none. */
START_TEST(a_majority_that_lost_the_key_is_repaired_while_the_lease_is_valid)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);

	delete_on(5);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_until_everywhere(NAME, token);
	release_and_free(lock);
}
END_TEST

START_TEST(a_minority_taken_by_a_stranger_stays_his)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);

	rig_stranger(0, NAME);
	rig_stranger(4, NAME);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 2);
	rig_release(lock);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 2);
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_majority_taken_by_a_stranger_is_lost_but_the_old_lease_stands)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);
	struct outcome outcome;

	for (size_t i = 0; i < 3; i++) {
		rig_stranger(i, NAME);
	}
	ck_assert_int_eq(extend_sync(&rig.loop, lock, &outcome), REDLOCK_ELOST);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_HELD), 3);
	ck_assert(redlock_lock_held(lock));
	ck_assert_uint_gt(redlock_lock_validity_ms(lock), 0);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 3);
	ck_assert_uint_eq(rig_count(NAME, token), 2);
	(void)release_sync(&rig.loop, lock, NULL);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 3);
	ck_assert_uint_eq(rig_count(NAME, NULL), 2);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(the_release_of_a_lock_that_a_stranger_took_says_so)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);

	for (size_t i = 0; i < 5; i++) {
		rig_stranger(i, NAME);
	}
	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 5);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_lease_that_is_lost_still_ends_when_it_was_to_end)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(1000, token);
	uint64_t left_ms, asked_ms;

	for (size_t i = 0; i < 3; i++) {
		rig_stranger(i, NAME);
	}
	asked_ms = loop_clock_ms();
	left_ms = redlock_lock_validity_ms(lock);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
	for (;;) {
		uint64_t now_ms = loop_clock_ms();

		if (!redlock_lock_held(lock)) {
			break;
		}
		ck_assert_uint_le(now_ms, asked_ms + left_ms + 1);
		loop_run_ms(&rig.loop, 5);
	}
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_EEXPIRED);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 3);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_key_of_another_type_is_another_owner)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);
	struct redlock_lock *other = rig_lock(NAME);

	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "DEL %s", NAME);
		server_do(&rig.servers.at[i], "HSET %s field value", NAME);
	}
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
	ck_assert_int_eq(acquire_sync(&rig.loop, other, 0, NULL), REDLOCK_EHELD);
	(void)release_sync(&rig.loop, lock, NULL);
	loop_run_ms(&rig.loop, 50);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(server_number(&rig.servers.at[i], "HLEN %s", NAME), 1);
		server_do(&rig.servers.at[i], "DEL %s", NAME);
	}
	redlock_lock_free(lock);
	redlock_lock_free(other);
}
END_TEST

START_TEST(flushed_scripts_are_loaded_again)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 5; i++) {
			server_do(&rig.servers.at[i], "SCRIPT FLUSH");
		}
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	}
	for (size_t i = 0; i < 5; i++) {
		server_do(&rig.servers.at[i], "SCRIPT FLUSH");
	}
	release_and_free(lock);
}
END_TEST

/* A flush of everything takes the scripts, the key and the bookkeeping at once. */
START_TEST(a_flushed_minority_is_healed_by_the_next_extend)
{
	char token[REDLOCK_TOKEN_MAX + 1];
	struct redlock_lock *lock = held_everywhere(60000, token);

	server_do(&rig.servers.at[1], "FLUSHALL");
	server_do(&rig.servers.at[1], "SCRIPT FLUSH");
	server_restart_empty(&rig.servers.at[2]);
	rig_wait_up(rig.client, 5);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_until_everywhere(NAME, token);
	release_and_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("extend");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, an_extend_raises_the_ttl_on_every_node);
	tcase_add_test(five, an_extended_lock_outlives_its_first_ttl);
	tcase_add_test(five, an_extend_after_expiry_fails_and_creates_nothing);
	tcase_add_test(five, a_lock_that_was_never_taken_cannot_be_extended);
	tcase_add_test(five, only_one_extend_at_a_time);
	tcase_add_test(five, a_release_overtakes_an_extend);
	tcase_add_test(five, a_minority_that_lost_the_key_gets_it_back);
	tcase_add_test(five, a_majority_that_lost_the_key_is_repaired_while_the_lease_is_valid);
	tcase_add_test(five, a_minority_taken_by_a_stranger_stays_his);
	tcase_add_test(five, a_majority_taken_by_a_stranger_is_lost_but_the_old_lease_stands);
	tcase_add_test(five, the_release_of_a_lock_that_a_stranger_took_says_so);
	tcase_add_test(five, a_lease_that_is_lost_still_ends_when_it_was_to_end);
	tcase_add_test(five, a_key_of_another_type_is_another_owner);
	tcase_add_test(five, flushed_scripts_are_loaded_again);
	tcase_add_test(five, a_flushed_minority_is_healed_by_the_next_extend);
	return rig_run(suite);
}
