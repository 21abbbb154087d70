/* scene_end.c - the ways out: release, free, close; at any moment, from callbacks too. */
#include "scene.h"

START_TEST(a_release_is_told_at_the_quorum_and_goes_to_all)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	scene_slow_answers(1 * MS, 1 * MS);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_release(lock, true), 0);
	ck_assert(!sim_held(lock));
	ck_assert_int_eq(sim_heard(lock, RLK_RELEASED), REDLOCK_OK);
	ck_assert_uint_eq(sim->now_us - start_us, 4 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_node_that_is_down_gets_its_release_when_it_is_back)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_lock_ttl(alice, 60000);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	sim_stop(sim, 0, SIM_KEEPS_ALL, false);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_lock_free(lock); /* Whatever becomes of the lock. */
	sim_run(sim, 5 * S);
	ck_assert_uint_eq(scene_keys(), 1);
	sim_start(sim, 0);
	sim_run(sim, 6 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_release_without_a_quorum_says_so_and_is_settled_later)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	lock = scene_lock_ttl(alice, 60000);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	for (i = 0; i < 3; i++) {
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
	}
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_released(lock), REDLOCK_ENOQUORUM);
	ck_assert(!sim_held(lock));
	for (i = 0; i < 3; i++) {
		sim_start(sim, i);
	}
	sim_run(sim, 6 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_release_of_what_is_not_ours_any_more_deletes_nothing_and_says_so)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim->forgot = true;
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 60000);
	}
	ck_assert_int_eq(sim_released(lock), REDLOCK_ELOST);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 3);
}
END_TEST

START_TEST(a_release_of_nothing_is_refused_and_one_without_callback_is_quiet)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock_ttl(alice, 1000);
	ck_assert_int_eq(sim_release(lock, true), REDLOCK_EEXPIRED);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_release(lock, false), 0);
	ck_assert_int_eq(sim_release(lock, true), REDLOCK_EBUSY);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(lock->told[RLK_RELEASED], 0);
	ck_assert_uint_eq(scene_keys(), 0);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	ck_assert_int_eq(sim_release(lock, true), REDLOCK_EEXPIRED);
}
END_TEST

START_TEST(a_release_ends_the_renewal_that_is_under_way)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_extend(lock), 0);
	ck_assert_int_eq(sim_release(lock, true), 0);
	ck_assert_int_eq(sim_heard(lock, RLK_RELEASED), REDLOCK_OK);
	ck_assert_int_eq(lock->status[RLK_EXTENDED], REDLOCK_ECANCELED);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_lease_is_given_back_when_its_lock_is_freed_and_nothing_is_told)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_lock_free(lock);
	ck_assert_ptr_null(lock->core);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
	ck_assert_uint_eq(lock->told[RLK_LOST], 0);
}
END_TEST

START_TEST(freeing_ends_what_is_pending_and_it_is_still_told)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_lock_free(lock);
	ck_assert_uint_eq(lock->told[RLK_ACQUIRED], 0); /* Never from inside a call. */
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(lock->told[RLK_ACQUIRED], 1);
	ck_assert_int_eq(lock->status[RLK_ACQUIRED], REDLOCK_ECANCELED);
	ck_assert_ptr_null(lock->core);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

static void free_it(struct sim_lock *lock, enum rlk_news news, int status)
{
	(void)status;
	if (!lock->freed && news == *(const enum rlk_news *)lock->data) {
		sim_lock_free(lock);
	}
}

START_TEST(a_lock_may_be_freed_in_each_of_its_callbacks)
{
	enum rlk_news news;
	struct sim_lock *lock;

	scene(3);
	for (news = RLK_ACQUIRED; news < RLK_NEWS_KINDS; news++) {
		lock = scene_lock_ttl(alice, 1000);
		lock->on_tell = free_it;
		lock->data = &news;
		ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
		if (news == RLK_EXTENDED) {
			ck_assert_int_eq(sim_extend(lock), 0);
		} else if (news == RLK_RELEASED) {
			ck_assert_int_eq(sim_release(lock, true), 0);
		}
		sim_run(sim, 2 * S);
		ck_assert_uint_eq(lock->told[news], 1);
		ck_assert_ptr_null(lock->core);
		ck_assert_uint_eq(scene_keys(), 0);
	}
}
END_TEST

static void again(struct sim_lock *lock, enum rlk_news news, int status)
{
	unsigned *left = lock->data;

	(void)status;
	if (*left == 0) {
		return;
	}
	if (news == RLK_ACQUIRED) {
		ck_assert_int_eq(sim_release(lock, true), 0);
	} else if (news == RLK_RELEASED) {
		--*left;
		ck_assert_int_eq(sim_acquire(lock, 0), 0);
	}
}

START_TEST(callbacks_may_start_the_next_operation)
{
	unsigned left = 10;
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	lock->on_tell = again;
	lock->data = &left;
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 100 * MS);
	ck_assert_uint_eq(left, 0);
	ck_assert_uint_eq(lock->told[RLK_ACQUIRED], 11);
	ck_assert(sim_held(lock));
}
END_TEST

static void close_it(struct sim_lock *lock, enum rlk_news news, int status)
{
	(void)news, (void)status;
	if (!lock->client->closing) {
		sim_client_close(lock->client);
	}
}

/* Else "acquired" would come before "released", and whoever releases then is refused. */
START_TEST(nothing_new_begins_before_the_end_of_the_old_is_told)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock_token(alice, "hers");
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_release(lock, true), 0);
	while (lock->core->state != RLK_IDLE) {
		ck_assert(sim_step(sim));
	}
	ck_assert_uint_eq(lock->told[RLK_RELEASED], 0);
	ck_assert_int_eq(sim_acquire(lock, 0), REDLOCK_EBUSY);
	ck_assert_int_eq(sim_extend(lock), REDLOCK_EBUSY);
	ck_assert_int_eq(sim_heard(lock, RLK_RELEASED), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
}
END_TEST

START_TEST(the_client_may_be_closed_in_a_callback)
{
	struct sim_lock *lock, *other;

	scene(3);
	lock = scene_lock(alice);
	other = sim_lock_new(alice, "jobs:43", NULL);
	lock->on_tell = close_it;
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	ck_assert_int_eq(sim_acquire(other, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 100 * MS);
	ck_assert(alice->stopped);
	ck_assert_int_eq(lock->status[RLK_ACQUIRED], REDLOCK_OK);
	ck_assert_int_eq(lock->status[RLK_LOST], REDLOCK_ECLOSED);
	/* Which of the two was won first is chance. */
	ck_assert_uint_eq(other->told[RLK_ACQUIRED], 1);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(closing_ends_whatever_is_in_flight_and_gives_everything_back)
{
	struct sim_lock *acquiring, *waiting, *holding, *extending, *releasing;
	unsigned i;

	scene(3);
	holding = scene_lock(alice);
	extending = sim_lock_new(alice, "b", NULL);
	releasing = sim_lock_new(alice, "c", NULL);
	acquiring = sim_lock_new(alice, "d", NULL);
	waiting = sim_lock_new(alice, JOB, NULL);
	ck_assert_int_eq(sim_acquired(holding, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(extending, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(releasing, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquire(waiting, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 3 * MS);
	ck_assert_int_eq(sim_extend(extending), 0);
	ck_assert_int_eq(sim_release(releasing, true), 0);
	ck_assert_int_eq(sim_acquire(acquiring, 0), 0);
	sim_survey(alice, JOB);
	sim_run(sim, 500);
	sim_client_close(alice);
	ck_assert_int_eq(sim_acquire(acquiring, 0), REDLOCK_ECLOSED);
	sim_run(sim, 10 * MS);
	ck_assert(alice->stopped);
	ck_assert_int_eq(acquiring->status[RLK_ACQUIRED], REDLOCK_ECLOSED);
	ck_assert_int_eq(waiting->status[RLK_ACQUIRED], REDLOCK_ECLOSED);
	ck_assert_int_eq(extending->status[RLK_EXTENDED], REDLOCK_ECLOSED);
	ck_assert_int_eq(releasing->status[RLK_RELEASED], REDLOCK_ECLOSED);
	ck_assert_int_eq(holding->status[RLK_LOST], REDLOCK_ECLOSED);
	for (i = 0; i < 3; i++) {
		ck_assert_ptr_null(sim_key(sim, i, JOB));
		ck_assert_ptr_null(sim_key(sim, i, "b"));
		ck_assert_ptr_null(sim_key(sim, i, "c"));
		ck_assert_ptr_null(sim_key(sim, i, "d"));
	}
}
END_TEST

START_TEST(closing_waits_for_hung_nodes_no_longer_than_the_node_timeout)
{
	struct sim_lock *lock;
	uint64_t start_us;
	unsigned i;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	start_us = sim->now_us;
	sim_client_close(alice);
	while (!alice->stopped) {
		ck_assert(sim_step(sim));
	}
	ck_assert_uint_le(sim->now_us - start_us, 500 * MS);
	ck_assert_int_eq(lock->status[RLK_LOST], REDLOCK_ECLOSED);
	sim_lock_free(lock);
	ck_assert(alice->gone);
}
END_TEST

void add_end(TCase *tcase)
{
	tcase_add_test(tcase, a_release_is_told_at_the_quorum_and_goes_to_all);
	tcase_add_test(tcase, a_node_that_is_down_gets_its_release_when_it_is_back);
	tcase_add_test(tcase, a_release_without_a_quorum_says_so_and_is_settled_later);
	tcase_add_test(tcase, a_release_of_what_is_not_ours_any_more_deletes_nothing_and_says_so);
	tcase_add_test(tcase, a_release_of_nothing_is_refused_and_one_without_callback_is_quiet);
	tcase_add_test(tcase, a_release_ends_the_renewal_that_is_under_way);
	tcase_add_test(tcase, a_lease_is_given_back_when_its_lock_is_freed_and_nothing_is_told);
	tcase_add_test(tcase, freeing_ends_what_is_pending_and_it_is_still_told);
	tcase_add_test(tcase, a_lock_may_be_freed_in_each_of_its_callbacks);
	tcase_add_test(tcase, callbacks_may_start_the_next_operation);
	tcase_add_test(tcase, nothing_new_begins_before_the_end_of_the_old_is_told);
	tcase_add_test(tcase, the_client_may_be_closed_in_a_callback);
	tcase_add_test(tcase, closing_ends_whatever_is_in_flight_and_gives_everything_back);
	tcase_add_test(tcase, closing_waits_for_hung_nodes_no_longer_than_the_node_timeout);
}
