/* test_round.c - every ballot, in every order of arrival. */
#include "core/round.h"

#include <stdbool.h>

#include "unit.h"

static const enum rlk_ballot kinds[] = {RLK_BALLOT_YES, RLK_BALLOT_NO, RLK_BALLOT_FAULT};

struct tally {
	unsigned yes, no, fault, out;
};

/* What the verdict must be, said in another way than the code says it. */
static enum rlk_verdict oracle(const struct tally *t, unsigned nodes)
{
	unsigned needed = nodes / 2 + 1;

	if (t->yes >= needed) {
		return RLK_WON;
	}
	if (nodes - t->no - t->fault >= needed) {
		return RLK_VOTING;
	}
	return nodes - t->fault >= needed ? RLK_REFUSED : RLK_NO_QUORUM;
}

static void count_in(struct tally *t, enum rlk_ballot ballot)
{
	t->yes += ballot == RLK_BALLOT_YES;
	t->no += ballot == RLK_BALLOT_NO;
	t->fault += ballot == RLK_BALLOT_FAULT;
	t->out--;
}

/* Cast the ballots in this order; the verdict falls at the vote that settles it, and stays. */
static void cast(const enum rlk_ballot *ballots, const unsigned *order, unsigned nodes)
{
	struct rlk_round round = {0};
	struct tally tally = {.out = nodes};
	enum rlk_verdict due = RLK_VOTING;
	unsigned i;

	rlk_round_open(&round, nodes, 1);
	for (i = 0; i < nodes; i++) {
		count_in(&tally, ballots[order[i]]);
		if (due == RLK_VOTING) {
			due = oracle(&tally, nodes);
		}
		if (rlk_round_vote(&round, order[i], ballots[order[i]]) != due) {
			ck_abort_msg("%u nodes, vote %u: verdict %d, not %d", nodes, i + 1,
				     (int)round.verdict, (int)due);
		}
		/* Nobody votes twice. */
		if (rlk_round_vote(&round, order[i], RLK_BALLOT_YES) != due) {
			ck_abort_msg("a second ballot of node %u counted", order[i]);
		}
	}
	ck_assert_int_ne(due, RLK_VOTING);
}

static void cast_in_all_orders(const enum rlk_ballot *ballots, unsigned *order, unsigned fixed,
			       unsigned nodes)
{
	unsigned i, swap;

	if (fixed == nodes) {
		cast(ballots, order, nodes);
		return;
	}
	for (i = fixed; i < nodes; i++) {
		swap = order[fixed];
		order[fixed] = order[i];
		order[i] = swap;
		cast_in_all_orders(ballots, order, fixed + 1, nodes);
		order[i] = order[fixed];
		order[fixed] = swap;
	}
}

static void cast_all(unsigned nodes, bool in_all_orders)
{
	enum rlk_ballot ballots[8];
	unsigned order[8], all = 1, i, code, rest;

	for (i = 0; i < nodes; i++) {
		all *= 3;
		order[i] = i;
	}
	for (code = 0; code < all; code++) {
		for (i = 0, rest = code; i < nodes; i++, rest /= 3) {
			ballots[i] = kinds[rest % 3];
		}
		cast_in_all_orders(ballots, order, in_all_orders ? 0 : nodes, nodes);
	}
}

START_TEST(every_ballot_of_one_to_six_nodes_in_every_order)
{
	unsigned nodes;

	for (nodes = 1; nodes <= 6; nodes++) {
		cast_all(nodes, true);
	}
}
END_TEST

START_TEST(every_ballot_of_seven_nodes)
{
	cast_all(7, false);
}
END_TEST

START_TEST(a_quorum_is_more_than_half)
{
	static const unsigned quorums[] = {0, 1, 2, 2, 3, 3, 4, 4, 5};
	unsigned nodes;

	for (nodes = 1; nodes <= 8; nodes++) {
		ck_assert_uint_eq(rlk_quorum(nodes), quorums[nodes]);
	}
	ck_assert_uint_eq(rlk_quorum(32), 17);
}
END_TEST

START_TEST(two_refusals_of_four_settle_it)
{
	struct rlk_round round = {0};

	rlk_round_open(&round, 4, 1);
	ck_assert_int_eq(rlk_round_vote(&round, 0, RLK_BALLOT_NO), RLK_VOTING);
	ck_assert_int_eq(rlk_round_vote(&round, 3, RLK_BALLOT_NO), RLK_REFUSED);
}
END_TEST

START_TEST(thirty_two_nodes_fit)
{
	struct rlk_round round = {0};
	unsigned i;

	rlk_round_open(&round, 32, 1);
	for (i = 0; i < 16; i++) {
		ck_assert_int_eq(rlk_round_vote(&round, 31 - i, RLK_BALLOT_YES), RLK_VOTING);
	}
	ck_assert_int_eq(rlk_round_vote(&round, 0, RLK_BALLOT_YES), RLK_WON);
}
END_TEST

START_TEST(each_round_has_a_number_of_its_own)
{
	struct rlk_round round = {0};
	uint32_t first;

	rlk_round_open(&round, 5, 1);
	first = round.serial;
	rlk_round_open(&round, 5, 2);
	ck_assert_uint_ne(round.serial, first);
	ck_assert_uint_ne(first, 0);
	ck_assert_uint_eq(round.yes | round.no | round.fault, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("round");
	TCase *tcase = tcase_create("ballots");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, every_ballot_of_one_to_six_nodes_in_every_order);
	tcase_add_test(tcase, every_ballot_of_seven_nodes);
	tcase_add_test(tcase, a_quorum_is_more_than_half);
	tcase_add_test(tcase, two_refusals_of_four_settle_it);
	tcase_add_test(tcase, thirty_two_nodes_fit);
	tcase_add_test(tcase, each_round_has_a_number_of_its_own);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
