/* test_ends.c - nodes that speak no TLS, do not answer, are full, or die at the worst moment. */
#include "tls_rig.h"

#include <hiredis/hiredis.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A node that does not answer is given up for after this. */
#define SHORT_MS 300

static struct server *server(size_t node)
{
	return &tls.nodes[node].servers.at[0];
}

/* ---- No TLS ---------------------------------------------------------------------------------- */

START_TEST(a_plain_port_is_no_tls_port)
{
	tls_open(1, "server", NULL);
	tls.options.connect_timeout_ms = SHORT_MS;
	(void)snprintf(tls.nodes[0].url, sizeof tls.nodes[0].url, "rediss://127.0.0.1:%u",
		       server(0)->port);
	tls_expect_refused("no TLS on that port");
}
END_TEST

START_TEST(a_silent_server_is_given_up)
{
	tls_open(1, "server", NULL);
	tls.options.connect_timeout_ms = SHORT_MS;
	server_stop(server(0));
	tls_expect_refused("no answer to the handshake");
}
END_TEST

START_TEST(nobody_on_the_port_is_told_as_without_tls)
{
	tls_open(1, "server", NULL);
	server_kill(server(0));
	tls_expect_refused("Connection refused");
}
END_TEST

START_TEST(a_plain_url_to_a_tls_port_is_refused)
{
	tls_open(1, "server", NULL);
	(void)snprintf(tls.nodes[0].url, sizeof tls.nodes[0].url, "redis://127.0.0.1:%u",
		       tls.nodes[0].port);
	tls_expect_refused("");
}
END_TEST

START_TEST(kinds_of_nodes_mix)
{
	tls_open(3, "server", NULL);
	(void)snprintf(tls.nodes[1].url, sizeof tls.nodes[1].url, "redis://127.0.0.1:%u",
		       server(1)->port);
	(void)snprintf(tls.nodes[2].url, sizeof tls.nodes[2].url, "unix://%s",
		       server(2)->socket_path);
	tls_connect(3);
	tls_expect_works();
}
END_TEST

/* ---- Five nodes ------------------------------------------------------------------------------ */

START_TEST(one_hung_node_of_five_does_no_harm)
{
	tls_open(5, "server", NULL);
	tls.options.node_timeout_ms = SHORT_MS;
	tls_connect(5);
	tls_expect_works();
	server_stop(server(2));
	tls_expect_works();
	tls_expect_works();
	server_continue(server(2));
}
END_TEST

START_TEST(a_node_that_hangs_from_the_start_does_no_harm)
{
	tls_open(5, "server", NULL);
	server_stop(server(0));
	tls_connect(4);
	tls_expect_works();
	server_continue(server(0));
}
END_TEST

START_TEST(a_node_that_comes_back_is_connected_to_again)
{
	tls_open(1, "server", NULL);
	tls.options.reconnect_max_ms = 200;
	tls_connect(1);
	tls_expect_works();
	server_kill(server(0));
	ck_assert_ptr_nonnull(strstr(tls_node_error(), "onnection"));
	server_start_again(server(0), false);
	tls_wait_up(1);
	tls_expect_works();
}
END_TEST

/* ---- Writing --------------------------------------------------------------------------------- */

#define LOCKS 150
#define NAME_LEN 61440

static struct redlock_lock *locks[LOCKS];
static struct outcome outcomes[LOCKS];

/* More than a socket takes. */
static void acquire_many(void)
{
	static char name[NAME_LEN];

	for (int i = 0; i < LOCKS; i++) {
		(void)snprintf(name, sizeof name, "%*d", NAME_LEN - 1, i);
		locks[i] = tls_lock(name, sizeof name);
		ck_assert_int_eq(redlock_acquire(locks[i], 0, outcome_take, &outcomes[i]),
				 REDLOCK_OK);
	}
}

static void release_many(void)
{
	for (int i = 0; i < LOCKS; i++) {
		loop_wait_for(&tls.loop, &outcomes[i]);
		ck_assert_int_eq(outcomes[i].status, REDLOCK_OK);
		ck_assert_int_eq(release_sync(&tls.loop, locks[i], NULL), REDLOCK_OK);
		redlock_lock_free(locks[i]);
	}
}

static void count_turn(uv_prepare_t *turns)
{
	++*(unsigned *)turns->data;
}

/* Far fewer turns than an event that is never dealt with would make. */
static void expect_few_turns(void)
{
	unsigned turns = 0;
	uv_prepare_t counter = {.data = &turns};

	loop_run_ms(&tls.loop, 300);
	(void)uv_prepare_init(&tls.loop, &counter);
	(void)uv_prepare_start(&counter, count_turn);
	loop_run_ms(&tls.loop, 300);
	ck_assert_uint_lt(turns, 1000);
	uv_close((uv_handle_t *)&counter, NULL);
	loop_turn(&tls.loop);
}

START_TEST(the_loop_does_not_turn_in_vain)
{
	tls_open(1, "server", NULL);
	tls.options.node_timeout_ms = 15000;
	tls_connect(1);
	expect_few_turns();
	server_stop(server(0));
	acquire_many();
	expect_few_turns();
	server_continue(server(0));
	release_many();
}
END_TEST

/* Bytes that the server has read, but for the command that it is about to run. */
static size_t count_unrun(void)
{
	redisReply *list = server_command(server(0), "CLIENT LIST");
	size_t count = 0;

	for (const char *at = list->str; (at = strstr(at, " qbuf=")); at++) {
		count += strtoul(at + strlen(" qbuf="), NULL, 10);
	}
	freeReplyObject(list);
	return count;
}

static bool has_read_all(void *data)
{
	(void)data;
	return count_unrun() >= (LOCKS - 1) * NAME_LEN;
}

/* No reply comes, so it is the socket itself that must say when it has room again. */
START_TEST(a_full_socket_is_written_to_when_it_has_room)
{
	tls_open(1, "server", NULL);
	tls.options.node_timeout_ms = 15000;
	tls_connect(1);
	server_do(server(0), "CLIENT PAUSE 60000 WRITE");
	server_stop(server(0));
	acquire_many();
	loop_run_ms(&tls.loop, 300);
	server_continue(server(0));
	loop_until(&tls.loop, has_read_all, NULL, "all commands have arrived");
	server_do(server(0), "CLIENT UNPAUSE");
	release_many();
}
END_TEST

struct last_words {
	struct redlock_lock *locks[2];
	struct outcome outcomes[2];
	uv_check_t check;
	uv_timer_t timer;
};

static void say_more(uv_timer_t *timer)
{
	struct last_words *words = timer->data;

	ck_assert_int_eq(redlock_acquire(words->locks[1], 0, outcome_take, &words->outcomes[1]),
			 REDLOCK_OK);
	uv_close((uv_handle_t *)timer, NULL);
}

static void kill_and_say(uv_check_t *check)
{
	struct last_words *words = check->data;

	server_kill(server(0));
	ck_assert_int_eq(redlock_acquire(words->locks[0], 0, outcome_take, &words->outcomes[0]),
			 REDLOCK_OK);
	(void)uv_timer_start(&words->timer, say_more, 0, 0);
	uv_close((uv_handle_t *)check, NULL);
}

/* The first write to a dead server is answered by a reset, and the second would raise SIGPIPE: both
 * are made before the loop has looked at the socket again. */
START_TEST(a_server_that_dies_between_two_writes_raises_no_signal)
{
	static struct last_words words;

	tls_open(1, "server", NULL);
	tls_connect(1);
	words.locks[0] = tls_lock("a", 1);
	words.locks[1] = tls_lock("b", 1);
	words.check.data = words.timer.data = &words;
	(void)uv_timer_init(&tls.loop, &words.timer);
	(void)uv_check_init(&tls.loop, &words.check);
	(void)uv_check_start(&words.check, kill_and_say);
	for (int i = 0; i < 2; i++) {
		loop_wait_for(&tls.loop, &words.outcomes[i]);
		ck_assert_int_eq(words.outcomes[i].status, REDLOCK_ENOQUORUM);
		redlock_lock_free(words.locks[i]);
	}
}
END_TEST

/* ---- The host program's OpenSSL -------------------------------------------------------------- */

static void leave_an_error(void)
{
	BIO *file = BIO_new_file("/there/is/no/such/file", "r");

	ck_assert_ptr_null(file);
	ck_assert_uint_ne(ERR_peek_error(), 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare;
	leave_an_error();
}

static void on_check(uv_check_t *check)
{
	(void)check;
	leave_an_error();
}

START_TEST(errors_that_the_program_has_left_behind_do_no_harm)
{
	uv_prepare_t prepare;
	uv_check_t check;

	tls_open(1, "server", NULL);
	leave_an_error();
	(void)uv_prepare_init(&tls.loop, &prepare);
	(void)uv_prepare_start(&prepare, on_prepare);
	(void)uv_check_init(&tls.loop, &check);
	(void)uv_check_start(&check, on_check);
	tls.options.node_timeout_ms = 15000;
	tls_connect(1);
	tls_expect_works();
	acquire_many(); /* A full socket is no error either. */
	release_many();
	uv_close((uv_handle_t *)&prepare, NULL);
	uv_close((uv_handle_t *)&check, NULL);
	loop_turn(&tls.loop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls ends");
	TCase *one = tls_case(suite, "one");
	TCase *five = tls_case(suite, "five");

	tcase_add_test(one, a_plain_port_is_no_tls_port);
	tcase_add_test(one, a_silent_server_is_given_up);
	tcase_add_test(one, nobody_on_the_port_is_told_as_without_tls);
	tcase_add_test(one, a_plain_url_to_a_tls_port_is_refused);
	tcase_add_test(one, kinds_of_nodes_mix);
	tcase_add_test(one, a_node_that_comes_back_is_connected_to_again);
	tcase_add_test(one, the_loop_does_not_turn_in_vain);
	tcase_add_test(one, a_full_socket_is_written_to_when_it_has_room);
	tcase_add_test(one, a_server_that_dies_between_two_writes_raises_no_signal);
	tcase_add_test(one, errors_that_the_program_has_left_behind_do_no_harm);
	tcase_add_test(five, one_hung_node_of_five_does_no_harm);
	tcase_add_test(five, a_node_that_hangs_from_the_start_does_no_harm);
	return tls_run(suite);
}
