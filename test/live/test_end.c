/* test_end.c - freeing and closing at any moment: every callback once, no key and no handle left.
 */
#include "rig.h"

#include <string.h>

#define NAME "orders:17"

static void on_closed(struct redlock_client *client, int status, const void *unused, void *data)
{
	(void)client;
	(void)unused;
	ck_assert_int_eq(status, REDLOCK_OK);
	*(bool *)data = true;
}

/* rig.client is gone: rig_close() must not close it once more. */
static void wait_closed(const bool *closed)
{
	loop_wait(&rig.loop, closed);
	rig.client = NULL;
}

/* ---- Free with an operation under way -------------------------------------------------------- */

START_TEST(freeing_a_lock_cancels_its_acquire)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	ck_assert_int_eq(redlock_acquire(lock, 0, outcome_take_freed, &outcome), REDLOCK_OK);
	redlock_lock_free(lock);
	ck_assert_uint_eq(outcome.calls, 0);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_ECANCELED);
	loop_run_ms(&rig.loop, 200);
	ck_assert_uint_eq(rig_count(NAME, NULL), 5);
}
END_TEST

START_TEST(freeing_a_lock_cancels_its_extend_and_gives_it_back)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	rig_acquire(lock);
	ck_assert_int_eq(redlock_extend(lock, outcome_take_freed, &outcome), REDLOCK_OK);
	redlock_lock_free(lock);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_ECANCELED);
	rig_until_gone(NAME);
}
END_TEST

START_TEST(freeing_a_lock_does_not_stop_its_release)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	rig_acquire(lock);
	ck_assert_int_eq(redlock_release(lock, outcome_take_freed, &outcome), REDLOCK_OK);
	redlock_lock_free(lock);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_ECANCELED);
	rig_until_gone(NAME);
}
END_TEST

/* ---- Close ----------------------------------------------------------------------------------- */

#define LOCKS 8

/* One lock in each state that a lock can be in. */
struct crowd {
	struct redlock_lock *locks[LOCKS];
	struct outcome outcomes[LOCKS];
};

static void start_crowd(struct crowd *crowd)
{
	const char *names[LOCKS] = {"a", "b", "c", "d", "e", "f", "g", "h"};

	memset(crowd, 0, sizeof *crowd);
	for (size_t i = 0; i < LOCKS; i++) {
		crowd->locks[i] = rig_lock(names[i]);
		if (i >= 4) {
			rig_acquire(crowd->locks[i]);
		} else if (i >= 2) {
			rig_stranger(0, names[i]);
			rig_stranger(1, names[i]);
			rig_stranger(2, names[i]);
		}
	}
	/* 0, 1: asking; 2, 3: waiting; 4: extending; 5: releasing; 6, 7: held. */
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(redlock_acquire(crowd->locks[i], REDLOCK_WAIT_FOREVER,
						 outcome_take_freed, &crowd->outcomes[i]),
				 REDLOCK_OK);
	}
	ck_assert_int_eq(redlock_extend(crowd->locks[4], outcome_take_freed, &crowd->outcomes[4]),
			 REDLOCK_OK);
	ck_assert_int_eq(redlock_release(crowd->locks[5], outcome_take_freed, &crowd->outcomes[5]),
			 REDLOCK_OK);
}

static void expect_all_closed(const struct crowd *crowd)
{
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(crowd->outcomes[i].calls, 1);
		ck_assert_int_eq(crowd->outcomes[i].status, REDLOCK_ECLOSED);
	}
	for (size_t i = 0; i < LOCKS; i++) {
		ck_assert(!redlock_lock_held(crowd->locks[i]));
		ck_assert_int_eq(redlock_acquire(crowd->locks[i], 0, outcome_take_freed, NULL),
				 REDLOCK_ECLOSED);
		redlock_lock_free(crowd->locks[i]);
	}
}

START_TEST(closing_ends_every_operation_once_and_gives_everything_back)
{
	struct redlock_lock *late = NULL;
	struct crowd crowd;
	bool closed = false;

	start_crowd(&crowd);
	ck_assert_int_eq(redlock_client_close(rig.client, on_closed, &closed), REDLOCK_OK);
	ck_assert_int_eq(redlock_client_close(rig.client, on_closed, &closed), REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_lock_new(&late, rig.client, "x", 1, NULL), REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_extend(crowd.locks[6], outcome_take, NULL), REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_release(crowd.locks[7], NULL, NULL), REDLOCK_ECLOSED);
	wait_closed(&closed);
	expect_all_closed(&crowd);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(server_leftovers(&rig.servers.at[i]), 0);
	}
}
END_TEST

START_TEST(null_is_free_to_free_and_no_client_to_close)
{
	redlock_lock_free(NULL);
	ck_assert_int_eq(redlock_client_close(NULL, NULL, NULL), REDLOCK_EINVAL);
}
END_TEST

START_TEST(closing_needs_no_callback)
{
	struct redlock_lock *lock = rig_lock(NAME);

	rig_acquire(lock);
	redlock_lock_free(lock);
	ck_assert_int_eq(redlock_client_close(rig.client, NULL, NULL), REDLOCK_OK);
	rig.client = NULL;
	loop_run_ms(&rig.loop, 200);
	while (uv_loop_alive(&rig.loop)) {
		(void)uv_run(&rig.loop, UV_RUN_ONCE);
	}
}
END_TEST

START_TEST(closing_waits_for_hung_nodes_no_longer_than_their_timeout)
{
	struct crowd crowd;
	bool closed = false;

	start_crowd(&crowd);
	loop_run_ms(&rig.loop, 50);
	server_stop(&rig.servers.at[3]);
	server_stop(&rig.servers.at[4]);
	ck_assert_int_eq(redlock_client_close(rig.client, on_closed, &closed), REDLOCK_OK);
	wait_closed(&closed);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(server_leftovers(&rig.servers.at[i]), 0);
	}
	for (size_t i = 0; i < LOCKS; i++) {
		redlock_lock_free(crowd.locks[i]);
	}
	/* The releases were sent: the two run them when they go on. */
	server_continue(&rig.servers.at[3]);
	server_continue(&rig.servers.at[4]);
}
END_TEST

START_TEST(a_client_may_be_closed_before_it_is_connected)
{
	close_sync(&rig.loop, rig_client());
	server_stop(&rig.servers.at[0]);
	server_kill(&rig.servers.at[1]);
	close_sync(&rig.loop, rig_client());
	server_continue(&rig.servers.at[0]);
}
END_TEST

START_TEST(a_client_may_be_closed_at_any_turn_of_its_first_acquire)
{
	for (int turns = 0; turns < 12; turns++) {
		struct redlock_client *client = rig_client();
		struct redlock_lock *lock = rig_lock_of(client, NAME);
		struct outcome outcome = {0};

		ck_assert_int_eq(redlock_acquire(lock, 0, outcome_take_freed, &outcome), 0);
		for (int i = 0; i < turns; i++) {
			loop_turn(&rig.loop);
		}
		close_sync(&rig.loop, client);
		ck_assert_uint_eq(outcome.calls, 1);
		redlock_lock_free(lock);
		rig_until_gone(NAME);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("end");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, freeing_a_lock_cancels_its_acquire);
	tcase_add_test(five, freeing_a_lock_cancels_its_extend_and_gives_it_back);
	tcase_add_test(five, freeing_a_lock_does_not_stop_its_release);
	tcase_add_test(five, closing_ends_every_operation_once_and_gives_everything_back);
	tcase_add_test(five, null_is_free_to_free_and_no_client_to_close);
	tcase_add_test(five, closing_needs_no_callback);
	tcase_add_test(five, closing_waits_for_hung_nodes_no_longer_than_their_timeout);
	tcase_add_test(five, a_client_may_be_closed_before_it_is_connected);
	tcase_add_test(five, a_client_may_be_closed_at_any_turn_of_its_first_acquire);
	return rig_run(suite);
}
