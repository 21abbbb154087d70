/* test_wire.c - the bytes of every command, and what every kind of reply means to it. */
#include "redis/wire.h"

#include "commands.h"

static struct rlk_name *name;

static struct rlk_name *name_of(const char *bytes, size_t len)
{
	struct rlk_name *made = calloc(1, sizeof *made + len + 1);

	made->len = len;
	memcpy(made->bytes, bytes, len);
	return made;
}

static void setup(void)
{
	name = name_of("a\0b", 3);
	commands_setup(name);
}

static void teardown(void)
{
	rlk_wire_free(&wire);
	free(name);
}

static void expect_bytes(enum rlk_op op, const char *bytes, size_t len)
{
	command.op = op;
	rlk_wire_encode(&wire, &command, &node);
	ck_assert(!wire.failed);
	ck_assert_uint_eq(wire.len, len);
	ck_assert_mem_eq(wire.bytes, bytes, len);
}

#define EXPECT(op, text) expect_bytes((op), (text), sizeof(text) - 1)

START_TEST(a_lock_is_set_as_everybody_sets_it)
{
	EXPECT(RLK_OP_ACQUIRE,
	       "*6\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$3\r\nt\0k\r\n$2\r\nNX\r\n$2\r\nPX\r\n"
	       "$3\r\n500\r\n");
	EXPECT(RLK_OP_REPAIR,
	       "*6\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$3\r\nt\0k\r\n$2\r\nNX\r\n$2\r\nPX\r\n"
	       "$3\r\n500\r\n");
	EXPECT(RLK_OP_REMAINING, "*2\r\n$4\r\nPTTL\r\n$3\r\na\0b\r\n");
	command.name = NULL;
	EXPECT(RLK_OP_INSPECT, "*1\r\n$4\r\nPING\r\n");
}
END_TEST

START_TEST(scripts_go_by_digest)
{
	EXPECT_SCRIPT(RLK_OP_RELEASE, RLK_SCRIPT_RELEASE, "$1\r\n1\r\n$3\r\na\0b\r\n$3\r\nt\0k\r\n",
		      5);
	EXPECT_SCRIPT(RLK_OP_EXTEND, RLK_SCRIPT_EXTEND,
		      "$1\r\n1\r\n$3\r\na\0b\r\n$3\r\nt\0k\r\n$3\r\n500\r\n", 6);
	EXPECT_SCRIPT(RLK_OP_INSPECT, RLK_SCRIPT_INSPECT,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$8\r\na\0b:line\r\n", 5);
}
END_TEST

START_TEST(fencing_adds_a_key_and_a_token)
{
	command.fence = 123;
	EXPECT_SCRIPT(RLK_OP_ACQUIRE, RLK_SCRIPT_FENCED,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$9\r\na\0b:fence\r\n$3\r\nt\0k\r\n$3\r\n500\r\n"
		      "$3\r\n123\r\n$2\r\n77\r\n$8\r\n60000000\r\n$8\r\n86400000\r\n$1\r\n0\r\n",
		      12);
	EXPECT_SCRIPT(RLK_OP_REPAIR, RLK_SCRIPT_FENCED,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$9\r\na\0b:fence\r\n$3\r\nt\0k\r\n$3\r\n500\r\n"
		      "$3\r\n123\r\n$2\r\n77\r\n$8\r\n60000000\r\n$8\r\n86400000\r\n$1\r\n1\r\n",
		      12);
	EXPECT_SCRIPT(RLK_OP_ADVANCE, RLK_SCRIPT_FENCED,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$9\r\na\0b:fence\r\n$3\r\nt\0k\r\n$3\r\n500\r\n"
		      "$3\r\n123\r\n$2\r\n77\r\n$8\r\n60000000\r\n$8\r\n86400000\r\n$1\r\n2\r\n",
		      12);
	EXPECT_SCRIPT(RLK_OP_EXTEND, RLK_SCRIPT_EXTEND,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$9\r\na\0b:fence\r\n$3\r\nt\0k\r\n$3\r\n500\r\n"
		      "$8\r\n86400000\r\n",
		      8);
	EXPECT_SCRIPT(RLK_OP_RELEASE, RLK_SCRIPT_RELEASE, "$1\r\n1\r\n$3\r\na\0b\r\n$3\r\nt\0k\r\n",
		      5);
}
END_TEST

START_TEST(a_checked_vote_names_the_incarnation_that_logged_in)
{
	command.checked = true;
	node.incarnation = "run:77";
	node.incarnation_key = "inc";
	EXPECT_SCRIPT(RLK_OP_ACQUIRE, RLK_SCRIPT_CHECKED,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$3\r\ninc\r\n$3\r\nt\0k\r\n$3\r\n500\r\n"
		      "$6\r\nrun:77\r\n",
		      8);
	EXPECT_SCRIPT(RLK_OP_RELEASE, RLK_SCRIPT_RELEASE, "$1\r\n1\r\n$3\r\na\0b\r\n$3\r\nt\0k\r\n",
		      5);
	command.fence = 123;
	EXPECT_SCRIPT(RLK_OP_REPAIR, RLK_SCRIPT_FENCED,
		      "$1\r\n3\r\n$3\r\na\0b\r\n$9\r\na\0b:fence\r\n$3\r\ninc\r\n$3\r\nt\0k\r\n"
		      "$3\r\n500\r\n$3\r\n123\r\n$2\r\n77\r\n$8\r\n60000000\r\n"
		      "$8\r\n86400000\r\n$1\r\n1\r\n$6\r\nrun:77\r\n",
		      14);
}
END_TEST

#define TOKEN32 "0123456789abcdef0123456789abcdef"
#define TICKET                                                                                     \
	TOKEN32 "a1b2c3d4e5f6"                                                                     \
		"0105"                                                                             \
		"89abcdef"                                                                         \
		"0000002a"

START_TEST(who_stands_in_line_has_a_ticket_of_64_bytes)
{
	command.token = TOKEN32;
	command.token_len = 32;
	command.caller = "a1b2c3d4e5f6";
	command.ticket =
		(struct rlk_ticket){.since_us = 1700000000000000, .seq = 42, .keep_ms = 105};
	name->hash = UINT64_C(0x123456789abcdef);
	ck_assert_uint_eq(sizeof TICKET - 1, RLK_TICKET_LEN);
	EXPECT_SCRIPT(RLK_OP_JOIN, RLK_SCRIPT_JOIN,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$8\r\na\0b:line\r\n$64\r\n" TICKET
		      "\r\n$16\r\n1700000000000000\r\n$5\r\n30000\r\n",
		      8);
	EXPECT_SCRIPT(RLK_OP_ACQUIRE, RLK_SCRIPT_CONFIRM,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$8\r\na\0b:line\r\n$32\r\n" TOKEN32
		      "\r\n$3\r\n500\r\n$64\r\n" TICKET "\r\n",
		      8);
	EXPECT_SCRIPT(RLK_OP_RELEASE, RLK_SCRIPT_RELEASE,
		      "$1\r\n1\r\n$3\r\na\0b\r\n$32\r\n" TOKEN32 "\r\n$64\r\n" TICKET "\r\n", 6);
	/* It may be kept for us by now. */
	command.op = RLK_OP_REPAIR;
	ck_assert_int_eq(rlk_wire_script(&command), RLK_SCRIPT_CONFIRM);
}
END_TEST

START_TEST(a_connection_that_has_not_seen_a_script_gets_its_text)
{
	node.loaded = 0;
	command.op = RLK_OP_RELEASE;
	rlk_wire_encode(&wire, &command, &node);
	ck_assert_mem_eq(wire.bytes, "*5\r\n$4\r\nEVAL\r\n", 14);
	ck_assert_ptr_nonnull(strstr(wire.bytes, rlk_scripts[RLK_SCRIPT_RELEASE].text));
}
END_TEST

START_TEST(a_large_name_fits)
{
	static char bytes[65536];

	free(name);
	memset(bytes, 'x', sizeof bytes);
	name = name_of(bytes, sizeof bytes);
	command.name = name;
	command.fence = 1;
	command.op = RLK_OP_ACQUIRE;
	rlk_wire_encode(&wire, &command, &node);
	ck_assert(!wire.failed);
	ck_assert_uint_gt(wire.len, 2 * sizeof bytes);
}
END_TEST

/* ---- Replies --------------------------------------------------------------------------------- */

struct meaning {
	enum rlk_op op;
	const char *resp;
	enum rlk_answer_kind kind;
};

static const struct meaning meanings[] = {
	{RLK_OP_ACQUIRE, "+OK\r\n", RLK_YES},
	{RLK_OP_ACQUIRE, "$-1\r\n", RLK_NO},
	{RLK_OP_ACQUIRE, "-WRONGTYPE x\r\n", RLK_NO},
	{RLK_OP_ACQUIRE, "*2\r\n:1\r\n$0\r\n\r\n", RLK_YES},
	{RLK_OP_ACQUIRE, "*2\r\n:0\r\n$3\r\n700\r\n", RLK_NO},
	{RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$3\r\n900\r\n", RLK_FENCE_LOW},
	{RLK_OP_ACQUIRE, "*2\r\n:-2\r\n$3\r\n900\r\n", RLK_FENCE_HIGH},
	{RLK_OP_ACQUIRE, "*2\r\n:-3\r\n$0\r\n\r\n", RLK_ERROR},
	{RLK_OP_ACQUIRE, "*2\r\n:-4\r\n$0\r\n\r\n", RLK_ERROR},
	{RLK_OP_ADVANCE, "*2\r\n:1\r\n$0\r\n\r\n", RLK_YES},
	{RLK_OP_ADVANCE, "*2\r\n:0\r\n$3\r\n700\r\n", RLK_NO},
	{RLK_OP_ADVANCE, "*2\r\n:-1\r\n$3\r\n900\r\n", RLK_FENCE_LOW},
	{RLK_OP_ADVANCE, "*2\r\n:-4\r\n$0\r\n\r\n", RLK_MISSING},
	{RLK_OP_ADVANCE, "+OK\r\n", RLK_ERROR},
	{RLK_OP_REPAIR, "+OK\r\n", RLK_YES},
	{RLK_OP_REPAIR, "$-1\r\n", RLK_NO},
	{RLK_OP_EXTEND, ":1\r\n", RLK_YES},
	{RLK_OP_EXTEND, ":0\r\n", RLK_NO},
	{RLK_OP_EXTEND, ":-1\r\n", RLK_MISSING},
	{RLK_OP_RELEASE, ":1\r\n", RLK_YES},
	{RLK_OP_RELEASE, ":0\r\n", RLK_NO},
	{RLK_OP_RELEASE, "-ERR script: WRONGTYPE x\r\n", RLK_NO},
	{RLK_OP_RELEASE, ":-1\r\n", RLK_ERROR},
	{RLK_OP_RELEASE, ":2\r\n", RLK_YES},
	{RLK_OP_EXTEND, ":2\r\n", RLK_ERROR},
	{RLK_OP_JOIN, "*2\r\n:1\r\n$0\r\n\r\n", RLK_YES},
	{RLK_OP_JOIN, "*2\r\n:1\r\n$1\r\nx\r\n", RLK_ERROR},
	{RLK_OP_JOIN, "*2\r\n:0\r\n$8\r\n1234 0 1\r\n", RLK_NO},
	{RLK_OP_JOIN, "*2\r\n:0\r\n$6\r\n-1 3 0\r\n", RLK_NO},
	{RLK_OP_JOIN, "*2\r\n:0\r\n$6\r\n1 -3 0\r\n", RLK_ERROR},
	{RLK_OP_JOIN, "*2\r\n:0\r\n$22\r\n99999999999999999999 0 \r\n", RLK_ERROR},
	{RLK_OP_JOIN, "*2\r\n:0\r\n$6\r\n1 3 0 \r\n", RLK_ERROR},
	{RLK_OP_JOIN, "-WRONGTYPE x\r\n", RLK_ERROR},
	{RLK_OP_REMAINING, ":700\r\n", RLK_VALUE},
	{RLK_OP_REMAINING, ":-1\r\n", RLK_VALUE},
	{RLK_OP_INSPECT, "+PONG\r\n", RLK_VALUE},
	{RLK_OP_INSPECT, "*3\r\n$1\r\nt\r\n:5\r\n:4\r\n", RLK_VALUE},
	{RLK_OP_INSPECT, "*3\r\n$-1\r\n:-2\r\n:-1\r\n", RLK_VALUE},
	{RLK_OP_INSPECT, "-WRONGTYPE x\r\n", RLK_ERROR},
	{RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$4\r\n900x\r\n", RLK_ERROR},
	{RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$0\r\n\r\n", RLK_ERROR},
	{RLK_OP_ACQUIRE, "*2\r\n:-2\r\n$19\r\n9999999999999999999\r\n", RLK_ERROR},
};

START_TEST(each_reply_means_what_it_means)
{
	size_t i;

	for (i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		enum rlk_answer_kind kind = answer_to(meanings[i].op, meanings[i].resp, false).kind;
		ck_assert_msg(kind == meanings[i].kind, "op %d, %s: %d", (int)meanings[i].op,
			      meanings[i].resp, (int)kind);
	}
}
END_TEST

static bool makes_sense(enum rlk_op op, const char *resp, size_t len)
{
	redisReader *reader = redisReaderCreate();
	struct rlk_answer answer;
	void *reply = NULL;
	bool sense;

	redisReaderFeed(reader, resp, len);
	ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	ck_assert_ptr_nonnull(reply);
	sense = rlk_wire_decode(op, reply, &answer);
	ck_assert(sense || answer.kind == RLK_ERROR);
	freeReplyObject(reply);
	redisReaderFree(reader);
	return sense;
}

#define SENSE(op, resp) makes_sense((op), (resp), sizeof(resp) - 1)

START_TEST(what_no_server_would_answer_is_told_from_an_error)
{
	ck_assert(SENSE(RLK_OP_ACQUIRE, "-ERR\r\n"));
	ck_assert(SENSE(RLK_OP_ACQUIRE, "*2\r\n:-3\r\n$0\r\n\r\n"));
	ck_assert(SENSE(RLK_OP_ACQUIRE, "*2\r\n:0\r\n$2\r\n-1\r\n"));
	ck_assert(!SENSE(RLK_OP_ACQUIRE, ":1\r\n"));
	ck_assert(!SENSE(RLK_OP_ACQUIRE, "+OK\0x\r\n"));
	ck_assert(!SENSE(RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$1\r\n0\r\n"));
	ck_assert(!SENSE(RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$2\r\n-7\r\n"));
	ck_assert(!SENSE(RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$3\r\n7e3\r\n"));
	ck_assert(SENSE(RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$16\r\n9007199254740991\r\n"));
	ck_assert(!SENSE(RLK_OP_ACQUIRE, "*2\r\n:-2\r\n$16\r\n9007199254740992\r\n"));
	ck_assert(!SENSE(RLK_OP_RELEASE, "+OK\r\n"));
	ck_assert(!SENSE(RLK_OP_INSPECT, ":1\r\n"));
}
END_TEST

START_TEST(values_are_passed_on)
{
	ck_assert_int_eq(answer_to(RLK_OP_ACQUIRE, "*2\r\n:0\r\n$3\r\n700\r\n", false).remaining_ms,
			 700);
	ck_assert_int_eq(answer_to(RLK_OP_ACQUIRE, "*2\r\n:0\r\n$1\r\nx\r\n", false).remaining_ms,
			 -1);
	ck_assert_int_eq(answer_to(RLK_OP_ACQUIRE, "$-1\r\n", false).remaining_ms, -1);
	ck_assert_int_eq(answer_to(RLK_OP_ACQUIRE, "*2\r\n:0\r\n$2\r\n-7\r\n", false).remaining_ms,
			 -1);
	ck_assert_int_eq(answer_to(RLK_OP_REMAINING, ":-7\r\n", false).remaining_ms, -1);
	ck_assert_int_eq(
		answer_to(RLK_OP_INSPECT, "*3\r\n$1\r\nt\r\n:-7\r\n:4\r\n", false).remaining_ms,
		-1);
	ck_assert_uint_eq(answer_to(RLK_OP_ACQUIRE, "*2\r\n:-1\r\n$3\r\n900\r\n", false).fence,
			  900);
	ck_assert_int_eq(answer_to(RLK_OP_REMAINING, ":-2\r\n", false).remaining_ms, 0);
	ck_assert_int_eq(answer_to(RLK_OP_REMAINING, ":-1\r\n", false).remaining_ms, -1);
	ck_assert(answer_to(RLK_OP_INSPECT, "*3\r\n$1\r\nt\r\n:5\r\n:4\r\n", false).held);
	ck_assert_int_eq(answer_to(RLK_OP_INSPECT, "*3\r\n$1\r\nt\r\n:5\r\n:4\r\n", false).in_line,
			 4);
	ck_assert(!answer_to(RLK_OP_INSPECT, "*3\r\n$-1\r\n:-2\r\n:-1\r\n", false).held);
}
END_TEST

START_TEST(nonsense_is_an_error_never_a_vote)
{
	static const char *const nonsense[] = {
		"+QUEUED\r\n",
		":7\r\n",
		"$2\r\nOK\r\n",
		"*0\r\n",
		"*1\r\n:1\r\n",
		"*2\r\n:9\r\n$0\r\n\r\n",
		"*2\r\n$1\r\n1\r\n$0\r\n\r\n",
		"*2\r\n:1\r\n:1\r\n",
		"*3\r\n:1\r\n$0\r\n\r\n:1\r\n",
		"-ERR x\r\n",
		"-LOADING x\r\n",
		"-NOPERM x\r\n",
		"-OOM x\r\n",
		"-READONLY x\r\n",
		"-\r\n",
		"+\r\n",
	};
	static const enum rlk_op ops[] = {RLK_OP_ACQUIRE, RLK_OP_REPAIR, RLK_OP_EXTEND,
					  RLK_OP_RELEASE};
	size_t i, op;

	for (i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
		for (op = 0; op < sizeof ops / sizeof ops[0]; op++) {
			ck_assert_msg(answer_to(ops[op], nonsense[i], false).kind == RLK_ERROR,
				      "op %d, %s", (int)ops[op], nonsense[i]);
		}
	}
}
END_TEST

START_TEST(a_line_that_goes_on_behind_a_nul_is_not_ok)
{
	static const char line[] = "+OK\0 not\r\n";
	redisReader *reader = redisReaderCreate();
	struct rlk_answer answer;
	void *reply = NULL;

	redisReaderFeed(reader, line, sizeof line - 1);
	ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	rlk_wire_decode(RLK_OP_ACQUIRE, reply, &answer);
	ck_assert_int_eq(answer.kind, RLK_ERROR);
	freeReplyObject(reply);
	redisReaderFree(reader);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("commands"), *replies = tcase_create("replies");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_lock_is_set_as_everybody_sets_it);
	tcase_add_test(tcase, scripts_go_by_digest);
	tcase_add_test(tcase, fencing_adds_a_key_and_a_token);
	tcase_add_test(tcase, a_checked_vote_names_the_incarnation_that_logged_in);
	tcase_add_test(tcase, a_connection_that_has_not_seen_a_script_gets_its_text);
	tcase_add_test(tcase, who_stands_in_line_has_a_ticket_of_64_bytes);
	tcase_add_test(tcase, a_large_name_fits);
	suite_add_tcase(suite, tcase);
	tcase_add_test(replies, each_reply_means_what_it_means);
	tcase_add_test(replies, what_no_server_would_answer_is_told_from_an_error);
	tcase_add_test(replies, values_are_passed_on);
	tcase_add_test(replies, nonsense_is_an_error_never_a_vote);
	tcase_add_test(replies, a_line_that_goes_on_behind_a_nul_is_not_ok);
	suite_add_tcase(suite, replies);
	return unit_run(suite);
}
