/* test_inspect.c - what a client says of its nodes, and which of them it never lets vote. */
#include "rig.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "orders:17"

/* What an inspection told: a copy that outlives its callback. */
struct view {
	bool done;
	unsigned calls;
	int status;
	size_t node_count, quorum;
	struct redlock_node_status nodes[SERVERS_MAX];
	char errors[SERVERS_MAX][256];
	char products[SERVERS_MAX][64];
	char roles[SERVERS_MAX][64];
	char owners[SERVERS_MAX][128];
	char modes[SERVERS_MAX][32];
	char evictions[SERVERS_MAX][32];
};

static void copy(char *to, size_t size, const char *text)
{
	ck_assert_ptr_nonnull(text);
	(void)snprintf(to, size, "%s", text);
}

static void take_view(struct redlock_client *client, int status,
		      const struct redlock_inspection *inspection, void *data)
{
	struct view *view = data;

	(void)client;
	view->done = true;
	view->calls++;
	view->status = status;
	if (status != REDLOCK_OK) {
		return;
	}
	view->node_count = inspection->node_count;
	view->quorum = inspection->quorum;
	ck_assert_uint_le(view->node_count, SERVERS_MAX);
	for (size_t i = 0; i < inspection->node_count; i++) {
		const struct redlock_node_status *node = &inspection->nodes[i];

		view->nodes[i] = *node;
		ck_assert_str_ne(node->address, "");
		ck_assert_ptr_nonnull(node->version);
		copy(view->errors[i], sizeof view->errors[i], node->error);
		copy(view->products[i], sizeof view->products[i], node->product);
		copy(view->roles[i], sizeof view->roles[i], node->role);
		copy(view->modes[i], sizeof view->modes[i], node->mode);
		copy(view->evictions[i], sizeof view->evictions[i], node->eviction);
		(void)snprintf(view->owners[i], sizeof view->owners[i], "%.*s",
			       node->held ? (int)node->owner_len : 0,
			       node->held ? (const char *)node->owner : "");
	}
}

static void look(struct redlock_client *client, const char *name, struct view *view)
{
	memset(view, 0, sizeof *view);
	ck_assert_int_eq(redlock_inspect(client, name, name ? strlen(name) : 0, take_view, view),
			 REDLOCK_OK);
	ck_assert_uint_eq(view->calls, 0);
	loop_wait(&rig.loop, &view->done);
	ck_assert_uint_eq(view->calls, 1);
	ck_assert_int_eq(view->status, REDLOCK_OK);
}

START_TEST(a_look_at_the_nodes_tells_what_they_are)
{
	struct view view;

	look(rig.client, NULL, &view);
	ck_assert_uint_eq(view.node_count, 3);
	ck_assert_uint_eq(view.quorum, 2);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(view.nodes[i].state, REDLOCK_NODE_UP);
		ck_assert(!strcmp(view.products[i], "redis") ||
			  !strcmp(view.products[i], "valkey"));
		ck_assert_str_eq(view.roles[i], "master");
		ck_assert_str_eq(view.errors[i], "");
		ck_assert_uint_gt(view.nodes[i].rtt_us, 0);
		ck_assert(!view.nodes[i].held);
		ck_assert_str_eq(view.modes[i], "standalone");
		ck_assert_str_eq(view.evictions[i], "noeviction");
		ck_assert_uint_eq(view.nodes[i].same_as, 0);
		ck_assert_uint_eq(view.nodes[i].unseen, 0);
		/* One machine has one clock; a busy one answers late. */
		ck_assert_int_lt(llabs(view.nodes[i].clock_ahead_ms), 10000);
	}
}
END_TEST

START_TEST(a_look_at_a_lock_tells_who_has_it_where_and_for_how_long)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct view view;
	char token[REDLOCK_TOKEN_MAX + 1];

	look(rig.client, NAME, &view);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(view.nodes[i].answered);
		ck_assert(!view.nodes[i].held);
	}
	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	rig_stranger(2, NAME);
	look(rig.client, NAME, &view);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(view.nodes[i].answered);
		ck_assert(view.nodes[i].held);
		ck_assert_str_eq(view.owners[i], i == 2 ? STRANGER : token);
		ck_assert_int_le(view.nodes[i].remaining_ms, i == 2 ? -1 : 60000);
		ck_assert_int_ge(view.nodes[i].remaining_ms, i == 2 ? -1 : 1);
	}
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_look_right_after_opening_waits_for_the_connections)
{
	struct redlock_client *fresh = rig_client();
	struct view view;

	look(fresh, NAME, &view);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(view.nodes[i].state, REDLOCK_NODE_UP);
		ck_assert(view.nodes[i].answered);
	}
	close_sync(&rig.loop, fresh);
}
END_TEST

START_TEST(dead_and_hung_nodes_do_not_hold_up_a_look)
{
	struct view view;

	server_kill(&rig.servers.at[0]);
	server_stop(&rig.servers.at[1]);
	loop_run_ms(&rig.loop, 20);
	look(rig.client, NAME, &view);
	ck_assert_int_ne(view.nodes[0].state, REDLOCK_NODE_UP);
	ck_assert_str_ne(view.errors[0], "");
	ck_assert_int_ne(view.nodes[1].state, REDLOCK_NODE_UP);
	ck_assert(!view.nodes[0].answered);
	ck_assert(!view.nodes[1].answered);
	ck_assert_int_eq(view.nodes[2].state, REDLOCK_NODE_UP);
	ck_assert(view.nodes[2].answered);
	server_continue(&rig.servers.at[1]);
}
END_TEST

START_TEST(a_look_is_refused_without_sense_and_ended_by_a_close)
{
	static char name[64 * 1024 + 1];
	struct view view = {0};

	ck_assert_int_eq(redlock_inspect(NULL, NULL, 0, take_view, &view), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_inspect(rig.client, NULL, 0, NULL, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_inspect(rig.client, name, sizeof name, take_view, &view),
			 REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_inspect(rig.client, NAME, 1, take_view, &view), REDLOCK_OK);
	close_sync(&rig.loop, rig.client);
	rig.client = NULL;
	ck_assert_uint_eq(view.calls, 1);
	ck_assert_int_eq(view.status, REDLOCK_ECLOSED);
}
END_TEST

/* ---- Nodes that must not vote ---------------------------------------------------------------- */

static void rig_3_unconnected(void)
{
	rig_open(3, NULL);
	rig.options.node_timeout_ms = 500;
}

static void expect_barred(size_t barred)
{
	struct view view;
	size_t found = 0;

	look(rig.client, NULL, &view);
	for (size_t i = 0; i < view.node_count; i++) {
		if (view.nodes[i].state == REDLOCK_NODE_BARRED) {
			ck_assert_str_ne(view.errors[i], "");
			ck_assert_int_eq(view.nodes[i].same_as != 0,
					 strstr(view.errors[i], "same server") != NULL);
			found++;
		}
	}
	ck_assert_uint_eq(found, barred);
}

/* Two of the three URLs lead to one server, which must have one vote. */
static void expect_one_vote_of_two(const char *other_way)
{
	struct redlock_lock *lock;

	(void)snprintf(rig.urls[1], sizeof rig.urls[1], "%s", other_way);
	rig.client = rig_client();
	rig_wait_up(rig.client, 2);
	expect_barred(1);
	lock = rig_lock(NAME);
	rig_acquire(lock);
	server_kill(&rig.servers.at[2]);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ENOQUORUM);
	(void)release_sync(&rig.loop, lock, NULL);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	redlock_lock_free(lock);
}

START_TEST(a_server_under_two_addresses_has_one_vote)
{
	char url[64];

	(void)snprintf(url, sizeof url, "redis://localhost:%u", rig.servers.at[0].port);
	expect_one_vote_of_two(url);
}
END_TEST

START_TEST(a_server_under_its_socket_and_its_port_has_one_vote)
{
	char url[160];

	(void)snprintf(url, sizeof url, "unix://%s", rig.servers.at[0].socket_path);
	expect_one_vote_of_two(url);
}
END_TEST

START_TEST(a_server_asked_twice_from_the_start_never_makes_a_quorum)
{
	struct redlock_lock *lock;

	(void)snprintf(rig.urls[1], sizeof rig.urls[1], "unix://%s", rig.servers.at[0].socket_path);
	server_kill(&rig.servers.at[2]);
	rig.client = rig_client();
	lock = rig_lock(NAME);
	for (int i = 0; i < 20; i++) {
		ck_assert_int_ne(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_OK);
		loop_run_ms(&rig.loop, 20);
	}
	redlock_lock_free(lock);
}
END_TEST

static void make_replica(size_t node, size_t of)
{
	server_do(&rig.servers.at[node], "REPLICAOF 127.0.0.1 %u", rig.servers.at[of].port);
}

/* Asking who has a key is a script, which this user may not run. */
START_TEST(a_barred_node_stays_connected_when_it_is_looked_at)
{
	struct redlock_node_stats stats;
	struct view view;
	size_t i;

	if (server_sets_if_equal(&rig.servers.at[0])) {
		return; /* There it does without scripts, and is not barred. */
	}
	for (i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER lame on >x ~* &* +@all -eval -evalsha");
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://lame:x@%s",
			       rig.servers.at[i].address);
	}
	rig.client = rig_client();
	do {
		look(rig.client, NULL, &view);
	} while (view.nodes[0].state == REDLOCK_NODE_CONNECTING ||
		 view.nodes[0].state == REDLOCK_NODE_DOWN);
	expect_barred(3);
	look(rig.client, NAME, &view);
	look(rig.client, NAME, &view);
	expect_barred(3);
	ck_assert_int_eq(redlock_client_node_stats(rig.client, 0, &stats), 0);
	ck_assert_uint_eq(stats.disconnects, 0);
}
END_TEST

START_TEST(a_replica_never_votes)
{
	struct redlock_lock *lock;

	make_replica(1, 0);
	rig.client = rig_client();
	rig_wait_up(rig.client, 2);
	expect_barred(1);
	lock = rig_lock(NAME);
	rig_acquire(lock);
	rig_release(lock);
	server_kill(&rig.servers.at[2]);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	redlock_lock_free(lock);
	/* What a master forgets, its copy must forget before it becomes a master again. */
	rig_until_gone(NAME);
	server_do(&rig.servers.at[1], "REPLICAOF NO ONE");
}
END_TEST

START_TEST(a_master_that_became_a_replica_votes_no_more)
{
	struct redlock_lock *lock;

	rig_connect();
	make_replica(1, 0);
	make_replica(2, 0);
	lock = rig_lock(NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	redlock_lock_free(lock);
	rig_until_gone(NAME);
	server_do(&rig.servers.at[1], "REPLICAOF NO ONE");
	server_do(&rig.servers.at[2], "REPLICAOF NO ONE");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inspect");
	TCase *three = rig_case(suite, "three nodes", rig_3);
	TCase *barred = rig_case(suite, "barred nodes", rig_3_unconnected);

	tcase_add_test(three, a_look_at_the_nodes_tells_what_they_are);
	tcase_add_test(three, a_look_at_a_lock_tells_who_has_it_where_and_for_how_long);
	tcase_add_test(three, a_look_right_after_opening_waits_for_the_connections);
	tcase_add_test(three, dead_and_hung_nodes_do_not_hold_up_a_look);
	tcase_add_test(three, a_look_is_refused_without_sense_and_ended_by_a_close);
	tcase_add_test(barred, a_server_under_two_addresses_has_one_vote);
	tcase_add_test(barred, a_server_under_its_socket_and_its_port_has_one_vote);
	tcase_add_test(barred, a_server_asked_twice_from_the_start_never_makes_a_quorum);
	tcase_add_test(barred, a_barred_node_stays_connected_when_it_is_looked_at);
	tcase_add_test(barred, a_replica_never_votes);
	tcase_add_test(barred, a_master_that_became_a_replica_votes_no_more);
	return rig_run(suite);
}
