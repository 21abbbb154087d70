/* scene_line.c - waiting in line at the nodes, behind other clients, when all is well. */
#include "scene.h"

#include <string.h>

START_TEST(who_gives_back_calls_the_next_in_line)
{
	struct sim_lock *first, *second;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	sim_run(sim, 2 * S);
	ck_assert_int_eq(sim_release(first, true), 0);
	/* The release, the call, and the round that confirms it. */
	ck_assert_uint_le(scene_until_had_us(second), 4 * MS);
	ck_assert_uint_eq(scene_keys(), 5);
	ck_assert_uint_eq(scene_tickets(), 0);
	ck_assert_int_eq(sim_released(second), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_lease_that_was_called_for_counts_from_the_round_that_confirms_it)
{
	struct sim_lock *first, *second;
	uint64_t released_us;
	unsigned i;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	sim_run(sim, S);
	released_us = sim_client_now(bob);
	ck_assert_int_eq(sim_release(first, true), 0);
	scene_until_had_us(second);
	ck_assert_uint_ge(second->core->round.start_us, released_us);
	ck_assert_uint_eq(scene_until_us(second), second->core->round.start_us + VALID_US);
	sim_run(sim, 5 * MS);
	for (i = 0; i < 5; i++) {
		ck_assert_uint_ge(sim_server_left_ms(sim, &sim->servers[i], sim_key(sim, i, JOB)),
				  9980);
	}
}
END_TEST

START_TEST(a_handover_costs_the_same_however_many_wait)
{
	struct sim_lock *locks[9];
	unsigned i, before;

	scene(5);
	locks[0] = scene_holding(scene_lock(alice));
	for (i = 1; i < 9; i++) {
		locks[i] = scene_in_line(scene_lock(scene_client()));
	}
	for (i = 0; i < 8; i++) {
		before = scene_asked_anything();
		ck_assert_int_eq(sim_release(locks[i], true), 0);
		ck_assert_uint_le(scene_until_had_us(locks[i + 1]), 4 * MS);
		sim_run(sim, 5 * MS);
		ck_assert_uint_eq(scene_asked_anything() - before, 10);
	}
}
END_TEST

START_TEST(those_in_line_are_served_in_the_order_of_asking)
{
	struct sim_lock *locks[5];
	struct sim_client *client;
	unsigned i, j;

	scene(5);
	locks[0] = scene_holding(scene_lock(alice));
	for (i = 1; i < 5; i++) {
		client = scene_client();
		client->clock.base_us += i % 2 == 0 ? 100 * S : 0;
		client->wall.base_us -= i * 100 * S;
		for (j = 0; j < 5; j++) {
			client->to_us[j] = (6 - i) * MS + j * 100;
		}
		sim_run(sim, 40 * MS);
		scene_in_line(locks[i] = scene_lock(client));
	}
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(sim_release(locks[i], true), 0);
		scene_until_had_us(locks[i + 1]);
	}
}
END_TEST

START_TEST(a_place_in_line_lasts_until_its_client_comes_back)
{
	struct rlk_lock_config brief = {.ttl_ms = 1000, .auto_renew = true};
	struct sim_lock *locks[5];
	unsigned i;

	scene_new(5);
	sim->config.max_ttl_ms = 60000;
	scene_enter();
	locks[0] = scene_holding(scene_lock_ttl(alice, 60000));
	locks[1] = scene_in_line(sim_lock_new(scene_client(), JOB, &brief));
	locks[2] = scene_in_line(scene_lock(scene_client()));
	locks[3] = scene_in_line(scene_lock(scene_client()));
	locks[4] = scene_in_line(scene_lock(bob));
	ck_assert_int_eq(sim_release(locks[0], true), 0);
	scene_until_had_us(locks[1]);
	sim_run(sim, S); /* The two behind it look, while the key has a short time to live. */
	for (i = 2; i < 4; i++) {
		ck_assert_int_eq(sim_cancel(locks[i]), 0);
	}
	sim_run(sim, 45 * S);
	ck_assert_int_eq(sim_release(locks[1], true), 0);
	ck_assert_uint_le(scene_until_had_us(locks[4]), 4 * MS);
}
END_TEST

START_TEST(who_is_in_line_comes_back_only_when_the_other_lease_must_be_over)
{
	struct sim_lock *lock;

	scene(5);
	scene_holding(scene_renewed(bob));
	lock = scene_in_line(scene_lock(alice));
	sim_run(sim, 100 * S);
	ck_assert_int_eq(lock->core->state, RLK_WAITING);
	/* Renewed at a third, the lease has at least two thirds of 10 s left. */
	ck_assert_uint_le(sim->servers[0].asked[RLK_OP_JOIN], 17);
	ck_assert_uint_le(sim->servers[0].asked[RLK_OP_ACQUIRE], 2);
	ck_assert_uint_le(sim->servers[0].asked[RLK_OP_REMAINING], 1);
}
END_TEST

START_TEST(who_stops_waiting_leaves_every_line)
{
	struct sim_lock *second;

	scene(5);
	scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	ck_assert_int_eq(sim_cancel(second), 0);
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(second->status[RLK_ACQUIRED], REDLOCK_ECANCELED);
	ck_assert_uint_eq(scene_tickets(), 0);
}
END_TEST

START_TEST(a_wait_in_line_ends_on_time)
{
	struct sim_lock *second;
	uint64_t start_us;

	scene(5);
	scene_holding(scene_lock(alice));
	second = scene_lock(bob);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(second, 1234), REDLOCK_ETIMEDOUT);
	ck_assert_uint_le(sim->now_us - start_us, 1234 * MS);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(scene_tickets(), 0);
	ck_assert_uint_eq(scene_votes(second, REDLOCK_VOTE_HELD), 5);
}
END_TEST

START_TEST(who_has_a_fencing_token_is_called_too_and_gets_a_greater_one)
{
	struct sim_lock *first, *second;
	uint64_t fence;

	scene(5);
	alice->wall.base_us += 30 * S; /* Its tokens are far ahead. */
	first = scene_holding(scene_fenced(alice));
	fence = sim_fence(first);
	second = scene_in_line(scene_fenced(bob));
	ck_assert_int_eq(sim_release(first, true), 0);
	/* One round more, for a token above the one that was refused. */
	ck_assert_uint_le(scene_until_had_us(second), 7 * MS);
	ck_assert_uint_gt(sim_fence(second), fence);
}
END_TEST

START_TEST(a_client_that_has_had_its_turn_stands_behind_the_others)
{
	struct sim_lock *first, *second, *other;

	scene_new(5);
	sim->config.hand_max = 0;
	scene_enter();
	first = scene_holding(scene_lock(alice));
	other = scene_in_line(scene_lock(bob));
	second = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(second, REDLOCK_WAIT_FOREVER), 0);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_uint_le(scene_until_had_us(other), 4 * MS);
	sim_run(sim, 100 * MS);
	ck_assert_int_eq(sim_release(other, true), 0);
	ck_assert_uint_le(scene_until_had_us(second), 4 * MS);
}
END_TEST

void add_line(TCase *tcase)
{
	tcase_add_test(tcase, who_gives_back_calls_the_next_in_line);
	tcase_add_test(tcase, a_lease_that_was_called_for_counts_from_the_round_that_confirms_it);
	tcase_add_test(tcase, a_handover_costs_the_same_however_many_wait);
	tcase_add_test(tcase, those_in_line_are_served_in_the_order_of_asking);
	tcase_add_test(tcase, a_place_in_line_lasts_until_its_client_comes_back);
	tcase_add_test(tcase, who_is_in_line_comes_back_only_when_the_other_lease_must_be_over);
	tcase_add_test(tcase, who_stops_waiting_leaves_every_line);
	tcase_add_test(tcase, a_wait_in_line_ends_on_time);
	tcase_add_test(tcase, who_has_a_fencing_token_is_called_too_and_gets_a_greater_one);
	tcase_add_test(tcase, a_client_that_has_had_its_turn_stands_behind_the_others);
}
