/* majority.c - three nodes of five are away: nobody gets the lock, and is told so. */
#include "stage.h"

/* Far above one node timeout, far below the wait of somebody who polls for a lease to end. */
#define QUICKLY_MS 10000

static void expect_no_quorum(void)
{
	struct redlock_lock *lock = stage_lock(stage.alice);
	struct outcome lost;

	ck_assert_int_eq(acquire_sync(&stage.loop, lock, 0, &lost), REDLOCK_ENOQUORUM);
	ck_assert_uint_lt(lost.report.waited_ms, QUICKLY_MS);
	ck_assert(!redlock_lock_held(lock));
	redlock_lock_free(lock);
	stage_wait_keys(3, 4, NULL);
}

START_TEST(without_a_majority_nobody_gets_the_lock)
{
	stage_fault(0, 2, STOP);
	expect_no_quorum();
}
END_TEST

START_TEST(a_frozen_majority_is_found_out_and_left_clean)
{
	stage_fault(0, 2, PAUSE);
	expect_no_quorum();
	stage_fault(0, 2, UNPAUSE);
	stage_wait_votes(stage.alice, NODES);
	stage_wait_keys(0, NODES - 1, NULL);
}
END_TEST

START_TEST(a_majority_without_network_is_found_out)
{
	stage_fault(0, 2, DISCONNECT);
	expect_no_quorum();
}
END_TEST

START_TEST(a_waiting_client_gets_through_when_a_majority_is_back)
{
	struct redlock_lock *lock = stage_lock(stage.alice);
	struct outcome waiting = {0};

	stage_fault(0, 2, STOP);
	ck_assert_int_eq(redlock_acquire(lock, REDLOCK_WAIT_FOREVER, outcome_take, &waiting), 0);
	loop_run_ms(&stage.loop, 1000);
	ck_assert(!waiting.done);
	stage_fault(0, 0, START);
	loop_wait_for(&stage.loop, &waiting);
	ck_assert_int_eq(waiting.status, REDLOCK_OK);
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_failed_extension_leaves_the_lease_as_it_was)
{
	struct redlock_lock *lock = stage_lock(stage.alice);

	ck_assert_int_eq(acquire_sync(&stage.loop, lock, 0, NULL), REDLOCK_OK);
	stage_wait_keys(0, NODES - 1, redlock_lock_token(lock, NULL));
	stage_fault(0, 2, PAUSE);
	ck_assert_int_eq(extend_sync(&stage.loop, lock, NULL), REDLOCK_ENOQUORUM);
	ck_assert(redlock_lock_held(lock));
	stage_fault(0, 2, UNPAUSE);
	stage_wait_votes(stage.alice, NODES);
	ck_assert_int_eq(extend_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
}
END_TEST

void add_majority(Suite *suite)
{
	stage_case(suite, without_a_majority_nobody_gets_the_lock);
	stage_case(suite, a_frozen_majority_is_found_out_and_left_clean);
	stage_case(suite, a_majority_without_network_is_found_out);
	stage_case(suite, a_waiting_client_gets_through_when_a_majority_is_back);
	stage_case(suite, a_failed_extension_leaves_the_lease_as_it_was);
}
