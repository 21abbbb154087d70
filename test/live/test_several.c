/* test_several.c - locks for several resources at once: what can be locked together, and that all
 * or none are had. */
#include "several.h"

#include <hiredis/hiredis.h>
#include <stdio.h>

/* ---- Making ---------------------------------------------------------------------------------- */

START_TEST(what_cannot_be_locked_together_is_refused)
{
	static const char *const twice[] = {"a", "b", "a"}, *const empty[] = {"a", ""},
				 *const helper[] = {"a", "b:fence"}, *const two[] = {"a", "b"};
	const char *many[REDLOCK_RESOURCES_MAX + 1] = {0};
	const struct redlock_resource none[] = {{"a", 1}, {NULL, 1}},
				      large[] = {{"a", 1}, {"b", 65537}};
	struct redlock_lock_options options;
	struct redlock_lock *lock = NULL;
	char names[REDLOCK_RESOURCES_MAX + 1][4];
	size_t i;

	for (i = 0; i <= REDLOCK_RESOURCES_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "%zu", i);
		many[i] = names[i];
	}
	redlock_lock_options_init(&options);
	ck_assert_int_eq(make(&lock, rig.client, twice, 3, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(make(&lock, rig.client, empty, 2, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(make(&lock, rig.client, helper, 2, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(make(&lock, rig.client, two, 0, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(make(&lock, NULL, two, 2, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(make(NULL, rig.client, two, 2, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(make(&lock, rig.client, many, REDLOCK_RESOURCES_MAX + 1, NULL),
			 REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new_all(&lock, rig.client, NULL, 1, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new_all(&lock, rig.client, none, 2, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new_all(&lock, rig.client, large, 2, NULL), REDLOCK_EINVAL);
	options.fence = true;
	ck_assert_int_eq(make(&lock, rig.client, two, 2, &options), REDLOCK_EINVAL);
	ck_assert_ptr_null(lock);
	/* One is one: with all that it may have. */
	ck_assert_int_eq(make(&lock, rig.client, two, 1, &options), REDLOCK_OK);
	rig_acquire(lock);
	ck_assert_uint_gt(redlock_lock_fence(lock), 0);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(where_nodes_may_change_there_is_only_one_at_a_time)
{
	static const char *const two[] = {"a", "b"};
	struct redlock_client *client;
	struct redlock_lock *lock = NULL;

	rig.options.node_may_change = true;
	client = rig_client();
	ck_assert_int_eq(make(&lock, client, two, 2, NULL), REDLOCK_EUNSUPPORTED);
	ck_assert_int_eq(make(&lock, client, two, 1, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
	close_sync(&rig.loop, client);
}
END_TEST

START_TEST(as_many_as_are_allowed_are_locked)
{
	static const char *const names[REDLOCK_RESOURCES_MAX] = {
		"p", "o", "n", "m", "l", "k", "j", "i", "h", "g", "f", "e", "d", "c", "b", "a"};
	struct redlock_lock *lock = NULL;
	size_t i;

	ck_assert_int_eq(make(&lock, rig.client, names, REDLOCK_RESOURCES_MAX, NULL), REDLOCK_OK);
	rig_acquire(lock);
	for (i = 0; i < REDLOCK_RESOURCES_MAX; i++) {
		rig_until_everywhere(names[i], redlock_lock_token(lock, NULL));
	}
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	for (i = 0; i < REDLOCK_RESOURCES_MAX; i++) {
		rig_until_gone(names[i]);
	}
	redlock_lock_free(lock);
}
END_TEST

START_TEST(each_resource_goes_through_the_key_format)
{
	struct redlock_lock *lock;

	rig.options.key_format = "lock:{%s}";
	rig_connect();
	lock = both(rig.client);
	rig_acquire(lock);
	rig_until_everywhere("lock:{" NAME "}", redlock_lock_token(lock, NULL));
	rig_until_everywhere("lock:{" OTHER "}", redlock_lock_token(lock, NULL));
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* ---- All or none ----------------------------------------------------------------------------- */

START_TEST(several_are_taken_renewed_and_given_back)
{
	struct redlock_lock *lock = both(rig.client);

	rig_acquire(lock);
	expect_everywhere(lock);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	ck_assert(!redlock_lock_held(lock));
	expect_gone();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(where_another_program_has_one_of_them_none_is_set)
{
	struct redlock_lock *lock = both(rig.client);
	struct outcome outcome;
	size_t i;

	for (i = 0; i < 5; i++) {
		rig_stranger_for(i, OTHER, 3000);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_EHELD);
	for (i = 0; i < 5; i++) {
		if (outcome.nodes[i].vote == REDLOCK_VOTE_HELD) {
			ck_assert_int_gt(outcome.nodes[i].remaining_ms, 0);
			ck_assert_int_le(outcome.nodes[i].remaining_ms, 3000);
		}
	}
	ck_assert_uint_eq(rig_count(NAME, NULL), 5);
	/* Nobody gives it back, but it ends. */
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 20000, NULL), REDLOCK_OK);
	rig_release(lock);
	expect_gone();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_key_of_another_type_is_anothers)
{
	struct redlock_lock *lock = both(rig.client);
	size_t i;

	for (i = 0; i < 5; i++) {
		server_do(&rig.servers.at[i], "HSET %s owner somebody", OTHER);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_EHELD);
	ck_assert_uint_eq(rig_count(NAME, NULL), 5);
	for (i = 0; i < 5; i++) {
		server_do(&rig.servers.at[i], "DEL %s", OTHER);
	}
	redlock_lock_free(lock);
}
END_TEST

START_TEST(who_sets_a_plain_key_is_kept_out_of_each_of_them)
{
	struct redlock_lock *lock = both(rig.client);
	const char *const names[] = {NAME, OTHER};
	redisReply *reply;
	size_t i;

	rig_acquire(lock);
	expect_everywhere(lock);
	for (i = 0; i < 10; i++) {
		reply = server_command(&rig.servers.at[i / 2], "SET %s stranger NX PX 60000",
				       names[i % 2]);
		ck_assert_int_eq(reply->type, REDIS_REPLY_NIL);
		freeReplyObject(reply);
	}
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(sets_that_share_one_exclude_each_other_and_others_do_not)
{
	struct redlock_client *client = rig_connected_client();
	struct redlock_lock *first = both(rig.client);
	struct redlock_lock *second = lock_with(client, OTHER, "orders:19", NULL);
	struct redlock_lock *third = lock_with(client, "orders:20", "orders:19", NULL);

	rig_acquire(first);
	ck_assert_int_eq(acquire_sync(&rig.loop, second, 0, NULL), REDLOCK_EHELD);
	rig_acquire(third);
	rig_release(first);
	ck_assert_int_eq(acquire_sync(&rig.loop, second, 0, NULL), REDLOCK_EHELD);
	rig_release(third);
	ck_assert_int_eq(acquire_sync(&rig.loop, second, 20000, NULL), REDLOCK_OK);
	rig_release(second);
	redlock_lock_free(first);
	redlock_lock_free(second);
	redlock_lock_free(third);
	close_sync(&rig.loop, client);
}
END_TEST

START_TEST(the_order_in_which_they_are_named_does_not_matter)
{
	struct redlock_lock *first = both(rig.client);
	struct redlock_lock *second = lock_with(rig.client, OTHER, NAME, NULL);
	struct outcome outcome = {0};

	rig_acquire(first);
	ck_assert_int_eq(redlock_acquire(second, 20000, outcome_take, &outcome), REDLOCK_OK);
	rig_release(first);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	ck_assert_uint_eq(outcome.report.attempts, 0); /* From lock to lock. */
	rig_release(second);
	redlock_lock_free(first);
	redlock_lock_free(second);
}
END_TEST

static void rig_3_unconnected(void)
{
	rig_open(3, NULL);
}

int main(void)
{
	Suite *suite = suite_create("several");
	TCase *five = rig_case(suite, "five nodes", rig_5);
	TCase *apart = rig_case(suite, "three nodes", rig_3_unconnected);

	tcase_add_test(five, what_cannot_be_locked_together_is_refused);
	tcase_add_test(five, where_nodes_may_change_there_is_only_one_at_a_time);
	tcase_add_test(five, as_many_as_are_allowed_are_locked);
	tcase_add_test(apart, each_resource_goes_through_the_key_format);
	tcase_add_test(five, several_are_taken_renewed_and_given_back);
	tcase_add_test(five, where_another_program_has_one_of_them_none_is_set);
	tcase_add_test(five, a_key_of_another_type_is_anothers);
	tcase_add_test(five, who_sets_a_plain_key_is_kept_out_of_each_of_them);
	tcase_add_test(five, sets_that_share_one_exclude_each_other_and_others_do_not);
	tcase_add_test(five, the_order_in_which_they_are_named_does_not_matter);
	return rig_run(suite);
}
