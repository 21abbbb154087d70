/* minority.c - two nodes of five are away, and nobody notices. */
#include "stage.h"

/* The whole life of a lock, while nodes 4 and 5 are away. */
static void lock_works(void)
{
	struct redlock_lock *ours = stage_lock(stage.alice);
	struct redlock_lock *theirs = stage_lock(stage.bob);
	struct outcome won;

	ck_assert_int_eq(acquire_sync(&stage.loop, ours, 0, &won), REDLOCK_OK);
	ck_assert_uint_eq(outcome_votes(&won, REDLOCK_VOTE_GRANTED), NODES / 2 + 1);
	ck_assert_int_eq(acquire_sync(&stage.loop, theirs, 0, NULL), REDLOCK_EHELD);
	ck_assert_int_eq(extend_sync(&stage.loop, ours, NULL), REDLOCK_OK);
	ck_assert_int_eq(release_sync(&stage.loop, ours, NULL), REDLOCK_OK);
	ck_assert_int_eq(acquire_sync(&stage.loop, theirs, LOOP_DEADLINE_MS, NULL), REDLOCK_OK);
	ck_assert_int_eq(release_sync(&stage.loop, theirs, NULL), REDLOCK_OK);
	stage_wait_keys(0, 2, NULL);
	redlock_lock_free(ours);
	redlock_lock_free(theirs);
}

START_TEST(two_stopped_nodes_do_not_stand_in_the_way)
{
	stage_fault(3, 4, STOP);
	lock_works();
}
END_TEST

START_TEST(two_frozen_nodes_do_not_stand_in_the_way)
{
	stage_fault(3, 4, PAUSE);
	lock_works();
}
END_TEST

START_TEST(two_nodes_without_network_do_not_stand_in_the_way)
{
	stage_fault(3, 4, DISCONNECT);
	lock_works();
}
END_TEST

START_TEST(what_a_frozen_node_granted_too_late_is_given_back)
{
	struct redlock_lock *lock = stage_lock(stage.alice);

	stage_fault(3, 4, PAUSE);
	ck_assert_int_eq(acquire_sync(&stage.loop, lock, 0, NULL), REDLOCK_OK);
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
	/* Now they read what was sent to them while they were frozen. */
	stage_fault(3, 4, UNPAUSE);
	stage_wait_votes(stage.alice, NODES);
	stage_wait_keys(0, NODES - 1, NULL);
}
END_TEST

/* A lease that five nodes granted, when two of them go away for good. */
static void lease_outlives(enum fault fault)
{
	struct redlock_lock *lock = stage_lock(stage.alice);

	ck_assert_int_eq(acquire_sync(&stage.loop, lock, 0, NULL), REDLOCK_OK);
	stage_wait_keys(0, NODES - 1, redlock_lock_token(lock, NULL));
	stage_fault(0, 1, fault);
	ck_assert(redlock_lock_held(lock));
	ck_assert_int_eq(extend_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	ck_assert(redlock_lock_held(lock));
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
}

START_TEST(a_lease_outlives_the_death_of_two_nodes)
{
	lease_outlives(KILL);
}
END_TEST

START_TEST(a_lease_outlives_two_nodes_that_freeze)
{
	lease_outlives(PAUSE);
}
END_TEST

START_TEST(a_lease_outlives_two_nodes_that_lose_their_network)
{
	lease_outlives(DISCONNECT);
}
END_TEST

void add_minority(Suite *suite)
{
	stage_case(suite, two_stopped_nodes_do_not_stand_in_the_way);
	stage_case(suite, two_frozen_nodes_do_not_stand_in_the_way);
	stage_case(suite, two_nodes_without_network_do_not_stand_in_the_way);
	stage_case(suite, what_a_frozen_node_granted_too_late_is_given_back);
	stage_case(suite, a_lease_outlives_the_death_of_two_nodes);
	stage_case(suite, a_lease_outlives_two_nodes_that_freeze);
	stage_case(suite, a_lease_outlives_two_nodes_that_lose_their_network);
}
