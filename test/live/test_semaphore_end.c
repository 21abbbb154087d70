/* test_semaphore_end.c - cancel, free and close at any moment: every callback once, no key left. */
#include "permits.h"

static void on_client_closed(struct redlock_client *client, int status, const void *unused,
			     void *data)
{
	(void)client;
	(void)unused;
	ck_assert_int_eq(status, REDLOCK_OK);
	*(bool *)data = true;
}

/* ---- Cancel ---------------------------------------------------------------------------------- */

START_TEST(a_wait_for_a_permit_can_be_cancelled_and_begun_again)
{
	struct user user;

	strangers_take(3, 0);
	user_open(&user, rig.client, 3);
	for (int i = 0; i < 3; i++) {
		user_start(&user, REDLOCK_WAIT_FOREVER);
		loop_run_ms(&rig.loop, 30);
		ck_assert_int_eq(redlock_semaphore_cancel(user.semaphore), REDLOCK_OK);
		ck_assert_int_eq(redlock_semaphore_cancel(user.semaphore), REDLOCK_EINVAL);
		ck_assert_uint_eq(user.outcome.calls, 0);
		ck_assert_int_eq(user_end(&user), REDLOCK_ECANCELED);
	}
	strangers_leave(3);
	user_take(&user);
	user_give(&user);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* The first end, and then another acquire from inside of it. */
struct again {
	struct outcome first, second;
};

static void begin_again(struct redlock_semaphore *semaphore, int status,
			const struct redlock_report *report, void *data)
{
	struct again *again = data;

	take_outcome(semaphore, status, report, &again->first);
	if (status != 0) {
		ck_assert_int_eq(
			redlock_semaphore_acquire(semaphore, 20000, take_outcome, &again->second),
			REDLOCK_OK);
	}
}

/* However far it has come: a grant may be on its way. */
static void cancel_after(struct user *user, int turns)
{
	struct again again = {0};

	ck_assert_int_eq(redlock_semaphore_acquire(user->semaphore, 20000, begin_again, &again),
			 REDLOCK_OK);
	for (int i = 0; i < turns && !again.first.done; i++) {
		loop_turn(&rig.loop);
	}
	if (!again.first.done) {
		ck_assert_int_eq(redlock_semaphore_cancel(user->semaphore), REDLOCK_OK);
		loop_wait_for(&rig.loop, &again.first);
		ck_assert_int_eq(again.first.status, REDLOCK_ECANCELED);
		loop_wait_for(&rig.loop, &again.second);
		ck_assert_int_eq(again.second.status, REDLOCK_OK);
	}
	ck_assert(redlock_semaphore_held(user->semaphore));
	user_give(user);
}

START_TEST(what_is_cancelled_in_flight_is_given_back_and_can_be_had_at_once)
{
	struct user user;

	user_open(&user, rig.client, 1 + (unsigned)_i);
	for (int turns = 0; turns < 12; turns++) {
		for (int i = 0; i < 5; i++) {
			cancel_after(&user, turns);
		}
	}
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* Plain locks of the same client have the slots: what they give back is handed on in the same
 * moment, and told later. */
static void waiter_behind_locks(struct user *waiter, struct redlock_lock *locks[2])
{
	locks[0] = rig_lock(NAME "#0");
	locks[1] = rig_lock(NAME "#1");
	rig_acquire(locks[0]);
	rig_acquire(locks[1]);
	user_open(waiter, rig.client, 2);
	user_start(waiter, REDLOCK_WAIT_FOREVER);
	loop_run_ms(&rig.loop, 30);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(redlock_release(locks[i], NULL, NULL), REDLOCK_OK);
	}
}

static void finish_behind_locks(struct user *waiter, struct redlock_lock *locks[2])
{
	struct user other;

	user_open(&other, rig.client, 2);
	ck_assert_int_eq(user_try(waiter, 20000), REDLOCK_OK);
	ck_assert_int_eq(user_try(&other, 20000), REDLOCK_OK);
	user_give(waiter);
	user_give(&other);
	redlock_semaphore_free(waiter->semaphore);
	redlock_semaphore_free(other.semaphore);
	redlock_lock_free(locks[0]);
	redlock_lock_free(locks[1]);
}

START_TEST(grants_that_are_not_told_yet_can_be_cancelled)
{
	struct redlock_lock *locks[2];
	struct user waiter;

	waiter_behind_locks(&waiter, locks);
	ck_assert_int_eq(redlock_semaphore_cancel(waiter.semaphore), REDLOCK_OK);
	ck_assert_int_eq(user_end(&waiter), REDLOCK_ECANCELED);
	finish_behind_locks(&waiter, locks);
}
END_TEST

START_TEST(of_two_that_are_granted_one_is_kept)
{
	struct redlock_lock *locks[2];
	struct user waiter;

	waiter_behind_locks(&waiter, locks);
	ck_assert_int_eq(user_end(&waiter), REDLOCK_OK);
	user_give(&waiter);
	finish_behind_locks(&waiter, locks);
}
END_TEST

START_TEST(a_cancelled_extend_leaves_the_permit_as_it_is)
{
	struct user user;

	user_open(&user, rig.client, 2);
	user_take(&user);
	memset(&user.outcome, 0, sizeof user.outcome);
	ck_assert_int_eq(redlock_semaphore_extend(user.semaphore, take_outcome, &user.outcome),
			 REDLOCK_OK);
	ck_assert_int_eq(redlock_semaphore_cancel(user.semaphore), REDLOCK_OK);
	loop_wait_for(&rig.loop, &user.outcome);
	ck_assert_int_eq(user.outcome.status, REDLOCK_ECANCELED);
	ck_assert(redlock_semaphore_held(user.semaphore));
	user_give(&user);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* ---- Free ------------------------------------------------------------------------------------ */

START_TEST(who_waits_and_is_freed_is_told_so_once)
{
	struct user user;

	strangers_take(3, 0);
	user_open(&user, rig.client, 3);
	user_start(&user, REDLOCK_WAIT_FOREVER);
	loop_run_ms(&rig.loop, 30);
	redlock_semaphore_free(user.semaphore);
	ck_assert_uint_eq(user.outcome.calls, 0);
	loop_wait_for(&rig.loop, &user.outcome);
	ck_assert_int_eq(user.outcome.status, REDLOCK_ECANCELED);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(user.outcome.calls, 1);
}
END_TEST

START_TEST(a_handle_may_be_freed_at_any_moment_of_an_acquire)
{
	for (int turns = 0; turns < 12; turns++) {
		struct user user;

		user_open(&user, rig.client, 2);
		user_start(&user, 20000);
		for (int i = 0; i < turns; i++) {
			loop_turn(&rig.loop);
		}
		redlock_semaphore_free(user.semaphore);
		loop_wait_for(&rig.loop, &user.outcome);
		rig_until_gone(NAME "#0");
		rig_until_gone(NAME "#1");
	}
}
END_TEST

/* One handle waits, with all that it may be granted on its way, and is freed. */
START_TEST(a_handle_may_be_freed_with_grants_that_are_not_told_yet)
{
	struct redlock_lock *locks[2];
	struct user waiter, anew;

	waiter_behind_locks(&waiter, locks);
	redlock_semaphore_free(waiter.semaphore);
	loop_wait_for(&rig.loop, &waiter.outcome);
	ck_assert_int_eq(waiter.outcome.status, REDLOCK_ECANCELED);
	user_open(&anew, rig.client, 2);
	finish_behind_locks(&anew, locks);
}
END_TEST

static void free_inside(struct redlock_semaphore *semaphore, int status,
			const struct redlock_report *report, void *data)
{
	redlock_semaphore_free(semaphore);
	outcome_take_freed(NULL, status, report, data);
}

START_TEST(a_handle_may_be_freed_in_the_callback_of_its_acquire)
{
	struct outcome outcome = {0};
	struct user user;

	strangers_take(_i == 0 ? 0 : 3, 0); /* Its grant, or its refusal. */
	user_open(&user, rig.client, 3);
	ck_assert_int_eq(
		redlock_semaphore_acquire(user.semaphore, _i == 2 ? 100 : 0, free_inside, &outcome),
		REDLOCK_OK);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, _i == 0   ? REDLOCK_OK
					 : _i == 1 ? REDLOCK_EHELD
						   : REDLOCK_ETIMEDOUT);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(outcome.calls, 1);
}
END_TEST

START_TEST(a_handle_may_be_freed_in_the_callback_of_its_extend_or_release)
{
	struct outcome outcome = {0};
	struct user user;

	user_open(&user, rig.client, 3);
	user_take(&user);
	ck_assert_int_eq((_i == 0 ? redlock_semaphore_extend : redlock_semaphore_release)(
				 user.semaphore, free_inside, &outcome),
			 REDLOCK_OK);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
}
END_TEST

START_TEST(a_handle_may_be_freed_in_the_news_of_its_lease)
{
	struct redlock_semaphore_options options;
	struct outcome outcome = {0};
	struct user user;

	redlock_semaphore_options_init(&options);
	options.ttl_ms = 600;
	*(_i == 0 ? &options.on_at_risk : &options.on_lost) = free_inside;
	options.data = &outcome;
	user_open_with(&user, rig.client, 2, &options);
	user_take(&user);
	loop_wait_for(&rig.loop, &outcome);
	loop_run_ms(&rig.loop, 700);
	ck_assert_uint_eq(outcome.calls, 1);
}
END_TEST

/* ---- Close ----------------------------------------------------------------------------------- */

START_TEST(who_waits_when_the_client_is_closed_is_told_so)
{
	struct user user;
	bool closed = false;

	strangers_take(3, 0);
	user_open(&user, rig.client, 3);
	user_start(&user, REDLOCK_WAIT_FOREVER);
	loop_run_ms(&rig.loop, _i == 0 ? 0 : 30);
	ck_assert_int_eq(redlock_client_close(rig.client, on_client_closed, &closed), REDLOCK_OK);
	loop_wait(&rig.loop, &closed);
	rig.client = NULL;
	ck_assert_uint_eq(user.outcome.calls, 1);
	ck_assert_int_eq(user.outcome.status, REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_semaphore_acquire(user.semaphore, 0, take_outcome, &user.outcome),
			 REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_semaphore_release(user.semaphore, NULL, NULL), REDLOCK_ECLOSED);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

static bool closed_inside;

static void close_inside(struct redlock_semaphore *semaphore, int status,
			 const struct redlock_report *report, void *data)
{
	ck_assert_int_eq(redlock_client_close(rig.client, on_client_closed, &closed_inside),
			 REDLOCK_OK);
	ck_assert(!redlock_semaphore_held(semaphore));
	take_outcome(semaphore, status, report, data);
}

static void free_and_close_inside(struct redlock_semaphore *semaphore, int status,
				  const struct redlock_report *report, void *data)
{
	close_inside(semaphore, status, report, data);
	redlock_semaphore_free(semaphore);
}

START_TEST(the_client_may_be_closed_in_the_callback_of_an_acquire)
{
	struct outcome outcome = {0};
	struct user user;

	user_open(&user, rig.client, 3);
	ck_assert_int_eq(redlock_semaphore_acquire(user.semaphore, 0,
						   _i == 0 ? close_inside : free_and_close_inside,
						   &outcome),
			 REDLOCK_OK);
	loop_wait(&rig.loop, &closed_inside);
	rig.client = NULL;
	ck_assert_uint_eq(outcome.calls, 1);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	if (_i == 0) {
		redlock_semaphore_free(user.semaphore);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("semaphore_end");
	TCase *three = rig_case(suite, "three nodes", rig_3);

	tcase_add_test(three, a_wait_for_a_permit_can_be_cancelled_and_begun_again);
	tcase_add_loop_test(three, what_is_cancelled_in_flight_is_given_back_and_can_be_had_at_once,
			    0, 3);
	tcase_add_test(three, grants_that_are_not_told_yet_can_be_cancelled);
	tcase_add_test(three, of_two_that_are_granted_one_is_kept);
	tcase_add_test(three, a_cancelled_extend_leaves_the_permit_as_it_is);
	tcase_add_test(three, who_waits_and_is_freed_is_told_so_once);
	tcase_add_test(three, a_handle_may_be_freed_at_any_moment_of_an_acquire);
	tcase_add_test(three, a_handle_may_be_freed_with_grants_that_are_not_told_yet);
	tcase_add_loop_test(three, a_handle_may_be_freed_in_the_callback_of_its_acquire, 0, 3);
	tcase_add_loop_test(three, a_handle_may_be_freed_in_the_callback_of_its_extend_or_release,
			    0, 2);
	tcase_add_loop_test(three, a_handle_may_be_freed_in_the_news_of_its_lease, 0, 2);
	tcase_add_loop_test(three, who_waits_when_the_client_is_closed_is_told_so, 0, 2);
	tcase_add_loop_test(three, the_client_may_be_closed_in_the_callback_of_an_acquire, 0, 2);
	return rig_run(suite);
}
