/* test_line_trouble.c - waiting in line, while connections break, scripts are forgotten, nodes are
 * restarted, and the holder has never heard of lines. */
#include "line.h"

#include <stdio.h>

static struct redlock_client *others[2];
static struct waiter holder, second, third;

/* Three clients; nobody's pause ends in a test's time, once it has grown, and no lease. */
static void open_three(const struct server_options *options)
{
	rig_open(5, options);
	rig.options.retry_max_ms = 60000;
	rig_connect();
	others[0] = rig_connected_client();
	others[1] = rig_connected_client();
}

static void rig_three(void)
{
	open_three(NULL);
}

static void rig_durable(void)
{
	open_three(&(struct server_options){.durable = true});
}

static void line_up(void)
{
	start_waiting(&holder, rig.client, 0);
	expect_won(&holder);
	line_join(&second, others[0]);
	loop_run_ms(&rig.loop, 200);
	line_join(&third, others[1]);
}

/* Nobody has lost his place. */
static void expect_handovers(void)
{
	ck_assert_uint_eq(second.outcome.calls, 0);
	rig_release(holder.lock);
	expect_won(&second);
	ck_assert_uint_eq(third.outcome.calls, 0);
	rig_release(second.lock);
	expect_won(&third);
	rig_release(third.lock);
	line_wait(0);
	line_leave(&holder);
	line_leave(&second);
	line_leave(&third);
	close_sync(&rig.loop, others[0]);
	close_sync(&rig.loop, others[1]);
}

static void do_everywhere(const char *command)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		server_do(&rig.servers.at[i], command);
	}
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

START_TEST(scripts_that_were_forgotten_are_sent_again)
{
	line_up();
	do_everywhere("SCRIPT FLUSH");
	expect_handovers();
}
END_TEST

START_TEST(those_whose_calls_break_listen_again_and_keep_their_places)
{
	line_up();
	do_everywhere("CLIENT KILL TYPE pubsub");
	loop_run_ms(&rig.loop, 5);
	line_wait_ears(2); /* Until then they would be passed over, as if they had died. */
	expect_handovers();
}
END_TEST

static bool someone_has_it(void *data)
{
	(void)data;
	return redlock_lock_held(second.lock) || redlock_lock_held(third.lock);
}

START_TEST(a_call_that_nobody_heard_is_made_up_for)
{
	line_up();
	/* Behind the release, so that it may come before or after the calls. */
	ck_assert_int_eq(redlock_release(holder.lock, NULL, NULL), REDLOCK_OK);
	loop_turn(&rig.loop);
	do_everywhere("CLIENT KILL TYPE pubsub");
	loop_until(&rig.loop, someone_has_it, NULL, "one of those in line has it");
	ck_assert(!redlock_lock_held(second.lock) || !redlock_lock_held(third.lock));
	line_leave(&holder);
	line_leave(&second);
	line_leave(&third);
	line_wait(0);
	close_sync(&rig.loop, others[0]);
	close_sync(&rig.loop, others[1]);
}
END_TEST

START_TEST(those_whose_connections_break_keep_their_places)
{
	line_up();
	do_everywhere("CLIENT KILL TYPE normal SKIPME yes");
	loop_run_ms(&rig.loop, 5);
	rig_wait_up(rig.client, 5);
	line_wait_ears(2);
	expect_handovers();
}
END_TEST

static void restart(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		server_kill(&rig.servers.at[i]);
	}
	loop_run_ms(&rig.loop, 50);
	for (size_t i = from; i < to; i++) {
		server_start_again(&rig.servers.at[i], true);
	}
	rig_wait_up(rig.client, 5);
	rig_wait_up(others[0], 5);
	rig_wait_up(others[1], 5);
	line_wait_ears(2);
	line_wait(2);
}

START_TEST(those_in_line_at_a_node_that_is_restarted_keep_their_places)
{
	line_up();
	restart(0, 1);
	expect_handovers();
}
END_TEST

START_TEST(those_in_line_at_nodes_that_are_restarted_keep_their_places)
{
	line_up();
	restart(0, 3);
	restart(2, 5);
	expect_handovers();
}
END_TEST

START_TEST(who_waits_while_a_minority_is_dead_gets_it_from_the_others)
{
	line_up();
	server_kill(&rig.servers.at[0]);
	server_kill(&rig.servers.at[3]);
	loop_run_ms(&rig.loop, 50);
	expect_handovers();
}
END_TEST

/* ---- Strangers ------------------------------------------------------------------------------- */

static void rig_strangers(void)
{
	rig_open(5, NULL);
	rig_connect();
}

/* A word; a random UUID as redis-py has it; 16 random bytes as node-redlock has them. */
static const char *const strange_tokens[] = {"somebody", "0f5a1e4ccd3011f0b5a70242ac110002",
					     "8f14e45fceea167a5a36dedd4bea2543"};

START_TEST(a_stranger_who_deletes_his_key_is_noticed_by_the_first_in_line)
{
	struct waiter waiter;
	char command[160];

	(void)snprintf(command, sizeof command, "SET " NAME " %s PX 600000", strange_tokens[_i]);
	do_everywhere(command);
	line_join(&waiter, rig.client);
	expect_still_waiting(&waiter, 500);
	stranger_leaves();
	expect_won(&waiter);
	finish(&waiter);
	line_wait(0);
}
END_TEST

/* Redisson's locks are hashes. */
START_TEST(a_key_of_another_type_is_waited_for_in_pauses)
{
	struct waiter waiter;

	do_everywhere("HSET " NAME " f v");
	start_waiting(&waiter, rig.client, 60000);
	for (int i = 0; i < 10; i++) {
		expect_still_waiting(&waiter, 50);
		for (size_t node = 0; node < 5; node++) {
			ck_assert_int_ne(server_pttl(&rig.servers.at[node], LINE), -1);
		}
	}
	stranger_leaves();
	expect_won(&waiter);
	finish(&waiter);
	rig_until_gone(NAME);
}
END_TEST

START_TEST(a_key_of_another_type_ends_no_other_line)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *held = rig_lock(NAME), *stranger;
	struct outcome outcome = {0};
	struct waiter waiter;
	uint64_t before_ms;

	rig_acquire(held);
	do_everywhere("HSET invoices f v");
	stranger = rig_lock_of(other, "invoices");
	ck_assert_int_eq(redlock_acquire(stranger, 60000, outcome_take, &outcome), REDLOCK_OK);
	loop_run_ms(&rig.loop, 300);
	before_ms = loop_clock_ms();
	line_join(&waiter, other);
	/* Nodes at which nobody can stand in line are asked again after twice as long. */
	ck_assert_uint_lt(loop_clock_ms() - before_ms, 5000);
	rig_release(held);
	expect_won(&waiter);
	finish(&waiter);
	do_everywhere("DEL invoices");
	loop_wait_for(&rig.loop, &outcome);
	rig_release(stranger);
	redlock_lock_free(stranger);
	redlock_lock_free(held);
	close_sync(&rig.loop, other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("line, in trouble");
	TCase *three = rig_case(suite, "three clients", rig_three);
	TCase *durable = rig_case(suite, "durable nodes", rig_durable);
	TCase *strangers = rig_case(suite, "strangers", rig_strangers);

	tcase_add_test(three, scripts_that_were_forgotten_are_sent_again);
	tcase_add_test(three, those_whose_calls_break_listen_again_and_keep_their_places);
	tcase_add_test(three, a_call_that_nobody_heard_is_made_up_for);
	tcase_add_test(three, those_whose_connections_break_keep_their_places);
	tcase_add_test(three, who_waits_while_a_minority_is_dead_gets_it_from_the_others);
	tcase_add_test(durable, those_in_line_at_a_node_that_is_restarted_keep_their_places);
	tcase_add_test(durable, those_in_line_at_nodes_that_are_restarted_keep_their_places);
	tcase_add_loop_test(strangers,
			    a_stranger_who_deletes_his_key_is_noticed_by_the_first_in_line, 0,
			    (int)(sizeof strange_tokens / sizeof strange_tokens[0]));
	tcase_add_test(strangers, a_key_of_another_type_is_waited_for_in_pauses);
	tcase_add_test(strangers, a_key_of_another_type_ends_no_other_line);
	return rig_run(suite);
}
