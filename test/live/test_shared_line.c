/* test_shared_line.c - readers and writers who wait for each other. */
#include "line.h"

#include <string.h>

static struct redlock_lock *reader(struct redlock_client *client)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.shared = true;
	return rig_lock_with(client, NAME, &options);
}

static int tried(struct redlock_lock *lock)
{
	return acquire_sync(&rig.loop, lock, 0, NULL);
}

/* ---- In line --------------------------------------------------------------------------------- */

START_TEST(the_last_reader_calls_the_writer_in_line)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *first = reader(rig.client), *second = reader(rig.client);
	struct waiter writer;

	rig_acquire(first);
	rig_acquire(second);
	start_waiting(&writer, other, REDLOCK_WAIT_FOREVER);
	line_wait(1);
	rig_release(first);
	expect_still_waiting(&writer, 200);
	rig_release(second);
	expect_won(&writer);
	ck_assert_int_eq(writer.outcome.report.way, REDLOCK_WAY_LINE);
	finish(&writer);
	redlock_lock_free(first);
	redlock_lock_free(second);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(a_new_reader_stands_back_for_a_writer_in_line)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *first = reader(rig.client), *late = reader(rig.client);
	struct waiter writer;
	struct outcome outcome = {0};

	rig_acquire(first);
	start_waiting(&writer, other, REDLOCK_WAIT_FOREVER);
	line_wait(1);
	ck_assert_int_eq(tried(late), REDLOCK_EHELD);
	ck_assert_int_eq(redlock_acquire(late, REDLOCK_WAIT_FOREVER, outcome_take, &outcome),
			 REDLOCK_OK);
	ck_assert_int_eq(extend_sync(&rig.loop, first, NULL), REDLOCK_OK); /* It is not new. */
	expect_still_waiting(&writer, 300);
	ck_assert(!redlock_lock_held(late));
	rig_release(first);
	expect_won(&writer);
	expect_still_waiting(&(struct waiter){.lock = late}, 100);
	finish(&writer);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	ck_assert_int_eq(outcome.report.way, REDLOCK_WAY_PAUSES);
	rig_release(late);
	redlock_lock_free(first);
	redlock_lock_free(late);
	close_sync(&rig.loop, other);
}
END_TEST

#define TICKET "ghijklmnopqrstuvghijklmnopqrstuv0123456789ab0100%08x00000001"

START_TEST(a_writer_who_died_in_line_keeps_no_reader_out)
{
	struct redlock_lock *lock = reader(rig.client);

	for (size_t i = 0; i < rig.servers.count; i++) {
		for (unsigned j = 0; j < 3; j++) {
			server_do(&rig.servers.at[i], "ZADD %s %u " TICKET, LINE, j, j);
		}
	}
	rig_acquire(lock);
	rig_until_gone(LINE);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* ---- In the other manners -------------------------------------------------------------------- */

START_TEST(a_reader_waits_in_pauses_until_the_writer_is_gone)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *writer = rig_lock(NAME), *lock = reader(other);
	struct outcome outcome = {0};

	rig_acquire(writer);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 100, NULL), REDLOCK_ETIMEDOUT);
	ck_assert_int_eq(redlock_acquire(lock, REDLOCK_WAIT_FOREVER, outcome_take, &outcome),
			 REDLOCK_OK);
	loop_run_ms(&rig.loop, 100);
	ck_assert_int_eq(server_number(&rig.servers.at[0], "EXISTS " LINE), 0);
	rig_release(writer);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(writer);
	redlock_lock_free(lock);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(a_right_that_is_missing_is_named)
{
	size_t named = 0;
	struct redlock_lock *lock = reader(rig.client), *writer = rig_lock(NAME);
	struct outcome outcome;

	for (size_t i = 0; i < rig.servers.count; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER default -zadd");
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	for (size_t i = 0; i < rig.servers.count; i++) {
		named += strstr(outcome.errors[i], "+zadd") != NULL;
	}
	ck_assert_uint_ge(named, 3);
	rig_acquire(writer); /* Nothing is left of it. */
	rig_release(writer);
	redlock_lock_free(lock);
	redlock_lock_free(writer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shared line");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, the_last_reader_calls_the_writer_in_line);
	tcase_add_test(five, a_new_reader_stands_back_for_a_writer_in_line);
	tcase_add_test(five, a_writer_who_died_in_line_keeps_no_reader_out);
	tcase_add_test(five, a_reader_waits_in_pauses_until_the_writer_is_gone);
	tcase_add_test(five, a_right_that_is_missing_is_named);
	return rig_run(suite);
}
