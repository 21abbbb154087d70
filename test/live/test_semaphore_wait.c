/* test_semaphore_wait.c - waiting for one permit of several, and never one holder too many. */
#include "permits.h"

/* ---- One waits ------------------------------------------------------------------------------- */

START_TEST(who_gives_a_permit_back_calls_one_that_waits_in_another_client)
{
	struct redlock_client *other = rig_connected_client();
	struct user users[2], waiter;

	for (int i = 0; i < 2; i++) {
		user_open(&users[i], rig.client, 2);
		user_take(&users[i]);
	}
	for (int i = 0; i < 2; i++) { /* It may be the one, and it may be the other. */
		user_open(&waiter, other, 2);
		user_start(&waiter, REDLOCK_WAIT_FOREVER);
		loop_run_ms(&rig.loop, 200);
		ck_assert_uint_eq(waiter.outcome.calls, 0);
		user_give(&users[i]);
		ck_assert_int_eq(user_end(&waiter), REDLOCK_OK);
		ck_assert_int_eq(waiter.outcome.report.way, REDLOCK_WAY_LINE);
		ck_assert_uint_ge(waiter.outcome.report.waited_ms, 150);
		user_give(&waiter);
		redlock_semaphore_free(waiter.semaphore);
		user_take(&users[i]);
	}
	for (int i = 0; i < 2; i++) {
		redlock_semaphore_free(users[i].semaphore);
	}
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(within_one_client_a_permit_is_handed_on)
{
	struct user users[2], waiter;
	char token[REDLOCK_TOKEN_MAX + 1];

	for (int i = 0; i < 2; i++) {
		user_open(&users[i], rig.client, 2);
		user_take(&users[i]);
	}
	(void)snprintf(token, sizeof token, "%s",
		       redlock_semaphore_token(users[1].semaphore, NULL));
	user_open(&waiter, rig.client, 2);
	user_start(&waiter, 60000);
	loop_run_ms(&rig.loop, 50);
	user_give(&users[1]);
	ck_assert_int_eq(user_end(&waiter), REDLOCK_OK);
	ck_assert_str_eq(redlock_semaphore_token(waiter.semaphore, NULL), token);
	user_give(&waiter);
	user_give(&users[0]);
	for (int i = 0; i < 2; i++) {
		redlock_semaphore_free(users[i].semaphore);
	}
	redlock_semaphore_free(waiter.semaphore);
}
END_TEST

START_TEST(a_wait_that_is_over_says_that_all_were_taken)
{
	struct user user;

	strangers_take(3, 0);
	user_open(&user, rig.client, 3);
	ck_assert_int_eq(user_try(&user, 400), REDLOCK_ETIMEDOUT);
	ck_assert_uint_ge(user.outcome.report.waited_ms, 350);
	ck_assert_uint_ge(user.outcome.report.attempts, 3);
	ck_assert_uint_ge(outcome_votes(&user.outcome, REDLOCK_VOTE_HELD), 2);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

START_TEST(however_short_the_wait_all_slots_are_tried)
{
	struct user user;

	strangers_take(4, 0);
	user_open(&user, rig.client, 5);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(user_try(&user, 1), REDLOCK_OK);
		ck_assert_int_eq(redlock_semaphore_slot(user.semaphore), 4);
		user_give(&user);
	}
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* All at once, so that the one who waits for all of them is granted more than one. */
START_TEST(of_several_that_come_free_at_once_only_one_is_kept)
{
	struct user user, others[2];

	strangers_take(3, 1000);
	user_open(&user, rig.client, 3);
	ck_assert_int_eq(user_try(&user, 20000), REDLOCK_OK);
	for (int i = 0; i < 2; i++) {
		user_open(&others[i], rig.client, 3);
		ck_assert_int_eq(user_try(&others[i], 20000), REDLOCK_OK);
	}
	for (int i = 0; i < 2; i++) {
		user_give(&others[i]);
		redlock_semaphore_free(others[i].semaphore);
	}
	user_give(&user);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

START_TEST(a_permit_is_to_be_had_when_the_nodes_come_back)
{
	struct user user;

	server_kill(&rig.servers.at[0]);
	server_kill(&rig.servers.at[1]);
	user_open(&user, rig.client, 3);
	user_start(&user, 60000);
	loop_run_ms(&rig.loop, 300);
	ck_assert_uint_eq(user.outcome.calls, 0);
	server_start_again(&rig.servers.at[0], false);
	ck_assert_int_eq(user_end(&user), REDLOCK_OK);
	user_give(&user);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* ---- Many do --------------------------------------------------------------------------------- */

#define PERMITS 3
#define CLIENTS 4
#define CROWD 8
#define CYCLES 40

/* Takes a permit, keeps it for a moment, and gives it back, again and again. */
struct worker {
	struct redlock_semaphore *semaphore;
	uv_timer_t moment;
	unsigned cycles;
	int slot;
};

static struct worker workers[CROWD];
static const struct worker *holder[PERMITS];
static unsigned holders, most, used[PERMITS], done, closed;

static void begin(struct worker *worker);

static void on_released(struct redlock_semaphore *semaphore, int status,
			const struct redlock_report *report, void *data)
{
	struct worker *worker = data;

	(void)semaphore, (void)report;
	ck_assert_msg(status == REDLOCK_OK, "%s", redlock_status_name(status));
	if (++worker->cycles == CYCLES) {
		done++;
	} else {
		begin(worker);
	}
}

static void on_moment(uv_timer_t *moment)
{
	struct worker *worker = moment->data;

	ck_assert(redlock_semaphore_held(worker->semaphore));
	ck_assert_ptr_eq(holder[worker->slot], worker);
	holder[worker->slot] = NULL;
	holders--;
	ck_assert_int_eq(redlock_semaphore_release(worker->semaphore, on_released, worker),
			 REDLOCK_OK);
}

static void on_granted(struct redlock_semaphore *semaphore, int status,
		       const struct redlock_report *report, void *data)
{
	struct worker *worker = data;

	(void)report;
	ck_assert_msg(status == REDLOCK_OK, "%s", redlock_status_name(status));
	worker->slot = redlock_semaphore_slot(semaphore);
	ck_assert_int_ge(worker->slot, 0);
	ck_assert_msg(holder[worker->slot] == NULL, "two have one slot");
	holder[worker->slot] = worker;
	used[worker->slot]++;
	holders++;
	most = holders > most ? holders : most;
	ck_assert_uint_le(holders, PERMITS);
	ck_assert_int_eq(uv_timer_start(&worker->moment, on_moment, worker->cycles % 4, 0), 0);
}

static void begin(struct worker *worker)
{
	ck_assert_int_eq(redlock_semaphore_acquire(worker->semaphore, REDLOCK_WAIT_FOREVER,
						   on_granted, worker),
			 REDLOCK_OK);
}

static bool all_are_done(void *data)
{
	(void)data;
	return done == CROWD;
}

static void on_closed(uv_handle_t *moment)
{
	(void)moment;
	closed++;
}

static bool all_are_closed(void *data)
{
	(void)data;
	return closed == CROWD;
}

static void work(struct redlock_client *const *clients)
{
	for (size_t i = 0; i < CROWD; i++) {
		struct worker *worker = &workers[i];

		ck_assert_int_eq(redlock_semaphore_new(&worker->semaphore, clients[i % CLIENTS],
						       NAME, strlen(NAME), PERMITS, NULL),
				 REDLOCK_OK);
		ck_assert_int_eq(uv_timer_init(&rig.loop, &worker->moment), 0);
		worker->moment.data = worker;
		begin(worker);
	}
	loop_until(&rig.loop, all_are_done, NULL, "all have had their turns");
	for (size_t i = 0; i < CROWD; i++) {
		redlock_semaphore_free(workers[i].semaphore);
		uv_close((uv_handle_t *)&workers[i].moment, on_closed);
	}
	loop_until(&rig.loop, all_are_closed, NULL, "the timers are closed");
}

static void work_in_clients(void)
{
	struct redlock_client *clients[CLIENTS];

	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = rig_connected_client();
	}
	work(clients);
	ck_assert_uint_eq(most, PERMITS);
	for (size_t i = 0; i < PERMITS; i++) {
		ck_assert_uint_gt(used[i], 0);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		close_sync(&rig.loop, clients[i]);
	}
}

START_TEST(of_eight_in_four_clients_three_hold_and_never_more)
{
	work_in_clients();
}
END_TEST

START_TEST(the_same_with_a_node_down)
{
	server_kill(&rig.servers.at[2]);
	work_in_clients();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("semaphore_wait");
	TCase *three = rig_case(suite, "three nodes", rig_3);

	tcase_add_test(three, who_gives_a_permit_back_calls_one_that_waits_in_another_client);
	tcase_add_test(three, within_one_client_a_permit_is_handed_on);
	tcase_add_test(three, a_wait_that_is_over_says_that_all_were_taken);
	tcase_add_test(three, however_short_the_wait_all_slots_are_tried);
	tcase_add_test(three, of_several_that_come_free_at_once_only_one_is_kept);
	tcase_add_test(three, a_permit_is_to_be_had_when_the_nodes_come_back);
	tcase_add_test(three, of_eight_in_four_clients_three_hold_and_never_more);
	tcase_add_test(three, the_same_with_a_node_down);
	return rig_run(suite);
}
