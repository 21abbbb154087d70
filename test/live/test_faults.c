/* test_faults.c - a bad network: late replies, cut connections, bytes that arrive after their
 * connection. */
#include "rig.h"

#include <string.h>

#define NAME "orders:17"

static void rig_3_proxied(void)
{
	rig_open(3, NULL);
	rig.options.node_timeout_ms = 1000;
	for (size_t i = 0; i < 3; i++) {
		(void)rig_proxy(i);
	}
	rig_connect();
}

static void rig_3_proxied_impatient(void)
{
	rig_open(3, NULL);
	rig.options.node_timeout_ms = 300;
	for (size_t i = 0; i < 3; i++) {
		(void)rig_proxy(i);
	}
	rig_connect();
}

static void hold_first(size_t count, enum proxy_way way, bool hold)
{
	for (size_t i = 0; i < count; i++) {
		proxy_hold(rig.proxies[i], way, hold);
	}
}

static void expect_taken_and_given_back(void)
{
	struct redlock_lock *lock = rig_lock(NAME);

	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 15000, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}

struct seen {
	size_t nodes;
	const char *key;
};

/* Has somebody, whoever it is, the key on the first so many nodes? */
static bool is_set_on_first(void *data)
{
	const struct seen *seen = data;

	for (size_t i = 0; i < seen->nodes; i++) {
		if (server_has(&rig.servers.at[i], seen->key, NULL)) {
			return false;
		}
	}
	return true;
}

static void wait_until_set_on_first(size_t nodes)
{
	struct seen seen = {nodes, NAME};

	loop_until(&rig.loop, is_set_on_first, &seen, "the servers have run the SET");
}

/* ---- Late ------------------------------------------------------------------------------------ */

START_TEST(a_grant_that_comes_too_late_is_given_back)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	hold_first(2, PROXY_TO_CLIENT, true);
	ck_assert_int_eq(redlock_acquire(lock, 0, outcome_take, &outcome), REDLOCK_OK);
	wait_until_set_on_first(2);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_TIMED_OUT), 2);
	hold_first(2, PROXY_TO_CLIENT, false);
	rig_until_gone(NAME);
	ck_assert_uint_eq(outcome.calls, 1);
	expect_taken_and_given_back();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_request_that_arrives_too_late_is_undone_behind_itself)
{
	struct redlock_lock *lock = rig_lock(NAME);

	hold_first(2, PROXY_TO_SERVER, true);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(rig_count(NAME, NULL) >= 2, 1);
	hold_first(2, PROXY_TO_SERVER, false);
	expect_taken_and_given_back();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_grant_after_the_win_is_one_more_key_to_give_back)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;
	char token[REDLOCK_TOKEN_MAX + 1];

	proxy_hold(rig.proxies[2], PROXY_TO_SERVER, true);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_int_eq(outcome.nodes[2].vote, REDLOCK_VOTE_NONE);
	rig_token(lock, token, sizeof token);
	proxy_hold(rig.proxies[2], PROXY_TO_SERVER, false);
	rig_until_everywhere(NAME, token);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_slow_network_is_measured_and_charged_to_the_lease)
{
	struct redlock_lock *lock = rig_lock_for(NAME, 10000);
	struct outcome outcome;

	for (size_t i = 0; i < 3; i++) {
		proxy_delay(rig.proxies[i], PROXY_TO_SERVER, 40);
		proxy_delay(rig.proxies[i], PROXY_TO_CLIENT, 60);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_ge(outcome.report.elapsed_us, 98000);
	ck_assert_uint_le(outcome.report.validity_ms, 10000 - 102 - 98);
	for (size_t i = 0; i < 3; i++) {
		if (outcome.nodes[i].vote == REDLOCK_VOTE_GRANTED) {
			ck_assert_uint_ge(outcome.nodes[i].rtt_us, 98000);
		}
	}
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_quorum_that_leaves_too_little_validity_is_no_win)
{
	struct redlock_lock *lock = rig_lock_for(NAME, 500);
	int status;

	for (size_t i = 0; i < 3; i++) {
		proxy_delay(rig.proxies[i], PROXY_TO_CLIENT, 600);
	}
	status = acquire_sync(&rig.loop, lock, 0, NULL);
	ck_assert_msg(status == REDLOCK_EEXPIRED || status == REDLOCK_ENOQUORUM, "%s",
		      redlock_status_name(status));
	ck_assert(!redlock_lock_held(lock));
	redlock_lock_free(lock);
}
END_TEST

/* ---- Cut ------------------------------------------------------------------------------------- */

START_TEST(a_connection_cut_between_request_and_reply_leaves_no_key)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	hold_first(2, PROXY_TO_CLIENT, true);
	ck_assert_int_eq(redlock_acquire(lock, 0, outcome_take, &outcome), REDLOCK_OK);
	wait_until_set_on_first(3);
	proxy_cut(rig.proxies[0]);
	proxy_cut(rig.proxies[1]);
	hold_first(2, PROXY_TO_CLIENT, false);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED) <= 1, 1);
	rig_until_gone(NAME);
	expect_taken_and_given_back();
	redlock_lock_free(lock);
}
END_TEST

static bool nothing_is_pending(void *data)
{
	(void)data;
	return proxy_pending(rig.proxies[0], PROXY_TO_SERVER) == 0 &&
	       proxy_pending(rig.proxies[1], PROXY_TO_SERVER) == 0;
}

static bool both_are_pending(void *data)
{
	(void)data;
	return proxy_pending(rig.proxies[0], PROXY_TO_SERVER) > 0 &&
	       proxy_pending(rig.proxies[1], PROXY_TO_SERVER) > 0;
}

START_TEST(a_request_that_outlives_its_connection_leaves_no_key)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	hold_first(2, PROXY_TO_SERVER, true);
	ck_assert_int_eq(redlock_acquire(lock, 0, outcome_take, &outcome), REDLOCK_OK);
	loop_until(&rig.loop, both_are_pending, NULL, "the requests are on their way");
	proxy_cut_client(rig.proxies[0]);
	proxy_cut_client(rig.proxies[1]);
	hold_first(2, PROXY_TO_SERVER, false);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_ENOQUORUM);
	rig_wait_up(rig.client, 3);
	rig_until_gone(NAME);
	/* The client has long connected again and released; only now the SETs arrive. */
	loop_run_ms(&rig.loop, 200);
	proxy_deliver(rig.proxies[0]);
	proxy_deliver(rig.proxies[1]);
	loop_until(&rig.loop, nothing_is_pending, NULL, "the requests have arrived");
	loop_run_ms(&rig.loop, 20);
	rig_until_gone(NAME);
	expect_taken_and_given_back();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_lease_outlives_its_connections)
{
	struct redlock_lock *lock = rig_lock(NAME);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	for (size_t i = 0; i < 3; i++) {
		proxy_cut(rig.proxies[i]);
	}
	loop_run_ms(&rig.loop, 20);
	ck_assert(redlock_lock_held(lock));
	rig_wait_up(rig.client, 3);
	ck_assert_uint_eq(rig_count(NAME, token), 3);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_release_that_finds_no_quorum_is_settled_later)
{
	struct redlock_lock *lock = rig_lock(NAME);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	hold_first(2, PROXY_TO_SERVER, true);
	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_ENOQUORUM);
	ck_assert(!redlock_lock_held(lock));
	ck_assert(server_has(&rig.servers.at[0], NAME, token));
	/* What was on its way is lost; it has to be said again. */
	proxy_cut(rig.proxies[0]);
	hold_first(2, PROXY_TO_SERVER, false);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(an_extend_without_a_quorum_changes_nothing)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;

	rig_acquire(lock);
	hold_first(2, PROXY_TO_SERVER, true);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, &outcome), REDLOCK_ENOQUORUM);
	ck_assert(outcome.held);
	ck_assert_uint_gt(outcome.left_ms, 0);
	hold_first(2, PROXY_TO_SERVER, false);
	rig_wait_up(rig.client, 3);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* Half open: neither side knows. */
START_TEST(a_connection_that_went_dead_is_found_out_and_replaced)
{
	struct redlock_lock *lock = rig_lock(NAME);

	hold_first(2, PROXY_TO_SERVER, true);
	hold_first(2, PROXY_TO_CLIENT, true);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	/* Long enough for the client to give the connections up. */
	loop_run_ms(&rig.loop, 2000);
	hold_first(2, PROXY_TO_SERVER, false);
	hold_first(2, PROXY_TO_CLIENT, false);
	rig_wait_up(rig.client, 3);
	expect_taken_and_given_back();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_client_killed_by_its_servers_connects_again)
{
	for (int round = 0; round < 5; round++) {
		struct redlock_lock *lock = rig_lock(NAME);

		rig_acquire(lock);
		for (size_t i = 0; i < 3; i++) {
			server_do(&rig.servers.at[i], "CLIENT KILL TYPE normal");
		}
		rig_wait_up(rig.client, 3);
		ck_assert(redlock_lock_held(lock));
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_release(lock);
		redlock_lock_free(lock);
	}
	rig_until_gone(NAME);
}
END_TEST

START_TEST(a_waiter_outlasts_cuts)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome = {0};

	for (size_t i = 0; i < 3; i++) {
		rig_stranger_for(i, NAME, 1200);
	}
	ck_assert_int_eq(redlock_acquire(lock, 60000, outcome_take, &outcome), REDLOCK_OK);
	for (int i = 0; i < 6; i++) {
		loop_run_ms(&rig.loop, 150);
		proxy_cut(rig.proxies[i % 3]);
	}
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("faults");
	TCase *patient = rig_case(suite, "proxied", rig_3_proxied);
	TCase *impatient = rig_case(suite, "proxied, impatient", rig_3_proxied_impatient);

	tcase_add_test(impatient, a_grant_that_comes_too_late_is_given_back);
	tcase_add_test(impatient, a_request_that_arrives_too_late_is_undone_behind_itself);
	tcase_add_test(patient, a_grant_after_the_win_is_one_more_key_to_give_back);
	tcase_add_test(patient, a_slow_network_is_measured_and_charged_to_the_lease);
	tcase_add_test(patient, a_quorum_that_leaves_too_little_validity_is_no_win);
	tcase_add_test(patient, a_connection_cut_between_request_and_reply_leaves_no_key);
	tcase_add_test(patient, a_request_that_outlives_its_connection_leaves_no_key);
	tcase_add_test(patient, a_lease_outlives_its_connections);
	tcase_add_test(impatient, a_release_that_finds_no_quorum_is_settled_later);
	tcase_add_test(impatient, an_extend_without_a_quorum_changes_nothing);
	tcase_add_test(impatient, a_connection_that_went_dead_is_found_out_and_replaced);
	tcase_add_test(patient, a_client_killed_by_its_servers_connects_again);
	tcase_add_test(patient, a_waiter_outlasts_cuts);
	return rig_run(suite);
}
