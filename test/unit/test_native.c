/* test_native.c - the commands that do without scripts, byte for byte, and what is read from their
 * replies. */
#include <string.h>

#include "client.h"
#include "redis/wire.h"
#include "unit.h"

#define TOKEN "t\0k"

static struct rlk_wire wire;
static struct rlk_name *name;
static struct rlk_command command;

static void setup(void)
{
	wire = (struct rlk_wire){.allocator = &rlk_libc_allocator};
	name = calloc(1, sizeof *name + 4);
	name->len = 3;
	memcpy(name->bytes, "a\0b", 3);
	command = (struct rlk_command){.name = name,
				       .token = TOKEN,
				       .token_len = sizeof TOKEN - 1,
				       .ttl_ms = 500,
				       .longest_ms = 500};
}

static void teardown(void)
{
	rlk_wire_free(&wire);
	free(name);
}

static void expect_bytes(enum rlk_op op, const char *bytes, size_t len)
{
	command.op = op;
	ck_assert(rlk_native_encode(&wire, &command));
	ck_assert(!wire.failed);
	ck_assert_uint_eq(wire.len, len);
	ck_assert_mem_eq(wire.bytes, bytes, len);
}

#define EXPECT(op, text) expect_bytes((op), (text), sizeof(text) - 1)
#define HEAD(n) "*" n "\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$3\r\nt\0k\r\n"

START_TEST(whatever_changes_a_key_names_its_owner)
{
	EXPECT(RLK_OP_ACQUIRE, HEAD("6") "$2\r\nNX\r\n$2\r\nPX\r\n$3\r\n500\r\n");
	EXPECT(RLK_OP_REPAIR, HEAD("6") "$2\r\nNX\r\n$2\r\nPX\r\n$3\r\n500\r\n");
	EXPECT(RLK_OP_EXTEND, HEAD("8") "$4\r\nIFEQ\r\n$3\r\nt\0k\r\n$2\r\nPX\r\n$3\r\n500\r\n"
					"$3\r\nGET\r\n");
	EXPECT(RLK_OP_RELEASE, HEAD("7") "$4\r\nIFEQ\r\n$3\r\nt\0k\r\n$4\r\nPXAT\r\n$1\r\n1\r\n");
}
END_TEST

START_TEST(a_key_is_extended_by_no_less_than_was_promised_before)
{
	command.longest_ms = 86400000;
	EXPECT(RLK_OP_EXTEND, HEAD("8") "$4\r\nIFEQ\r\n$3\r\nt\0k\r\n$2\r\nPX\r\n"
					"$8\r\n86400000\r\n$3\r\nGET\r\n");
	EXPECT(RLK_OP_ACQUIRE, HEAD("6") "$2\r\nNX\r\n$2\r\nPX\r\n$3\r\n500\r\n");
}
END_TEST

START_TEST(what_takes_a_script_is_left_to_it)
{
	static const enum rlk_op votes[] = {RLK_OP_ACQUIRE, RLK_OP_REPAIR, RLK_OP_EXTEND,
					    RLK_OP_ADVANCE};
	static const enum rlk_op others[] = {RLK_OP_JOIN, RLK_OP_REMAINING, RLK_OP_INSPECT};
	size_t i;

	for (i = 0; i < sizeof others / sizeof others[0]; i++) {
		command.op = others[i];
		ck_assert(!rlk_native_encode(&wire, &command));
	}
	for (i = 0; i < 2 * sizeof votes / sizeof votes[0]; i++) {
		command.op = votes[i / 2];
		command.fence = i % 2;
		command.checked = i % 2 == 0;
		ck_assert(!rlk_native_encode(&wire, &command));
	}
	/* A key is deleted as any other. */
	command.op = RLK_OP_RELEASE;
	command.fence = 7;
	ck_assert(rlk_native_encode(&wire, &command));
}
END_TEST

struct meaning {
	enum rlk_op op;
	const char *resp;
	enum rlk_answer_kind kind;
};

static const struct meaning meanings[] = {
	{RLK_OP_ACQUIRE, "+OK\r\n", RLK_YES},
	{RLK_OP_ACQUIRE, "$-1\r\n", RLK_NO},
	{RLK_OP_EXTEND, "$3\r\ntok\r\n", RLK_YES},
	{RLK_OP_EXTEND, "$3\r\nTOK\r\n", RLK_NO},
	{RLK_OP_EXTEND, "$4\r\ntoke\r\n", RLK_NO},
	{RLK_OP_EXTEND, "$0\r\n\r\n", RLK_NO},
	{RLK_OP_EXTEND, "$-1\r\n", RLK_MISSING},
	{RLK_OP_EXTEND, "-WRONGTYPE x\r\n", RLK_NO},
	{RLK_OP_EXTEND, "+tok\r\n", RLK_ERROR},
	{RLK_OP_EXTEND, "+OK\r\n", RLK_ERROR},
	{RLK_OP_EXTEND, ":1\r\n", RLK_ERROR},
	{RLK_OP_EXTEND, "-NOPERM x\r\n", RLK_ERROR},
	{RLK_OP_RELEASE, "+OK\r\n", RLK_YES},
	{RLK_OP_RELEASE, "$-1\r\n", RLK_NO},
	{RLK_OP_RELEASE, "-WRONGTYPE x\r\n", RLK_NO},
	{RLK_OP_RELEASE, ":1\r\n", RLK_ERROR},
	{RLK_OP_RELEASE, "$2\r\nOK\r\n", RLK_ERROR},
	{RLK_OP_RELEASE, "*2\r\n:1\r\n$0\r\n\r\n", RLK_ERROR},
	{RLK_OP_RELEASE, "-ERR syntax error\r\n", RLK_ERROR},
	{RLK_OP_REMAINING, ":7\r\n", RLK_VALUE},
};

START_TEST(each_reply_means_what_it_means)
{
	size_t i;

	command.token = "tok";
	for (i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		const struct meaning *want = &meanings[i];
		redisReader *reader = redisReaderCreate();
		struct rlk_answer answer;
		void *reply = NULL;
		bool sense;

		redisReaderFeed(reader, want->resp, strlen(want->resp));
		ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
		command.op = want->op;
		sense = rlk_native_decode(&command, reply, &answer);
		ck_assert_msg(answer.kind == want->kind, "op %d, %s: %d", (int)want->op, want->resp,
			      (int)answer.kind);
		ck_assert(sense == (want->kind != RLK_ERROR || want->resp[0] == '-'));
		ck_assert(!answer.passed);
		freeReplyObject(reply);
		redisReaderFree(reader);
	}
}
END_TEST

static enum rlk_answer_kind meaning_of(const char *resp)
{
	redisReader *reader = redisReaderCreate();
	struct rlk_answer answer;
	void *reply = NULL;

	redisReaderFeed(reader, resp, strlen(resp));
	ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	ck_assert(rlk_native_decode(&command, reply, &answer));
	freeReplyObject(reply);
	redisReaderFree(reader);
	return answer.kind;
}

#define MAY_NOT(what) "-NOPERM User x has no permissions to run the '" what "' command\r\n"

START_TEST(who_may_run_no_script_has_nothing_to_delete_that_only_scripts_set)
{
	int i;

	command.op = RLK_OP_RELEASE;
	for (i = 0; i < 2; i++) {
		command.shared = i == 0;
		command.several = i == 1;
		ck_assert_int_eq(meaning_of(MAY_NOT("eval")), RLK_NO);
		ck_assert_int_eq(meaning_of(MAY_NOT("del")), RLK_ERROR);
		ck_assert_int_eq(meaning_of("-ERR 'eval'\r\n"), RLK_ERROR);
	}
	command.several = false;
	ck_assert_int_eq(meaning_of(MAY_NOT("eval")), RLK_ERROR);
	command.op = RLK_OP_ACQUIRE;
	command.shared = true;
	ck_assert_int_eq(meaning_of(MAY_NOT("eval")), RLK_ERROR);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("native");
	TCase *commands = tcase_create("commands");

	tcase_add_checked_fixture(commands, setup, teardown);
	tcase_add_test(commands, whatever_changes_a_key_names_its_owner);
	tcase_add_test(commands, a_key_is_extended_by_no_less_than_was_promised_before);
	tcase_add_test(commands, what_takes_a_script_is_left_to_it);
	tcase_add_test(commands, each_reply_means_what_it_means);
	tcase_add_test(commands, who_may_run_no_script_has_nothing_to_delete_that_only_scripts_set);
	suite_add_tcase(suite, commands);
	return unit_run(suite);
}
