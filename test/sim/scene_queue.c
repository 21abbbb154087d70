/* scene_queue.c - locks of one client that want the same resource stand in line. */
#include "scene.h"

START_TEST(waiters_get_the_lease_in_the_order_in_which_they_came)
{
	struct sim_lock *first, *waiter[3];
	unsigned i;

	scene(5);
	first = scene_holding(scene_lock(alice));
	for (i = 0; i < 3; i++) {
		waiter[i] = scene_waiting(scene_lock(alice));
	}
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(sim_released(i == 0 ? first : waiter[i - 1]), REDLOCK_OK);
		sim_run(sim, 10 * MS);
		ck_assert(sim_held(waiter[i]));
		ck_assert_uint_eq(waiter[2]->told[RLK_ACQUIRED], i == 2);
	}
}
END_TEST

START_TEST(who_waits_behind_a_lock_of_the_same_client_asks_nobody)
{
	unsigned before;

	scene(5);
	scene_holding(scene_lock_ttl(alice, 60000));
	before = scene_asked_anything();
	scene_waiting(scene_lock(alice));
	scene_waiting(scene_lock(alice));
	sim_run(sim, 30 * S);
	ck_assert_uint_eq(scene_asked_anything(), before);
}
END_TEST

START_TEST(other_clients_get_their_chance)
{
	struct sim_lock *of_bob, *lock[40];
	unsigned i;

	scene_new(5);
	sim->config.retry_min_ms = sim->config.retry_max_ms = 1;
	scene_enter();
	bob->to_us[0] = bob->to_us[1] = bob->to_us[2] = 100; /* Near enough for one millisecond. */
	scene_holding(lock[0] = scene_lock(alice));
	for (i = 1; i < 40; i++) {
		lock[i] = scene_waiting(scene_lock(alice));
	}
	of_bob = scene_waiting(scene_lock(bob));
	for (i = 0; i < 40 && !sim_held(of_bob); i++) {
		while (!sim_held(lock[i]) && !sim_held(of_bob)) {
			sim_run(sim, 1 * MS);
		}
		if (sim_held(lock[i])) {
			ck_assert_int_eq(sim_release(lock[i], true), 0);
		}
	}
	ck_assert(sim_held(of_bob));
	ck_assert_uint_ge(i, 16);
	ck_assert_uint_le(i, 18);
}
END_TEST

/* Who polls would hardly ever hit upon the round trip that a client makes room for. */
START_TEST(others_get_a_longer_chance_from_time_to_time)
{
	struct sim_lock *locks[2];
	uint64_t free_us, longest_us = 0;
	unsigned i, longer = 0;

	scene_new(5);
	sim->config.hand_max = 0;
	scene_enter();
	locks[0] = scene_holding(scene_lock(alice));
	locks[1] = scene_lock(alice);
	for (i = 0; i < 160; i++) {
		ck_assert_int_eq(sim_acquire(locks[(i + 1) % 2], REDLOCK_WAIT_FOREVER), 0);
		sim_run(sim, 50 * MS);
		ck_assert_int_eq(sim_release(locks[i % 2], true), 0);
		free_us = scene_until_had_us(locks[(i + 1) % 2]);
		longest_us = free_us > longest_us ? free_us : longest_us;
		longer += free_us > 10 * MS;
	}
	ck_assert_uint_eq(longer, 2);
	ck_assert_uint_le(longest_us, 40 * MS);
}
END_TEST

START_TEST(a_waiter_may_leave_the_line_at_any_place)
{
	struct sim_lock *first, *waiter[4];
	unsigned i;

	scene(5);
	first = scene_holding(scene_lock(alice));
	for (i = 0; i < 4; i++) {
		waiter[i] = scene_lock(alice);
		ck_assert_int_eq(sim_acquire(waiter[i], i == 1 ? 50 : 100000), 0);
		ck_assert_int_eq(sim_acquire(waiter[i], 1), REDLOCK_EBUSY);
		ck_assert_int_eq(sim_extend(waiter[i]), REDLOCK_EBUSY);
		ck_assert_int_eq(sim_release(waiter[i], true), REDLOCK_EBUSY);
	}
	ck_assert_int_eq(sim_cancel(waiter[0]), 0);
	ck_assert_int_eq(sim_heard(waiter[0], RLK_ACQUIRED), REDLOCK_ECANCELED);
	ck_assert_int_eq(sim_heard(waiter[1], RLK_ACQUIRED), REDLOCK_ETIMEDOUT);
	sim_lock_free(waiter[2]);
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(waiter[2]->status[RLK_ACQUIRED], REDLOCK_ECANCELED);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	sim_run(sim, 10 * MS);
	ck_assert(sim_held(waiter[3]));
}
END_TEST

START_TEST(closing_ends_every_wait)
{
	struct sim_lock *first, *second, *third;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_lock(alice));
	third = scene_waiting(scene_lock(alice));
	sim_client_close(alice);
	sim_run(sim, 1 * S);
	ck_assert_int_eq(first->status[RLK_LOST], REDLOCK_ECLOSED);
	ck_assert_int_eq(second->status[RLK_ACQUIRED], REDLOCK_ECLOSED);
	ck_assert_int_eq(third->status[RLK_ACQUIRED], REDLOCK_ECLOSED);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(when_the_keeper_loses_its_lease_the_next_one_tries)
{
	struct sim_lock *second;

	scene(5);
	scene_holding(scene_lock_ttl(alice, 1000));
	second = scene_lock_ttl(alice, 1000);
	ck_assert_int_eq(sim_acquired(second, 5000), REDLOCK_OK);
	ck_assert_uint_eq(second->core->attempts, 1);
}
END_TEST

START_TEST(who_waited_behind_one_that_met_no_quorum_is_told_so)
{
	struct sim_lock *locks[3];
	unsigned i;

	scene(5);
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	for (i = 0; i < 3; i++) {
		locks[i] = scene_lock(alice);
		ck_assert_int_eq(sim_acquire(locks[i], 2000), 0);
	}
	sim_run(sim, 3 * S);
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(locks[i]->told[RLK_ACQUIRED], 1);
		ck_assert_int_eq(locks[i]->status[RLK_ACQUIRED], REDLOCK_ENOQUORUM);
	}
	for (i = 0; i < 3; i++) {
		sim_resume(sim, i);
	}
	sim_run(sim, 10 * S);
	ck_assert_int_eq(sim_acquired(locks[0], 10000), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(locks[1], 100), REDLOCK_ETIMEDOUT);
}
END_TEST

START_TEST(who_tries_once_stands_in_no_line)
{
	struct sim_lock *first, *second;

	scene(5);
	first = scene_holding(scene_lock(alice));
	scene_waiting(scene_lock(alice));
	second = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(second, 0), REDLOCK_EHELD);
	ck_assert_uint_ge(second->core->attempts, 1);
	ck_assert(sim_held(first));
}
END_TEST

/* Alice's locks always want it, each for 50 ms; Bob wants it half a second after he had it. All
 * have the default pauses. */
START_TEST(another_client_is_not_kept_out_for_minutes_by_a_line_that_never_ends)
{
	struct sim_lock *of_bob, *line[4], *held;
	uint64_t start_us, longest_us = 0, asked_us, back_us = 0;
	unsigned i, got = 0;

	scene(5);
	for (i = 0; i < 4; i++) {
		scene_waiting(line[i] = scene_lock(alice));
	}
	sim_run(sim, 10 * MS);
	of_bob = scene_waiting(scene_lock(bob));
	start_us = asked_us = sim->now_us;
	while (sim->now_us < start_us + 600 * S) {
		for (held = NULL, i = 0; i < 4; i++) {
			held = sim_held(line[i]) ? line[i] : held;
			if (line[i]->core->state == RLK_IDLE) {
				sim_acquire(line[i], REDLOCK_WAIT_FOREVER);
			}
		}
		if (of_bob->core->state == RLK_IDLE && sim->now_us >= back_us) {
			asked_us = sim->now_us;
			scene_waiting(of_bob);
		}
		if (sim_held(of_bob)) {
			longest_us = sim->now_us - asked_us > longest_us ? sim->now_us - asked_us
									 : longest_us;
			got++;
			sim_run(sim, 50 * MS);
			ck_assert_int_eq(sim_released(of_bob), REDLOCK_OK);
			back_us = sim->now_us + 500 * MS; /* He is not greedy. */
		} else if (held != NULL) {
			sim_run(sim, 50 * MS);
			sim_release(held, true);
		}
		sim_run(sim, 1 * MS);
	}
	longest_us = sim->now_us - asked_us > longest_us ? sim->now_us - asked_us : longest_us;
	ck_assert_uint_gt(got, 100);
	ck_assert_uint_le(longest_us, 60 * S);
}
END_TEST

void add_queue(TCase *tcase)
{
	tcase_add_test(tcase, waiters_get_the_lease_in_the_order_in_which_they_came);
	tcase_add_test(tcase, who_waits_behind_a_lock_of_the_same_client_asks_nobody);
	tcase_add_test(tcase, other_clients_get_their_chance);
	tcase_add_test(tcase, others_get_a_longer_chance_from_time_to_time);
	tcase_add_test(tcase, a_waiter_may_leave_the_line_at_any_place);
	tcase_add_test(tcase, closing_ends_every_wait);
	tcase_add_test(tcase, when_the_keeper_loses_its_lease_the_next_one_tries);
	tcase_add_test(tcase, who_waited_behind_one_that_met_no_quorum_is_told_so);
	tcase_add_test(tcase, who_tries_once_stands_in_no_line);
	tcase_add_test(tcase, another_client_is_not_kept_out_for_minutes_by_a_line_that_never_ends);
}
