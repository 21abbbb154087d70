/* test_script.c - what each script decides, asked of a server directly: clients seldom get to its
 * corners, and never by themselves to those that only a mad clock reaches. */
#include "redis/script.h"
#include "rig.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "orders:17"
#define FENCE_KEY NAME ":fence"
#define LINE_KEY NAME ":line"
#define DELTA_US 60000000
#define FENCE_TTL_MS 3600000
#define LONG_AGO 1

enum { ACQUIRE, REPAIR, ADVANCE };
enum { GRANTED = 1, HELD = 0, TOO_LOW = -1, TOO_HIGH = -2, UNBORN = -3, MISSING = -4 };

static struct server *node(void)
{
	return &rig.servers.at[0];
}

static uint64_t now_us(void)
{
	redisReply *time = server_command(node(), "TIME");
	uint64_t us = strtoull(time->element[0]->str, NULL, 10) * 1000000 +
		      strtoull(time->element[1]->str, NULL, 10);

	freeReplyObject(time);
	return us;
}

struct question {
	const char *token;
	uint64_t fence_us, born_us;
	int mode;
	uint64_t fence_ttl_ms;
};

/* Returns the first half of the answer; the second, a number, goes to @detail. */
static int fenced(const struct question *question, uint64_t *detail)
{
	redisReply *reply = server_command(
		node(), "EVAL %s 2 %s %s %s 60000 %llu %llu %d %llu %d",
		rlk_scripts[RLK_SCRIPT_FENCED].text, NAME, FENCE_KEY, question->token,
		(unsigned long long)question->fence_us, (unsigned long long)question->born_us,
		DELTA_US, (unsigned long long)question->fence_ttl_ms, question->mode);
	int code;

	ck_assert_msg(reply->type == REDIS_REPLY_ARRAY, "%s", reply->str);
	code = (int)reply->element[0]->integer;
	if (detail != NULL) {
		*detail = strtoull(reply->element[1]->str, NULL, 10);
	}
	freeReplyObject(reply);
	return code;
}

static int ask(const char *token, uint64_t fence_us, uint64_t born_us, int mode)
{
	return fenced(&(struct question){token, fence_us, born_us, mode, FENCE_TTL_MS}, NULL);
}

static void forget(void)
{
	server_do(node(), "DEL %s %s", NAME, FENCE_KEY);
}

static uint64_t remembered(void)
{
	redisReply *reply = server_command(node(), "GET %s", FENCE_KEY);
	uint64_t fence_us = reply->str == NULL ? 0 : strtoull(reply->str, NULL, 10);

	freeReplyObject(reply);
	return fence_us;
}

START_TEST(a_fencing_token_is_granted_to_one_attempt_only)
{
	uint64_t fence_us = now_us();

	ck_assert_int_eq(ask("a", fence_us, LONG_AGO, ACQUIRE), GRANTED);
	ck_assert_int_eq(ask("a", fence_us, LONG_AGO, ACQUIRE), TOO_LOW); /* An own token. */
	ck_assert_int_eq(ask("b", fence_us + 1, LONG_AGO, ACQUIRE), HELD);
	server_do(node(), "DEL %s", NAME);
	ck_assert_int_eq(ask("b", fence_us, LONG_AGO, ACQUIRE), TOO_LOW);
	ck_assert_int_eq(ask("b", fence_us - 1, LONG_AGO, ACQUIRE), TOO_LOW);
	ck_assert_int_eq(ask("b", fence_us + 1, LONG_AGO, ACQUIRE), GRANTED);
	ck_assert_uint_eq(remembered(), fence_us + 1);
	forget();
}
END_TEST

START_TEST(no_fencing_token_is_granted_that_is_far_ahead_of_the_clock)
{
	uint64_t detail, before_us = now_us();
	struct question question = {"a", before_us + DELTA_US + 5000000, LONG_AGO, ACQUIRE,
				    FENCE_TTL_MS};

	ck_assert_int_eq(fenced(&question, &detail), TOO_HIGH);
	ck_assert_uint_ge(detail, before_us);
	ck_assert_uint_le(detail, now_us());
	ck_assert_uint_eq(remembered(), 0);
	ck_assert_int_eq(ask("a", before_us + DELTA_US - 1, LONG_AGO, ACQUIRE), GRANTED);
	forget();
}
END_TEST

START_TEST(a_young_node_may_have_granted_whatever_it_accepts)
{
	uint64_t born_us = now_us();

	ck_assert_int_eq(ask("a", born_us + DELTA_US - 1, born_us, ACQUIRE), TOO_LOW);
	ck_assert_int_eq(ask("a", born_us + DELTA_US, born_us, ACQUIRE), TOO_LOW);
	ck_assert_int_eq(ask("a", born_us + DELTA_US + 1, born_us, ACQUIRE), GRANTED);
	forget();
	ck_assert_int_eq(ask("a", born_us + DELTA_US + 1, 0, ACQUIRE), UNBORN);
}
END_TEST

START_TEST(what_is_remembered_no_more_counts_as_the_most_that_may_have_expired)
{
	const uint64_t second_us = 1000000;
	struct question question = {"a", now_us() + DELTA_US - 10 * second_us, LONG_AGO, ACQUIRE,
				    5000};

	ck_assert_int_eq(fenced(&question, NULL), TOO_LOW);
	question.fence_ttl_ms = 30000;
	ck_assert_int_eq(fenced(&question, NULL), GRANTED);
	forget();
}
END_TEST

START_TEST(a_repair_brings_no_superseded_lease_back_and_lowers_no_floor)
{
	uint64_t fence_us = now_us();

	ck_assert_int_eq(ask("b", fence_us, LONG_AGO, ACQUIRE), GRANTED);
	ck_assert_int_eq(ask("a", fence_us - 1, LONG_AGO, REPAIR), HELD);
	server_do(node(), "DEL %s", NAME);
	ck_assert_int_eq(ask("a", fence_us - 1, LONG_AGO, REPAIR), TOO_LOW);
	ck_assert_int_eq(ask("b", fence_us, LONG_AGO, REPAIR), GRANTED);
	forget();
	/* It has forgotten the token of the lease that it is given back, and others. */
	ck_assert_int_eq(ask("b", fence_us, fence_us, REPAIR), GRANTED);
	ck_assert_uint_eq(remembered(), fence_us + DELTA_US);
	forget();
}
END_TEST

START_TEST(to_advance_takes_a_key_that_is_ours_and_a_greater_token)
{
	uint64_t fence_us = now_us();

	ck_assert_int_eq(ask("a", fence_us + 1, LONG_AGO, ADVANCE), MISSING);
	ck_assert_int_eq(ask("a", fence_us, LONG_AGO, ACQUIRE), GRANTED);
	ck_assert_int_eq(ask("b", fence_us + 1, LONG_AGO, ADVANCE), HELD);
	ck_assert_int_eq(ask("a", fence_us, LONG_AGO, ADVANCE), TOO_LOW);
	ck_assert_int_eq(ask("a", fence_us + 1, LONG_AGO, ADVANCE), GRANTED);
	ck_assert_uint_eq(remembered(), fence_us + 1);
	forget();
}
END_TEST

static uint64_t enrol(const char *before, const char *run_id, const char *synced)
{
	redisReply *reply;
	uint64_t born_us;

	server_do(node(), "SET incarnation %s", before);
	reply = server_command(node(), "EVAL %s 1 incarnation %s %s",
			       rlk_scripts[RLK_SCRIPT_ENROL].text, run_id, synced);
	ck_assert_int_eq(reply->type, REDIS_REPLY_ARRAY);
	born_us = strtoull(reply->element[0]->str, NULL, 10);
	freeReplyObject(reply);
	server_do(node(), "DEL incarnation");
	return born_us;
}

START_TEST(data_keep_their_age_in_one_process_and_where_every_write_was_synced)
{
	uint64_t before_us = now_us();

	ck_assert_uint_eq(enrol("this:5:0", "this", "0"), 5);
	ck_assert_uint_eq(enrol("last:5:1", "this", "1"), 5);
	ck_assert_uint_ge(enrol("last:5:0", "this", "0"), before_us);
	ck_assert_uint_ge(enrol("last:5:0", "this", "1"), before_us);
	ck_assert_uint_ge(enrol("last:5:1", "this", "0"), before_us);
	ck_assert_uint_ge(enrol("nonsense", "this", "1"), before_us);
}
END_TEST

#define TICKET                                                                                     \
	"0123456789abcdef0123456789abcdef"                                                         \
	"0000000000c1"                                                                             \
	"0100"                                                                                     \
	"0000000100000002"

/* It would be a key for ever, if its client died before it left. */
START_TEST(nobody_stands_in_line_at_a_key_of_another_type)
{
	redisReply *reply;

	server_do(node(), "HSET %s f v", NAME);
	reply = server_command(node(), "EVAL %s 2 %s %s %s 1700000000000000 30000",
			       rlk_scripts[RLK_SCRIPT_JOIN].text, NAME, LINE_KEY, TICKET);
	ck_assert_int_eq(reply->type, REDIS_REPLY_ARRAY);
	ck_assert_int_eq(reply->element[0]->integer, HELD);
	ck_assert_str_eq(reply->element[1]->str, "-1 0 1");
	freeReplyObject(reply);
	ck_assert_int_eq(server_number(node(), "EXISTS %s", LINE_KEY), 0);
	server_do(node(), "DEL %s", NAME);
}
END_TEST

/* Lua writes large numbers in another way, unless it is told. */
START_TEST(a_key_that_lives_for_ages_is_told_of_in_digits)
{
	redisReply *reply;

	server_do(node(), "SET %s x PX 200000000000000", NAME);
	reply = server_command(node(), "EVAL %s 2 %s %s %s 1700000000000000 30000",
			       rlk_scripts[RLK_SCRIPT_JOIN].text, NAME, LINE_KEY, TICKET);
	ck_assert_int_eq(reply->type, REDIS_REPLY_ARRAY);
	ck_assert_uint_gt(strspn(reply->element[1]->str, "0123456789"), 14);
	ck_assert_str_eq(strchr(reply->element[1]->str, ' '), " 0 1");
	freeReplyObject(reply);
	server_do(node(), "DEL %s %s %s:on", NAME, LINE_KEY, LINE_KEY);
}
END_TEST

/* ---- Several -------------------------------------------------------------------------------- */

#define OTHER "orders:18"

enum { TAKE, MEND };

/* Returns the first half of the answer; the second goes to @left_ms. */
static int take_all(const char *token, unsigned ttl_ms, int mode, long long *left_ms)
{
	redisReply *reply = server_command(node(), "EVAL %s 2 %s %s %s %u %d",
					   rlk_scripts[RLK_SCRIPT_TAKE_ALL].text, NAME, OTHER,
					   token, ttl_ms, mode);
	int code;

	ck_assert_int_eq(reply->type, REDIS_REPLY_ARRAY);
	code = (int)reply->element[0]->integer;
	if (left_ms != NULL) {
		*left_ms = strtoll(reply->element[1]->str, NULL, 10);
	}
	freeReplyObject(reply);
	return code;
}

static long long extend_all(const char *token, unsigned ttl_ms)
{
	return server_number(node(), "EVAL %s 2 %s %s %s %u",
			     rlk_scripts[RLK_SCRIPT_EXTEND_ALL].text, NAME, OTHER, token, ttl_ms);
}

static long long release_all(const char *token)
{
	return server_number(node(), "EVAL %s 2 %s %s %s", rlk_scripts[RLK_SCRIPT_RELEASE_ALL].text,
			     NAME, OTHER, token);
}

static void forget_both(void)
{
	server_do(node(), "DEL %s %s", NAME, OTHER);
}

START_TEST(all_keys_are_set_or_none)
{
	long long left_ms;

	ck_assert_int_eq(take_all("a", 60000, TAKE, NULL), GRANTED);
	ck_assert(server_has(node(), NAME, "a") && server_has(node(), OTHER, "a"));
	ck_assert_int_gt(server_pttl(node(), OTHER), 50000);
	ck_assert_int_eq(take_all("a", 60000, TAKE, NULL), HELD); /* An own token. */
	forget_both();
	server_do(node(), "SET %s x PX 30000", OTHER);
	ck_assert_int_eq(take_all("a", 60000, TAKE, &left_ms), HELD);
	ck_assert(left_ms > 20000 && left_ms <= 30000);
	ck_assert(server_has(node(), NAME, NULL));
	server_do(node(), "SET %s y PX 50000", NAME); /* The last one counts. */
	ck_assert_int_eq(take_all("a", 60000, TAKE, &left_ms), HELD);
	ck_assert(left_ms > 40000 && left_ms <= 50000);
	server_do(node(), "PERSIST %s", NAME);
	ck_assert_int_eq(take_all("a", 60000, TAKE, &left_ms), HELD);
	ck_assert_int_eq(left_ms, -1);
	forget_both();
	server_do(node(), "HSET %s f v", OTHER);
	ck_assert_int_eq(take_all("a", 60000, TAKE, &left_ms), HELD);
	ck_assert(server_has(node(), NAME, NULL));
	forget_both();
}
END_TEST

START_TEST(a_repair_of_several_sets_what_is_missing_and_shortens_nothing)
{
	server_do(node(), "SET %s a PX 30000", NAME);
	ck_assert_int_eq(take_all("a", 60000, MEND, NULL), GRANTED);
	ck_assert_int_gt(server_pttl(node(), NAME), 50000);
	ck_assert_int_gt(server_pttl(node(), OTHER), 50000);
	server_do(node(), "DEL %s", OTHER);
	ck_assert_int_eq(take_all("a", 30000, MEND, NULL), GRANTED);
	ck_assert_int_gt(server_pttl(node(), NAME), 50000);
	ck_assert_int_le(server_pttl(node(), OTHER), 30000);
	server_do(node(), "SET %s x", OTHER);
	ck_assert_int_eq(take_all("a", 600000, MEND, NULL), HELD);
	ck_assert_int_lt(server_pttl(node(), NAME), 60001);
	ck_assert(server_has(node(), OTHER, "x"));
	forget_both();
}
END_TEST

START_TEST(several_are_extended_if_all_are_ours)
{
	ck_assert_int_eq(extend_all("a", 60000), -1);
	server_do(node(), "SET %s a PX 30000", NAME);
	ck_assert_int_eq(extend_all("a", 60000), -1);
	ck_assert_int_le(server_pttl(node(), NAME), 30000);
	server_do(node(), "SET %s x PX 30000", OTHER);
	ck_assert_int_eq(extend_all("a", 60000), 0);
	ck_assert_int_le(server_pttl(node(), NAME), 30000);
	server_do(node(), "SET %s a PX 90000", OTHER);
	ck_assert_int_eq(extend_all("a", 60000), 1);
	ck_assert_int_gt(server_pttl(node(), NAME), 50000);
	ck_assert_int_gt(server_pttl(node(), OTHER), 80000);
	server_do(node(), "DEL %s", NAME);
	server_do(node(), "SET %s x", OTHER);
	ck_assert_int_eq(extend_all("a", 60000), 0); /* Missing, and another's. */
	forget_both();
}
END_TEST

START_TEST(whichever_of_several_is_ours_is_given_up)
{
	ck_assert_int_eq(take_all("a", 60000, TAKE, NULL), GRANTED);
	ck_assert_int_eq(release_all("b"), 0);
	ck_assert_int_eq(release_all("a"), 1);
	ck_assert(server_has(node(), NAME, NULL) && server_has(node(), OTHER, NULL));
	server_do(node(), "SET %s a", OTHER);
	ck_assert_int_eq(release_all("a"), 0);
	ck_assert(server_has(node(), OTHER, NULL));
	server_do(node(), "HSET %s f v", NAME);
	server_do(node(), "SET %s a", OTHER);
	ck_assert_int_eq(release_all("a"), 0);
	ck_assert(server_has(node(), OTHER, NULL));
	forget_both();
}
END_TEST

/* Nobody listens, so there is nobody to have it. */
START_TEST(the_line_of_each_of_several_is_looked_at)
{
	ck_assert_int_eq(take_all("a", 60000, TAKE, NULL), GRANTED);
	server_do(node(), "ZADD %s 1 %s", OTHER ":line", TICKET);
	server_do(node(), "SET %s %s", OTHER ":line:on", "");
	ck_assert_int_eq(release_all("a"), 1);
	ck_assert_int_eq(server_number(node(), "EXISTS %s %s %s %s", NAME, OTHER, OTHER ":line",
				       OTHER ":line:on"),
			 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script");
	TCase *one = rig_case(suite, "one node", rig_1);

	tcase_add_test(one, a_fencing_token_is_granted_to_one_attempt_only);
	tcase_add_test(one, no_fencing_token_is_granted_that_is_far_ahead_of_the_clock);
	tcase_add_test(one, a_young_node_may_have_granted_whatever_it_accepts);
	tcase_add_test(one, what_is_remembered_no_more_counts_as_the_most_that_may_have_expired);
	tcase_add_test(one, a_repair_brings_no_superseded_lease_back_and_lowers_no_floor);
	tcase_add_test(one, to_advance_takes_a_key_that_is_ours_and_a_greater_token);
	tcase_add_test(one, data_keep_their_age_in_one_process_and_where_every_write_was_synced);
	tcase_add_test(one, nobody_stands_in_line_at_a_key_of_another_type);
	tcase_add_test(one, a_key_that_lives_for_ages_is_told_of_in_digits);
	tcase_add_test(one, all_keys_are_set_or_none);
	tcase_add_test(one, a_repair_of_several_sets_what_is_missing_and_shortens_nothing);
	tcase_add_test(one, several_are_extended_if_all_are_ours);
	tcase_add_test(one, whichever_of_several_is_ours_is_given_up);
	tcase_add_test(one, the_line_of_each_of_several_is_looked_at);
	return rig_run(suite);
}
