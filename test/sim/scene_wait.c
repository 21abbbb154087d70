/* scene_wait.c - waiting for a lock that somebody else has. */
#include "scene.h"

START_TEST(a_waiter_gets_the_lock_when_it_is_released)
{
	struct sim_lock *of_bob, *lock;
	uint64_t released_us;

	scene(5);
	of_bob = scene_lock(bob);
	ck_assert_int_eq(sim_acquired(of_bob, 0), REDLOCK_OK);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(lock->told[RLK_ACQUIRED], 0);
	released_us = sim->now_us;
	ck_assert_int_eq(sim_release(of_bob, true), 0);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	/* The longest pause is 250 ms. */
	ck_assert_uint_le(sim->now_us - released_us, 253 * MS);
}
END_TEST

START_TEST(a_waiter_gets_the_lock_of_a_dead_holder_as_soon_as_it_expires)
{
	struct sim_lock *of_bob, *lock;
	uint64_t set_us;

	scene_new(5);
	sim->config.retry_min_ms = sim->config.retry_max_ms = 5000;
	scene_enter();
	of_bob = scene_lock_ttl(bob, 1000);
	set_us = sim->now_us + 1 * MS;
	ck_assert_int_eq(sim_acquired(of_bob, 0), REDLOCK_OK);
	sim_client_pause(bob);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 60000), REDLOCK_OK);
	/* It asked how long the other one lasts, and did not sit out its own pause. */
	ck_assert_uint_ge(sim->now_us - set_us, 999 * MS);
	ck_assert_uint_le(sim->now_us - set_us, 1010 * MS);
}
END_TEST

START_TEST(the_wait_is_over_on_time)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene_in_pauses(5);
	ck_assert_int_eq(sim_acquired(scene_lock(bob), 0), REDLOCK_OK);
	lock = scene_lock(alice);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(lock, 1234), REDLOCK_ETIMEDOUT);
	ck_assert_uint_le(sim->now_us - start_us, 1234 * MS);
	ck_assert_uint_gt(lock->core->attempts, 3);
}
END_TEST

START_TEST(who_tries_again_asks_one_node_first)
{
	struct sim_lock *first, *lock;
	unsigned asked;

	scene_in_pauses(5);
	first = scene_holding(scene_renewed(bob));
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 20 * S);
	asked = sim->servers[0].asked[RLK_OP_ACQUIRE];
	ck_assert_uint_gt(asked, 60);
	ck_assert_uint_le(sim->servers[4].asked[RLK_OP_ACQUIRE], asked / 3);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

START_TEST(one_node_that_refuses_for_long_keeps_nobody_out)
{
	struct sim_lock *first, *lock;

	scene_in_pauses(5);
	first = scene_holding(scene_renewed(bob));
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, S);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	sim_plant(sim, 0, JOB, "somebody else", 600000);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_uint_le(sim_elapsed_us(sim), 4 * S);
}
END_TEST

START_TEST(of_many_who_try_once_at_a_time_one_wins)
{
	struct sim_lock *locks[20];
	struct sim_client *client;
	unsigned i, j, round, won, winners = 0;

	for (round = 0; round < 20; round++) {
		scene(5);
		for (i = 0; i < 20; i++) {
			client = scene_client();
			for (j = 0; j < 5; j++) {
				client->to_us[j] =
					500 + dice_between(&client->dice, 0, 1000) + round * 10;
			}
			locks[i] = scene_lock(client);
		}
		sim_run(sim, 20 * MS);
		for (i = 0; i < 20; i++) {
			ck_assert_int_eq(sim_acquire(locks[i], 0), 0);
		}
		sim_run(sim, 100 * MS);
		for (i = won = 0; i < 20; i++) {
			won += sim_held(locks[i]);
		}
		ck_assert_uint_le(won, 1);
		winners += won;
		sim_end(sim);
		sim = NULL;
	}
	ck_assert_uint_ge(winners, 18);
}
END_TEST

START_TEST(an_attempt_that_the_end_of_the_wait_cuts_short_is_no_success)
{
	struct sim_lock *lock;
	uint64_t start_us, wait_ms;

	scene(3);
	alice->from_us[0] = alice->from_us[1] = alice->from_us[2] = 20 * MS;
	ck_assert_int_eq(sim_acquired(scene_renewed(bob), 0), REDLOCK_OK);
	lock = scene_lock(alice);
	for (wait_ms = 22; wait_ms < 150; wait_ms++) {
		start_us = sim->now_us;
		ck_assert_int_eq(sim_acquired(lock, wait_ms), REDLOCK_ETIMEDOUT);
		ck_assert_uint_le(sim->now_us - start_us, wait_ms * MS);
		ck_assert(!sim_held(lock));
	}
}
END_TEST

START_TEST(without_a_wait_there_is_one_attempt_and_with_a_short_one_it_is_finished)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 1), REDLOCK_OK); /* It takes 2 ms. */
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(scene_lock(bob), 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_EHELD);
	ck_assert_uint_eq(lock->core->attempts, 1);
	ck_assert_int_eq(sim_acquired(lock, 1), REDLOCK_ETIMEDOUT);
	ck_assert_uint_eq(lock->core->attempts, 1);
}
END_TEST

START_TEST(a_wait_can_be_cancelled_between_attempts_and_in_the_middle_of_one)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	ck_assert_int_eq(sim_acquired(scene_lock(bob), 0), REDLOCK_OK);
	lock = scene_lock(alice);
	for (i = 1; i < 200; i++) {
		ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
		sim_run(sim, i * 100);
		ck_assert_int_eq(sim_cancel(lock), 0);
		ck_assert_int_eq(sim_cancel(lock), REDLOCK_EINVAL);
		ck_assert_int_eq(sim_acquire(lock, 0), REDLOCK_EBUSY); /* Not told yet. */
		ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_ECANCELED);
	}
}
END_TEST

START_TEST(a_wait_for_nodes_that_are_down_says_so_in_the_end)
{
	struct sim_lock *lock;
	uint64_t start_us;
	unsigned i;

	scene(3);
	for (i = 0; i < 3; i++) {
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
	}
	sim_run(sim, 5 * MS);
	lock = scene_lock(alice);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_acquired(lock, 1000), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim->now_us - start_us, 1 * S);
}
END_TEST

START_TEST(a_wait_outlasts_an_outage)
{
	struct sim_lock *lock;
	unsigned i;

	scene_new(3);
	sim->config.guard = false; /* They lose nothing here. */
	scene_enter();
	for (i = 0; i < 3; i++) {
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
	}
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 30 * S);
	for (i = 0; i < 3; i++) {
		sim_start(sim, i);
	}
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	/* The longest pause before connecting again is 5 s. */
	ck_assert_uint_le(sim_elapsed_us(sim), 36 * S);
}
END_TEST

START_TEST(two_who_want_it_at_once_both_get_it_one_after_the_other)
{
	struct sim_lock *of_alice, *of_bob;
	unsigned i;

	scene(5);
	of_alice = scene_lock(alice);
	of_bob = scene_lock(bob);
	for (i = 0; i < 5; i++) { /* A split vote: each is nearer to some nodes. */
		*(i % 2 ? &alice->to_us[i] : &bob->to_us[i]) = 3 * MS;
	}
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(sim_acquire(of_alice, REDLOCK_WAIT_FOREVER), 0);
		ck_assert_int_eq(sim_acquire(of_bob, REDLOCK_WAIT_FOREVER), 0);
		while (!sim_held(of_alice) && !sim_held(of_bob)) {
			ck_assert(sim_step(sim));
		}
		sim_run(sim, 100);
		if (sim_held(of_alice)) {
			ck_assert_int_eq(sim_released(of_alice), REDLOCK_OK);
			ck_assert_int_eq(sim_heard(of_bob, RLK_ACQUIRED), REDLOCK_OK);
			ck_assert_int_eq(sim_released(of_bob), REDLOCK_OK);
		} else {
			ck_assert_int_eq(sim_released(of_bob), REDLOCK_OK);
			ck_assert_int_eq(sim_heard(of_alice, RLK_ACQUIRED), REDLOCK_OK);
			ck_assert_int_eq(sim_released(of_alice), REDLOCK_OK);
		}
	}
}
END_TEST

/* Two keys are of the dead; alice has got one vote, bob two. */
START_TEST(who_has_most_of_a_split_vote_comes_back_at_once)
{
	struct sim_lock *of_alice, *of_bob;
	unsigned i;

	scene_new(5);
	sim->config.retry_min_ms = sim->config.retry_max_ms = 200;
	sim->config.in_pauses = true;
	scene_enter();
	for (i = 0; i < 5; i++) {
		alice->to_us[i] = i == 0 ? MS : 5 * MS;
		bob->to_us[i] = i == 1 || i == 2 ? MS : 5 * MS;
	}
	sim_plant(sim, 3, JOB, "one of the dead", 600000);
	sim_plant(sim, 4, JOB, "another one", 600000);
	of_alice = scene_lock(alice);
	of_bob = scene_lock(bob);
	ck_assert_int_eq(sim_acquire(of_alice, REDLOCK_WAIT_FOREVER), 0);
	ck_assert_int_eq(sim_acquire(of_bob, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 50 * MS);
	ck_assert(sim_held(of_bob));
	ck_assert_uint_eq(of_bob->core->attempts, 2);
	ck_assert_uint_eq(of_alice->core->attempts, 1);
}
END_TEST

/* What has the other votes has them for long: nobody asks without pauses. */
START_TEST(who_has_most_of_a_split_vote_asks_no_more_than_twice_without_a_pause)
{
	struct sim_lock *lock;

	scene_in_pauses(5);
	sim_plant(sim, 2, JOB, "one of the dead", 600000);
	sim_plant(sim, 3, JOB, "another one", 600000);
	sim_plant(sim, 4, JOB, "the third", 600000);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 10 * S);
	ck_assert_uint_le(lock->core->attempts, 160); /* The longest pause is 250 ms. */
	ck_assert(!sim_held(lock));
}
END_TEST

void add_wait(TCase *tcase)
{
	tcase_add_test(tcase, who_has_most_of_a_split_vote_comes_back_at_once);
	tcase_add_test(tcase, who_has_most_of_a_split_vote_asks_no_more_than_twice_without_a_pause);
	tcase_add_test(tcase, a_waiter_gets_the_lock_when_it_is_released);
	tcase_add_test(tcase, a_waiter_gets_the_lock_of_a_dead_holder_as_soon_as_it_expires);
	tcase_add_test(tcase, the_wait_is_over_on_time);
	tcase_add_test(tcase, who_tries_again_asks_one_node_first);
	tcase_add_test(tcase, one_node_that_refuses_for_long_keeps_nobody_out);
	tcase_add_test(tcase, of_many_who_try_once_at_a_time_one_wins);
	tcase_add_test(tcase, an_attempt_that_the_end_of_the_wait_cuts_short_is_no_success);
	tcase_add_test(tcase,
		       without_a_wait_there_is_one_attempt_and_with_a_short_one_it_is_finished);
	tcase_add_test(tcase, a_wait_can_be_cancelled_between_attempts_and_in_the_middle_of_one);
	tcase_add_test(tcase, a_wait_for_nodes_that_are_down_says_so_in_the_end);
	tcase_add_test(tcase, a_wait_outlasts_an_outage);
	tcase_add_test(tcase, two_who_want_it_at_once_both_get_it_one_after_the_other);
}
