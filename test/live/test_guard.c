/* test_guard.c - nodes that may have forgotten grants in a restart do not vote. */
#include "rig.h"

#include <string.h>
#include <unistd.h>

#define NAME "orders:17"
#define MAX_TTL_MS 1000

static void guarded(const struct server_options *options)
{
	rig_open(3, options);
	rig.options.guard = REDLOCK_GUARD_ON;
	rig.options.ttl_ms = MAX_TTL_MS;
	rig.options.max_ttl_ms = MAX_TTL_MS;
	rig.options.node_timeout_ms = 500;
}

static void rig_fresh(void)
{
	guarded(NULL);
}

/* Nodes that have been up for longer than any lease. */
static void rig_aged(void)
{
	guarded(NULL);
	rig_connect();
}

/* Guarded for a minute, unless they are seen to have lost nothing. */
static void rig_durable(void)
{
	rig_open(3, &(struct server_options){.durable = true});
	rig.options.guard = REDLOCK_GUARD_ON;
}

static void rig_almost_durable(void)
{
	guarded(&(struct server_options){.acl = "appendonly yes\nappendfsync everysec"});
}

static void rig_durable_but_for_rewrites(void)
{
	guarded(&(struct server_options){
		.acl = "appendonly yes\nappendfsync always\nno-appendfsync-on-rewrite yes"});
	rig_connect();
}

static void expect_withheld(struct redlock_client *client)
{
	struct redlock_lock *lock = rig_lock_of(client, NAME);
	struct outcome outcome;

	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert_uint_ge(outcome_votes(&outcome, REDLOCK_VOTE_WITHHELD), 2);
	for (size_t i = 0; i < 3; i++) {
		if (outcome.nodes[i].vote == REDLOCK_VOTE_WITHHELD) {
			ck_assert_int_gt(outcome.nodes[i].remaining_ms, 0);
			/* Drift and the grain of clocks come on top. */
			ck_assert_int_le(outcome.nodes[i].remaining_ms, MAX_TTL_MS + 200);
			ck_assert_str_ne(outcome.errors[i], "");
		}
	}
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	redlock_lock_free(lock);
}

static void expect_newcomer_withheld(void)
{
	struct redlock_client *fresh = rig_client();

	expect_withheld(fresh);
	close_sync(&rig.loop, fresh);
}

static void expect_votes_at_once(struct redlock_client *client)
{
	struct redlock_lock *lock = rig_lock_of(client, NAME);

	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}

/* ---- Who is believed ------------------------------------------------------------------------- */

START_TEST(new_nodes_withhold_their_votes_until_every_lease_would_be_over)
{
	rig.client = rig_client();
	expect_withheld(rig.client);
	rig_wait_up(rig.client, 3);
	expect_votes_at_once(rig.client);
}
END_TEST

START_TEST(a_wait_outlasts_the_guard)
{
	struct redlock_lock *lock;

	rig.client = rig_client();
	lock = rig_lock(NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 60000, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_new_client_believes_nodes_that_are_old_enough)
{
	struct redlock_client *fresh = rig_client();

	expect_votes_at_once(fresh);
	close_sync(&rig.loop, fresh);
}
END_TEST

START_TEST(without_the_guard_new_nodes_vote_at_once)
{
	rig.options.guard = REDLOCK_GUARD_OFF;
	rig.client = rig_client();
	expect_votes_at_once(rig.client);
}
END_TEST

START_TEST(nodes_vouched_for_vote_at_once)
{
	rig.options.guard = REDLOCK_GUARD_DURABLE;
	rig.client = rig_client();
	expect_votes_at_once(rig.client);
}
END_TEST

START_TEST(nodes_that_write_every_change_to_disk_vote_at_once)
{
	rig.client = rig_client();
	expect_votes_at_once(rig.client);
}
END_TEST

START_TEST(nodes_that_write_once_a_second_are_not_believed)
{
	rig.client = rig_client();
	expect_withheld(rig.client);
}
END_TEST

/* While it rewrites its file, or takes a snapshot, such a node syncs nothing. */
START_TEST(nodes_that_sync_nothing_while_they_rewrite_are_not_believed)
{
	for (size_t i = 0; i < 3; i++) {
		server_kill(&rig.servers.at[i]);
		server_start_again(&rig.servers.at[i], true);
	}
	expect_newcomer_withheld();
}
END_TEST

START_TEST(a_durable_node_comes_back_with_its_grants_and_its_vote)
{
	struct redlock_client *other;
	struct redlock_lock *lock, *theirs;
	struct outcome outcome;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_connect();
	lock = rig_lock(NAME);
	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	for (size_t i = 0; i < 3; i++) {
		server_kill(&rig.servers.at[i]);
		server_start_again(&rig.servers.at[i], true);
	}
	rig_wait_up(rig.client, 3);
	ck_assert_uint_eq(rig_count(NAME, token), 3);
	other = rig_connected_client();
	theirs = rig_lock_of(other, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, theirs, 0, &outcome), REDLOCK_EHELD);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
	rig_acquire(theirs);
	rig_release(theirs);
	redlock_lock_free(lock);
	redlock_lock_free(theirs);
	close_sync(&rig.loop, other);
}
END_TEST

/* Writing every change to disk helps as long as there is a disk. */
START_TEST(durable_nodes_that_lost_their_disks_are_not_believed)
{
	struct redlock_client *other;
	struct redlock_lock *mine, *theirs;
	struct outcome outcome;

	rig_connect();
	mine = rig_lock(NAME);
	rig_acquire(mine);
	server_restart_empty(&rig.servers.at[0]);
	server_restart_empty(&rig.servers.at[1]);
	other = rig_client();
	theirs = rig_lock_of(other, NAME);
	/* What it says depends on who answers first: held by me, or votes withheld. */
	ck_assert_int_ne(acquire_sync(&rig.loop, theirs, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_ge(outcome_votes(&outcome, REDLOCK_VOTE_WITHHELD), 1);
	ck_assert(redlock_lock_held(mine));
	redlock_lock_free(mine);
	redlock_lock_free(theirs);
	close_sync(&rig.loop, other);
}
END_TEST

/* A copy lags behind: what it took over is not all that was granted. */
START_TEST(durable_nodes_that_were_replicas_are_not_believed)
{
	for (size_t i = 0; i < 2; i++) {
		server_do(&rig.servers.at[i], "REPLICAOF 127.0.0.1 %u", rig.servers.at[2].port);
	}
	for (size_t i = 0; i < 2; i++) {
		while (!server_has(&rig.servers.at[i], "replicated", "yes")) {
			server_do(&rig.servers.at[2], "SET replicated yes");
			usleep(10000);
		}
		server_do(&rig.servers.at[i], "REPLICAOF NO ONE");
	}
	server_do(&rig.servers.at[2], "DEL replicated");
	server_do(&rig.servers.at[0], "DEL replicated");
	server_do(&rig.servers.at[1], "DEL replicated");
	rig.options.ttl_ms = rig.options.max_ttl_ms = MAX_TTL_MS;
	expect_newcomer_withheld();
}
END_TEST

START_TEST(a_node_restored_from_a_snapshot_is_not_believed)
{
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "SAVE");
		server_kill(&rig.servers.at[i]);
		server_start_again(&rig.servers.at[i], true);
	}
	expect_newcomer_withheld();
}
END_TEST

START_TEST(a_flushed_node_is_not_believed_by_who_comes_new)
{
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "FLUSHALL");
	}
	expect_newcomer_withheld();
}
END_TEST

/* ---- Restarts under a held lease ------------------------------------------------------------- */

START_TEST(a_restarted_minority_is_not_needed)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;

	server_restart_empty(&rig.servers.at[0]);
	rig_wait_connected(rig.client, 3);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 2);
	ck_assert_int_eq(outcome.nodes[0].vote, REDLOCK_VOTE_WITHHELD);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* The hole that the guard closes: two nodes forget the grant, and would grant it again. */
START_TEST(a_majority_that_forgot_a_lease_grants_no_other_before_it_is_over)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *mine = rig_lock(NAME);
	struct redlock_lock *theirs = rig_lock_of(other, NAME);
	char token[REDLOCK_TOKEN_MAX + 1];
	size_t refused = 0;

	rig_acquire(mine);
	rig_token(mine, token, sizeof token);
	rig_until_everywhere(NAME, token);
	server_restart_empty(&rig.servers.at[0]);
	server_restart_empty(&rig.servers.at[1]);
	while (acquire_sync(&rig.loop, theirs, 0, NULL) != REDLOCK_OK) {
		refused++;
		loop_run_ms(&rig.loop, 10);
	}
	ck_assert(!redlock_lock_held(mine));
	ck_assert_uint_gt(refused, 0);
	rig_release(theirs);
	redlock_lock_free(mine);
	redlock_lock_free(theirs);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(a_new_client_is_no_way_around_the_guard)
{
	struct redlock_lock *mine = rig_lock(NAME);
	struct redlock_client *fresh;
	struct redlock_lock *theirs;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(mine);
	rig_token(mine, token, sizeof token);
	rig_until_everywhere(NAME, token);
	server_restart_empty(&rig.servers.at[0]);
	server_restart_empty(&rig.servers.at[1]);
	fresh = rig_client();
	theirs = rig_lock_of(fresh, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, theirs, 60000, NULL), REDLOCK_OK);
	ck_assert(!redlock_lock_held(mine));
	rig_release(theirs);
	redlock_lock_free(mine);
	redlock_lock_free(theirs);
	close_sync(&rig.loop, fresh);
}
END_TEST

START_TEST(a_holder_may_renew_on_nodes_that_had_granted_before_they_restarted)
{
	struct redlock_lock *lock = rig_lock(NAME);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	server_restart_empty(&rig.servers.at[0]);
	server_restart_empty(&rig.servers.at[1]);
	rig_wait_connected(rig.client, 3);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_until_everywhere(NAME, token);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guard");
	TCase *fresh = rig_case(suite, "new nodes", rig_fresh);
	TCase *aged = rig_case(suite, "old nodes", rig_aged);
	TCase *durable = rig_case(suite, "durable nodes", rig_durable);

	tcase_add_test(fresh, new_nodes_withhold_their_votes_until_every_lease_would_be_over);
	tcase_add_test(fresh, a_wait_outlasts_the_guard);
	tcase_add_test(fresh, without_the_guard_new_nodes_vote_at_once);
	tcase_add_test(fresh, nodes_vouched_for_vote_at_once);
	tcase_add_test(rig_case(suite, "durable but for rewrites", rig_durable_but_for_rewrites),
		       nodes_that_sync_nothing_while_they_rewrite_are_not_believed);
	tcase_add_test(durable, nodes_that_write_every_change_to_disk_vote_at_once);
	tcase_add_test(durable, a_durable_node_comes_back_with_its_grants_and_its_vote);
	tcase_add_test(durable, durable_nodes_that_lost_their_disks_are_not_believed);
	tcase_add_test(durable, durable_nodes_that_were_replicas_are_not_believed);
	tcase_add_test(rig_case(suite, "almost durable nodes", rig_almost_durable),
		       nodes_that_write_once_a_second_are_not_believed);
	tcase_add_test(aged, a_new_client_believes_nodes_that_are_old_enough);
	tcase_add_test(aged, a_node_restored_from_a_snapshot_is_not_believed);
	tcase_add_test(aged, a_flushed_node_is_not_believed_by_who_comes_new);
	tcase_add_test(aged, a_restarted_minority_is_not_needed);
	tcase_add_test(aged, a_majority_that_forgot_a_lease_grants_no_other_before_it_is_over);
	tcase_add_test(aged, a_new_client_is_no_way_around_the_guard);
	tcase_add_test(aged, a_holder_may_renew_on_nodes_that_had_granted_before_they_restarted);
	return rig_run(suite);
}
