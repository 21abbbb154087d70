/* scene_lesson_wait.c - what went wrong elsewhere in trying again. */
#include "scene.h"

/* The TTL was converted to milliseconds once more for each attempt. */
START_TEST(a_lease_is_no_longer_for_many_attempts)
{
	struct sim_lock *of_bob, *lock;
	unsigned i;

	scene_in_pauses(5);
	of_bob = scene_renewed(bob);
	ck_assert_int_eq(sim_acquired(of_bob, 0), REDLOCK_OK);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 60 * S);
	ck_assert_int_eq(sim_release(of_bob, true), 0);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_uint_gt(lock->core->attempts, 200);
	ck_assert_uint_eq(scene_until_us(lock), lock->core->round.start_us + VALID_US);
	sim_run(sim, 5 * MS);
	for (i = 0; i < 5; i++) {
		ck_assert_uint_le(sim_key(sim, i, JOB)->dies_ms,
				  sim_clock_read(sim, &sim->servers[i].clock) / 1000 + 10000);
	}
}
END_TEST

START_TEST(the_pauses_between_attempts_are_those_asked_for)
{
	struct sim_lock *lock;

	scene_new(3);
	sim->config.retry_min_ms = sim->config.retry_max_ms = 200;
	sim->config.in_pauses = true;
	scene_enter();
	ck_assert_int_eq(sim_acquired(scene_renewed(bob), 0), REDLOCK_OK);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 20000), REDLOCK_ETIMEDOUT);
	/* A pause is between half of that and all of it. */
	ck_assert_uint_le(lock->core->attempts, 201);
	ck_assert_uint_ge(lock->core->attempts, 97);
	ck_assert_uint_le(sim->servers[0].asked[RLK_OP_ACQUIRE], 202);
}
END_TEST

/* With one value for all attempts, and no release between them, the own key is in the way. */
START_TEST(an_attempt_is_not_kept_out_by_the_key_of_the_one_before)
{
	struct sim_lock *lock;
	uint64_t start_us;
	unsigned own;

	for (own = 0; own < 2; own++) {
		scene(3);
		sim_plant(sim, 0, JOB, "somebody else", 150);
		sim_plant(sim, 1, JOB, "somebody else", 60000);
		lock = own ? scene_lock_token(alice, "ours") : scene_lock(alice);
		start_us = sim->now_us;
		ck_assert_int_eq(sim_acquired(lock, 5000), REDLOCK_OK);
		ck_assert_uint_ge(lock->core->attempts, 2);
		ck_assert_uint_le(sim->now_us - start_us, (150 + 253) * MS);
		sim_end(sim);
		sim = NULL;
	}
}
END_TEST

START_TEST(the_end_of_a_wait_tells_of_the_last_attempt)
{
	struct sim_lock *lock;
	unsigned i;

	scene_new(3);
	sim->config.guard = false;
	scene_enter();
	lock = scene_lock(alice);
	for (i = 0; i < 3; i++) {
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
	}
	ck_assert_int_eq(sim_acquire(lock, 20000), 0);
	sim_run(sim, 2 * S);
	for (i = 0; i < 3; i++) {
		sim_start(sim, i);
		sim_plant(sim, i, JOB, "somebody else", 60000);
	}
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_ETIMEDOUT);
	ck_assert_int_eq(sim_acquire(lock, 20000), 0);
	sim_run(sim, 2 * S);
	sim_stop(sim, 0, SIM_KEEPS_ALL, false);
	sim_stop(sim, 1, SIM_KEEPS_ALL, false);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_ENOQUORUM);
}
END_TEST

void add_lesson_wait(TCase *tcase)
{
	tcase_add_test(tcase, a_lease_is_no_longer_for_many_attempts);
	tcase_add_test(tcase, the_pauses_between_attempts_are_those_asked_for);
	tcase_add_test(tcase, an_attempt_is_not_kept_out_by_the_key_of_the_one_before);
	tcase_add_test(tcase, the_end_of_a_wait_tells_of_the_last_attempt);
}
