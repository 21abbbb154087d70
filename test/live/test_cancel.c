/* test_cancel.c - ending an operation before it is over. */
#include "waiter.h"

static void expect_canceled(struct waiter *waiter)
{
	ck_assert_int_eq(redlock_cancel(waiter->lock), REDLOCK_OK);
	ck_assert_uint_eq(waiter->outcome.calls, 0);
	loop_wait_for(&rig.loop, &waiter->outcome);
	ck_assert_int_eq(waiter->outcome.status, REDLOCK_ECANCELED);
	ck_assert(!redlock_lock_held(waiter->lock));
	ck_assert_int_eq(redlock_cancel(waiter->lock), REDLOCK_EINVAL);
}

START_TEST(a_wait_can_be_cancelled)
{
	struct waiter waiter;

	stranger_everywhere();
	start_waiting(&waiter, rig.client, REDLOCK_WAIT_FOREVER);
	expect_still_waiting(&waiter, 100);
	expect_canceled(&waiter);
	stranger_leaves();
	loop_run_ms(&rig.loop, 400);
	ck_assert_uint_eq(rig_count(NAME, NULL), 5);
	ck_assert_uint_eq(waiter.outcome.calls, 1);
	redlock_lock_free(waiter.lock);
}
END_TEST

static void on_alarm(uv_timer_t *alarm)
{
	*(bool *)alarm->data = true;
}

/* Many programs wait so for a callback. It must end the sleep even if nothing else happens. */
START_TEST(a_loop_that_runs_once_at_a_time_does_not_sleep_over_a_callback)
{
	static uv_timer_t alarm; /* It is closed when the loop turns next. */
	bool too_late = false;
	struct waiter waiter;

	ck_assert_int_eq(uv_timer_init(&rig.loop, &alarm), 0);
	alarm.data = &too_late;
	stranger_everywhere();
	start_waiting(&waiter, rig.client, REDLOCK_WAIT_FOREVER);
	expect_still_waiting(&waiter, 20);
	ck_assert_int_eq(uv_timer_start(&alarm, on_alarm, 1000, 0), 0);
	ck_assert_int_eq(redlock_cancel(waiter.lock), REDLOCK_OK);
	while (!waiter.outcome.done) {
		(void)uv_run(&rig.loop, UV_RUN_ONCE);
	}
	ck_assert_msg(!too_late, "the loop slept on after the callback");
	uv_close((uv_handle_t *)&alarm, NULL);
	redlock_lock_free(waiter.lock);
}
END_TEST

START_TEST(a_cancelled_lock_can_be_taken_again)
{
	struct waiter waiter;

	stranger_everywhere();
	start_waiting(&waiter, rig.client, REDLOCK_WAIT_FOREVER);
	expect_still_waiting(&waiter, 20);
	expect_canceled(&waiter);
	stranger_leaves();
	rig_acquire(waiter.lock);
	finish(&waiter);
}
END_TEST

START_TEST(an_attempt_that_is_cancelled_in_flight_leaves_no_key)
{
	struct waiter waiter;

	start_waiting(&waiter, rig.client, 0);
	expect_canceled(&waiter);
	/* Its answers come after all. */
	loop_run_ms(&rig.loop, 200);
	ck_assert_uint_eq(waiter.outcome.calls, 1);
	ck_assert_uint_eq(rig_count(NAME, NULL), 5);
	redlock_lock_free(waiter.lock);
}
END_TEST

START_TEST(a_cancel_that_follows_the_bytes_leaves_no_key)
{
	for (int turns = 1; turns < 12; turns++) {
		struct waiter waiter;

		start_waiting(&waiter, rig.client, 0);
		for (int i = 0; i < turns && !waiter.outcome.done; i++) {
			loop_turn(&rig.loop);
		}
		if (waiter.outcome.done) {
			finish(&waiter);
		} else {
			expect_canceled(&waiter);
			redlock_lock_free(waiter.lock);
		}
		rig_until_gone(NAME);
	}
}
END_TEST

START_TEST(nothing_pending_cannot_be_cancelled)
{
	struct redlock_lock *lock = rig_lock(NAME);

	ck_assert_int_eq(redlock_cancel(lock), REDLOCK_EINVAL);
	rig_acquire(lock);
	ck_assert_int_eq(redlock_cancel(lock), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_cancel(NULL), REDLOCK_EINVAL);
	ck_assert(redlock_lock_held(lock));
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_cancelled_extend_leaves_the_lease_as_it_is)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	rig_acquire(lock);
	ck_assert_int_eq(redlock_extend(lock, outcome_take, &outcome), REDLOCK_OK);
	ck_assert_int_eq(redlock_cancel(lock), REDLOCK_OK);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_ECANCELED);
	ck_assert(redlock_lock_held(lock));
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cancel");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, a_wait_can_be_cancelled);
	tcase_add_test(five, a_loop_that_runs_once_at_a_time_does_not_sleep_over_a_callback);
	tcase_add_test(five, a_cancelled_lock_can_be_taken_again);
	tcase_add_test(five, an_attempt_that_is_cancelled_in_flight_leaves_no_key);
	tcase_add_test(five, a_cancel_that_follows_the_bytes_leaves_no_key);
	tcase_add_test(five, nothing_pending_cannot_be_cancelled);
	tcase_add_test(five, a_cancelled_extend_leaves_the_lease_as_it_is);
	return rig_run(suite);
}
