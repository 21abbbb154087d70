/* scene_debt.c - nothing is left behind, whenever the connection breaks. */
#include "scene.h"

static void break_majority(void)
{
	sim_break(alice, 0);
	sim_break(alice, 1);
	sim_break(alice, 2);
}

START_TEST(a_key_whose_answer_was_lost_is_released_after_reconnecting)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_lock_ttl(alice, 60000);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 1500); /* Set, and the answers are on their way. */
	ck_assert_uint_eq(scene_keys(), 5);
	break_majority();
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_ENOQUORUM);
	sim_run(sim, 300 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_key_that_is_set_after_its_release_is_released_again)
{
	struct sim_lock *lock;

	scene(5);
	sim->stray_percent = 100;
	sim->stray_min_us = sim->stray_max_us = 300 * MS;
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 500);
	break_majority();
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_ENOQUORUM);
	sim_run(sim, 290 * MS);
	ck_assert_uint_ge(sim->servers[0].asked[RLK_OP_RELEASE], 1);
	ck_assert_uint_eq(scene_keys(), 0);
	sim_run(sim, 12 * MS);
	ck_assert_uint_eq(scene_keys(), 3); /* The dead connections delivered. */
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 0);
	/* Asked for until the key would have died by itself, and no longer. */
	ck_assert_uint_eq(alice->nodes[0].debt_count, 1);
	sim_run(sim, 12 * S);
	ck_assert_uint_eq(alice->nodes[0].debt_count, 0);
}
END_TEST

START_TEST(a_node_that_hung_sets_the_key_and_releases_it_at_once)
{
	unsigned i;

	scene(5);
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_ENOQUORUM);
	sim_run(sim, 100 * MS);
	for (i = 0; i < 3; i++) {
		sim_resume(sim, i);
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_ACQUIRE], 0);
	}
	sim_run(sim, 2 * MS);
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_ACQUIRE], 1);
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_RELEASE], 1);
	}
	ck_assert_uint_eq(scene_keys(), 0);
	ck_assert_uint_eq(alice->nodes[0].debt_count, 0);
}
END_TEST

START_TEST(a_node_that_hung_for_long_is_given_up_and_cleaned_up_when_it_goes_on)
{
	unsigned i;

	scene(5);
	sim->stray_percent = 100;
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	ck_assert_int_eq(sim_acquired(scene_lock_ttl(alice, 60000), 0), REDLOCK_ENOQUORUM);
	sim_run(sim, 20 * S);
	ck_assert_int_ne(alice->nodes[0].state, RLK_UP);
	for (i = 0; i < 3; i++) {
		sim_resume(sim, i);
	}
	sim_run(sim, 10 * S);
	ck_assert_int_eq(alice->nodes[0].state, RLK_UP);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(what_has_not_left_needs_no_release)
{
	struct sim_lock *lock;
	unsigned i;

	scene_new(3);
	alice = scene_client();
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	ck_assert_int_eq(sim_cancel(lock), 0);
	sim_run(sim, 1 * S);
	ck_assert_int_eq(lock->status[RLK_ACQUIRED], REDLOCK_ECANCELED);
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_ACQUIRE], 0);
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_RELEASE], 0);
	}
}
END_TEST

START_TEST(a_lease_that_ends_by_the_clock_is_given_back_too)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	ck_assert_uint_eq(scene_keys(), 5); /* Keys outlive the lease by the drift allowance. */
	sim_run(sim, 2 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_debt_dies_with_the_key_at_a_node_that_must_not_be_asked_any_more)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim->servers[0].barred = "is a replica, not a master";
	sim_break(alice, 0);
	sim_run(sim, 200 * MS);
	ck_assert(alice->nodes[0].barred);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 30 * S);
	ck_assert_uint_eq(alice->nodes[0].debt_count, 0);
}
END_TEST

START_TEST(a_connection_that_dies_silently_behind_a_late_answer_is_noticed)
{
	struct sim_lock *first, *second;

	scene(3);
	first = scene_lock(alice);
	second = sim_lock_new(alice, "jobs:43", NULL);
	sim_pause(sim, 0);
	ck_assert_int_eq(sim_acquired(first, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	alice->to_us[0] = 2 * S;
	ck_assert_int_eq(sim_acquired(second, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_released(second), REDLOCK_OK);
	sim_run(sim, 700 * MS);
	ck_assert(alice->nodes[0].suspect);
	sim_resume(sim, 0); /* It answers what it has got... */
	sim_run(sim, 2 * MS);
	ck_assert_uint_eq(alice->nodes[0].in_flight, 2);
	sim_stop(sim, 0, SIM_KEEPS_ALL, true); /* ...and is gone, without a word. */
	sim_run(sim, 10 * S);
	ck_assert_int_ne(alice->nodes[0].state, RLK_UP);
}
END_TEST

void add_debt(TCase *tcase)
{
	tcase_add_test(tcase, a_key_whose_answer_was_lost_is_released_after_reconnecting);
	tcase_add_test(tcase, a_key_that_is_set_after_its_release_is_released_again);
	tcase_add_test(tcase, a_node_that_hung_sets_the_key_and_releases_it_at_once);
	tcase_add_test(tcase, a_node_that_hung_for_long_is_given_up_and_cleaned_up_when_it_goes_on);
	tcase_add_test(tcase, what_has_not_left_needs_no_release);
	tcase_add_test(tcase, a_lease_that_ends_by_the_clock_is_given_back_too);
	tcase_add_test(tcase, a_debt_dies_with_the_key_at_a_node_that_must_not_be_asked_any_more);
	tcase_add_test(tcase, a_connection_that_dies_silently_behind_a_late_answer_is_noticed);
}
