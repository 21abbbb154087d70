/* test_liars.c - servers that speak well and do not tell the truth: what is still promised, and
 * what is not. */
#include <stdio.h>
#include <string.h>

#include "company.h"
#include "rows.h"

/* ---- What a node says of itself -------------------------------------------------------------- */

struct look {
	bool done;
	size_t up, barred, withheld;
	uint64_t guard_ms;
	char error[256];
};

static void on_look(struct redlock_client *of, int status,
		    const struct redlock_inspection *inspection, void *data)
{
	struct look *look = data;

	(void)of;
	(void)status;
	memset(look, 0, sizeof *look);
	look->done = true;
	for (size_t i = 0; i < inspection->node_count; i++) {
		const struct redlock_node_status *node = &inspection->nodes[i];

		look->up += node->state == REDLOCK_NODE_UP && node->guard_ms == 0;
		look->withheld += node->guard_ms > 0;
		look->guard_ms = node->guard_ms > look->guard_ms ? node->guard_ms : look->guard_ms;
		look->barred += node->state == REDLOCK_NODE_BARRED;
		if (node->error[0]) {
			(void)snprintf(look->error, sizeof look->error, "%s", node->error);
		}
	}
}

static struct look look_once(void)
{
	struct look look = {0};

	ck_assert_int_eq(redlock_inspect(client, NULL, 0, on_look, &look), REDLOCK_OK);
	loop_wait(&rig.loop, &look.done);
	return look;
}

static bool one_is_barred(void *data)
{
	struct look *look = data;

	*look = look_once();
	return look->barred == 1;
}

static bool one_is_withheld(void *data)
{
	struct look *look = data;

	*look = look_once();
	return look->withheld == 1;
}

START_TEST(two_nodes_that_say_they_are_one_process_have_one_vote)
{
	struct redlock_lock *lock;
	struct outcome outcome;
	struct look look;

	fakes[0] = fake_new(&rig.loop, NULL);
	fakes[1] = fake_new(&rig.loop, NULL);
	fake_set_run_id(fakes[0], "the same");
	fake_set_run_id(fakes[1], "the same");
	client = meeting_client(1, fakes, 2);
	rig_wait_up(client, 2);
	loop_until(&rig.loop, one_is_barred, &look, "one is barred");
	ck_assert_ptr_nonnull(strstr(look.error, "same server as node"));
	lock = rig_lock_of(client, NAME);
	rig_acquire(lock);
	rig_release(lock);
	/* Without the one other node, the two of them are no quorum. */
	rig_until_gone(NAME);
	rig_stranger(0, NAME);
	ck_assert_int_ne(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_le(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 1);
	server_do(&rig.servers.at[0], "DEL %s", NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_run_id_of_any_bytes_is_only_a_name)
{
	static const struct fake_cue cue = {
		.at = AT_INFO,
		.say = {.head = "$10007\r\nrun_id:", .unit = ":", .times = 10000, .tail = "\r\n"}};
	struct redlock_lock *lock;

	company_open(2, 1, &cue);
	rig_wait_up(client, 3);
	lock = rig_lock_of(client, NAME);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

static void open_guarded(size_t reals, size_t count, const struct fake_cue *cue)
{
	rig.options.guard = REDLOCK_GUARD_ON;
	company_open(reals, count, cue);
}

START_TEST(a_node_without_scripts_never_votes_under_the_guard)
{
	static const struct fake_cue cue = {
		.at = AT_ENROL, .say.head = "-NOPERM " PASSWORD " may not run 'eval'\r\n"};
	struct look look;

	open_guarded(0, 1, &cue);
	loop_until(&rig.loop, one_is_barred, &look, "it is barred");
	ck_assert_ptr_nonnull(strstr(look.error, ": NOPERM *** may not run 'eval'"));
}
END_TEST

START_TEST(a_node_born_in_the_future_is_waited_for)
{
	static const struct fake_cue cue = {
		.at = AT_ENROL, .say.head = "*2\r\n$16\r\n9007199254740991\r\n$7\r\n1000000\r\n"};
	struct redlock_lock *lock;
	struct outcome outcome;
	struct look look;

	open_guarded(0, 1, &cue);
	loop_until(&rig.loop, one_is_withheld, &look, "its vote is withheld");
	ck_assert_uint_gt(look.guard_ms, UINT64_C(9007199254739) - 1);
	lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert_int_eq(outcome.nodes[0].vote, REDLOCK_VOTE_WITHHELD);
	ck_assert_int_gt(outcome.nodes[0].remaining_ms, 0);
	ck_assert_uint_eq(fake_heard(fakes[0], AT_SET), 0);
	redlock_lock_free(lock);
}
END_TEST

/* Its clock goes back to before it was born: it may have forgotten, and is not believed. */
START_TEST(a_clock_that_goes_back_makes_a_node_young_again)
{
	struct look look;

	fakes[0] = fake_new(&rig.loop, NULL);
	rig.options.guard = REDLOCK_GUARD_ON;
	client = meeting_client(0, fakes, 1);
	rig_wait_up(client, 1);
	fake_set_clock(fakes[0], -1000000LL * 3600 * 24);
	ck_assert_uint_eq(look_once().withheld, 0);
	fake_cue(fakes[0], &(struct fake_cue){.at = AT_PING, .then = BREAK_OFF, .times = 1});
	(void)look_once();
	loop_until(&rig.loop, one_is_withheld, &look, "its vote is withheld");
}
END_TEST

/* ---- What a node says of the lock ------------------------------------------------------------ */

static bool both_have(void *token)
{
	return server_has(&rig.servers.at[0], NAME, token) &&
	       server_has(&rig.servers.at[1], NAME, token);
}

/* One liar grants everything. A lease of ours that all honest nodes have keeps others out: with one
 * vote they have no quorum. (Where an honest node has not got the key, the liar makes a second
 * majority: no majority vote survives a voter who votes twice, and nothing else is promised.) */
START_TEST(who_says_yes_to_everything_cannot_outvote_the_honest)
{
	static const struct fake_cue yes = {.at = AT_SET, .say.head = "+OK\r\n"};
	struct redlock_client *other;
	struct redlock_lock *lock, *rival;
	struct outcome outcome;
	char token[REDLOCK_TOKEN_MAX + 1];

	company_open(2, 1, &yes);
	rig_wait_up(client, 3);
	other = meeting_client(2, fakes, 1);
	rig_wait_up(other, 3);
	lock = rig_lock_of(client, NAME);
	rival = rig_lock_of(other, NAME);
	rig_acquire(lock);
	/* The win may have come before the second honest node had the key. */
	rig_token(lock, token, sizeof token);
	loop_until(&rig.loop, both_have, token, "both honest nodes have it");
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(acquire_sync(&rig.loop, rival, 0, &outcome), REDLOCK_EHELD);
		ck_assert(redlock_lock_held(lock));
	}
	rig_release(lock);
	rig_acquire(rival);
	rig_release(rival);
	redlock_lock_free(lock);
	redlock_lock_free(rival);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(who_says_no_to_everything_is_one_vote_less)
{
	static const struct fake_cue no = {.at = AT_SET, .say.head = "$-1\r\n"};
	struct redlock_lock *lock;

	company_open(2, 1, &no);
	rig_wait_up(client, 3);
	lock = rig_lock_of(client, NAME);
	rig_acquire(lock);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* A floor out of all reach, of one node: fencing tokens stay where the others can grant them. */
START_TEST(one_mad_floor_does_not_drive_fencing_tokens_away)
{
	static const struct fake_cue mad = {.at = AT_FENCED,
					    .say.head = "*2\r\n:-1\r\n$16\r\n9007199254740991\r\n"};
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	uint64_t last = 0;

	company_open(2, 1, &mad);
	rig_wait_up(client, 3);
	redlock_lock_options_init(&options);
	options.fence = true;
	lock = rig_lock_with(client, NAME, &options);
	for (int i = 0; i < 5; i++) {
		rig_acquire(lock);
		ck_assert_uint_gt(redlock_lock_fence(lock), last);
		ck_assert_uint_lt(redlock_lock_fence(lock), UINT64_C(9007199254740991) / 2);
		last = redlock_lock_fence(lock);
		rig_release(lock);
	}
	redlock_lock_free(lock);
}
END_TEST

/* ---- What a node says while somebody waits --------------------------------------------------- */

static const struct fake_cue pttls[] = {
	{.at = AT_PTTL, .say.head = ":-3\r\n"},
	{.at = AT_PTTL, .say.head = ":-9223372036854775808\r\n"},
	{.at = AT_PTTL, .say.head = ":9223372036854775807\r\n"},
	{.at = AT_PTTL, .say.head = "+OK\r\n"},
	{.at = AT_PTTL, .say.head = "*2\r\n:1\r\n:1\r\n"},
	{.at = AT_PTTL, .say.head = "-NOPERM no\r\n"},
	{.at = AT_PTTL, .then = HANG_UP},
};

static void wait_in_vain(const struct fake_cue *cue)
{
	struct redlock_client *other;
	struct redlock_lock *lock, *taken;
	struct outcome outcome;

	company_open(1, 2, cue);
	rig_wait_up(client, 3);
	other = meeting_client(1, fakes, 2);
	rig_wait_up(other, 3);
	taken = rig_lock_of(other, NAME);
	rig_acquire(taken);
	lock = rig_lock_of(client, NAME);
	(void)acquire_sync(&rig.loop, lock, 150, &outcome);
	ck_assert_msg(outcome.status == REDLOCK_ETIMEDOUT || outcome.status == REDLOCK_ENOQUORUM,
		      "%s", redlock_status_name(outcome.status));
	ck_assert_uint_eq(outcome.calls, 1);
	ck_assert_uint_lt(outcome.report.attempts, 100);
	ck_assert(redlock_lock_held(taken));
	(void)release_sync(&rig.loop, taken, NULL);
	redlock_lock_free(taken);
	redlock_lock_free(lock);
	close_sync(&rig.loop, other);
	close_sync(&rig.loop, client);
	fake_free(fakes[0]);
	fake_free(fakes[1]);
	fakes[0] = fakes[1] = NULL;
	client = NULL;
}

START_TEST(a_waiter_is_not_led_astray_by_what_is_said_of_the_time_left)
{
	for (size_t i = 0; i < COUNT(pttls); i++) {
		wait_in_vain(&pttls[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node liars");
	TCase *tcase = tcase_create("liars");

	tcase_set_timeout(tcase, RIG_CASE_SECONDS);
	tcase_add_checked_fixture(tcase, meeting_open, company_close);
	tcase_add_test(tcase, two_nodes_that_say_they_are_one_process_have_one_vote);
	tcase_add_test(tcase, a_run_id_of_any_bytes_is_only_a_name);
	tcase_add_test(tcase, a_node_without_scripts_never_votes_under_the_guard);
	tcase_add_test(tcase, a_node_born_in_the_future_is_waited_for);
	tcase_add_test(tcase, a_clock_that_goes_back_makes_a_node_young_again);
	tcase_add_test(tcase, who_says_yes_to_everything_cannot_outvote_the_honest);
	tcase_add_test(tcase, who_says_no_to_everything_is_one_vote_less);
	tcase_add_test(tcase, one_mad_floor_does_not_drive_fencing_tokens_away);
	tcase_add_test(tcase, a_waiter_is_not_led_astray_by_what_is_said_of_the_time_left);
	suite_add_tcase(suite, tcase);
	return rig_run(suite);
}
