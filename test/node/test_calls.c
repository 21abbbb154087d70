/* test_calls.c - what a node may send to who listens: calls, anything but calls, and many of them;
 * and what may happen in a call. */
#include <stdio.h>
#include <string.h>

#include "hearing.h"
#include "rows.h"

#define MANY 10000

/* ---- Calls ----------------------------------------------------------------------------------- */

static const struct {
	const char *payload;
	struct rlk_call call;
} calls[] = {
	{"y0000000000000000", {.yours = true}},
	{"y0000002affffffff", {.yours = true, .name = 42, .seq = 4294967295}},
	{"ydeadbeef01234567", {.yours = true, .name = 0xdeadbeef, .seq = 0x01234567}},
	{"n00000001000000020", {.name = 1, .seq = 2}},
	{"n89abcdef000000019999999", {.name = 0x89abcdef, .seq = 1, .in_ms = 9999999}},
	{"n00000001000000020000017", {.name = 1, .seq = 2, .in_ms = 17}},
};

START_TEST(each_call_is_heard_as_it_was_made)
{
	hearing_open();
	for (size_t i = 0; i < COUNT(calls); i++) {
		hearing_publish(hearing_message(calls[i].payload));
	}
	ear_wait_calls(COUNT(calls));
	for (size_t i = 0; i < COUNT(calls); i++) {
		ck_assert_int_eq(ear.call[i].yours, calls[i].call.yours);
		ck_assert_uint_eq(ear.call[i].name, calls[i].call.name);
		ck_assert_uint_eq(ear.call[i].seq, calls[i].call.seq);
		ck_assert_uint_eq(ear.call[i].in_ms, calls[i].call.in_ms);
	}
	ck_assert_uint_eq(ear.calls, COUNT(calls));
	ck_assert_uint_eq(ear.deaf, 0);
}
END_TEST

static const char *const no_calls[] = {
	"",
	"y",
	"n",
	"hello",
	"y000000010000000",
	"y00000001000000020",
	"y0000000100000002 ",
	"y0000000100000002\r\n",
	"Y0000000100000002",
	"y000000010000000A",
	"yABCDEF0100000002",
	"y0x00000100000002",
	"y 000000100000002",
	"y-000000100000002",
	"y00000001 0000002",
	"n0000000100000002",
	"n0000000100000002-1",
	"n0000000100000002+1",
	"n0000000100000002 1",
	"n00000001000000021 ",
	"n00000001000000021a",
	"n000000010000000200000001",
	"n000000010000000299999999",
	"n0000000100000002123456789012345678901234567890",
	"x00000001000000021",
	"x0000000100000002",
	"0000000100000002",
};

START_TEST(what_is_no_call_is_passed_over)
{
	char nul[sizeof "*3\r\n$7\r\nmessage\r\n$25\r\n"
			"redlock:wake:0123456789ab\r\n$17\r\ny0000000100000002\r\n" -
		 1];

	hearing_open();
	for (size_t i = 0; i < COUNT(no_calls); i++) {
		hearing_publish(hearing_message(no_calls[i]));
	}
	memcpy(nul, hearing_message("y00000001?0000002"), sizeof nul);
	*strchr(nul, '?') = '\0';
	fake_publish(fakes[0], &(struct fake_bytes){.head = nul, .head_len = sizeof nul});
	hearing_publish(hearing_said("message", "redlock:wake:", "y0000000100000002"));
	hearing_publish(hearing_said("message", "redlock:wake:0123456789ab", "y0000000100000002"));
	hearing_publish(hearing_said("message", "", "y0000000100000002"));
	hearing_publish(hearing_message("y0000000300000004"));
	ear_wait_calls(1);
	loop_run_ms(&rig.loop, 20);
	ck_assert_uint_eq(ear.calls, 1);
	ck_assert_uint_eq(ear.call[0].name, 3);
	ck_assert_uint_eq(ear.deaf, 0);
}
END_TEST

START_TEST(ten_thousand_calls_at_once_are_all_heard)
{
	hearing_open();
	hearing_publish_many(MANY);
	ear_wait_calls(MANY);
	ck_assert_uint_eq(ear.calls, MANY);
	ck_assert_uint_eq(ear.call[EAR_CALLS_MAX - 1].in_ms, 1500);
	ck_assert_uint_eq(ear.deaf, 0);
}
END_TEST

START_TEST(calls_may_come_byte_by_byte)
{
	static const struct fake_cue drops = {.drop_by_drop = true};

	hearing_open();
	fake_cue(fakes[0], &drops);
	hearing_publish_many(10);
	ear_wait_calls(10);
	ck_assert_uint_eq(ear.calls, 10);
	ck_assert_uint_eq(ear.deaf, 0);
}
END_TEST

/* ---- What may happen in a call --------------------------------------------------------------- */

static void on_looked(struct redlock_client *of, int status,
		      const struct redlock_inspection *inspection, void *data)
{
	(void)of, (void)inspection, (void)data;
	ck_assert(status == REDLOCK_OK || status == REDLOCK_ECLOSED);
}

static void look_again(struct redlock_client *of, unsigned node)
{
	(void)node;
	ck_assert_int_eq(redlock_inspect(of, NAME, strlen(NAME), on_looked, NULL), REDLOCK_OK);
}

START_TEST(a_call_may_cause_a_command)
{
	hearing_open();
	ear.on_call = look_again;
	hearing_publish_many(20);
	ear_wait_calls(20);
	rig_wait_up(client, 1);
	ck_assert_uint_ge(fake_heard(fakes[0], AT_INSPECT), 20);
}
END_TEST

static void drop_node(struct redlock_client *of, unsigned node)
{
	of->cluster.ports->disconnect(of->cluster.world, node);
	of->nodes[node].ear = RLK_EAR_CLOSED;
	rlk_node_down(&of->nodes[node], "enough");
}

START_TEST(a_call_may_end_the_connection_that_it_came_on)
{
	hearing_open();
	ear.on_call = drop_node;
	hearing_publish_many(100);
	ear_wait_calls(1);
	ear.on_call = NULL;
	rig_wait_up(client, 1);
	ck_assert_uint_eq(ear.calls, 1);
	ck_assert_uint_eq(ear.deaf, 0);
	ear_expect_listens(client, 0);
}
END_TEST

static void close_client(struct redlock_client *of, unsigned node)
{
	(void)node;
	if (of == client) {
		client = NULL;
		ck_assert_int_eq(redlock_client_close(of, NULL, NULL), REDLOCK_OK);
	}
}

START_TEST(a_call_may_close_the_client)
{
	hearing_open();
	ear.on_call = close_client;
	hearing_publish_many(100);
	ear_wait_calls(1);
	loop_run_ms(&rig.loop, 50); /* The rest is checked when the loop is closed. */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node calls");
	TCase *tcase = tcase_create("calls");

	tcase_set_timeout(tcase, RIG_CASE_SECONDS);
	tcase_add_checked_fixture(tcase, meeting_open, company_close);
	tcase_add_test(tcase, each_call_is_heard_as_it_was_made);
	tcase_add_test(tcase, what_is_no_call_is_passed_over);
	tcase_add_test(tcase, ten_thousand_calls_at_once_are_all_heard);
	tcase_add_test(tcase, calls_may_come_byte_by_byte);
	tcase_add_test(tcase, a_call_may_cause_a_command);
	tcase_add_test(tcase, a_call_may_end_the_connection_that_it_came_on);
	tcase_add_test(tcase, a_call_may_close_the_client);
	suite_add_tcase(suite, tcase);
	return rig_run(suite);
}
