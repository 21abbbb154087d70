/* test_quorum.c - who wins when others, crashes and silence take nodes away. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define NAME "orders:17"

/* ---- Strangers on some of the nodes ---------------------------------------------------------- */

static void block(const char *key, unsigned mask)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		if (mask & 1U << i) {
			rig_stranger(i, key);
		}
	}
}

static size_t bits(unsigned mask)
{
	return (size_t)__builtin_popcount(mask);
}

struct blocked {
	const char *key;
	unsigned mask;
};

/* Strangers' keys are as they were, and there is no other. */
static bool only_strangers_are_left(void *data)
{
	const struct blocked *blocked = data;

	for (size_t i = 0; i < rig.servers.count; i++) {
		const char *value = blocked->mask & 1U << i ? STRANGER : NULL;

		if (!server_has(&rig.servers.at[i], blocked->key, value)) {
			return false;
		}
	}
	return true;
}

static void expect_win_iff_quorum_is_free(unsigned mask)
{
	size_t nodes = rig.servers.count;
	bool wins = nodes - bits(mask) >= nodes / 2 + 1;
	char key[32];
	struct blocked blocked = {key, mask};
	struct redlock_lock *lock;

	(void)snprintf(key, sizeof key, "mask:%u", mask);
	block(key, mask);
	lock = rig_lock(key);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), wins ? REDLOCK_OK : REDLOCK_EHELD);
	ck_assert(redlock_lock_held(lock) == wins);
	if (wins) {
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_release(lock);
	}
	loop_until(&rig.loop, only_strangers_are_left, &blocked, "only strangers are left");
	redlock_lock_free(lock);
}

START_TEST(whichever_nodes_a_stranger_has_a_win_takes_a_free_quorum)
{
	for (unsigned mask = 0; mask < 1U << rig.servers.count; mask++) {
		expect_win_iff_quorum_is_free(mask);
	}
}
END_TEST

/* ---- Dead nodes ------------------------------------------------------------------------------ */

static void kill_first(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		server_kill(&rig.servers.at[i]);
	}
}

/* The round is decided as soon as enough are known to be gone: the others may not have voted. */
static void expect_told_of_dead_nodes(const struct outcome *outcome, size_t dead)
{
	size_t told = 0;

	for (size_t i = 0; i < dead; i++) {
		if (outcome->nodes[i].vote == REDLOCK_VOTE_NONE) {
			continue;
		}
		ck_assert_str_eq(redlock_vote_name(outcome->nodes[i].vote), "unreachable");
		ck_assert_str_ne(outcome->nodes[i].error, "");
		ck_assert_uint_eq(outcome->nodes[i].rtt_us, 0);
		told++;
	}
	ck_assert_uint_ge(told, outcome->report.node_count - outcome->report.quorum + 1);
}

static void expect_no_quorum_with_dead(size_t dead)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;

	kill_first(dead);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	expect_told_of_dead_nodes(&outcome, dead);
	ck_assert(!redlock_lock_held(lock));
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}

START_TEST(three_live_and_two_dead_nodes_grant)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;

	kill_first(2);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 3);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(two_live_and_three_dead_nodes_are_no_quorum_and_keep_no_key)
{
	expect_no_quorum_with_dead(3);
}
END_TEST

START_TEST(five_dead_nodes_are_no_quorum)
{
	expect_no_quorum_with_dead(5);
}
END_TEST

START_TEST(half_of_the_nodes_is_no_quorum)
{
	expect_no_quorum_with_dead(rig.servers.count / 2);
}
END_TEST

START_TEST(a_client_that_never_reached_anyone_says_why_for_each_node)
{
	struct redlock_client *client;
	struct redlock_lock *lock;
	struct outcome outcome;

	kill_first(5);
	client = rig_client();
	lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	expect_told_of_dead_nodes(&outcome, 5);
	redlock_lock_free(lock);
	close_sync(&rig.loop, client);
}
END_TEST

START_TEST(held_by_another_is_told_from_too_few_nodes)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;

	/* Three nodes can vote; it is the stranger on one of them that is in the way. */
	kill_first(2);
	rig_stranger(4, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_EHELD);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_HELD), 1);
	ck_assert(server_has(&rig.servers.at[4], NAME, STRANGER));
	loop_run_ms(&rig.loop, 50);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_node_that_comes_back_votes_again)
{
	struct redlock_lock *lock = rig_lock(NAME);

	kill_first(3);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	server_start_again(&rig.servers.at[1], false);
	rig_wait_up(rig.client, 3);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(nodes_may_restart_one_after_the_other_while_locks_go_on)
{
	struct redlock_lock *lock = rig_lock(NAME);

	for (size_t i = 0; i < 5; i++) {
		server_restart_empty(&rig.servers.at[i]);
		rig_acquire(lock);
		rig_release(lock);
		rig_wait_up(rig.client, 5);
	}
	redlock_lock_free(lock);
}
END_TEST

/* ---- Races ----------------------------------------------------------------------------------- */

struct racer {
	struct redlock_client *client;
	struct redlock_lock *lock;
	struct outcome outcome;
};

static size_t holders(const struct racer *racers, size_t count)
{
	size_t held = 0;

	for (size_t i = 0; i < count; i++) {
		held += redlock_lock_held(racers[i].lock);
	}
	return held;
}

static bool someone_holds(void *data)
{
	return holders(data, 3) > 0;
}

/* All three want it at once and wait; when one has it, the others give up. */
static void race_once(struct racer *racers)
{
	for (size_t i = 0; i < 3; i++) {
		memset(&racers[i].outcome, 0, sizeof racers[i].outcome);
		ck_assert_int_eq(redlock_acquire(racers[i].lock, REDLOCK_WAIT_FOREVER, outcome_take,
						 &racers[i].outcome),
				 REDLOCK_OK);
	}
	loop_until(&rig.loop, someone_holds, racers, "one of three wins");
	loop_run_ms(&rig.loop, 20);
	ck_assert_uint_eq(holders(racers, 3), 1);
	for (size_t i = 0; i < 3; i++) {
		if (!redlock_lock_held(racers[i].lock)) {
			ck_assert_int_eq(redlock_cancel(racers[i].lock), REDLOCK_OK);
		}
		loop_wait_for(&rig.loop, &racers[i].outcome);
	}
	ck_assert_uint_eq(holders(racers, 3), 1);
	for (size_t i = 0; i < 3; i++) {
		if (redlock_lock_held(racers[i].lock)) {
			rig_release(racers[i].lock);
		} else {
			ck_assert_int_eq(racers[i].outcome.status, REDLOCK_ECANCELED);
		}
	}
}

START_TEST(a_three_way_race_has_exactly_one_winner)
{
	struct racer racers[3];

	for (size_t i = 0; i < 3; i++) {
		racers[i].client = rig_connected_client();
		racers[i].lock = rig_lock_of(racers[i].client, NAME);
	}
	for (int round = 0; round < 10; round++) {
		race_once(racers);
		rig_until_gone(NAME);
	}
	for (size_t i = 0; i < 3; i++) {
		redlock_lock_free(racers[i].lock);
		close_sync(&rig.loop, racers[i].client);
	}
}
END_TEST

/* ---- Silent nodes ---------------------------------------------------------------------------- */

static void rig_5_impatient(void)
{
	rig_open(5, NULL);
	rig.options.node_timeout_ms = 600;
	rig_connect();
}

START_TEST(a_hung_minority_is_not_waited_for)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;

	server_stop(&rig.servers.at[0]);
	server_stop(&rig.servers.at[3]);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 3);
	ck_assert_int_eq(outcome.nodes[0].vote, REDLOCK_VOTE_NONE);
	ck_assert_int_eq(outcome.nodes[3].vote, REDLOCK_VOTE_NONE);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	server_continue(&rig.servers.at[0]);
	server_continue(&rig.servers.at[3]);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_hung_majority_fails_in_time_and_keeps_no_key_when_it_goes_on)
{
	struct redlock_lock *lock = rig_lock_for(NAME, 60000);
	struct outcome outcome;

	for (size_t i = 0; i < 3; i++) {
		server_stop(&rig.servers.at[i]);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_TIMED_OUT), 3);
	for (size_t i = 0; i < 3; i++) {
		server_continue(&rig.servers.at[i]);
	}
	/* Each of the three now runs the SET that waited in its socket. */
	rig_until_gone(NAME);
	rig_wait_up(rig.client, 5);
	rig_until_gone(NAME);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quorum");
	TCase *two = rig_case(suite, "two nodes", rig_2);
	TCase *four = rig_case(suite, "four nodes", rig_4);
	TCase *five = rig_case(suite, "five nodes", rig_5);
	TCase *silent = rig_case(suite, "silent nodes", rig_5_impatient);

	tcase_add_test(two, whichever_nodes_a_stranger_has_a_win_takes_a_free_quorum);
	tcase_add_test(two, half_of_the_nodes_is_no_quorum);
	tcase_add_test(rig_case(suite, "three nodes", rig_3),
		       whichever_nodes_a_stranger_has_a_win_takes_a_free_quorum);
	tcase_add_test(four, whichever_nodes_a_stranger_has_a_win_takes_a_free_quorum);
	tcase_add_test(four, half_of_the_nodes_is_no_quorum);
	tcase_add_test(five, whichever_nodes_a_stranger_has_a_win_takes_a_free_quorum);
	tcase_add_test(five, three_live_and_two_dead_nodes_grant);
	tcase_add_test(five, two_live_and_three_dead_nodes_are_no_quorum_and_keep_no_key);
	tcase_add_test(five, five_dead_nodes_are_no_quorum);
	tcase_add_test(five, a_client_that_never_reached_anyone_says_why_for_each_node);
	tcase_add_test(five, held_by_another_is_told_from_too_few_nodes);
	tcase_add_test(five, a_node_that_comes_back_votes_again);
	tcase_add_test(five, nodes_may_restart_one_after_the_other_while_locks_go_on);
	tcase_add_test(five, a_three_way_race_has_exactly_one_winner);
	tcase_add_test(silent, a_hung_minority_is_not_waited_for);
	tcase_add_test(silent, a_hung_majority_fails_in_time_and_keeps_no_key_when_it_goes_on);
	return rig_run(suite);
}
