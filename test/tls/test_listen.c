/* test_listen.c - the connection on which a node calls us, under TLS. */
#include "ear.h"
#include "tls_rig.h"

#include <stdio.h>
#include <string.h>

#define MANY 2000
#define SHORT_MS 300
#define STAGES 20

static struct server *server(void)
{
	return &tls.nodes[0].servers.at[0];
}

static void call(void)
{
	ck_assert_int_eq(server_number(server(), "PUBLISH %s %s", ear_channel(tls.client),
				       "y0000000100000002"),
			 1);
}

START_TEST(calls_are_heard_through_tls)
{
	tls_open(1, "server", NULL);
	tls_connect(1);
	ear_expect_listens(tls.client, 0);
	for (unsigned i = 0; i < MANY; i++) {
		call();
	}
	ear_wait_calls(MANY);
	ck_assert_uint_eq(ear.calls, MANY);
	ck_assert_uint_eq(ear.call[0].seq, 2);
}
END_TEST

static bool is_deaf(void *data)
{
	(void)data;
	return ear.deaf > 0;
}

START_TEST(a_listener_that_is_killed_is_told_and_may_be_opened_again)
{
	tls_open(1, "server", NULL);
	tls_connect(1);
	for (int i = 0; i < 3; i++) {
		ear_expect_listens(tls.client, 0);
		call();
		ear_wait_calls(1);
		server_do(server(), "CLIENT KILL TYPE pubsub");
		loop_until(&tls.loop, is_deaf, NULL, "it is told");
		ck_assert_int_eq(tls.client->nodes[0].state, RLK_UP);
	}
}
END_TEST

START_TEST(a_handshake_that_is_not_answered_is_given_up)
{
	tls_open(1, "server", NULL);
	tls.options.connect_timeout_ms = SHORT_MS;
	tls_connect(1);
	server_stop(server());
	ear_expect_deaf(tls.client, 0, false, "no answer to the handshake");
	server_continue(server());
	tls_wait_up(1);
	ear_expect_listens(tls.client, 0);
}
END_TEST

START_TEST(a_client_may_close_at_any_stage_of_the_handshake)
{
	tls_open(1, "server", NULL);
	for (int stage = 0; stage < STAGES; stage++) {
		tls_connect(1);
		ear_reset();
		ear_open(tls.client, 0);
		for (int i = 0; i < stage; i++) {
			loop_turn(&tls.loop);
			loop_run_ms(&tls.loop, i % 4 == 3);
		}
		close_sync(&tls.loop, tls.client);
	}
	tls.client = NULL;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls listen");
	TCase *tcase = tls_case(suite, "listen");

	tcase_add_test(tcase, calls_are_heard_through_tls);
	tcase_add_test(tcase, a_listener_that_is_killed_is_told_and_may_be_opened_again);
	tcase_add_test(tcase, a_handshake_that_is_not_answered_is_given_up);
	tcase_add_test(tcase, a_client_may_close_at_any_stage_of_the_handshake);
	return tls_run(suite);
}
