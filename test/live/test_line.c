/* test_line.c - several clients stand in line at real servers, and all is well. */
#include "line.h"

#include <stdio.h>

#define CROWD 6

static struct redlock_client *clients[CROWD];
static struct waiter waiters[CROWD];

/* The first of them holds it, the others stand in line behind him. No pause would come to its end
 * in a test's time, once it has grown. */
static void rig_line(void)
{
	rig_open(5, NULL);
	rig.options.retry_max_ms = 60000;
	for (size_t i = 0; i < CROWD; i++) {
		clients[i] = rig_connected_client();
	}
	start_waiting(&waiters[0], clients[0], 0);
	expect_won(&waiters[0]);
}

static void line_up(void)
{
	for (size_t i = 1; i < CROWD; i++) {
		/* They ask at different times, however well they know the time. */
		loop_run_ms(&rig.loop, 200);
		line_join(&waiters[i], clients[i]);
	}
}

static void leave(void)
{
	for (size_t i = 0; i < CROWD; i++) {
		line_leave(&waiters[i]);
		close_sync(&rig.loop, clients[i]);
	}
}

static void expect_only_holder(size_t holder)
{
	for (size_t i = 0; i < CROWD; i++) {
		ck_assert_msg(redlock_lock_held(waiters[i].lock) == (i == holder),
			      "%zu held, and it is the turn of %zu", i, holder);
	}
}

/* ---- Handovers ------------------------------------------------------------------------------- */

START_TEST(those_in_line_get_it_in_the_order_of_asking)
{
	line_up();
	for (size_t i = 0; i < CROWD; i++) {
		expect_won(&waiters[i]);
		expect_only_holder(i);
		rig_release(waiters[i].lock);
	}
	line_wait(0);
	leave();
}
END_TEST

START_TEST(a_handover_costs_a_few_commands_however_many_wait)
{
	long long sets, scripts;

	line_up();
	sets = line_calls("set");
	for (size_t i = 0; i + 1 < CROWD; i++) {
		scripts = line_scripts();
		rig_release(waiters[i].lock);
		expect_won(&waiters[i + 1]);
		/* The release and what confirms it, at five nodes; and two who look after it if
		 * this machine stands still. */
		ck_assert_int_le(line_scripts() - scripts, 4 * 5);
	}
	/* It was passed on: nobody came upon it in a pause. */
	ck_assert_int_eq(line_calls("set"), sets);
	rig_release(waiters[CROWD - 1].lock);
	leave();
}
END_TEST

START_TEST(who_waits_in_line_asks_nothing)
{
	long long scripts, sets;

	line_up();
	loop_run_ms(&rig.loop, 300);
	scripts = line_scripts();
	sets = line_calls("set");
	loop_run_ms(&rig.loop, 1000);
	ck_assert_int_eq(line_scripts(), scripts);
	ck_assert_int_eq(line_calls("set"), sets);
	leave();
	line_wait(0);
}
END_TEST

START_TEST(whoever_stops_waiting_leaves_the_line_at_every_node)
{
	line_up();
	line_leave(&waiters[1]);
	line_wait(CROWD - 2);
	rig_release(waiters[0].lock);
	expect_won(&waiters[2]);
	leave();
	line_wait(0);
	rig_until_gone(NAME);
}
END_TEST

START_TEST(a_client_that_closes_leaves_the_line)
{
	line_up();
	close_sync(&rig.loop, clients[1]);
	ck_assert_int_eq(waiters[1].outcome.status, REDLOCK_ECLOSED);
	line_wait_ears(CROWD - 2);
	rig_release(waiters[0].lock);
	expect_won(&waiters[2]);
	line_leave(&waiters[1]);
	clients[1] = rig_connected_client();
	leave();
	line_expect_mortal();
}
END_TEST

/* ---- Fencing --------------------------------------------------------------------------------- */

static void start_fenced(struct waiter *waiter, struct redlock_client *client)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.fence = true;
	redlock_lock_free(waiter->lock);
	memset(waiter, 0, sizeof *waiter);
	waiter->lock = rig_lock_with(client, NAME, &options);
	ck_assert_int_eq(
		redlock_acquire(waiter->lock, REDLOCK_WAIT_FOREVER, outcome_take, &waiter->outcome),
		REDLOCK_OK);
}

/* Young nodes differ in the token that they want, so that a holder has not all of them: at the
 * others nobody need stand in line. */
START_TEST(fencing_tokens_grow_with_each_handover)
{
	uint64_t fence, last = 0;

	rig_release(waiters[0].lock);
	start_fenced(&waiters[0], clients[0]);
	expect_won(&waiters[0]);
	start_fenced(&waiters[1], clients[1]);
	line_wait_quorum();
	for (size_t i = 0; i < 50; i++) {
		struct waiter *holder = &waiters[i % 2];

		expect_won(holder);
		fence = redlock_lock_fence(holder->lock);
		ck_assert_uint_gt(fence, last);
		last = fence;
		line_wait_quorum();
		rig_release(holder->lock);
		start_fenced(holder, clients[i % 2]);
	}
	leave();
	line_wait(0);
}
END_TEST

/* ---- In pauses ------------------------------------------------------------------------------- */

static void expect_waits_in_pauses(struct redlock_client *client, const char *token)
{
	struct redlock_lock_options options;
	struct waiter waiter = {0};
	size_t ears = line_ears();
	long long sets = line_calls("set");

	redlock_lock_options_init(&options);
	options.token = token;
	options.token_len = token ? strlen(token) : 0;
	waiter.lock = rig_lock_with(client, NAME, &options);
	ck_assert_int_eq(
		redlock_acquire(waiter.lock, REDLOCK_WAIT_FOREVER, outcome_take, &waiter.outcome),
		REDLOCK_OK);
	expect_still_waiting(&waiter, 300);
	ck_assert_uint_eq(line_ears(), ears);
	ck_assert_int_ge(line_calls("set") - sets, 5 + 2);
	rig_release(waiters[0].lock);
	expect_won(&waiter);
	ck_assert_uint_ge(waiter.outcome.report.attempts, 3);
	finish(&waiter);
	ck_assert_int_eq(line_calls("zadd"), 0);
	leave();
}

static void rig_pauses(void)
{
	rig_line();
	rig.options.retry_max_ms = 50;
}

START_TEST(a_client_that_waits_in_pauses_stands_in_no_line_and_listens_to_nobody)
{
	struct redlock_client *client;

	rig.options.wait_in_pauses = true;
	client = rig_connected_client();
	expect_waits_in_pauses(client, NULL);
	close_sync(&rig.loop, client);
}
END_TEST

START_TEST(a_lock_with_an_own_token_waits_in_pauses)
{
	struct redlock_client *client = rig_connected_client();

	expect_waits_in_pauses(client, "machine-7/job-19");
	close_sync(&rig.loop, client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("line");
	TCase *line = rig_case(suite, "line", rig_line);
	TCase *pauses = rig_case(suite, "pauses", rig_pauses);

	tcase_add_test(line, those_in_line_get_it_in_the_order_of_asking);
	tcase_add_test(line, a_handover_costs_a_few_commands_however_many_wait);
	tcase_add_test(line, who_waits_in_line_asks_nothing);
	tcase_add_test(line, whoever_stops_waiting_leaves_the_line_at_every_node);
	tcase_add_test(line, a_client_that_closes_leaves_the_line);
	tcase_add_test(line, fencing_tokens_grow_with_each_handover);
	tcase_add_test(pauses,
		       a_client_that_waits_in_pauses_stands_in_no_line_and_listens_to_nobody);
	tcase_add_test(pauses, a_lock_with_an_own_token_waits_in_pauses);
	return rig_run(suite);
}
