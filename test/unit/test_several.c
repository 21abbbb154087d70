/* test_several.c - several resources in one name, the bytes of their commands, and what is
 * answered.
 */
#include "commands.h"

/* Of texts, which are in order. */
static struct rlk_name *name_of(const char *const *keys, unsigned count)
{
	struct rlk_name *name = calloc(1, sizeof *name + 1000);
	char *at = name->bytes;
	unsigned i;

	for (i = 0; i < count; i++) {
		at = rlk_part_begin(at, strlen(keys[i]));
		at = (char *)memcpy(at, keys[i], strlen(keys[i])) + strlen(keys[i]);
	}
	name->several = (uint8_t)count;
	name->len = (size_t)(at - name->bytes);
	return name;
}

static struct rlk_name *two(const char *first, const char *second)
{
	return name_of((const char *const[]){first, second}, 2);
}

static void about(const struct rlk_name *name)
{
	command.name = name;
	command.several = rlk_is_several(name);
}

static void setup(void)
{
	commands_setup(two("a", "bc"));
}

static void teardown(void)
{
	rlk_wire_free(&wire);
	free((void *)command.name);
}

/* ---- Names ----------------------------------------------------------------------------------- */

START_TEST(the_parts_of_a_name_come_one_after_the_other)
{
	struct rlk_part part = {0};

	ck_assert(rlk_part_next(command.name, &part));
	ck_assert_uint_eq(part.len, 1);
	ck_assert_mem_eq(part.bytes, "a", 1);
	ck_assert(rlk_part_next(command.name, &part));
	ck_assert_uint_eq(part.len, 2);
	ck_assert_mem_eq(part.bytes, "bc", 2);
	ck_assert(!rlk_part_next(command.name, &part));
}
END_TEST

START_TEST(a_name_of_one_resource_is_its_only_part)
{
	struct rlk_name *name = two("a", "bc");
	struct rlk_part part = {0};

	name->several = 0; /* The same bytes, as one key. */
	ck_assert(rlk_part_next(name, &part));
	ck_assert_ptr_eq(part.bytes, name->bytes);
	ck_assert_uint_eq(part.len, name->len);
	ck_assert(!rlk_part_next(name, &part));
	ck_assert(!rlk_names_meet(name, command.name));
	free(name);
}
END_TEST

START_TEST(a_long_key_has_its_length_in_front)
{
	char head[RLK_PART_HEAD];
	size_t len = 0x01020304;

	ck_assert_ptr_eq(rlk_part_begin(head, len), head + RLK_PART_HEAD);
	ck_assert_mem_eq(head, "\x04\x03\x02\x01", 4);
}
END_TEST

START_TEST(names_meet_that_share_a_resource)
{
	struct rlk_name *other = two("bc", "d"), *third = two("ab", "c");

	ck_assert(rlk_names_meet(command.name, other));
	ck_assert(rlk_names_meet(other, command.name));
	ck_assert(!rlk_names_meet(command.name, third));
	ck_assert(!rlk_names_meet(third, other));
	free(other);
	free(third);
}
END_TEST

/* ---- Commands -------------------------------------------------------------------------------- */

#define KEYS "$1\r\n2\r\n$1\r\na\r\n$2\r\nbc\r\n"

START_TEST(each_vote_on_several_is_one_script)
{
	EXPECT_SCRIPT(RLK_OP_ACQUIRE, RLK_SCRIPT_TAKE_ALL,
		      KEYS "$3\r\nt\0k\r\n$3\r\n500\r\n$1\r\n0\r\n", 8);
	EXPECT_SCRIPT(RLK_OP_REPAIR, RLK_SCRIPT_TAKE_ALL,
		      KEYS "$3\r\nt\0k\r\n$3\r\n500\r\n$1\r\n1\r\n", 8);
	EXPECT_SCRIPT(RLK_OP_EXTEND, RLK_SCRIPT_EXTEND_ALL, KEYS "$3\r\nt\0k\r\n$3\r\n500\r\n", 7);
	EXPECT_SCRIPT(RLK_OP_RELEASE, RLK_SCRIPT_RELEASE_ALL, KEYS "$3\r\nt\0k\r\n", 6);
}
END_TEST

START_TEST(a_connection_that_has_not_seen_the_script_gets_its_text)
{
	node.loaded = 0;
	command.op = RLK_OP_ACQUIRE;
	rlk_wire_encode(&wire, &command, &node);
	ck_assert_mem_eq(wire.bytes, "*8\r\n$4\r\nEVAL\r\n", 14);
	ck_assert_ptr_nonnull(strstr(wire.bytes, rlk_scripts[RLK_SCRIPT_TAKE_ALL].text));
}
END_TEST

START_TEST(so_many_resources_fit)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h",
					   "i", "j", "k", "l", "m", "n", "o", "p"};

	free((void *)command.name);
	about(name_of(keys, RLK_PARTS_MAX));
	command.op = RLK_OP_ACQUIRE;
	rlk_wire_encode(&wire, &command, &node);
	ck_assert(!wire.failed);
	ck_assert_mem_eq(wire.bytes, "*22\r\n", 5);
	ck_assert_mem_eq(wire.bytes + wire.len - 7, "$1\r\n0\r\n", 7);
}
END_TEST

START_TEST(what_was_made_for_one_is_not_taken_for_several)
{
	struct rlk_name *one = two("a", "bc");
	const struct rlk_name *several = command.name;
	char bytes[4096];
	size_t len;

	one->several = 0;
	command.op = RLK_OP_RELEASE;
	about(one);
	rlk_wire_encode(&wire, &command, &node);
	about(several);
	EXPECT_SCRIPT(RLK_OP_RELEASE, RLK_SCRIPT_RELEASE_ALL, KEYS "$3\r\nt\0k\r\n", 6);
	len = wire.len;
	memcpy(bytes, wire.bytes, len);
	about(one);
	rlk_wire_encode(&wire, &command, &node);
	ck_assert(wire.len != len || memcmp(bytes, wire.bytes, len) != 0);
	about(several);
	free(one);
}
END_TEST

START_TEST(only_a_script_can_do_it)
{
	static const enum rlk_op ops[] = {RLK_OP_ACQUIRE, RLK_OP_REPAIR, RLK_OP_EXTEND,
					  RLK_OP_RELEASE};
	size_t i;

	for (i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		command.op = ops[i];
		ck_assert(!rlk_native_encode(&wire, &command));
	}
}
END_TEST

/* ---- Replies --------------------------------------------------------------------------------- */

/* On a node where nothing else takes a script, too: it may be allowed to run one by now. */
START_TEST(what_is_answered_of_several_is_understood)
{
	int native;

	for (native = 0; native < 2; native++) {
		ck_assert_int_eq(answer_to(RLK_OP_ACQUIRE, "*2\r\n:1\r\n$0\r\n\r\n", native).kind,
				 RLK_YES);
		ck_assert_int_eq(
			answer_to(RLK_OP_ACQUIRE, "*2\r\n:0\r\n$3\r\n700\r\n", native).remaining_ms,
			700);
		ck_assert_int_eq(
			answer_to(RLK_OP_ACQUIRE, "*2\r\n:0\r\n$2\r\n-1\r\n", native).remaining_ms,
			-1);
		ck_assert_int_eq(answer_to(RLK_OP_ACQUIRE, "*2\r\n:0\r\n$2\r\n-1\r\n", native).kind,
				 RLK_NO);
		ck_assert_int_eq(answer_to(RLK_OP_EXTEND, ":1\r\n", native).kind, RLK_YES);
		ck_assert_int_eq(answer_to(RLK_OP_EXTEND, ":0\r\n", native).kind, RLK_NO);
		ck_assert_int_eq(answer_to(RLK_OP_EXTEND, ":-1\r\n", native).kind, RLK_MISSING);
		ck_assert_int_eq(answer_to(RLK_OP_RELEASE, ":0\r\n", native).kind, RLK_NO);
		ck_assert(answer_to(RLK_OP_RELEASE, ":2\r\n", native).passed);
		ck_assert_int_eq(answer_to(RLK_OP_RELEASE, "-NOPERM x\r\n", native).kind,
				 RLK_ERROR);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("several");
	TCase *tcase = tcase_create("several");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_parts_of_a_name_come_one_after_the_other);
	tcase_add_test(tcase, a_name_of_one_resource_is_its_only_part);
	tcase_add_test(tcase, a_long_key_has_its_length_in_front);
	tcase_add_test(tcase, names_meet_that_share_a_resource);
	tcase_add_test(tcase, each_vote_on_several_is_one_script);
	tcase_add_test(tcase, a_connection_that_has_not_seen_the_script_gets_its_text);
	tcase_add_test(tcase, so_many_resources_fit);
	tcase_add_test(tcase, what_was_made_for_one_is_not_taken_for_several);
	tcase_add_test(tcase, only_a_script_can_do_it);
	tcase_add_test(tcase, what_is_answered_of_several_is_understood);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
