/* test_same.c - bytes that are there already serve the next node, and no other command. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "redis/wire.h"
#include "unit.h"

static struct rlk_wire wire;
static struct rlk_wire_node node = {.incarnation = "run:77", .incarnation_key = "inc"};
static struct rlk_command command;
static char token[] = "0123456789abcdef";

/* One thing or another is not as it was, or nothing. */
static void change(unsigned what, unsigned how)
{
	static const enum rlk_op ops[] = {RLK_OP_ACQUIRE, RLK_OP_EXTEND,  RLK_OP_REPAIR,
					  RLK_OP_ADVANCE, RLK_OP_RELEASE, RLK_OP_REMAINING,
					  RLK_OP_INSPECT};
	struct rlk_name *name = (struct rlk_name *)command.name;

	switch (what) {
	case 0:
		token[how % 16] ^= 1;
		break;
	case 1:
		command.token_len = 15 + how % 2;
		break;
	case 2:
		name->bytes[how % 2] ^= 1;
		break;
	case 3:
		name->len = 2 + how % 2;
		break;
	case 4:
		command.ttl_ms ^= 1;
		break;
	case 5:
		command.fence ^= 5;
		break;
	case 6:
		command.checked = how % 4 == 0;
		break;
	case 7:
		node.loaded ^= 1U << how % RLK_SCRIPTS;
		break;
	case 8:
		node.born_us ^= 1;
		break;
	case 9:
	case 10:
		command.op = ops[how % (sizeof ops / sizeof ops[0])];
		break;
	case 11:
		command.shared = how % 4 == 0;
		break;
	case 12:
		rlk_wire_args(&wire, 1, (const char *[]){"PING"}, NULL);
		break;
	default:
		break;
	}
}

static void expect_as_anew(void)
{
	struct rlk_wire anew = {.allocator = &rlk_libc_allocator};

	rlk_wire_encode(&anew, &command, &node);
	ck_assert_uint_eq(wire.len, anew.len);
	ck_assert_mem_eq(wire.bytes, anew.bytes, anew.len);
	rlk_wire_free(&anew);
}

START_TEST(each_command_has_its_own_bytes)
{
	uint64_t dice = 1;
	unsigned i, same = 0;
	bool was_made;

	wire.allocator = &rlk_libc_allocator;
	command.name = calloc(1, sizeof *command.name + 4);
	memcpy((char *)command.name->bytes, "abc", 4);
	command.token = token;
	for (i = 0; i < 20000; i++) {
		dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		change((unsigned)(dice >> 60), (unsigned)(dice >> 40 & 0xffff));
		was_made = wire.made.known;
		rlk_wire_encode(&wire, &command, &node);
		same += was_made && wire.made.known;
		expect_as_anew();
	}
	ck_assert_uint_gt(same, 1000);
	rlk_wire_free(&wire);
	free((void *)command.name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("same");
	TCase *tcase = tcase_create("commands");

	tcase_add_test(tcase, each_command_has_its_own_bytes);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
