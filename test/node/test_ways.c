/* test_ways.c - hostile servers off the beaten track: before the first byte, between the questions,
 * at the very end. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "company.h"
#include "rows.h"
#include "sandbox.h"

#define MANY 200

static struct redlock_client *client_of(const char *url)
{
	struct redlock_client *made = NULL;
	struct redlock_error error;

	ck_assert_int_eq(redlock_client_new(&made, &rig.loop, &url, 1, &rig.options, &error),
			 REDLOCK_OK);
	return made;
}

/* ---- The error of the only node -------------------------------------------------------------- */

struct look {
	bool done;
	enum redlock_node_state state;
	char error[256];
	const char *wanted;
};

static void on_look(struct redlock_client *of, int status,
		    const struct redlock_inspection *inspection, void *data)
{
	struct look *look = data;

	(void)of;
	(void)status;
	look->done = true;
	look->state = inspection->nodes[0].state;
	(void)snprintf(look->error, sizeof look->error, "%s", inspection->nodes[0].error);
}

static bool says_so(void *data)
{
	struct look *look = data;

	look->done = false;
	ck_assert_int_eq(redlock_inspect(client, NULL, 0, on_look, look), REDLOCK_OK);
	loop_wait(&rig.loop, &look->done);
	return look->state == REDLOCK_NODE_DOWN && strstr(look->error, look->wanted);
}

static void expect_error(const char *wanted)
{
	struct look look = {.wanted = wanted};

	loop_until(&rig.loop, says_so, &look, wanted);
	ck_assert_ptr_null(strstr(look.error, PASSWORD));
}

/* ---- Before the first byte ------------------------------------------------------------------- */

/* A server that has accepted and spoken before the client's loop turns for the first time. */
static int speak_first(const char *greeting, size_t len, bool hang_up)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0), peer;
	char url[64];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(url, sizeof url, "redis://127.0.0.1:%u", ntohs(address.sin_port));
	client = client_of(url);
	peer = accept(listener, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	ck_assert_int_eq(send(peer, greeting, len, MSG_NOSIGNAL), (ssize_t)len);
	ck_assert_int_eq(close(listener), 0);
	if (hang_up) {
		ck_assert_int_eq(close(peer), 0);
		return -1;
	}
	return peer;
}

static const struct {
	const char *says, *wanted;
} greetings[] = {
	{"+OK POP3 ready\r\n", "a reply to nothing"},
	{":1\r\n", "a reply to nothing"},
	{"$-1\r\n", "a reply to nothing"},
	{"*2\r\n$9\r\nsubscribe\r\n:1\r\n", "a reply to nothing"},
	{"-ERR max number of clients reached\r\n", "ERR max number of clients reached"},
	{"SSH-2.0-OpenSSH_9.2p1\r\n", "Protocol error"},
	{"*100000000\r\n", "too many elements"},
};

START_TEST(a_server_that_speaks_first_is_none_of_ours)
{
	for (size_t i = 0; i < 2 * COUNT(greetings); i++) {
		const char *says = greetings[i / 2].says;
		int peer = speak_first(says, strlen(says), i % 2 == 1);
		struct look look = {.wanted = greetings[i / 2].wanted};

		/* It listens no more: the second attempt tells something else. */
		rig.options.reconnect_min_ms = rig.options.reconnect_max_ms = 60000;
		ck_assert_msg(says_so(&look), "%s", look.error);
		close_sync(&rig.loop, client);
		client = NULL;
		if (peer >= 0) {
			ck_assert_int_eq(close(peer), 0);
		}
	}
}
END_TEST

START_TEST(a_port_on_which_nobody_listens_is_told)
{
	char url[64];

	(void)snprintf(url, sizeof url, "redis://127.0.0.1:%u", sandbox_port());
	client = client_of(url);
	expect_error("Connection refused");
}
END_TEST

START_TEST(a_server_that_repeats_the_password_shows_it_to_nobody)
{
	static const struct fake_cue hello = {.at = AT_HELLO, .manner = PARROT};
	static const struct fake_cue neither = {
		.at = AT_HELLO, .manner = PARROT, .also_at = AT_AUTH};

	company_open(0, 1, &hello);
	rig_wait_up(client, 1); /* It may do without HELLO. */
	ck_assert_uint_gt(fake_heard(fakes[0], AT_AUTH), 0);
	close_sync(&rig.loop, client);
	meeting_never_said(PASSWORD);
	fake_cue(fakes[0], &neither);
	client = meeting_client(0, fakes, 1);
	expect_error("unknown command 'AUTH'");
	meeting_never_said(PASSWORD);
}
END_TEST

/* ---- Between the questions ------------------------------------------------------------------- */

START_TEST(a_reply_to_nothing_ends_the_connection_and_not_the_lease)
{
	static const struct fake_bytes unasked = {.head = "+OK\r\n"};
	struct redlock_lock *lock;

	company_open(0, 3, NULL);
	rig_wait_up(client, 3);
	lock = rig_lock_of(client, NAME);
	rig_acquire(lock);
	loop_run_ms(&rig.loop, 5);
	for (size_t i = 0; i < 3; i++) {
		fake_say(fakes[i], &unasked);
	}
	loop_run_ms(&rig.loop, 20);
	ck_assert(redlock_lock_held(lock));
	rig_wait_up(client, 3);
	ck_assert_uint_eq(fake_heard(fakes[0], AT_HELLO), 2);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(an_answer_that_comes_twice_is_counted_once)
{
	static const struct fake_cue twice = {.at = AT_SET, .manner = TWICE, .times = 1};
	struct redlock_lock *lock;
	struct outcome outcome;

	company_open(2, 1, &twice);
	rig_wait_up(client, 3);
	rig_stranger(0, NAME);
	rig_stranger(1, NAME);
	lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_EHELD);
	ck_assert_uint_le(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 1);
	redlock_lock_free(lock);
}
END_TEST

/* In one piece with the end of the log-in, for which the vote waits. */
START_TEST(a_yes_that_comes_before_it_was_asked_for_grants_nothing)
{
	static const struct fake_cue ahead = {
		.at = AT_ENROL,
		.say.head = "*2\r\n$7\r\n1000000\r\n$16\r\n1700000000000000\r\n+OK\r\n",
		.times = 1};
	struct redlock_lock *lock;
	struct outcome outcome;

	company_open(0, 1, &ahead);
	lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert_int_eq(outcome.nodes[0].vote, REDLOCK_VOTE_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(outcome.nodes[0].error, "a reply ahead of its question"));
	ck_assert_uint_eq(fake_heard(fakes[0], AT_SET), 0);
	rig_wait_up(client, 1);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* In one piece with the reply for which the script is sent again. */
START_TEST(a_yes_that_comes_before_it_was_asked_for_again_grants_nothing)
{
	static const struct fake_cue ahead = {
		.at = AT_FENCED,
		.say.head = "-NOSCRIPT No matching script.\r\n*2\r\n:1\r\n$0\r\n\r\n",
		.times = 1};
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	struct outcome outcome;

	company_open(0, 1, &ahead);
	rig_wait_up(client, 1);
	redlock_lock_options_init(&options);
	options.fence = true;
	lock = rig_lock_with(client, NAME, &options);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert_int_eq(outcome.nodes[0].vote, REDLOCK_VOTE_UNREACHABLE);
	ck_assert_ptr_nonnull(strstr(outcome.nodes[0].error, "a reply ahead of its question"));
	ck_assert_uint_eq(fake_heard(fakes[0], AT_FENCED), 1);
	rig_wait_up(client, 1);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* ---- Servers that do not read ---------------------------------------------------------------- */

struct crowd {
	struct redlock_lock *locks[MANY];
	struct outcome outcomes[MANY];
	size_t done;
};

static struct crowd crowd;

static void crowd_starts(size_t count)
{
	char name[8192];

	memset(&crowd, 0, sizeof crowd);
	memset(name, 'n', sizeof name);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(name, 16, "%zu", i);
		ck_assert_int_eq(redlock_lock_new(&crowd.locks[i], client, name, sizeof name, NULL),
				 REDLOCK_OK);
		ck_assert_int_eq(
			redlock_acquire(crowd.locks[i], 0, outcome_take, &crowd.outcomes[i]),
			REDLOCK_OK);
	}
}

static bool crowd_is_done(void *data)
{
	(void)data;
	for (size_t i = 0; i < MANY; i++) {
		if (crowd.locks[i] && crowd.outcomes[i].calls == 0) {
			return false;
		}
	}
	return true;
}

static void crowd_goes(int status)
{
	for (size_t i = 0; i < MANY; i++) {
		if (crowd.locks[i]) {
			ck_assert_uint_eq(crowd.outcomes[i].calls, 1);
			ck_assert_int_eq(crowd.outcomes[i].status, status);
			redlock_lock_free(crowd.locks[i]);
		}
	}
}

static const struct fake_cue deaf = {.at = AT_SET, .then = DEAF};

/* 200 keys of 8 kB, to three nodes: more than sockets take. */
START_TEST(a_server_that_never_reads_costs_no_more_than_what_was_asked)
{
	size_t before = meeting_peak();

	rig.options.node_timeout_ms = 300;
	company_open(0, 3, &deaf);
	rig_wait_up(client, 3);
	for (int i = 0; i < 5; i++) {
		crowd_starts(MANY);
		loop_until(&rig.loop, crowd_is_done, NULL, "all end");
		crowd_goes(REDLOCK_ENOQUORUM);
	}
	/* 1.6 MB for each node and round at most, twice with what undoes it; and there is a
	 * breaker. */
	ck_assert_uint_lt(meeting_peak() - before, (size_t)256 << 20);
}
END_TEST

START_TEST(closing_among_servers_that_never_read_ends_everything_once)
{
	rig.options.node_timeout_ms = 1500; /* Far more than this takes. */
	company_open(0, 3, &deaf);
	rig_wait_up(client, 3);
	crowd_starts(MANY);
	loop_turn(&rig.loop);
	close_sync(&rig.loop, client);
	client = NULL;
	loop_run_ms(&rig.loop, 5);
	crowd_goes(REDLOCK_ECLOSED);
}
END_TEST

START_TEST(cancelling_and_freeing_while_nobody_answers_ends_everything_once)
{
	rig.options.node_timeout_ms = 1500; /* Far more than this takes. */
	company_open(0, 3, &deaf);
	rig_wait_up(client, 3);
	crowd_starts(4);
	loop_turn(&rig.loop);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(redlock_cancel(crowd.locks[i]), REDLOCK_OK);
	}
	loop_until(&rig.loop, crowd_is_done, NULL, "all end");
	crowd_goes(REDLOCK_ECANCELED);
}
END_TEST

START_TEST(closing_while_servers_hang_in_the_log_in_does_not_wait_for_them)
{
	static const struct fake_cue hang = {.at = AT_HELLO, .then = HANG};
	uint64_t before_ms;

	rig.options.connect_timeout_ms = 60000;
	rig.options.node_timeout_ms = 60000;
	company_open(0, 3, &hang);
	loop_run_ms(&rig.loop, 20);
	crowd_starts(1);
	before_ms = loop_clock_ms();
	close_sync(&rig.loop, client);
	client = NULL;
	ck_assert_uint_lt(loop_clock_ms() - before_ms, 10000);
	crowd_goes(REDLOCK_ECLOSED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node ways");
	TCase *tcase = tcase_create("ways");

	tcase_set_timeout(tcase, RIG_CASE_SECONDS);
	tcase_add_checked_fixture(tcase, meeting_open, company_close);
	tcase_add_test(tcase, a_server_that_speaks_first_is_none_of_ours);
	tcase_add_test(tcase, a_port_on_which_nobody_listens_is_told);
	tcase_add_test(tcase, a_server_that_repeats_the_password_shows_it_to_nobody);
	tcase_add_test(tcase, a_reply_to_nothing_ends_the_connection_and_not_the_lease);
	tcase_add_test(tcase, an_answer_that_comes_twice_is_counted_once);
	tcase_add_test(tcase, a_yes_that_comes_before_it_was_asked_for_grants_nothing);
	tcase_add_test(tcase, a_yes_that_comes_before_it_was_asked_for_again_grants_nothing);
	tcase_add_test(tcase, a_server_that_never_reads_costs_no_more_than_what_was_asked);
	tcase_add_test(tcase, closing_among_servers_that_never_read_ends_everything_once);
	tcase_add_test(tcase, cancelling_and_freeing_while_nobody_answers_ends_everything_once);
	tcase_add_test(tcase, closing_while_servers_hang_in_the_log_in_does_not_wait_for_them);
	suite_add_tcase(suite, tcase);
	return rig_run(suite);
}
