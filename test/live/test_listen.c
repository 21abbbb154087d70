/* test_listen.c - the connection on which a node calls us, with real servers: calls arrive, and it
 * can break, be refused and be closed at any moment. */
#include "ear.h"
#include "faulty.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD "p@ss/word"
#define PASSWORD_ENCODED "p%40ss%2Fword"
/* Of the loop, while a connection is made, logs in and subscribes; and some more. */
#define STAGES 12

static void expect_heard(unsigned node)
{
	struct server *server = &rig.servers.at[node];
	const char *channel = ear_channel(rig.client);
	unsigned calls = ear.calls;

	ck_assert_int_eq(server_number(server, "PUBLISH %s %s", channel, "y0000000100000002"), 1);
	ear_wait_calls(calls + 1);
	ck_assert_uint_eq(ear.node, node);
	ck_assert(ear.call[calls].yours);
	ck_assert_uint_eq(ear.call[calls].name, 1);
	ck_assert_uint_eq(ear.call[calls].seq, 2);
}

static bool is_deaf(void *data)
{
	(void)data;
	return ear.deaf > 0;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

START_TEST(what_is_published_on_each_node_is_heard)
{
	for (unsigned node = 0; node < 3; node++) {
		ear_expect_listens(rig.client, node);
		expect_heard(node);
	}
	server_do(&rig.servers.at[1], "PUBLISH %s %s", ear_channel(rig.client),
		  "n0000000a0000000b250");
	ear_wait_calls(2);
	ck_assert_uint_eq(ear.call[1].in_ms, 250);
}
END_TEST

START_TEST(clients_have_channels_of_their_own)
{
	struct redlock_client *other = rig_connected_client();

	ck_assert_uint_eq(strlen(other->cluster.caller), 12);
	ck_assert_uint_eq(strspn(other->cluster.caller, "0123456789abcdef"), 12);
	ck_assert_str_ne(other->cluster.caller, rig.client->cluster.caller);
	ear_expect_listens(other, 0);
	ear_expect_listens(rig.client, 0);
	expect_heard(0);
	loop_run_ms(&rig.loop, 10);
	ck_assert_uint_eq(ear.calls, 1);
	close_sync(&rig.loop, other);
	expect_heard(0);
}
END_TEST

START_TEST(a_lock_works_beside_it)
{
	struct redlock_lock *lock = rig_lock("orders:17");

	ear_expect_listens(rig.client, 0);
	rig_acquire(lock);
	expect_heard(0);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
	ck_assert_uint_eq(ear.deaf, 0);
}
END_TEST

/* ---- Ways to a server ------------------------------------------------------------------------ */

static void connect_by(const char *url)
{
	(void)snprintf(rig.urls[0], sizeof rig.urls[0], "%s", url);
	rig_connect();
	ear_expect_listens(rig.client, 0);
	expect_heard(0);
}

static void rig_1_apart(void)
{
	rig_open(1, NULL);
}

START_TEST(it_is_listened_to_by_name)
{
	char url[64];

	(void)snprintf(url, sizeof url, "redis://localhost:%u", rig.servers.at[0].port);
	connect_by(url);
}
END_TEST

/* Its name has two addresses, and the first one leads nowhere. */
START_TEST(it_is_listened_to_at_the_address_that_let_us_in)
{
	struct rlk_link *link;

	rig_connect();
	link = &rig.client->link[0];
	(void)snprintf(link->addresses[0], sizeof link->addresses[0], "127.0.0.2");
	(void)snprintf(link->addresses[1], sizeof link->addresses[1], "127.0.0.1");
	link->address_count = link->address = 2;
	ear_expect_listens(rig.client, 0);
	expect_heard(0);
}
END_TEST

START_TEST(it_is_listened_to_on_the_other_family)
{
	char url[64];

	(void)snprintf(url, sizeof url, "redis://[::1]:%u", rig.servers.at[0].port);
	connect_by(url);
}
END_TEST

START_TEST(it_is_listened_to_on_a_unix_socket_and_in_any_database)
{
	char url[256];

	(void)snprintf(url, sizeof url, "unix://%s?db=3", rig.servers.at[0].socket_path);
	connect_by(url);
}
END_TEST

static void rig_secret(void)
{
	rig_open(1, &(struct server_options){
			    .password = PASSWORD,
			    .acl = "user ear on >" PASSWORD " ~* resetchannels &redlock:wake:* "
				   "+@all\nuser mute on >" PASSWORD " ~* resetchannels +@all\n"
				   "user dumb on >" PASSWORD " ~* allchannels +@all -subscribe"});
}

static void connect_as(const char *user)
{
	char url[128];

	(void)snprintf(url, sizeof url, "redis://%s:%s@%s", user, PASSWORD_ENCODED,
		       rig.servers.at[0].address);
	(void)snprintf(rig.urls[0], sizeof rig.urls[0], "%s", url);
	rig_connect();
}

START_TEST(a_password_lets_it_in)
{
	connect_as("");
	ear_expect_listens(rig.client, 0);
	expect_heard(0);
}
END_TEST

START_TEST(a_right_to_the_channels_is_enough)
{
	connect_as("ear");
	ear_expect_listens(rig.client, 0);
	expect_heard(0);
}
END_TEST

START_TEST(no_right_is_a_refusal_for_good)
{
	connect_as("mute");
	ear_expect_deaf(rig.client, 0, true, "NOPERM");
	ck_assert_ptr_null(strstr(ear.why, PASSWORD));
	close_sync(&rig.loop, rig.client);
	connect_as("dumb");
	ear_expect_deaf(rig.client, 0, true, "NOPERM");
}
END_TEST

/* ---- Ends ------------------------------------------------------------------------------------ */

START_TEST(a_listener_that_is_killed_is_told_and_may_be_opened_again)
{
	for (int i = 0; i < 3; i++) {
		ear_expect_listens(rig.client, 0);
		expect_heard(0);
		server_do(&rig.servers.at[0], "CLIENT KILL TYPE pubsub");
		loop_until(&rig.loop, is_deaf, NULL, "it is told");
		ck_assert_ptr_nonnull(strstr(ear.why, "connection lost"));
		ck_assert_uint_eq(ear.for_good, 0);
		ck_assert_int_eq(rig.client->nodes[0].state, RLK_UP);
	}
}
END_TEST

/* Whatever ends the node's connection, its listener goes with it, untold. */
static bool is_down(void *data)
{
	(void)data;
	return rig.client->nodes[0].state != RLK_UP;
}

static bool is_alone(void *data)
{
	(void)data;
	return server_number(&rig.servers.at[0], "PUBLISH %s x", ear_channel(rig.client)) == 0;
}

static void expect_gone_untold(void)
{
	loop_until(&rig.loop, is_down, NULL, "the node is down");
	ck_assert_ptr_null(rig.client->link[0].listener.ac);
	ck_assert_uint_eq(ear.deaf, 0);
	rig_wait_up(rig.client, 3);
	ck_assert_uint_eq(ear.deaf, 0);
	loop_until(&rig.loop, is_alone, NULL, "nobody listens");
	ear_expect_listens(rig.client, 0);
	expect_heard(0);
}

START_TEST(it_goes_with_the_connection_of_its_node)
{
	ear_expect_listens(rig.client, 0);
	server_do(&rig.servers.at[0], "CLIENT KILL TYPE normal SKIPME yes");
	expect_gone_untold();
}
END_TEST

START_TEST(it_goes_with_its_server)
{
	ear_expect_listens(rig.client, 0);
	server_kill(&rig.servers.at[0]);
	loop_until(&rig.loop, is_down, NULL, "the node is down");
	server_start_again(&rig.servers.at[0], false);
	rig_wait_up(rig.client, 3);
	ck_assert_ptr_null(rig.client->link[0].listener.ac);
	ck_assert_uint_le(ear.deaf, 1); /* It may have been the first to hear of it. */
	ear_expect_listens(rig.client, 0);
	expect_heard(0);
}
END_TEST

static void run_turns(int count)
{
	for (int i = 0; i < count; i++) {
		loop_turn(&rig.loop);
		loop_run_ms(&rig.loop, i % 3 == 2);
	}
}

START_TEST(the_node_may_go_at_any_stage_of_the_opening)
{
	rig.options.reconnect_min_ms = rig.options.reconnect_max_ms = 10;
	for (int stage = 0; stage < STAGES; stage++) {
		ear_reset();
		ear_open(rig.client, 0);
		run_turns(stage);
		server_do(&rig.servers.at[0], "CLIENT KILL TYPE normal SKIPME yes");
		loop_run_ms(&rig.loop, 2);
		rig_wait_up(rig.client, 3);
		if (rig.client->link[0].listener.ac == NULL) {
			ear_expect_listens(rig.client, 0);
		}
		rig.client->cluster.ports->disconnect(rig.client->cluster.world, 0);
		rlk_node_down(&rig.client->nodes[0], "begin again");
		rig_wait_up(rig.client, 3);
	}
}
END_TEST

START_TEST(a_client_may_close_at_any_stage_of_the_opening)
{
	for (int stage = 0; stage < STAGES; stage++) {
		ear_reset();
		for (unsigned node = 0; node < 3; node++) {
			ear_open(rig.client, node);
		}
		run_turns(stage);
		close_sync(&rig.loop, rig.client);
		rig_connect();
	}
}
END_TEST

static void rig_1_held(void)
{
	rig_open(1, NULL);
	(void)rig_proxy(0);
	rig.options.connect_timeout_ms = 60000;
	rig_connect();
}

START_TEST(a_client_closes_without_waiting_for_who_does_not_answer)
{
	uint64_t before_ms = loop_clock_ms();

	proxy_hold(rig.proxies[0], PROXY_TO_CLIENT, true);
	ear_open(rig.client, 0);
	loop_run_ms(&rig.loop, 20);
	close_sync(&rig.loop, rig.client);
	rig.client = NULL;
	ck_assert_uint_eq(ear.listens + ear.deaf, 0);
	ck_assert_uint_lt(loop_clock_ms() - before_ms, 10000);
}
END_TEST

/* ---- Without memory -------------------------------------------------------------------------- */

static struct faulty faulty;
static struct redlock_allocator allocator;

static void rig_1_faulty(void)
{
	rig_open(1, NULL);
	allocator = faulty_allocator(&faulty);
	(void)faulty_mend(&faulty);
	rig.options.allocator = &allocator;
}

START_TEST(an_opening_that_runs_out_of_memory_is_told_and_leaves_nothing)
{
	bool failed = true;

	for (uint64_t skip = 0; failed; skip++) {
		rig_connect();
		ear_reset();
		faulty_break(&faulty, skip, _i == 1);
		ear_open(rig.client, 0);
		ear_wait();
		failed = faulty_mend(&faulty);
		ck_assert_uint_eq(ear.listens + ear.deaf, 1);
		ck_assert(ear.deaf == 0 || strstr(ear.why, "out of memory"));
		close_sync(&rig.loop, rig.client);
		ck_assert_uint_eq(faulty.in_use, 0);
	}
	rig.client = NULL;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listen");
	TCase *three = rig_case(suite, "three nodes", rig_3);
	TCase *ways = rig_case(suite, "ways", rig_1_apart);
	TCase *secret = rig_case(suite, "rights", rig_secret);
	TCase *held = rig_case(suite, "held", rig_1_held);
	TCase *memory = rig_case(suite, "memory", rig_1_faulty);

	tcase_add_test(three, what_is_published_on_each_node_is_heard);
	tcase_add_test(three, clients_have_channels_of_their_own);
	tcase_add_test(three, a_lock_works_beside_it);
	tcase_add_test(three, a_listener_that_is_killed_is_told_and_may_be_opened_again);
	tcase_add_test(three, it_goes_with_the_connection_of_its_node);
	tcase_add_test(three, it_goes_with_its_server);
	tcase_add_test(three, the_node_may_go_at_any_stage_of_the_opening);
	tcase_add_test(three, a_client_may_close_at_any_stage_of_the_opening);
	tcase_add_test(ways, it_is_listened_to_by_name);
	tcase_add_test(ways, it_is_listened_to_at_the_address_that_let_us_in);
	tcase_add_test(ways, it_is_listened_to_on_the_other_family);
	tcase_add_test(ways, it_is_listened_to_on_a_unix_socket_and_in_any_database);
	tcase_add_test(secret, a_password_lets_it_in);
	tcase_add_test(secret, a_right_to_the_channels_is_enough);
	tcase_add_test(secret, no_right_is_a_refusal_for_good);
	tcase_add_test(held, a_client_closes_without_waiting_for_who_does_not_answer);
	tcase_add_loop_test(memory, an_opening_that_runs_out_of_memory_is_told_and_leaves_nothing,
			    0, 2);
	return rig_run(suite);
}
