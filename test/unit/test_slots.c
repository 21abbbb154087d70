/* test_slots.c - a reply in a slot is the reply that hiredis would have made. */
#include "redis/slots.h"

#include <string.h>

#include "unit.h"

static struct rlk_slots slots;
static redisReader *ours, *plain;

static void setup(void)
{
	ours = redisReaderCreate();
	plain = redisReaderCreate();
	rlk_slots_set(&slots, ours);
}

static void teardown(void)
{
	redisReaderFree(ours);
	redisReaderFree(plain);
}

static redisReply *read_of(redisReader *reader)
{
	void *reply = NULL;

	ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	return reply;
}

static void feed(const char *text)
{
	redisReaderFeed(ours, text, strlen(text));
	redisReaderFeed(plain, text, strlen(text));
}

static void expect_same(const redisReply *a, const redisReply *b)
{
	size_t i;

	ck_assert_int_eq(a->type, b->type);
	switch (a->type) {
	case REDIS_REPLY_INTEGER:
		ck_assert_int_eq(a->integer, b->integer);
		break;
	case REDIS_REPLY_NIL:
		break;
	case REDIS_REPLY_ARRAY:
		ck_assert_uint_eq(a->elements, b->elements);
		for (i = 0; i < a->elements; i++) {
			expect_same(a->element[i], b->element[i]);
		}
		break;
	default:
		ck_assert_uint_eq((size_t)a->len, (size_t)b->len);
		ck_assert_mem_eq(a->str, b->str, (size_t)a->len + 1);
		break;
	}
}

#define LONG_TEXT "123456789012345678901234567890123456789012345678"

static const char *const replies[] = {
	"+OK\r\n",
	"+\r\n",
	"-ERR no\r\n",
	":1\r\n",
	":-9223372036854775808\r\n",
	"$-1\r\n",
	"*-1\r\n",
	"$0\r\n\r\n",
	"$47\r\n12345678901234567890123456789012345678901234567\r\n",
	"$48\r\n" LONG_TEXT "\r\n",
	"-ERR " LONG_TEXT "\r\n",
	"*0\r\n",
	"*1\r\n:7\r\n",
	"*2\r\n:1\r\n$0\r\n\r\n",
	"*2\r\n:0\r\n$5\r\n12345\r\n",
	"*2\r\n$-1\r\n:-2\r\n",
	"*2\r\n$48\r\n" LONG_TEXT "\r\n:5\r\n",
	"*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n$1\r\na\r\n",
	"*3\r\n:1\r\n:2\r\n:3\r\n",
	"*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n",
	"*2\r\n*-1\r\n*3\r\n+a\r\n-b\r\n*0\r\n",
};

START_TEST(each_reply_is_the_same)
{
	redisReply *a, *b;
	size_t i, from, len;

	for (i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		/* Whole, and byte by byte. */
		len = strlen(replies[i]);
		feed(replies[i]);
		for (from = 0; from < len; from++) {
			redisReaderFeed(ours, replies[i] + from, 1);
			redisReaderFeed(plain, replies[i] + from, 1);
			a = read_of(ours);
			b = read_of(plain);
			ck_assert_int_eq(a == NULL, b == NULL);
			if (a != NULL) {
				expect_same(a, b);
				rlk_slots_free(a);
				freeReplyObject(b);
			}
		}
	}
}
END_TEST

START_TEST(short_ones_take_no_memory)
{
	redisReply *reply;

	feed("+OK\r\n:1\r\n$-1\r\n*2\r\n:1\r\n$2\r\nab\r\n");
	while ((reply = read_of(ours)) != NULL) {
		ck_assert_ptr_eq(reply, &slots.root.reply);
		rlk_slots_free(reply);
	}
	feed("*2\r\n:1\r\n$2\r\nab\r\n");
	reply = read_of(ours);
	ck_assert_ptr_eq(reply->element[0], &slots.child[0].reply);
	ck_assert_ptr_eq(reply->element[1], &slots.child[1].reply);
	rlk_slots_free(reply);
	feed("*3\r\n$7\r\nmessage\r\n$25\r\nredlock:wake:0123456789ab\r\n$2\r\nab\r\n");
	reply = read_of(ours);
	ck_assert_ptr_eq(reply->element[2], &slots.child[2].reply);
	rlk_slots_free(reply);
}
END_TEST

START_TEST(a_reply_that_is_kept_is_not_overwritten)
{
	redisReply *first, *second;

	feed("+first\r\n+second\r\n");
	first = read_of(ours);
	second = read_of(ours);
	ck_assert_str_eq(first->str, "first");
	ck_assert_str_eq(second->str, "second");
	rlk_slots_free(second);
	rlk_slots_free(first);
}
END_TEST

START_TEST(half_a_reply_is_freed_with_its_reader)
{
	feed("*2\r\n$48\r\n" LONG_TEXT "\r\n:");
	ck_assert_ptr_null(read_of(ours));
	ck_assert_ptr_null(read_of(plain));
}
END_TEST

START_TEST(half_a_reply_is_freed_for_what_follows)
{
	void *reply;

	feed("*2\r\n$48\r\n" LONG_TEXT "\r\n*2000\r\n");
	ck_assert_int_eq(redisReaderGetReply(ours, &reply), REDIS_ERR);
	ck_assert(slots.bounds.overrun);
	ck_assert_int_eq(slots.root.reply.type, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tcase = tcase_create("replies");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, each_reply_is_the_same);
	tcase_add_test(tcase, short_ones_take_no_memory);
	tcase_add_test(tcase, a_reply_that_is_kept_is_not_overwritten);
	tcase_add_test(tcase, half_a_reply_is_freed_with_its_reader);
	tcase_add_test(tcase, half_a_reply_is_freed_for_what_follows);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
