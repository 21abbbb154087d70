/* scene_hand.c - a lease passes from one lock of a client to the next one. */
#include "scene.h"

START_TEST(a_lease_is_handed_on_without_a_word_to_the_nodes)
{
	struct sim_lock *first, *second;
	char token[RLK_TOKEN_MAX];
	uint64_t until_us;
	unsigned before;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_lock(alice));
	before = scene_asked_anything();
	memcpy(token, first->core->attempt->token, RLK_TOKEN_LEN);
	until_us = atomic_load(&first->core->valid_until_us);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(!sim_held(first));
	ck_assert(sim_held(second));
	ck_assert_mem_eq(second->core->attempt->token, token, RLK_TOKEN_LEN);
	ck_assert_uint_eq(atomic_load(&second->core->valid_until_us), until_us);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(first->told[RLK_RELEASED], 1);
	ck_assert_int_eq(first->status[RLK_RELEASED], REDLOCK_OK);
	ck_assert_int_eq(second->status[RLK_ACQUIRED], REDLOCK_OK);
	ck_assert_uint_eq(scene_asked_anything(), before);
	ck_assert_int_eq(sim_released(second), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_lease_that_is_nearly_over_is_extended_before_it_changes_hands)
{
	struct sim_lock *first, *second;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_lock(alice));
	sim_run(sim, 6 * S);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(!sim_held(first));
	ck_assert(!sim_held(second));
	sim_run(sim, 3 * MS);
	ck_assert(sim_held(second));
	ck_assert_uint_ge(atomic_load(&second->core->valid_until_us),
			  sim_client_now(alice) + VALID_US - 3 * MS);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_RELEASE), 0);
}
END_TEST

START_TEST(an_heir_gets_a_fencing_token_of_its_own_in_one_round_trip)
{
	struct sim_lock *first, *second;
	uint64_t fence;

	scene(5);
	first = scene_holding(scene_fenced(alice));
	fence = sim_fence(first);
	second = scene_waiting(scene_fenced(alice));
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(!sim_held(second));
	sim_run(sim, 3 * MS);
	ck_assert(sim_held(second));
	ck_assert_uint_gt(sim_fence(second), fence);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_ADVANCE), 5);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_RELEASE), 0);
	ck_assert_uint_eq(sim_key(sim, 0, JOB)->fence, sim_fence(second));
}
END_TEST

START_TEST(an_unfenced_lease_becomes_a_fenced_one_by_the_same_rules_as_a_new_one)
{
	struct sim_lock *before, *first, *second;
	uint64_t fence;

	scene(5);
	bob->wall.base_us += 30 * S; /* Its tokens are far ahead. */
	before = scene_holding(scene_fenced(bob));
	fence = sim_fence(before);
	ck_assert_int_eq(sim_released(before), REDLOCK_OK);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_fenced(alice));
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 20 * MS);
	ck_assert(sim_held(second));
	ck_assert_uint_gt(sim_fence(second), fence);
}
END_TEST

START_TEST(an_heir_without_fencing_has_no_fencing_token)
{
	struct sim_lock *first, *second;

	scene(5);
	first = scene_holding(scene_fenced(alice));
	second = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	ck_assert(sim_held(second));
	ck_assert_uint_eq(sim_fence(second), 0);
}
END_TEST

START_TEST(an_heir_whose_quorum_is_silent_gives_everything_back_and_tries_again)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene(5);
	first = scene_holding(scene_fenced(alice));
	second = scene_waiting(scene_fenced(alice));
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(second->told[RLK_ACQUIRED], 0);
	for (i = 0; i < 3; i++) {
		sim_resume(sim, i);
	}
	ck_assert_int_eq(sim_heard(second, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_uint_gt(second->core->attempts, 1);
	ck_assert_int_eq(sim_released(second), REDLOCK_OK);
	sim_run(sim, 20 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_lease_that_ended_on_the_way_to_the_heir_is_not_taken)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene_new(3);
	sim->config.node_timeout_ms = 5000;
	scene_enter();
	first = scene_holding(scene_lock_ttl(alice, 1000));
	second = scene_lock_ttl(alice, 1000);
	scene_waiting(second);
	sim_run(sim, 900 * MS);
	for (i = 0; i < 3; i++) {
		/* Executed in time, and heard of when the lease is over. */
		alice->from_us[i] = 200 * MS;
	}
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 205 * MS);
	ck_assert(!sim_held(second));
	for (i = 0; i < 3; i++) {
		alice->from_us[i] = 1 * MS;
	}
	ck_assert_int_eq(sim_heard(second, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_uint_gt(second->core->attempts, 1);
}
END_TEST

/* A renewal for less than is left lengthens nothing, and the end that there is has been told of. */
START_TEST(an_heir_is_warned_once_of_the_end_that_it_inherits)
{
	struct sim_lock *first, *second;

	scene_new(3);
	sim->config.node_timeout_ms = 20000;
	scene_enter();
	first = scene_holding(scene_lock_ttl(alice, 30000));
	second = scene_waiting(scene_lock_ttl(alice, 10000));
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(sim_held(second));
	sim_run(sim, 19 * S);
	alice->from_us[0] = alice->from_us[1] = alice->from_us[2] = 8 * S;
	ck_assert_int_eq(sim_extend(second), 0);
	ck_assert_int_eq(sim_heard(second, RLK_AT_RISK), 0);
	ck_assert_int_eq(sim_heard(second, RLK_EXTENDED), REDLOCK_OK);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(second->told[RLK_AT_RISK], 1);
}
END_TEST

START_TEST(what_the_giver_asked_and_has_not_left_never_does)
{
	struct sim_lock *first, *second, *third;

	scene_new(5);
	sim->config.node_timeout_ms = 30000;
	sim->config.connect_timeout_ms = 30000;
	alice = scene_client();
	sim_cut(alice, 2, 1 * S);
	sim_run(sim, 10 * MS);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_fenced(alice));
	third = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(second, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_int_eq(sim_released(second), REDLOCK_OK);
	sim_run(sim, 2 * S);
	ck_assert(sim_held(third));
	ck_assert_int_eq((int)alice->nodes[2].state, RLK_UP);
	ck_assert_uint_eq(sim->servers[2].asked[RLK_OP_ACQUIRE], 0);
	ck_assert_uint_eq(sim->servers[2].asked[RLK_OP_ADVANCE], 0);
}
END_TEST

START_TEST(an_heir_that_gives_up_meanwhile_gives_back)
{
	struct sim_lock *first, *second;

	scene(5);
	first = scene_holding(scene_fenced(alice));
	second = scene_waiting(scene_fenced(alice));
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_int_eq(sim_cancel(second), 0);
	ck_assert_int_eq(sim_heard(second, RLK_ACQUIRED), REDLOCK_ECANCELED);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* The renewal of the giver is answered when the lease is the heir's, who asked nothing. */
START_TEST(answers_to_the_giver_do_not_lengthen_the_lease_of_the_heir)
{
	struct sim_lock *first, *second;
	uint64_t until_us;

	scene(3);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_lock(alice));
	sim_run(sim, 1 * S);
	ck_assert_int_eq(sim_extend(first), 0);
	until_us = atomic_load(&first->core->valid_until_us);
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(first->status[RLK_EXTENDED], REDLOCK_ECANCELED);
	ck_assert(sim_held(second));
	ck_assert_uint_eq(atomic_load(&second->core->valid_until_us), until_us);
}
END_TEST

/* The answers to the giver's renewal come while the heir's own question is under way. */
START_TEST(answers_to_the_giver_are_no_votes_for_the_heir)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene(3);
	first = scene_holding(scene_fenced(alice));
	second = scene_fenced(alice);
	ck_assert_int_eq(sim_acquired(second, 0), REDLOCK_EHELD); /* As many rounds as the giver. */
	scene_waiting(second);
	ck_assert_int_eq(sim_extend(first), 0);
	sim_run(sim, 1500);
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 10 * MS);
	ck_assert(!sim_held(second));
}
END_TEST

START_TEST(a_callers_own_token_is_not_handed_on)
{
	struct sim_lock *first, *second;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_lock_token(alice, "my-own-token"));
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(!sim_held(second));
	sim_run(sim, 10 * MS);
	ck_assert(sim_held(second));
	ck_assert_mem_eq(second->core->attempt->token, "my-own-token", 12);
	ck_assert_uint_ge(scene_asked_in_all(RLK_OP_RELEASE), 5);
}
END_TEST

void add_hand(TCase *tcase)
{
	tcase_add_test(tcase, a_lease_is_handed_on_without_a_word_to_the_nodes);
	tcase_add_test(tcase, a_lease_that_is_nearly_over_is_extended_before_it_changes_hands);
	tcase_add_test(tcase, an_heir_gets_a_fencing_token_of_its_own_in_one_round_trip);
	tcase_add_test(tcase,
		       an_unfenced_lease_becomes_a_fenced_one_by_the_same_rules_as_a_new_one);
	tcase_add_test(tcase, an_heir_without_fencing_has_no_fencing_token);
	tcase_add_test(tcase, an_heir_whose_quorum_is_silent_gives_everything_back_and_tries_again);
	tcase_add_test(tcase, a_lease_that_ended_on_the_way_to_the_heir_is_not_taken);
	tcase_add_test(tcase, an_heir_is_warned_once_of_the_end_that_it_inherits);
	tcase_add_test(tcase, what_the_giver_asked_and_has_not_left_never_does);
	tcase_add_test(tcase, an_heir_that_gives_up_meanwhile_gives_back);
	tcase_add_test(tcase, answers_to_the_giver_do_not_lengthen_the_lease_of_the_heir);
	tcase_add_test(tcase, answers_to_the_giver_are_no_votes_for_the_heir);
	tcase_add_test(tcase, a_callers_own_token_is_not_handed_on);
}
