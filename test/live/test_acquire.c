/* test_acquire.c - taking a lock and giving it back: keys, tokens, reports, refusals. */
#include "rig.h"

#include <string.h>

#define NAME "orders:17"

/* Others' tokens are often hexadecimal digits, and must be told from ours. */
static bool is_ours(const char *text)
{
	return text[strspn(text, "ghijklmnopqrstuv")] == '\0';
}

START_TEST(a_lock_is_a_string_key_with_the_token_and_the_ttl_on_every_node)
{
	struct redlock_lock *lock = rig_lock(NAME);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	ck_assert_uint_eq(strlen(token), 32);
	ck_assert(is_ours(token));
	rig_until_everywhere(NAME, token);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 0);
		ck_assert_int_le(server_pttl(&rig.servers.at[i], NAME), 60000);
	}
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(the_report_of_a_win_says_who_granted_and_for_how_long)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;

	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_eq(outcome.report.node_count, 5);
	ck_assert_uint_eq(outcome.report.quorum, 3);
	ck_assert_uint_ge(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 3);
	ck_assert_uint_eq(outcome.report.attempts, 1);
	ck_assert_uint_eq(outcome.report.fence, 0);
	ck_assert_uint_gt(outcome.report.elapsed_us, 0);
	/* The drift allowance of 1 % and 2 ms is taken off. */
	ck_assert_uint_le(outcome.report.validity_ms, 60000 - 602);
	ck_assert_uint_gt(outcome.report.validity_ms, 0);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_str_eq(outcome.nodes[i].address, rig.servers.at[i].address);
		ck_assert_str_eq(outcome.nodes[i].error, "");
		if (outcome.nodes[i].vote == REDLOCK_VOTE_GRANTED) {
			ck_assert_uint_gt(outcome.nodes[i].rtt_us, 0);
		}
	}
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(each_lease_has_a_token_of_its_own)
{
	struct redlock_lock *lock = rig_lock(NAME);
	char first[REDLOCK_TOKEN_MAX + 1];
	char second[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(lock);
	rig_token(lock, first, sizeof first);
	rig_release(lock);
	ck_assert_ptr_null(redlock_lock_token(lock, NULL));
	rig_acquire(lock);
	rig_token(lock, second, sizeof second);
	ck_assert_str_ne(first, second);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(eight_lockers_of_different_names_all_win)
{
	const char *names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	struct redlock_lock *locks[8];
	struct outcome outcomes[8] = {0};

	for (size_t i = 0; i < 8; i++) {
		locks[i] = rig_lock(names[i]);
		ck_assert_int_eq(redlock_acquire(locks[i], 0, outcome_take, &outcomes[i]), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		loop_wait_for(&rig.loop, &outcomes[i]);
		ck_assert_int_eq(outcomes[i].status, REDLOCK_OK);
		ck_assert(redlock_lock_held(locks[i]));
	}
	for (size_t i = 0; i < 8; i++) {
		rig_release(locks[i]);
		redlock_lock_free(locks[i]);
	}
}
END_TEST

static void expect_held_by_another(struct redlock_lock *lock)
{
	struct outcome outcome;

	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_EHELD);
	ck_assert(!outcome.held);
	ck_assert_uint_eq(outcome.report.validity_ms, 0);
	ck_assert_uint_eq(outcome.report.attempts, 1);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_GRANTED), 0);
}

START_TEST(a_second_client_is_told_that_it_is_held)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *mine = rig_lock(NAME);
	struct redlock_lock *theirs = rig_lock_of(other, NAME);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(mine);
	rig_token(mine, token, sizeof token);
	rig_until_everywhere(NAME, token);
	expect_held_by_another(theirs);
	ck_assert(redlock_lock_held(mine));
	ck_assert_uint_eq(rig_count(NAME, token), 5);
	rig_release(mine);
	rig_until_gone(NAME);
	rig_acquire(theirs);
	rig_release(theirs);
	redlock_lock_free(mine);
	redlock_lock_free(theirs);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(a_second_lock_object_of_the_same_client_is_another_owner)
{
	struct redlock_lock *mine = rig_lock(NAME);
	struct redlock_lock *also_mine = rig_lock(NAME);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(mine);
	rig_token(mine, token, sizeof token);
	rig_until_everywhere(NAME, token);
	expect_held_by_another(also_mine);
	rig_release(mine);
	rig_until_gone(NAME);
	rig_acquire(also_mine);
	rig_release(also_mine);
	redlock_lock_free(mine);
	redlock_lock_free(also_mine);
}
END_TEST

START_TEST(a_refusal_says_how_long_the_other_lease_has_left)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;
	size_t told = 0;

	for (size_t i = 0; i < 5; i++) {
		rig_stranger_for(i, NAME, 30000);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_EHELD);
	ck_assert_uint_ge(outcome_votes(&outcome, REDLOCK_VOTE_HELD), 3);
	for (size_t i = 0; i < 5; i++) {
		if (outcome.nodes[i].vote == REDLOCK_VOTE_HELD) {
			ck_assert_int_ge(outcome.nodes[i].remaining_ms, -1);
			ck_assert_int_le(outcome.nodes[i].remaining_ms, 30000);
			told++;
		} else {
			ck_assert_int_eq(outcome.nodes[i].remaining_ms, -1);
		}
	}
	ck_assert_uint_ge(told, 3);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 5);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_lock_can_be_taken_as_soon_as_its_client_is_open)
{
	struct redlock_client *fresh = rig_client();
	struct redlock_lock *lock = rig_lock_of(fresh, NAME);

	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
	close_sync(&rig.loop, fresh);
}
END_TEST

START_TEST(a_held_lock_refuses_a_second_acquire)
{
	struct redlock_lock *lock = rig_lock(NAME);

	rig_acquire(lock);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_EBUSY);
	ck_assert(redlock_lock_held(lock));
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_lock_does_one_operation_at_a_time)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome first = {0}, second = {0};

	ck_assert_int_eq(redlock_acquire(lock, 0, outcome_take, &first), REDLOCK_OK);
	ck_assert_int_eq(redlock_acquire(lock, 0, outcome_take, &second), REDLOCK_EBUSY);
	ck_assert_int_eq(redlock_release(lock, outcome_take, &second), REDLOCK_EBUSY);
	loop_wait_for(&rig.loop, &first);
	ck_assert_int_eq(first.status, REDLOCK_OK);

	memset(&first, 0, sizeof first);
	ck_assert_int_eq(redlock_release(lock, outcome_take, &first), REDLOCK_OK);
	ck_assert(!redlock_lock_held(lock));
	ck_assert_int_eq(redlock_release(lock, outcome_take, &second), REDLOCK_EBUSY);
	loop_wait_for(&rig.loop, &first);
	ck_assert_int_eq(first.status, REDLOCK_OK);
	ck_assert_uint_eq(second.calls, 0);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(releasing_twice_is_refused_and_harmless)
{
	struct redlock_lock *lock = rig_lock(NAME);

	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_EEXPIRED);
	rig_acquire(lock);
	rig_release(lock);
	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_EEXPIRED);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_release_needs_no_callback)
{
	struct redlock_lock *lock = rig_lock(NAME);

	rig_acquire(lock);
	ck_assert_int_eq(redlock_release(lock, NULL, NULL), REDLOCK_OK);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

static void expect_expiry_hands_over(struct redlock_lock *mine)
{
	struct redlock_lock *theirs = rig_lock(NAME);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_until_gone(NAME);
	ck_assert(!redlock_lock_held(mine));
	ck_assert_uint_eq(redlock_lock_validity_ms(mine), 0);
	ck_assert_ptr_null(redlock_lock_token(mine, NULL));
	rig_acquire(theirs);
	rig_token(theirs, token, sizeof token);
	rig_until_everywhere(NAME, token);
	ck_assert_int_eq(release_sync(&rig.loop, mine, NULL), REDLOCK_EEXPIRED);
	loop_run_ms(&rig.loop, 50);
	ck_assert(redlock_lock_held(theirs));
	ck_assert_uint_eq(rig_count(NAME, token), 5);
	rig_release(theirs);
	redlock_lock_free(theirs);
}

START_TEST(an_expired_lock_is_over_and_releasing_it_deletes_nothing_of_others)
{
	struct redlock_lock *lock = rig_lock_for(NAME, 500);

	rig_acquire(lock);
	expect_expiry_hands_over(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(an_expired_lock_can_be_taken_again)
{
	struct redlock_lock *lock = rig_lock_for(NAME, 500);

	rig_acquire(lock);
	rig_until_gone(NAME);
	uv_run(&rig.loop, UV_RUN_NOWAIT); /* The client notices too. */
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(any_number_of_nodes_locks_and_unlocks)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct outcome outcome;
	char token[REDLOCK_TOKEN_MAX + 1];

	ck_assert_uint_eq(redlock_client_quorum(rig.client), rig.servers.count / 2 + 1);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_eq(outcome.report.quorum, rig.servers.count / 2 + 1);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acquire");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, a_lock_is_a_string_key_with_the_token_and_the_ttl_on_every_node);
	tcase_add_test(five, the_report_of_a_win_says_who_granted_and_for_how_long);
	tcase_add_test(five, each_lease_has_a_token_of_its_own);
	tcase_add_test(five, eight_lockers_of_different_names_all_win);
	tcase_add_test(five, a_second_client_is_told_that_it_is_held);
	tcase_add_test(five, a_second_lock_object_of_the_same_client_is_another_owner);
	tcase_add_test(five, a_refusal_says_how_long_the_other_lease_has_left);
	tcase_add_test(five, a_lock_can_be_taken_as_soon_as_its_client_is_open);
	tcase_add_test(five, a_held_lock_refuses_a_second_acquire);
	tcase_add_test(five, a_lock_does_one_operation_at_a_time);
	tcase_add_test(five, releasing_twice_is_refused_and_harmless);
	tcase_add_test(five, a_release_needs_no_callback);
	tcase_add_test(five, an_expired_lock_is_over_and_releasing_it_deletes_nothing_of_others);
	tcase_add_test(five, an_expired_lock_can_be_taken_again);
	tcase_add_test(rig_case(suite, "one node", rig_1), any_number_of_nodes_locks_and_unlocks);
	tcase_add_test(rig_case(suite, "two nodes", rig_2), any_number_of_nodes_locks_and_unlocks);
	tcase_add_test(rig_case(suite, "three nodes", rig_3),
		       any_number_of_nodes_locks_and_unlocks);
	tcase_add_test(rig_case(suite, "four nodes", rig_4), any_number_of_nodes_locks_and_unlocks);
	return rig_run(suite);
}
