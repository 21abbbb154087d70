/* test_shared.c - what readers say to a node, byte for byte. */
#include "commands.h"

static struct rlk_name *name;

static void setup(void)
{
	name = calloc(1, sizeof *name + 4);
	name->len = 3;
	memcpy(name->bytes, "a\0b", 3);
	commands_setup(name);
	command.shared = true;
}

static void teardown(void)
{
	rlk_wire_free(&wire);
	free(name);
}

START_TEST(readers_stand_in_a_set_beside_the_key)
{
	EXPECT_SCRIPT(RLK_OP_ACQUIRE, RLK_SCRIPT_SHARE,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$11\r\na\0b:readers\r\n$3\r\nt\0k\r\n$3\r\n500\r\n"
		      "$1\r\n0\r\n",
		      8);
	EXPECT_SCRIPT(RLK_OP_REPAIR, RLK_SCRIPT_SHARE,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$11\r\na\0b:readers\r\n$3\r\nt\0k\r\n$3\r\n500\r\n"
		      "$1\r\n1\r\n",
		      8);
	EXPECT_SCRIPT(RLK_OP_EXTEND, RLK_SCRIPT_SHARED_EXTEND,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$11\r\na\0b:readers\r\n$3\r\nt\0k\r\n$3\r\n500\r\n",
		      7);
	EXPECT_SCRIPT(RLK_OP_RELEASE, RLK_SCRIPT_SHARED_RELEASE,
		      "$1\r\n2\r\n$3\r\na\0b\r\n$11\r\na\0b:readers\r\n$3\r\nt\0k\r\n", 6);
}
END_TEST

START_TEST(readers_take_scripts_for_all_that_changes_a_key)
{
	static const enum rlk_op ops[] = {RLK_OP_ACQUIRE, RLK_OP_REPAIR, RLK_OP_EXTEND,
					  RLK_OP_RELEASE};
	redisReply one = {.type = REDIS_REPLY_INTEGER, .integer = 1};
	struct rlk_answer answer;
	size_t i;

	for (i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		command.op = ops[i];
		ck_assert(!rlk_native_encode(&wire, &command));
	}
	/* Whoever was given the right meanwhile is answered by the script. */
	ck_assert(rlk_native_decode(&command, &one, &answer));
	ck_assert_int_eq(answer.kind, RLK_YES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shared");
	TCase *tcase = tcase_create("commands");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, readers_stand_in_a_set_beside_the_key);
	tcase_add_test(tcase, readers_take_scripts_for_all_that_changes_a_key);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
