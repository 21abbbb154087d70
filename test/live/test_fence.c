/* test_fence.c - fencing tokens: every lease has a greater one than any before it. */
#include "rig.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "orders:17"
#define FENCE_KEY NAME ":fence"

static struct redlock_lock *fenced_lock(struct redlock_client *client)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.fence = true;
	return rig_lock_with(client, NAME, &options);
}

/* Take it, check its fencing token against the last one, and give it back. */
static void expect_greater(struct redlock_lock *lock, uint64_t *last)
{
	struct outcome outcome;
	int status = acquire_sync(&rig.loop, lock, 15000, &outcome);

	ck_assert_msg(status == REDLOCK_OK, "%s", redlock_status_name(status));
	ck_assert_uint_gt(outcome.report.fence, *last);
	ck_assert_uint_eq(redlock_lock_fence(lock), outcome.report.fence);
	*last = outcome.report.fence;
	rig_release(lock);
	ck_assert_uint_eq(redlock_lock_fence(lock), 0);
}

START_TEST(fencing_tokens_grow_from_grant_to_grant_and_client_to_client)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *locks[2] = {fenced_lock(rig.client), fenced_lock(other)};
	uint64_t last = 0;

	for (size_t i = 0; i < 100; i++) {
		expect_greater(locks[i % 2], &last);
	}
	redlock_lock_free(locks[0]);
	redlock_lock_free(locks[1]);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(fencing_tokens_grow_over_the_restart_of_a_node)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	uint64_t last = 0;

	for (size_t i = 0; i < 6; i++) {
		expect_greater(lock, &last);
		server_restart_empty(&rig.servers.at[i % 3]);
		rig_wait_up(rig.client, 3);
	}
	expect_greater(lock, &last);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(fencing_tokens_grow_though_every_node_forgot_them)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	struct redlock_client *fresh;
	uint64_t last = 0;

	expect_greater(lock, &last);
	redlock_lock_free(lock);
	for (size_t i = 0; i < 3; i++) {
		server_restart_empty(&rig.servers.at[i]);
	}
	/* One that has never seen the old token. */
	fresh = rig_connected_client();
	lock = fenced_lock(fresh);
	expect_greater(lock, &last);
	expect_greater(lock, &last);
	redlock_lock_free(lock);
	close_sync(&rig.loop, fresh);
}
END_TEST

/* As if a client whose clock is ahead had been here; within what nodes accept. */
static uint64_t remember_future_tokens(void)
{
	redisReply *time = server_command(&rig.servers.at[0], "TIME");
	uint64_t fence = strtoull(time->element[0]->str, NULL, 10) * 1000000 + 30000000;

	freeReplyObject(time);
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "SET %s %llu", FENCE_KEY, (unsigned long long)fence);
	}
	return fence;
}

START_TEST(fencing_tokens_grow_though_the_last_client_was_ahead_of_the_clock)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	uint64_t last = remember_future_tokens();

	expect_greater(lock, &last);
	expect_greater(lock, &last);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(fencing_tokens_grow_though_that_client_was_forgotten)
{
	struct redlock_client *fresh;
	struct redlock_lock *lock;
	uint64_t last = remember_future_tokens();

	for (size_t i = 0; i < 3; i++) {
		server_restart_empty(&rig.servers.at[i]);
	}
	fresh = rig_connected_client();
	lock = fenced_lock(fresh);
	expect_greater(lock, &last);
	redlock_lock_free(lock);
	close_sync(&rig.loop, fresh);
}
END_TEST

/* A node that is a little younger than the others may refuse a token that is enough for them. */
START_TEST(a_quorum_remembers_a_fencing_token_for_long_but_not_for_ever)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	char fence[32];

	rig_acquire(lock);
	(void)snprintf(fence, sizeof fence, "%" PRIu64, redlock_lock_fence(lock));
	rig_until_quorum(FENCE_KEY, fence);
	for (size_t i = 0; i < 3; i++) {
		if (server_has(&rig.servers.at[i], FENCE_KEY, fence)) {
			ck_assert_int_gt(server_pttl(&rig.servers.at[i], FENCE_KEY), 10 * 60000);
		}
	}
	rig_release(lock);
	rig_until_gone(NAME);
	ck_assert_uint_ge(rig_count(FENCE_KEY, fence), 2);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(an_extend_keeps_the_fencing_token)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	struct outcome outcome;
	uint64_t fence;

	rig_acquire(lock);
	fence = redlock_lock_fence(lock);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, &outcome), REDLOCK_OK);
	ck_assert_uint_eq(outcome.report.fence, fence);
	ck_assert_uint_eq(redlock_lock_fence(lock), fence);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_repair_keeps_the_fencing_tokens_in_order)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	char token[REDLOCK_TOKEN_MAX + 1];
	uint64_t last;

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	last = redlock_lock_fence(lock);
	rig_until_quorum(NAME, token);
	server_do(&rig.servers.at[1], "DEL %s", NAME);
	server_restart_empty(&rig.servers.at[2]);
	rig_wait_up(rig.client, 3);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_until_everywhere(NAME, token);
	ck_assert_uint_eq(redlock_lock_fence(lock), last);
	rig_release(lock);
	rig_until_gone(NAME);
	expect_greater(lock, &last);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(without_fencing_there_is_no_token_and_no_second_key)
{
	struct redlock_lock *lock = rig_lock(NAME);

	rig_acquire(lock);
	ck_assert_uint_eq(redlock_lock_fence(lock), 0);
	loop_run_ms(&rig.loop, 20);
	ck_assert_uint_eq(rig_count(FENCE_KEY, NULL), 3);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(plain_and_fenced_locks_exclude_each_other)
{
	struct redlock_lock *plain = rig_lock(NAME);
	struct redlock_lock *fenced = fenced_lock(rig.client);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(plain);
	rig_token(plain, token, sizeof token);
	rig_until_everywhere(NAME, token);
	ck_assert_int_eq(acquire_sync(&rig.loop, fenced, 0, NULL), REDLOCK_EHELD);
	rig_release(plain);
	rig_until_gone(NAME);
	rig_acquire(fenced);
	rig_token(fenced, token, sizeof token);
	rig_until_quorum(NAME, token);
	ck_assert_int_eq(acquire_sync(&rig.loop, plain, 0, NULL), REDLOCK_EHELD);
	rig_release(fenced);
	redlock_lock_free(plain);
	redlock_lock_free(fenced);
}
END_TEST

START_TEST(a_stranger_keeps_a_fenced_lock_out)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	uint64_t last = 0;

	rig_stranger(0, NAME);
	rig_stranger(1, NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_EHELD);
	ck_assert_uint_eq(redlock_lock_fence(lock), 0);
	server_do(&rig.servers.at[1], "DEL %s", NAME);
	expect_greater(lock, &last);
	ck_assert(server_has(&rig.servers.at[0], NAME, STRANGER));
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_fenced_wait_ends_in_a_greater_token)
{
	struct redlock_lock *first = fenced_lock(rig.client);
	struct redlock_lock *second = fenced_lock(rig.client);
	struct outcome outcome = {0};
	char token[REDLOCK_TOKEN_MAX + 1], number[32];
	uint64_t fence;

	rig_acquire(first);
	fence = redlock_lock_fence(first);
	ck_assert_int_eq(redlock_acquire(second, 60000, outcome_take, &outcome), REDLOCK_OK);
	loop_run_ms(&rig.loop, 100);
	rig_token(first, token, sizeof token);
	rig_release(first);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	ck_assert_uint_gt(outcome.report.fence, fence);
	/* It was handed on: the same key, in one round, and remembered with the new token. */
	ck_assert_uint_eq(outcome.report.attempts, 1);
	ck_assert_str_eq(redlock_lock_token(second, NULL), token);
	snprintf(number, sizeof number, "%" PRIu64, outcome.report.fence);
	rig_until_quorum(FENCE_KEY, number);
	rig_release(second);
	redlock_lock_free(first);
	redlock_lock_free(second);
}
END_TEST

static void rig_no_scripts(void)
{
	rig_open(3, &(struct server_options){
			    .acl = "user default on nopass ~* &* +@all -eval -evalsha"});
	rig.client = rig_client(); /* It will be connected, and nobody may vote. */
}

START_TEST(fencing_where_it_cannot_work_is_refused)
{
	struct redlock_lock *lock = fenced_lock(rig.client);
	struct outcome outcome;

	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	ck_assert_uint_ge(outcome_votes(&outcome, REDLOCK_VOTE_ERROR), 2);
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fence");
	TCase *three = rig_case(suite, "three nodes", rig_3);

	tcase_add_test(three, fencing_tokens_grow_from_grant_to_grant_and_client_to_client);
	tcase_add_test(three, fencing_tokens_grow_over_the_restart_of_a_node);
	tcase_add_test(three, fencing_tokens_grow_though_every_node_forgot_them);
	tcase_add_test(three, fencing_tokens_grow_though_the_last_client_was_ahead_of_the_clock);
	tcase_add_test(three, fencing_tokens_grow_though_that_client_was_forgotten);
	tcase_add_test(three, a_quorum_remembers_a_fencing_token_for_long_but_not_for_ever);
	tcase_add_test(three, an_extend_keeps_the_fencing_token);
	tcase_add_test(three, a_repair_keeps_the_fencing_tokens_in_order);
	tcase_add_test(three, without_fencing_there_is_no_token_and_no_second_key);
	tcase_add_test(three, plain_and_fenced_locks_exclude_each_other);
	tcase_add_test(three, a_stranger_keeps_a_fenced_lock_out);
	tcase_add_test(three, a_fenced_wait_ends_in_a_greater_token);
	tcase_add_test(rig_case(suite, "no scripts", rig_no_scripts),
		       fencing_where_it_cannot_work_is_refused);
	return rig_run(suite);
}
