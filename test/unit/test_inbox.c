/* test_inbox.c - who gets which reply, and which reply is nobody's. */
#include "redis/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void *plain_calloc(size_t count, size_t size, void *data)
{
	(void)data;
	return calloc(count, size);
}

static void plain_free(void *block, void *data)
{
	(void)data;
	free(block);
}

static const struct redlock_allocator plain = {plain_calloc, plain_free, NULL};

static struct rlk_inbox inbox;
static redisReader *reader;

static void setup(void)
{
	reader = redisReaderCreate();
	rlk_inbox_open(&inbox, &plain, reader);
}

static void teardown(void)
{
	redisReaderFree(reader);
	rlk_inbox_close(&inbox);
}

static void on_reply(redisAsyncContext *ac, void *reply, void *data)
{
	(void)ac, (void)reply, (void)data;
}

/* Questions are told apart by a letter each. */
static void queue(const char *question)
{
	ck_assert(rlk_inbox_reserve(&inbox));
	rlk_inbox_expect(&inbox, on_reply, (void *)question);
}

static void read_in(const char *bytes)
{
	redisReaderFeed(reader, bytes, strlen(bytes));
	rlk_inbox_came(&inbox, strlen(bytes));
}

static void expect_reply(const char *question, const char *text)
{
	redisReply *reply;
	struct rlk_due due;

	ck_assert_ptr_null(rlk_inbox_next(&inbox, &reply, &due));
	ck_assert_ptr_nonnull(reply);
	ck_assert_str_eq(due.data, question);
	ck_assert_str_eq(reply->str, text);
	rlk_slots_free(reply);
}

static void expect_no_more(void)
{
	redisReply *reply;
	struct rlk_due due;

	ck_assert_ptr_null(rlk_inbox_next(&inbox, &reply, &due));
	ck_assert_ptr_null(reply);
}

static void expect_fault(const char *why)
{
	redisReply *reply;
	struct rlk_due due;
	const char *fault = rlk_inbox_next(&inbox, &reply, &due);

	ck_assert_ptr_nonnull(fault);
	ck_assert_str_eq(fault, why);
	ck_assert_ptr_null(reply);
}

START_TEST(replies_go_to_the_questions_in_their_order)
{
	queue("a");
	queue("b");
	rlk_inbox_sent(&inbox);
	queue("c");
	read_in("+1\r\n");
	expect_reply("a", "1");
	expect_no_more();
	rlk_inbox_sent(&inbox);
	read_in("+2\r\n+3\r\n");
	expect_reply("b", "2");
	expect_reply("c", "3");
	expect_no_more();
}
END_TEST

START_TEST(room_for_many_is_given_back_when_none_is_due)
{
	unsigned i;

	for (i = 0; i < 5000; i++) {
		queue("a");
	}
	rlk_inbox_sent(&inbox);
	ck_assert_uint_ge(inbox.cap, 5000);
	for (i = 0; i < 5000; i++) {
		read_in("+1\r\n");
		expect_reply("a", "1");
	}
	ck_assert_uint_eq(inbox.cap, 0);
	queue("b");
	rlk_inbox_sent(&inbox);
	read_in("+2\r\n");
	expect_reply("b", "2");
	ck_assert_uint_gt(inbox.cap, 0);
	expect_no_more();
}
END_TEST

START_TEST(a_reply_to_nothing_is_a_fault)
{
	read_in("+OK\r\n");
	expect_fault("a reply to nothing");
}
END_TEST

START_TEST(a_reply_ahead_of_its_question_is_a_fault)
{
	queue("a");
	rlk_inbox_sent(&inbox);
	queue("b");
	read_in("+1\r\n+2\r\n");
	expect_reply("a", "1");
	expect_fault("a reply ahead of its question");
}
END_TEST

START_TEST(what_was_read_is_no_answer_to_what_was_asked_over_it)
{
	queue("a");
	rlk_inbox_sent(&inbox);
	read_in("+1\r\n+2\r\n");
	expect_reply("a", "1");
	queue("b");
	rlk_inbox_sent(&inbox); /* At once, for it is much. */
	expect_fault("a reply ahead of its question");
}
END_TEST

START_TEST(a_reply_that_begins_ahead_of_its_question_is_a_fault)
{
	queue("a");
	rlk_inbox_sent(&inbox);
	read_in("+1\r\n+");
	expect_reply("a", "1");
	queue("b");
	expect_no_more();
	rlk_inbox_sent(&inbox);
	read_in("2\r");
	expect_no_more();
	read_in("\n");
	expect_fault("a reply ahead of its question");
}
END_TEST

START_TEST(a_reply_that_comes_in_pieces_waits_for_its_end)
{
	queue("a");
	queue("b");
	rlk_inbox_sent(&inbox);
	read_in("+1\r\n+");
	expect_reply("a", "1");
	expect_no_more();
	queue("c");
	read_in("2\r\n");
	expect_reply("b", "2");
	expect_no_more();
}
END_TEST

START_TEST(an_error_that_nobody_asked_for_is_told_in_its_words)
{
	queue("a");
	read_in("-ERR max number of clients reached\r\n");
	expect_fault("ERR max number of clients reached");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inbox");
	TCase *tcase = tcase_create("replies");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, replies_go_to_the_questions_in_their_order);
	tcase_add_test(tcase, room_for_many_is_given_back_when_none_is_due);
	tcase_add_test(tcase, a_reply_to_nothing_is_a_fault);
	tcase_add_test(tcase, a_reply_ahead_of_its_question_is_a_fault);
	tcase_add_test(tcase, what_was_read_is_no_answer_to_what_was_asked_over_it);
	tcase_add_test(tcase, a_reply_that_begins_ahead_of_its_question_is_a_fault);
	tcase_add_test(tcase, a_reply_that_comes_in_pieces_waits_for_its_end);
	tcase_add_test(tcase, an_error_that_nobody_asked_for_is_told_in_its_words);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
