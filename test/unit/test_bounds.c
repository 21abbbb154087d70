/* test_bounds.c - an announcement alone costs nothing. */
#include "redis/bounds.h"

#include <string.h>

#include "unit.h"

static struct rlk_bounds bounds;
static redisReader *reader;

static void setup(void)
{
	reader = redisReaderCreate();
	rlk_bounds_set(&bounds, reader);
}

static void teardown(void)
{
	redisReaderFree(reader);
}

static int feed(const char *text, redisReply **reply)
{
	void *got = NULL;
	int status;

	redisReaderFeed(reader, text, strlen(text));
	status = redisReaderGetReply(reader, &got);
	*reply = got;
	return status;
}

START_TEST(replies_of_a_usual_size_are_made)
{
	redisReply *reply;

	ck_assert_int_eq(feed("*2\r\n*1\r\n:7\r\n$2\r\nab\r\n", &reply), REDIS_OK);
	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(reply->element[0]->element[0]->integer, 7);
	ck_assert_str_eq(reply->element[1]->str, "ab");
	freeReplyObject(reply);
	ck_assert_int_eq(feed("*1024\r\n", &reply), REDIS_OK);
	ck_assert_ptr_null(reply); /* It waits for them. */
}
END_TEST

START_TEST(an_array_that_is_too_large_is_an_error_at_once)
{
	redisReply *reply;

	ck_assert_int_eq(feed("*1025\r\n", &reply), REDIS_ERR);
	ck_assert_ptr_null(reply);
}
END_TEST

START_TEST(so_is_one_inside_another)
{
	redisReply *reply;

	ck_assert_int_eq(feed("*2\r\n:1\r\n*2000000000\r\n", &reply), REDIS_ERR);
	ck_assert_ptr_null(reply);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bounds");
	TCase *tcase = tcase_create("arrays");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, replies_of_a_usual_size_are_made);
	tcase_add_test(tcase, an_array_that_is_too_large_is_an_error_at_once);
	tcase_add_test(tcase, so_is_one_inside_another);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
