/* test_wait.c - waiting for a lock that another one has. */
#include "waiter.h"

/* ---- It becomes free ------------------------------------------------------------------------- */

START_TEST(a_waiter_gets_it_when_another_client_releases_it)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *holder = rig_lock_of(other, NAME);
	struct waiter waiter;

	rig_acquire(holder);
	start_waiting(&waiter, rig.client, 60000);
	expect_still_waiting(&waiter, 300);
	rig_release(holder);
	expect_won(&waiter);
	ck_assert_uint_ge(waiter.outcome.report.waited_ms, 250);
	ck_assert_uint_ge(waiter.outcome.report.attempts, 2);
	finish(&waiter);
	redlock_lock_free(holder);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(a_waiter_gets_it_when_its_own_client_releases_it)
{
	struct redlock_lock *holder = rig_lock(NAME);
	struct waiter waiter;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(holder);
	start_waiting(&waiter, rig.client, REDLOCK_WAIT_FOREVER);
	expect_still_waiting(&waiter, 100);
	rig_token(holder, token, sizeof token);
	rig_release(holder);
	expect_won(&waiter);
	/* Handed on as it was, without a round. */
	ck_assert_uint_eq(waiter.outcome.report.attempts, 0);
	ck_assert_str_eq(redlock_lock_token(waiter.lock, NULL), token);
	ck_assert_uint_eq(rig_count(NAME, token), 5);
	finish(&waiter);
	rig_until_gone(NAME);
	redlock_lock_free(holder);
}
END_TEST

START_TEST(a_waiter_gets_it_when_the_holder_is_freed)
{
	struct redlock_lock *holder = rig_lock(NAME);
	struct waiter waiter;

	rig_acquire(holder);
	start_waiting(&waiter, rig.client, 60000);
	expect_still_waiting(&waiter, 100);
	redlock_lock_free(holder);
	expect_won(&waiter);
	finish(&waiter);
}
END_TEST

START_TEST(a_waiter_gets_it_when_the_other_lease_expires)
{
	struct waiter waiter;

	for (size_t i = 0; i < 5; i++) {
		rig_stranger_for(i, NAME, 1000);
	}
	start_waiting(&waiter, rig.client, 60000);
	expect_won(&waiter);
	finish(&waiter);
}
END_TEST

START_TEST(a_waiter_gets_it_when_the_key_is_just_deleted)
{
	struct waiter waiter;

	stranger_everywhere();
	start_waiting(&waiter, rig.client, 60000);
	expect_still_waiting(&waiter, 300);
	stranger_leaves();
	expect_won(&waiter);
	finish(&waiter);
}
END_TEST

START_TEST(a_waiter_gets_it_when_the_nodes_come_back)
{
	struct waiter waiter;

	for (size_t i = 0; i < 3; i++) {
		server_kill(&rig.servers.at[i]);
	}
	start_waiting(&waiter, rig.client, 60000);
	expect_still_waiting(&waiter, 300);
	server_start_again(&rig.servers.at[0], false);
	expect_won(&waiter);
	finish(&waiter);
}
END_TEST

#define CROWD 6

static size_t count_holders(const struct waiter *waiters)
{
	size_t held = 0;

	for (size_t i = 0; i < CROWD; i++) {
		held += redlock_lock_held(waiters[i].lock);
	}
	return held;
}

static bool someone_holds(void *waiters)
{
	return count_holders(waiters) > 0;
}

/* The holder gives it back; meanwhile another one may get it. */
static size_t serve_holder(struct waiter *waiters)
{
	for (size_t i = 0; i < CROWD; i++) {
		if (redlock_lock_held(waiters[i].lock)) {
			expect_won(&waiters[i]);
			rig_release(waiters[i].lock);
			return 1;
		}
	}
	return 0;
}

START_TEST(all_waiters_get_it_one_after_the_other)
{
	struct redlock_client *other = rig_connected_client();
	struct waiter waiters[CROWD];

	for (size_t i = 0; i < CROWD; i++) {
		start_waiting(&waiters[i], i % 2 ? other : rig.client, 60000);
	}
	for (size_t served = 0; served < CROWD;) {
		loop_until(&rig.loop, someone_holds, waiters, "one of the waiters has it");
		ck_assert_uint_eq(count_holders(waiters), 1);
		served += serve_holder(waiters);
	}
	for (size_t i = 0; i < CROWD; i++) {
		ck_assert_uint_eq(waiters[i].outcome.calls, 1);
		redlock_lock_free(waiters[i].lock);
	}
	close_sync(&rig.loop, other);
}
END_TEST

/* ---- It does not ----------------------------------------------------------------------------- */

/* So many nodes said that it is held; if the wait ended in the middle of a round, maybe none. */
static size_t wait_in_vain(void)
{
	struct waiter waiter;
	size_t held;

	start_waiting(&waiter, rig.client, 500);
	loop_wait_for(&rig.loop, &waiter.outcome);
	ck_assert_int_eq(waiter.outcome.status, REDLOCK_ETIMEDOUT);
	ck_assert_uint_ge(waiter.outcome.report.attempts, 1); /* In line, it need not ask again. */
	ck_assert_uint_ge(waiter.outcome.report.waited_ms, 450);
	ck_assert_uint_eq(waiter.outcome.report.validity_ms, 0);
	held = outcome_votes(&waiter.outcome, REDLOCK_VOTE_HELD);
	ck_assert_uint_eq(held + outcome_votes(&waiter.outcome, REDLOCK_VOTE_NONE), 5);
	redlock_lock_free(waiter.lock);
	return held;
}

START_TEST(a_wait_that_is_over_says_that_it_was_held)
{
	unsigned tries = 1;

	stranger_everywhere();
	while (wait_in_vain() < 3) {
		ck_assert_uint_le(++tries, 10);
	}
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 5);
}
END_TEST

START_TEST(a_wait_for_too_few_nodes_says_so_at_its_end)
{
	struct waiter waiter;

	for (size_t i = 0; i < 3; i++) {
		server_kill(&rig.servers.at[i]);
	}
	start_waiting(&waiter, rig.client, 500);
	loop_wait_for(&rig.loop, &waiter.outcome);
	ck_assert_int_eq(waiter.outcome.status, REDLOCK_ENOQUORUM);
	rig_until_gone(NAME);
	redlock_lock_free(waiter.lock);
}
END_TEST

START_TEST(an_attempt_is_always_made_however_short_the_wait)
{
	struct waiter waiter;

	start_waiting(&waiter, rig.client, 1);
	expect_won(&waiter);
	finish(&waiter);
}
END_TEST

START_TEST(a_wait_leaves_no_key_on_the_nodes_that_were_free)
{
	struct waiter waiter;

	for (size_t i = 0; i < 3; i++) {
		rig_stranger(i, NAME);
	}
	start_waiting(&waiter, rig.client, 300);
	loop_wait_for(&rig.loop, &waiter.outcome);
	ck_assert_int_eq(waiter.outcome.status, REDLOCK_ETIMEDOUT);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, NULL), 2);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 3);
	redlock_lock_free(waiter.lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wait");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, a_waiter_gets_it_when_another_client_releases_it);
	tcase_add_test(five, a_waiter_gets_it_when_its_own_client_releases_it);
	tcase_add_test(five, a_waiter_gets_it_when_the_holder_is_freed);
	tcase_add_test(five, a_waiter_gets_it_when_the_other_lease_expires);
	tcase_add_test(five, a_waiter_gets_it_when_the_key_is_just_deleted);
	tcase_add_test(five, a_waiter_gets_it_when_the_nodes_come_back);
	tcase_add_test(five, all_waiters_get_it_one_after_the_other);
	tcase_add_test(five, a_wait_that_is_over_says_that_it_was_held);
	tcase_add_test(five, a_wait_for_too_few_nodes_says_so_at_its_end);
	tcase_add_test(five, an_attempt_is_always_made_however_short_the_wait);
	tcase_add_test(five, a_wait_leaves_no_key_on_the_nodes_that_were_free);
	return rig_run(suite);
}
