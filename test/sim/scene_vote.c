/* scene_vote.c - one attempt: who votes, when it is decided, and what is left of it. */
#include "scene.h"

START_TEST(five_nodes_are_asked_at_once_and_the_third_grant_wins)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene(5);
	scene_slow_answers(1 * MS, 1 * MS);
	lock = scene_lock(alice);
	start_us = sim_client_now(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(sim_client_now(alice) - start_us, 4 * MS);
	ck_assert_uint_eq(scene_until_us(lock), start_us + VALID_US);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_GRANTED), 3);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_NONE), 2);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(scene_keys(), 5);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_NONE), 2);
	ck_assert_uint_eq(scene_until_us(lock), start_us + VALID_US);
}
END_TEST

START_TEST(a_minority_that_is_down_costs_nothing)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene(5);
	sim_stop(sim, 3, SIM_KEEPS_ALL, false);
	sim_stop(sim, 4, SIM_KEEPS_ALL, false);
	sim_run(sim, 5 * MS);
	lock = scene_lock(alice);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(sim->now_us - start_us, 2 * MS);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_UNREACHABLE), 2);
}
END_TEST

START_TEST(a_minority_that_hangs_costs_nothing)
{
	uint64_t start_us;

	scene(5);
	sim_pause(sim, 0);
	sim_pause(sim, 1);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	ck_assert_uint_eq(sim->now_us - start_us, 2 * MS);
}
END_TEST

START_TEST(a_majority_that_is_down_is_no_quorum_at_once)
{
	struct sim_lock *lock;
	uint64_t start_us;
	unsigned i;

	scene(5);
	for (i = 0; i < 3; i++) {
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
	}
	sim_run(sim, 5 * MS);
	lock = scene_lock(alice);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim->now_us, start_us);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_majority_that_hangs_is_no_quorum_after_the_node_timeout_and_then_at_once)
{
	struct sim_lock *lock;
	uint64_t start_us;
	unsigned i;

	scene(5);
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	lock = scene_lock(alice);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim->now_us - start_us, 500 * MS);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_TIMED_OUT), 3);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim->now_us, start_us);
	for (i = 0; i < 3; i++) {
		sim_resume(sim, i);
	}
}
END_TEST

START_TEST(held_by_another_is_said_and_costs_the_other_nothing)
{
	struct sim_lock *of_bob, *lock;
	unsigned i;

	scene(5);
	of_bob = scene_lock(bob);
	ck_assert_int_eq(sim_acquired(of_bob, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_EHELD);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 5);
	for (i = 0; i < 3; i++) { /* A clean refusal needs no release. */
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_RELEASE], 0);
	}
}
END_TEST

START_TEST(the_grants_of_a_lost_attempt_are_given_back_and_no_others)
{
	unsigned i;

	scene(5);
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 60000);
	}
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_EHELD);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 3);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, "somebody else", 13), 3);
}
END_TEST

START_TEST(with_four_nodes_two_refusals_decide)
{
	uint64_t start_us;

	scene(4);
	sim_plant(sim, 0, JOB, "somebody else", 60000);
	sim_plant(sim, 1, JOB, "somebody else", 60000);
	alice->from_us[2] = alice->from_us[3] = 100 * MS;
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_EHELD);
	ck_assert_uint_eq(sim->now_us - start_us, 2 * MS);
}
END_TEST

START_TEST(one_node_is_a_quorum_of_one)
{
	scene(1);
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(scene_lock(bob), 0), REDLOCK_EHELD);
}
END_TEST

START_TEST(held_is_told_from_too_few_nodes)
{
	scene(5);
	sim_plant(sim, 0, JOB, "somebody else", 60000);
	sim_stop(sim, 1, SIM_KEEPS_ALL, false);
	sim_stop(sim, 2, SIM_KEEPS_ALL, false);
	sim_run(sim, 5 * MS);
	/* Had node 0 not been somebody's, three would have been enough. */
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_EHELD);
	sim_stop(sim, 3, SIM_KEEPS_ALL, false);
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_ENOQUORUM);
}
END_TEST

START_TEST(grants_that_come_after_the_node_timeout_are_given_back)
{
	unsigned i;

	scene(5);
	for (i = 0; i < 3; i++) {
		alice->to_us[i] = 800 * MS;
	}
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_ENOQUORUM);
	sim_run(sim, 310 * MS);
	ck_assert_uint_eq(scene_keys(), 3); /* Set after all... */
	sim_run(sim, 500 * MS);
	ck_assert_uint_eq(scene_keys(), 0); /* ...and released, behind the SET. */
}
END_TEST

START_TEST(a_quorum_that_comes_too_slowly_is_no_win)
{
	struct sim_lock *lock;
	uint64_t start_us;
	unsigned i;

	scene_new(5);
	sim->config.node_timeout_ms = 2000;
	scene_enter();
	for (i = 0; i < 5; i++) {
		alice->to_us[i] = alice->from_us[i] = 400 * MS;
	}
	lock = scene_lock_ttl(alice, 1000); /* Valid for 988 ms; 200 of them must be left. */
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim->now_us - start_us, 788 * MS);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_loop_that_stood_still_while_the_grants_came_makes_no_win)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_client_pause(alice);
	sim_run(sim, 9 * S);
	sim_client_resume(alice);
	/* Whether the loop looks at its timers or at its sockets first is chance. */
	ck_assert_int_ne(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(an_attempt_waits_for_the_first_connections)
{
	scene_new(3);
	alice = scene_client();
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	ck_assert_uint_eq(sim_elapsed_us(sim), 4 * MS);
}
END_TEST

START_TEST(but_no_longer_than_the_node_timeout_and_then_nothing_has_left)
{
	unsigned i;

	scene_new(3);
	sim->latency_us = 700 * MS;
	alice = scene_client();
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim_elapsed_us(sim), 500 * MS);
	sim_run(sim, 10 * S);
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_ACQUIRE], 0);
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_RELEASE], 0);
	}
}
END_TEST

START_TEST(an_error_is_no_refusal_and_what_it_may_have_set_is_released)
{
	unsigned i;

	scene(5);
	for (i = 0; i < 5; i++) {
		sim->servers[i].error_percent = 100;
	}
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_ENOQUORUM);
	sim_run(sim, 100 * MS);
	for (i = 0; i < 5; i++) {
		sim->servers[i].error_percent = 0;
	}
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(scene_keys(), 0);
	ck_assert_uint_eq(alice->nodes[0].debt_count, 0);
}
END_TEST

START_TEST(no_memory_and_no_entropy_are_told)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	alice->fail_percent = 100;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOMEM);
	alice->fail_percent = 0;
	alice->no_entropy = true;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_EENTROPY);
	alice->no_entropy = false;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
}
END_TEST

START_TEST(a_node_with_too_much_unanswered_is_not_asked)
{
	struct sim_lock *first, *second;

	scene_new(3);
	sim->config.max_in_flight = 1;
	scene_enter();
	first = scene_lock(alice);
	second = sim_lock_new(alice, "jobs:43", NULL);
	ck_assert_int_eq(sim_acquire(first, 0), 0);
	ck_assert_int_eq(sim_acquired(second, 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(scene_votes(second, REDLOCK_VOTE_ERROR), 3);
	ck_assert_int_eq(sim_heard(first, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(second, 1000), REDLOCK_OK);
}
END_TEST

void add_vote(TCase *tcase)
{
	tcase_add_test(tcase, five_nodes_are_asked_at_once_and_the_third_grant_wins);
	tcase_add_test(tcase, a_minority_that_is_down_costs_nothing);
	tcase_add_test(tcase, a_minority_that_hangs_costs_nothing);
	tcase_add_test(tcase, a_majority_that_is_down_is_no_quorum_at_once);
	tcase_add_test(tcase,
		       a_majority_that_hangs_is_no_quorum_after_the_node_timeout_and_then_at_once);
	tcase_add_test(tcase, held_by_another_is_said_and_costs_the_other_nothing);
	tcase_add_test(tcase, the_grants_of_a_lost_attempt_are_given_back_and_no_others);
	tcase_add_test(tcase, with_four_nodes_two_refusals_decide);
	tcase_add_test(tcase, one_node_is_a_quorum_of_one);
	tcase_add_test(tcase, held_is_told_from_too_few_nodes);
	tcase_add_test(tcase, grants_that_come_after_the_node_timeout_are_given_back);
	tcase_add_test(tcase, a_quorum_that_comes_too_slowly_is_no_win);
	tcase_add_test(tcase, a_loop_that_stood_still_while_the_grants_came_makes_no_win);
	tcase_add_test(tcase, an_attempt_waits_for_the_first_connections);
	tcase_add_test(tcase, but_no_longer_than_the_node_timeout_and_then_nothing_has_left);
	tcase_add_test(tcase, an_error_is_no_refusal_and_what_it_may_have_set_is_released);
	tcase_add_test(tcase, no_memory_and_no_entropy_are_told);
	tcase_add_test(tcase, a_node_with_too_much_unanswered_is_not_asked);
}
