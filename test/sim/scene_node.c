/* scene_node.c - one node seen from a client: silence, giving up, coming back, surveys. */
#include "scene.h"

START_TEST(a_node_that_was_silent_is_not_asked_until_it_answers)
{
	struct sim_lock *lock;
	unsigned asked;

	scene(5);
	lock = scene_lock(alice);
	sim_pause(sim, 0);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 600 * MS);
	ck_assert(alice->nodes[0].suspect);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_TIMED_OUT), 1);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_resume(sim, 0);
	sim_run(sim, 5 * MS);
	asked = sim->servers[0].asked[RLK_OP_ACQUIRE];
	ck_assert_uint_eq(asked, 1); /* The one that made it suspect. */
	ck_assert(!alice->nodes[0].suspect);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(sim->servers[0].asked[RLK_OP_ACQUIRE], 2);
}
END_TEST

START_TEST(a_node_that_stays_silent_is_connected_to_anew)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_lock_ttl(alice, 60000);
	sim_pause(sim, 0);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 2400 * MS);
	ck_assert_int_eq(alice->nodes[0].state, RLK_UP);
	sim_run(sim, 200 * MS); /* 500 ms of silence, and then 2 s of patience. */
	ck_assert_int_ne(alice->nodes[0].state, RLK_UP);
	sim_resume(sim, 0);
	sim_run(sim, 10 * S);
	ck_assert_int_eq(alice->nodes[0].state, RLK_UP);
	ck_assert(sim_held(lock));
}
END_TEST

START_TEST(a_node_that_is_down_is_not_stormed)
{
	scene(1);
	sim_stop(sim, 0, SIM_KEEPS_ALL, false);
	sim_run(sim, 600 * S);
	/* Pauses grow to 5 s, of which at least a half is kept. */
	ck_assert_uint_ge(alice->conns[0], 600 / 5);
	ck_assert_uint_le(alice->conns[0], 600 * 2 / 5 + 10);
	sim_start(sim, 0);
	sim_run(sim, 6 * S);
	ck_assert_int_eq(alice->nodes[0].state, RLK_UP);
}
END_TEST

START_TEST(connecting_to_a_node_that_does_not_answer_ends)
{
	scene_new(1);
	sim_pause(sim, 0);
	alice = scene_client();
	sim_run(sim, 1999 * MS);
	ck_assert_int_eq(alice->nodes[0].state, RLK_CONNECTING);
	sim_run(sim, 2 * MS);
	ck_assert_int_eq(alice->nodes[0].state, RLK_DOWN);
	sim_resume(sim, 0);
	sim_run(sim, 100 * MS);
	ck_assert_int_eq(alice->nodes[0].state, RLK_UP);
}
END_TEST

START_TEST(two_locks_of_one_client_exclude_each_other)
{
	struct sim_lock *first, *second;

	scene(3);
	first = scene_lock(alice);
	second = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(first, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(second, 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_acquire(second, REDLOCK_WAIT_FOREVER), 0);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	sim_run(sim, 10 * MS);
	ck_assert(sim_held(second));
}
END_TEST

START_TEST(a_survey_ends_whatever_the_nodes_do)
{
	scene_new(5);
	alice = scene_client();
	sim_survey(alice, JOB); /* None is connected yet. */
	sim_stop(sim, 0, SIM_KEEPS_ALL, false);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(sim->surveys, 0);
	sim_survey(alice, NULL);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(sim->surveys, 0);
	sim_pause(sim, 1);
	sim->servers[2].error_percent = 100;
	sim_survey(alice, JOB);
	sim_run(sim, 100 * MS);
	sim_break(alice, 3);
	sim_survey(alice, JOB);
	sim_run(sim, 450 * MS);
	sim_resume(sim, 1);
	sim_run(sim, 3 * S);
	ck_assert_uint_eq(sim->surveys, 0);
}
END_TEST

/* The nodes were away for a while. Once they are back, a connection that breaks for a moment must
 * not cost a lease that is renewed. */
START_TEST(one_broken_connection_after_an_outage_costs_no_lease)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	sim->forgot = true;
	for (i = 0; i < 3; i++) {
		sim->servers[i].durable = true;
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
	}
	sim_run(sim, 30 * S);
	for (i = 0; i < 3; i++) {
		sim_start(sim, i);
	}
	lock = sim_lock_new(
		alice, JOB,
		&(struct rlk_lock_config){.ttl_ms = 3000, .at_risk_ms = 1000, .auto_renew = true});
	ck_assert_int_eq(sim_acquired(lock, 60000), REDLOCK_OK);
	while (alice->nodes[0].state != RLK_UP || alice->nodes[1].state != RLK_UP ||
	       alice->nodes[2].state != RLK_UP) {
		ck_assert(sim_step(sim));
	}
	sim_run(sim, 2 * S);
	ck_assert(sim_held(lock));
	for (i = 0; i < 3; i++) {
		sim_break(alice, i);
	}
	sim_run(sim, 10 * S);
	ck_assert_uint_eq(lock->told[RLK_LOST], 0);
}
END_TEST

void add_node(TCase *tcase)
{
	tcase_add_test(tcase, a_node_that_was_silent_is_not_asked_until_it_answers);
	tcase_add_test(tcase, a_node_that_stays_silent_is_connected_to_anew);
	tcase_add_test(tcase, a_node_that_is_down_is_not_stormed);
	tcase_add_test(tcase, connecting_to_a_node_that_does_not_answer_ends);
	tcase_add_test(tcase, two_locks_of_one_client_exclude_each_other);
	tcase_add_test(tcase, a_survey_ends_whatever_the_nodes_do);
	tcase_add_test(tcase, one_broken_connection_after_an_outage_costs_no_lease);
}
