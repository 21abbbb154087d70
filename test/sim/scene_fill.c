/* scene_fill.c - nodes that refused a lease that was won, or renewed, are asked again. */
#include "scene.h"

/* The key is somebody else's there for so long. */
static void taken_at(unsigned node, uint32_t for_ms)
{
	sim_plant(sim, node, JOB, "somebody else", for_ms);
}

/* On how many nodes the lease has its key. */
static unsigned keys_of(const struct sim_lock *lock)
{
	return sim_keys_with(sim, JOB, lock->core->attempt->token, RLK_TOKEN_LEN);
}

static struct sim_lock *won_by_three(struct sim_lock *lock, uint32_t others_for_ms)
{
	taken_at(3, others_for_ms);
	taken_at(4, others_for_ms);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	return lock;
}

START_TEST(who_wins_a_split_has_all_nodes_as_soon_as_the_others_have_given_them_back)
{
	struct sim_lock *of_alice, *of_bob;
	uint64_t until_us;

	scene(5);
	of_alice = scene_lock(alice);
	of_bob = scene_lock(bob);
	alice->to_us[3] = alice->to_us[4] = 2 * MS; /* Bob is first there, and last elsewhere. */
	bob->to_us[0] = bob->to_us[1] = bob->to_us[2] = 2 * MS;
	ck_assert_int_eq(sim_acquire(of_alice, 0), 0);
	ck_assert_int_eq(sim_acquire(of_bob, 0), 0);
	ck_assert_int_eq(sim_heard(of_alice, RLK_ACQUIRED), REDLOCK_OK);
	until_us = scene_until_us(of_alice);
	ck_assert_int_eq(sim_heard(of_bob, RLK_ACQUIRED), REDLOCK_EHELD);
	sim_run(sim, 100 * MS);
	ck_assert_uint_eq(keys_of(of_alice), 5);
	ck_assert_uint_eq(scene_until_us(of_alice), until_us);
	ck_assert_int_eq(sim_released(of_alice), REDLOCK_OK);
	sim_run(sim, 100 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_refusal_that_comes_after_the_win_is_made_good_too)
{
	scene(5);
	scene_slow_answers(1 * MS, 1 * MS);
	won_by_three(scene_lock(alice), 4);
	ck_assert_uint_eq(scene_keys(), 3);
	sim_run(sim, 60 * MS);
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

START_TEST(a_fenced_lease_is_filled_up_under_its_token)
{
	struct sim_lock *lock;

	scene(5);
	lock = won_by_three(scene_fenced(alice), 4);
	sim_run(sim, 60 * MS);
	ck_assert_uint_eq(keys_of(lock), 5);
}
END_TEST

START_TEST(what_a_node_kept_for_who_was_called_lasts_as_long_as_the_lease)
{
	struct sim_lock *of_alice, *of_bob;

	scene(5);
	of_alice = scene_holding(scene_lock(alice));
	of_bob = scene_in_line(scene_lock(bob));
	alice->to_us[3] = alice->to_us[4] = 8 * MS; /* It is called there when it has won. */
	ck_assert_int_eq(sim_release(of_alice, true), 0);
	scene_until_had_us(of_bob);
	sim_run(sim, 3 * S);
	ck_assert_uint_eq(keys_of(of_bob), 5);
}
END_TEST

START_TEST(who_refuses_again_and_again_is_left_alone)
{
	scene(5);
	won_by_three(scene_lock_ttl(alice, 60000), 60000);
	sim_run(sim, 50 * S);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_REPAIR) + scene_asked_in_all(RLK_OP_EXTEND),
			  2 * 16);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, "somebody else", 13), 2);
}
END_TEST

START_TEST(but_who_tells_for_how_long_is_asked_when_that_is_over)
{
	scene(5);
	won_by_three(scene_fenced(alice), 5000);
	sim_run(sim, 4 * S);
	ck_assert_uint_eq(scene_keys(), 5);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, "somebody else", 13), 2);
	sim_run(sim, 1100 * MS);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, "somebody else", 13), 0);
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

START_TEST(nobody_is_asked_again_if_nobody_refused)
{
	scene(5);
	sim_pause(sim, 4);
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_REPAIR), 0);
	sim_resume(sim, 4);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 5);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_REPAIR), 0);
}
END_TEST

START_TEST(a_node_that_was_not_there_has_the_lease_soon_after_it_is)
{
	scene(5);
	sim_stop(sim, 4, SIM_FORGETS_ALL, false);
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 4);
	sim_start(sim, 4);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

START_TEST(and_so_has_one_that_missed_the_renewal)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_holding(scene_lock(alice));
	sim_stop(sim, 4, SIM_FORGETS_ALL, false);
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 4);
	sim_start(sim, 4);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

static unsigned questions(unsigned node)
{
	return sim->servers[node].asked[RLK_OP_REPAIR] + sim->servers[node].asked[RLK_OP_EXTEND];
}

/* Before the win, and after it. */
START_TEST(a_node_that_answers_with_an_error_is_not_asked_again_and_again)
{
	struct sim_lock *first, *second;

	scene(5);
	sim->servers[0].error_percent = sim->servers[4].error_percent = 100;
	first = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(first, 0), REDLOCK_OK);
	sim_run(sim, 1 * S);
	second = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(sim_held(second));
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(questions(0) + questions(4), 0);
	sim->servers[0].error_percent = sim->servers[4].error_percent = 0;
}
END_TEST

START_TEST(a_node_that_is_about_to_be_free_all_the_time_is_not_asked_all_the_time)
{
	unsigned i;

	scene(5);
	taken_at(3, 4);
	ck_assert_int_eq(sim_acquired(scene_fenced(alice), 0), REDLOCK_OK);
	for (i = 0; i < 8000; i++) {
		taken_at(3, 2);
		sim_run(sim, 1 * MS);
	}
	ck_assert_uint_le(questions(3), 16 + 8000 / 150 + 1);
}
END_TEST

START_TEST(nothing_is_filled_up_after_the_release)
{
	struct sim_lock *lock;

	scene(5);
	lock = won_by_three(scene_lock(alice), 1);
	ck_assert_int_eq(sim_release(lock, true), 0);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_REPAIR), 0);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(what_is_released_while_it_is_being_filled_up_leaves_nothing)
{
	struct sim_lock *lock;
	uint64_t after_us;

	for (after_us = 0; after_us < 12 * MS; after_us += MS / 2) {
		scene(5);
		lock = won_by_three(scene_lock(alice), 4);
		sim_run(sim, after_us);
		ck_assert_int_eq(sim_release(lock, true), 0);
		sim_run(sim, 1 * S);
		ck_assert_uint_eq(scene_keys(), 0);
		sim_end(sim);
		sim = NULL;
	}
}
END_TEST

START_TEST(a_lease_that_is_handed_on_is_filled_up)
{
	struct sim_lock *first, *second;

	scene(5);
	first = won_by_three(scene_lock(alice), 4);
	second = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(sim_held(second));
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

START_TEST(wherever_it_was_not_known_yet_that_it_is_lacking_too)
{
	struct sim_lock *first, *second;

	scene(5);
	alice->from_us[3] = alice->from_us[4] = 30 * MS;
	first = won_by_three(scene_lock(alice), 60);
	second = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(sim_held(second));
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(keys_of(second), 5);
}
END_TEST

START_TEST(a_lease_of_who_was_called_is_filled_up_where_the_call_is_lost)
{
	struct sim_lock *of_alice, *of_bob;

	scene(5);
	of_alice = scene_holding(scene_lock(alice));
	of_bob = scene_in_line(scene_lock(bob));
	alice->to_us[3] = alice->to_us[4] = 8 * MS;
	bob->to_us[2] = 4 * MS; /* Its vote decides, after the refusals. */
	ck_assert_int_eq(sim_release(of_alice, true), 0);
	scene_until_had_us(of_bob);
	sim_deafen(bob, 3);
	sim_deafen(bob, 4);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(keys_of(of_bob), 5);
}
END_TEST

static void lost_at(unsigned node)
{
	taken_at(node, 40); /* Whoever came there meanwhile leaves again. */
}

START_TEST(a_lease_that_is_renewed_is_filled_up_where_that_was_refused)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_holding(scene_lock(alice));
	lost_at(3);
	lost_at(4);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_uint_eq(keys_of(lock), 3);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(keys_of(lock), 5);
}
END_TEST

START_TEST(and_so_is_the_lease_of_who_was_called)
{
	struct sim_lock *of_alice, *of_bob;

	scene(5);
	of_alice = scene_holding(scene_lock(alice));
	of_bob = scene_in_line(scene_fenced(bob));
	ck_assert_int_eq(sim_release(of_alice, true), 0);
	scene_until_had_us(of_bob);
	sim_run(sim, 5 * MS);
	lost_at(3);
	lost_at(4);
	ck_assert_int_eq(sim_extended(of_bob), REDLOCK_OK);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(keys_of(of_bob), 5);
}
END_TEST

START_TEST(a_refusal_that_comes_after_the_renewal_is_made_good_too)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_holding(scene_lock(alice));
	sim_run(sim, 5 * MS);
	scene_slow_answers(1 * MS, 1 * MS);
	lost_at(3);
	lost_at(4);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(keys_of(lock), 5);
}
END_TEST

START_TEST(a_renewal_that_fails_is_filled_up_too)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_holding(scene_lock(alice));
	sim_pause(sim, 2);
	lost_at(3);
	taken_at(4, 600);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
	sim_run(sim, 1 * S);
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(keys_of(lock), 5);
}
END_TEST

/* The old no would be taken for the answer to what sets the key now. */
START_TEST(who_has_not_answered_a_renewal_yet_is_not_asked)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_lock(alice);
	taken_at(3, 620);
	alice->to_us[3] = 600 * MS; /* More than the node timeout. */
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 400 * MS);
	alice->to_us[3] = 250 * MS; /* Less. */
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	alice->to_us[3] = 100 * MS;
	sim_run(sim, 150 * MS);
	ck_assert(alice->nodes[3].suspect);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 60 * MS); /* It is trusted again: it has answered the acquire. */
	ck_assert(!alice->nodes[3].suspect);
	ck_assert_uint_eq(lock->core->attempt->claims[3].unanswered, 1);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(keys_of(lock), 5);
}
END_TEST

/* Others who go on with it could not know which nodes only keep others out. */
START_TEST(nothing_is_filled_up_under_an_own_token)
{
	scene(5);
	won_by_three(scene_lock_token(alice, "her own"), 4);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 3);
}
END_TEST

void add_fill(TCase *tcase)
{
	tcase_add_test(tcase, a_lease_that_is_handed_on_is_filled_up);
	tcase_add_test(tcase, wherever_it_was_not_known_yet_that_it_is_lacking_too);
	tcase_add_test(tcase, a_lease_of_who_was_called_is_filled_up_where_the_call_is_lost);
	tcase_add_test(tcase, a_lease_that_is_renewed_is_filled_up_where_that_was_refused);
	tcase_add_test(tcase, and_so_is_the_lease_of_who_was_called);
	tcase_add_test(tcase, a_refusal_that_comes_after_the_renewal_is_made_good_too);
	tcase_add_test(tcase, a_renewal_that_fails_is_filled_up_too);
	tcase_add_test(tcase, who_has_not_answered_a_renewal_yet_is_not_asked);
	tcase_add_test(tcase, nothing_is_filled_up_under_an_own_token);
	tcase_add_test(tcase,
		       who_wins_a_split_has_all_nodes_as_soon_as_the_others_have_given_them_back);
	tcase_add_test(tcase, a_refusal_that_comes_after_the_win_is_made_good_too);
	tcase_add_test(tcase, a_fenced_lease_is_filled_up_under_its_token);
	tcase_add_test(tcase, what_a_node_kept_for_who_was_called_lasts_as_long_as_the_lease);
	tcase_add_test(tcase, who_refuses_again_and_again_is_left_alone);
	tcase_add_test(tcase, but_who_tells_for_how_long_is_asked_when_that_is_over);
	tcase_add_test(tcase, nobody_is_asked_again_if_nobody_refused);
	tcase_add_test(tcase, a_node_that_was_not_there_has_the_lease_soon_after_it_is);
	tcase_add_test(tcase, and_so_has_one_that_missed_the_renewal);
	tcase_add_test(tcase, a_node_that_answers_with_an_error_is_not_asked_again_and_again);
	tcase_add_test(tcase,
		       a_node_that_is_about_to_be_free_all_the_time_is_not_asked_all_the_time);
	tcase_add_test(tcase, nothing_is_filled_up_after_the_release);
	tcase_add_test(tcase, what_is_released_while_it_is_being_filled_up_leaves_nothing);
}
