/* test_listen.c - hostile servers on the connection on which we listen: they may refuse it, break
 * it, and say anything on it; the other one does not notice. */
#include <stdio.h>
#include <string.h>

#include "hearing.h"
#include "rows.h"

/* What was refused or broken can be opened again, and hears; the node has been up all the time. */
static void expect_works(const char *after)
{
	unsigned hellos = fake_heard(fakes[0], AT_HELLO);

	fake_cue(fakes[0], NULL);
	ear_expect_listens(client, 0);
	hearing_publish(hearing_message("y0000000100000002"));
	ear_wait_calls(1);
	ck_assert_msg(ear.calls == 1 && ear.call[0].name == 1 && ear.call[0].seq == 2, "%s", after);
	rig_wait_up(client, 1);
	ck_assert_uint_le(fake_heard(fakes[0], AT_HELLO) - hellos, 1);
	ck_assert_uint_eq(fake_heard(fakes[0], AT_ENROL), 1);
}

/* ---- Being let in ---------------------------------------------------------------------------- */

#define DOES_NOT_KNOW "-ERR unknown command 'HELLO', with args beginning with: '" PASSWORD "'\r\n"

START_TEST(a_server_without_hello_is_listened_to_all_the_same)
{
	static const struct fake_cue old = {.at = AT_HELLO, .say.head = DOES_NOT_KNOW};

	company_open(0, 1, &old);
	rig_wait_up(client, 1);
	ear_expect_listens(client, 0);
	ck_assert_uint_eq(fake_heard(fakes[0], AT_HELLO), 1);
	ck_assert_uint_eq(fake_heard(fakes[0], AT_AUTH), 2);
	ck_assert_uint_eq(fake_heard(fakes[0], AT_SUBSCRIBE), 1);
	hearing_publish(hearing_message("y0000000100000002"));
	ear_wait_calls(1);
}
END_TEST

/* Another one than the one that logged us in, say: it is believed the next time. */
START_TEST(a_server_that_forgets_hello_is_asked_without_it_the_next_time)
{
	static const struct fake_cue old = {.at = AT_HELLO, .say.head = DOES_NOT_KNOW};

	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	fake_cue(fakes[0], &old);
	ear_expect_deaf(client, 0, false, "unknown command 'HELLO'");
	ck_assert_ptr_null(strstr(ear.why, PASSWORD));
	ear_expect_listens(client, 0);
	ck_assert_uint_eq(fake_heard(fakes[0], AT_AUTH), 1);
}
END_TEST

static const struct {
	const char *name;
	struct fake_cue cue;
	bool for_good;
	const char *why;
} refusals[] = {
	{"no right",
	 {.at = AT_SUBSCRIBE, .say.head = "-NOPERM " PASSWORD " no\r\n"},
	 true,
	 "NOPERM *** no"},
	{"no such command",
	 {.at = AT_SUBSCRIBE, .manner = PARROT},
	 true,
	 "ERR unknown command 'SUBSCRIBE'"},
	{"not now",
	 {.at = AT_SUBSCRIBE, .say.head = "-LOADING Redis is loading\r\n"},
	 false,
	 "LOADING"},
	{"no words", {.at = AT_SUBSCRIBE, .say.head = "-\r\n"}, false, "an error without a text"},
	{"a status", {.at = AT_SUBSCRIBE, .say.head = "+OK\r\n"}, false, "reply to SUBSCRIBE"},
	{"a number", {.at = AT_SUBSCRIBE, .say.head = ":1\r\n"}, false, "reply to SUBSCRIBE"},
	{"nil", {.at = AT_SUBSCRIBE, .say.head = "$-1\r\n"}, false, "reply to SUBSCRIBE"},
	{"an empty array", {.at = AT_SUBSCRIBE, .say.head = "*0\r\n"}, false, "to SUBSCRIBE"},
	{"another channel",
	 {.at = AT_SUBSCRIBE, .say.head = "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n"},
	 false,
	 "reply to SUBSCRIBE"},
	{"nils",
	 {.at = AT_SUBSCRIBE, .say.head = "*3\r\n$-1\r\n$-1\r\n$-1\r\n"},
	 false,
	 "reply to SUBSCRIBE"},
	{"a message first",
	 {.at = AT_SUBSCRIBE,
	  .manner = BEFORE,
	  .say.head = "*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$17\r\ny0000000100000002\r\n"},
	 false,
	 "reply to SUBSCRIBE"},
	{"a huge array",
	 {.at = AT_SUBSCRIBE, .say.head = "*2000000000\r\n"},
	 false,
	 "too many elements"},
	{"a huge text",
	 {.at = AT_SUBSCRIBE, .say = {.head = "$500000000\r\n", .unit = "xxxx", .times = 20000}},
	 false,
	 "too long"},
	{"garbage",
	 {.at = AT_SUBSCRIBE, .say.head = "HTTP/1.1 400 Bad Request\r\n"},
	 false,
	 "Protocol error"},
	{"a wrong password",
	 {.at = AT_HELLO, .say.head = "-WRONGPASS " PASSWORD "\r\n"},
	 false,
	 "WRONGPASS ***"},
	{"a status to HELLO", {.at = AT_HELLO, .say.head = "+OK\r\n"}, false, "reply to HELLO"},
	{"no HELLO to speak of", {.at = AT_HELLO, .say.head = ":1\r\n"}, false, "reply to HELLO"},
	{"no room",
	 {.at = AT_ACCEPT, .say.head = "-ERR max number of clients\r\n"},
	 false,
	 "ERR max number of clients"},
	{"a greeting", {.at = AT_ACCEPT, .say.head = "+OK POP3 ready\r\n"}, false, "reply to"},
	{"closed at once", {.at = AT_ACCEPT, .then = HANG_UP}, false, "connection lost"},
	{"reset at once", {.at = AT_ACCEPT, .then = BREAK_OFF}, false, ""},
	{"closed at HELLO", {.at = AT_HELLO, .then = HANG_UP}, false, "connection lost"},
	{"reset at HELLO", {.at = AT_HELLO, .then = BREAK_OFF}, false, "connection lost"},
	{"closed at SUBSCRIBE", {.at = AT_SUBSCRIBE, .then = HANG_UP}, false, "connection lost"},
	{"half a reply",
	 {.at = AT_SUBSCRIBE, .say.head = "*3\r\n$9\r\nsubsc", .then = HANG_UP},
	 false,
	 "connection lost"},
};

START_TEST(a_refusal_is_told_once_and_the_next_try_is_a_new_one)
{
	const size_t i = (size_t)_i;

	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	fake_cue(fakes[0], &refusals[i].cue);
	ear_expect_deaf(client, 0, refusals[i].for_good, refusals[i].why);
	ck_assert_ptr_null(strstr(ear.why, PASSWORD));
	loop_run_ms(&rig.loop, 5);
	ck_assert_uint_eq(ear.deaf, 1);
	expect_works(refusals[i].name);
}
END_TEST

static const struct fake_cue hangs[] = {
	{.at = AT_ACCEPT, .then = DEAF},
	{.at = AT_HELLO, .then = HANG},
	{.at = AT_SUBSCRIBE, .then = HANG},
	{.at = AT_SUBSCRIBE, .say.head = "*3\r\n$9\r\nsubscribe\r\n", .then = HANG},
};

START_TEST(a_server_that_hangs_is_not_waited_for)
{
	rig.options.connect_timeout_ms = 200;
	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	for (size_t i = 0; i < COUNT(hangs); i++) {
		fake_cue(fakes[0], &hangs[i]);
		ear_expect_deaf(client, 0, false, "no answer while connecting");
	}
	expect_works("hanging");
}
END_TEST

START_TEST(who_is_let_in_has_all_the_time)
{
	rig.options.connect_timeout_ms = 100;
	hearing_open();
	loop_run_ms(&rig.loop, 200);
	hearing_publish_many(1);
	ear_wait_calls(1);
	ck_assert_uint_eq(ear.deaf, 0);
}
END_TEST

START_TEST(nothing_is_told_of_an_opening_that_goes_with_its_node)
{
	static const struct fake_cue hang = {.at = AT_HELLO, .then = HANG, .times = 1};

	rig.options.connect_timeout_ms = 100;
	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	fake_cue(fakes[0], &hang);
	ear_reset();
	ear_open(client, 0);
	loop_run_ms(&rig.loop, 20);
	client->cluster.ports->disconnect(client->cluster.world, 0);
	rlk_node_down(&client->nodes[0], "gone");
	rig_wait_up(client, 1);
	loop_run_ms(&rig.loop, 200);
	ck_assert_uint_eq(ear.listens + ear.deaf, 0);
}
END_TEST

START_TEST(a_call_to_who_has_asked_for_nothing_is_not_believed)
{
	struct fake_cue early = {.at = AT_ACCEPT, .manner = BEFORE};

	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	early.say.head = hearing_message("y0000000100000002");
	fake_cue(fakes[0], &early);
	ear_expect_deaf(client, 0, false, "reply to");
	ck_assert_uint_eq(ear.calls, 0);
	fake_cue(fakes[0], NULL);
}
END_TEST

static void try_again(struct redlock_client *of, unsigned node)
{
	if (ear.deaf < 5) {
		ear_open(of, node);
	}
}

static bool is_fifth(void *data)
{
	(void)data;
	return ear.deaf == 5;
}

START_TEST(it_may_be_opened_again_while_its_end_is_told)
{
	static const struct fake_cue closes = {.at = AT_HELLO, .then = HANG_UP};

	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	fake_cue(fakes[0], &closes);
	ear_reset();
	ear.on_deaf = try_again;
	ear_open(client, 0);
	loop_until(&rig.loop, is_fifth, NULL, "five ends");
	ck_assert_uint_eq(ear.listens, 0);
	expect_works("five ends");
}
END_TEST

/* ---- Being told what nobody asked for -------------------------------------------------------- */

static const struct {
	const char *says, *why;
} oddities[] = {
	{"-ERR go away\r\n", "ERR go away"},
	{"-ERR " PASSWORD " \x1b[31m\r\n", "ERR *** ?[31m"},
	{"+OK\r\n", "a reply to nothing"},
	{":1\r\n", "a reply to nothing"},
	{"$-1\r\n", "a reply to nothing"},
	{"$5\r\nhello\r\n", "a reply to nothing"},
	{"*-1\r\n", "a reply to nothing"},
	{"*0\r\n", "a reply to nothing"},
	{"*1\r\n$7\r\nmessage\r\n", "a reply to nothing"},
	{"*2\r\n$7\r\nmessage\r\n$1\r\nx\r\n", "a reply to nothing"},
	{"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n:1\r\n", "a reply to nothing"},
	{"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$-1\r\n", "a reply to nothing"},
	{"*3\r\n$7\r\nmessage\r\n:1\r\n$1\r\nx\r\n", "a reply to nothing"},
	{"*3\r\n:1\r\n$1\r\nx\r\n$1\r\nx\r\n", "a reply to nothing"},
	{"*3\r\n+message\r\n$1\r\nx\r\n$1\r\nx\r\n", "a reply to nothing"},
	{"*3\r\n$7\r\nmessage\r\n$1\r\nx\r\n*1\r\n$1\r\nx\r\n", "a reply to nothing"},
	{"*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:2\r\n", "a reply to nothing"},
	{"*3\r\n$11\r\nunsubscribe\r\n$1\r\nx\r\n:0\r\n", "a reply to nothing"},
	{"*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nx\r\n$1\r\nx\r\n", "a reply to nothing"},
	{"*2\r\n$4\r\npong\r\n$0\r\n\r\n", "a reply to nothing"},
	{"*2000000000\r\n", "too many elements"},
	{"hello\r\n", "Protocol error"},
	{"\x80\xff\r\n\r\n", "Protocol error"},
	{">3\r\n$7\r\nmessage\r\n$1\r\nx\r\n$1\r\nx\r\n", ""},
};

static bool is_deaf(void *data)
{
	(void)data;
	return ear.deaf > 0;
}

static void expect_end(const char *why)
{
	loop_until(&rig.loop, is_deaf, NULL, why);
	ck_assert_msg(strstr(ear.why, why), "\"%s\" is not in \"%s\"", why, ear.why);
	ck_assert_uint_eq(ear.deaf, 1);
	ck_assert_uint_eq(ear.for_good, 0);
	ck_assert_ptr_null(strstr(ear.why, PASSWORD));
}

START_TEST(what_no_publisher_can_have_sent_ends_the_connection)
{
	const size_t i = (size_t)_i;

	hearing_open();
	hearing_publish(oddities[i].says);
	hearing_publish_many(1); /* What it says next is not to be believed. */
	expect_end(oddities[i].why);
	ck_assert_uint_eq(ear.calls, 0);
	expect_works(oddities[i].says);
}
END_TEST

START_TEST(a_message_of_any_length_takes_no_more_memory_than_a_call)
{
	static char head[512];
	size_t before = meeting_peak();

	hearing_open();
	(void)snprintf(head, sizeof head, "*3\r\n$7\r\nmessage\r\n$25\r\n%s\r\n$400000000\r\n",
		       ear_channel(client));
	fake_publish(fakes[0],
		     &(struct fake_bytes){.head = head, .unit = "xxxxxxxx", .times = 100000});
	expect_end("a reply that is too long");
	ck_assert_uint_lt(meeting_peak() - before, (size_t)32 << 20);
	expect_works("a long message");
}
END_TEST

START_TEST(a_server_may_hang_up_in_the_middle_of_a_message)
{
	static const struct fake_cue half = {.at = AT_SUBSCRIBE,
					     .manner = AFTER,
					     .say.head = "*3\r\n$7\r\nmessage\r\n$25\r\nredlock:wa",
					     .then = HANG_UP};

	company_open(0, 1, NULL);
	rig_wait_up(client, 1);
	fake_cue(fakes[0], &half);
	ear_reset();
	ear_open(client, 0);
	expect_end("connection lost");
	ck_assert_uint_eq(ear.listens, 1);
	ck_assert_uint_eq(ear.calls, 0);
	expect_works("half a message");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node listen");
	TCase *tcase = tcase_create("listen");

	tcase_set_timeout(tcase, RIG_CASE_SECONDS);
	tcase_add_checked_fixture(tcase, meeting_open, company_close);
	tcase_add_test(tcase, a_server_without_hello_is_listened_to_all_the_same);
	tcase_add_test(tcase, a_server_that_forgets_hello_is_asked_without_it_the_next_time);
	tcase_add_loop_test(tcase, a_refusal_is_told_once_and_the_next_try_is_a_new_one, 0,
			    (int)COUNT(refusals));
	tcase_add_test(tcase, a_server_that_hangs_is_not_waited_for);
	tcase_add_test(tcase, who_is_let_in_has_all_the_time);
	tcase_add_test(tcase, nothing_is_told_of_an_opening_that_goes_with_its_node);
	tcase_add_test(tcase, a_call_to_who_has_asked_for_nothing_is_not_believed);
	tcase_add_test(tcase, it_may_be_opened_again_while_its_end_is_told);
	tcase_add_loop_test(tcase, what_no_publisher_can_have_sent_ends_the_connection, 0,
			    (int)COUNT(oddities));
	tcase_add_test(tcase, a_message_of_any_length_takes_no_more_memory_than_a_call);
	tcase_add_test(tcase, a_server_may_hang_up_in_the_middle_of_a_message);
	suite_add_tcase(suite, tcase);
	return rig_run(suite);
}
