/* test_mutex.c - calls that wait, from one thread. */
#include "blocking.h"

START_TEST(a_lock_is_taken_extended_and_given_back)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *mutex = mutex_of(client);
	struct redlock_error error;

	ck_assert(!redlock_mutex_held(mutex));
	ck_assert_int_eq(redlock_mutex_unlock(mutex, NULL), REDLOCK_EEXPIRED);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 0, &error), 0);
	ck_assert_str_eq(error.text, "ok");
	ck_assert(redlock_mutex_held(mutex));
	ck_assert_uint_gt(redlock_mutex_validity_ms(mutex), 0);
	ck_assert_uint_eq(redlock_mutex_fence(mutex), 0);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 0, &error), REDLOCK_EBUSY);
	ck_assert_int_eq(error.status, REDLOCK_EBUSY);
	ck_assert_int_eq(redlock_mutex_extend(mutex, NULL), 0);
	ck_assert_int_eq(redlock_mutex_unlock(mutex, &error), 0);
	ck_assert(!redlock_mutex_held(mutex));
	ck_assert_int_eq(redlock_mutex_lock(mutex, REDLOCK_WAIT_FOREVER, NULL), 0);
	redlock_mutex_free(mutex); /* Gives it back. */
	ck_assert_int_eq(redlock_blocking_close(client), 0);
}
END_TEST

START_TEST(fencing_tokens_grow)
{
	struct redlock_blocking *client = opened();
	struct redlock_lock_options options;
	struct redlock_mutex *mutex;
	uint64_t first;

	redlock_lock_options_init(&options);
	options.fence = true;
	mutex = mutex_with(client, &options);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 5000, NULL), 0);
	first = redlock_mutex_fence(mutex);
	ck_assert_uint_gt(first, 0);
	ck_assert_int_eq(redlock_mutex_unlock(mutex, NULL), 0);
	ck_assert_uint_eq(redlock_mutex_fence(mutex), 0);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 5000, NULL), 0);
	ck_assert_uint_gt(redlock_mutex_fence(mutex), first);
	redlock_mutex_free(mutex);
	redlock_blocking_close(client);
}
END_TEST

START_TEST(a_mutex_may_be_for_several_resources)
{
	static const struct redlock_resource both[] = {{"orders:17", 9}, {"orders:18", 9}};
	struct redlock_blocking *client = opened();
	struct redlock_mutex *mutex = NULL, *single = mutex_of(client);

	ck_assert_int_eq(redlock_mutex_new_all(&mutex, client, both, 0, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_new_all(&mutex, NULL, both, 2, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_new_all(&mutex, client, both, 2, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 5000, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(single, 0, NULL), REDLOCK_EHELD);
	ck_assert_int_eq(redlock_mutex_extend(mutex, NULL), 0);
	ck_assert_int_eq(redlock_mutex_unlock(mutex, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(single, 5000, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 0, NULL), REDLOCK_EHELD);
	redlock_mutex_free(mutex);
	redlock_mutex_free(single);
	ck_assert_int_eq(redlock_blocking_close(client), 0);
}
END_TEST

START_TEST(readers_hold_together_and_a_writer_alone)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *first, *second, *writer = mutex_of(client);
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.shared = true;
	first = mutex_with(client, &options);
	second = mutex_with(client, &options);
	ck_assert_int_eq(redlock_mutex_lock(first, 5000, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(second, 5000, NULL), 0);
	ck_assert(redlock_mutex_held(first) && redlock_mutex_held(second));
	ck_assert_int_eq(redlock_mutex_lock(writer, 0, NULL), REDLOCK_EHELD);
	ck_assert_int_eq(redlock_mutex_unlock(first, NULL), 0);
	ck_assert_int_eq(redlock_mutex_extend(second, NULL), 0);
	ck_assert_int_eq(redlock_mutex_unlock(second, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(writer, 5000, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(first, 0, NULL), REDLOCK_EHELD);
	redlock_mutex_free(first);
	redlock_mutex_free(second);
	redlock_mutex_free(writer);
	redlock_blocking_close(client);
}
END_TEST

START_TEST(numbers_can_be_asked_for)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *mutex = mutex_of(client);
	struct redlock_node_stats node;
	struct redlock_stats stats;
	char text[64];
	size_t len = 0;
	unsigned i, asked = 0;

	ck_assert_int_eq(redlock_mutex_lock(mutex, 5000, NULL), 0);
	ck_assert_int_eq(redlock_blocking_stats(client, &stats), 0);
	ck_assert_uint_eq(stats.grants, 1);
	ck_assert_uint_eq(stats.held_now, 1);
	for (i = 0; redlock_blocking_node_stats(client, i, &node) == 0; i++) {
		asked += node.requests > 0; /* Not those that were not connected to in time. */
	}
	ck_assert_uint_gt(i, 0);
	ck_assert_uint_ge(asked, i / 2 + 1);
	ck_assert_int_eq(redlock_blocking_node_stats(client, 9, &node), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_blocking_stats_text(client, NULL, text, sizeof text, &len), 0);
	ck_assert_uint_gt(len, sizeof text);
	ck_assert_int_eq(redlock_blocking_stats_text(NULL, NULL, text, 0, &len), REDLOCK_EINVAL);
	redlock_mutex_free(mutex);
	redlock_blocking_close(client);
}
END_TEST

START_TEST(who_is_refused_is_told_by_whom)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *holder = mutex_of(client), *other = mutex_of(client);
	struct redlock_error error;

	ck_assert_int_eq(redlock_mutex_lock(holder, 0, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(other, 0, &error), REDLOCK_EHELD);
	ck_assert_ptr_nonnull(strstr(error.text, "held by another owner; "));
	ck_assert_ptr_nonnull(strstr(error.text, ": held"));
	ck_assert_int_eq(redlock_mutex_lock(other, 50, &error), REDLOCK_ETIMEDOUT);
	ck_assert(!redlock_mutex_held(other));
	ck_assert(redlock_mutex_held(holder));
	redlock_mutex_free(other);
	redlock_mutex_free(holder);
	redlock_blocking_close(client);
}
END_TEST

START_TEST(without_a_quorum_the_nodes_that_fail_are_named)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *mutex = mutex_of(client);
	struct redlock_error error;

	ck_assert_int_eq(redlock_mutex_lock(mutex, 5000, NULL), 0);
	ck_assert_int_eq(redlock_mutex_unlock(mutex, NULL), 0);
	server_kill(&rig.servers.at[0]);
	server_kill(&rig.servers.at[1]);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 0, &error), REDLOCK_ENOQUORUM);
	ck_assert_ptr_nonnull(strstr(error.text, "unreachable"));
	redlock_mutex_free(mutex);
	redlock_blocking_close(client);
}
END_TEST

START_TEST(five_nodes_with_long_names_are_all_named)
{
	static const char *const urls[] = {
		"unix:///nowhere/in/a/directory/of/this/machine/first.sock",
		"unix:///nowhere/in/a/directory/of/this/machine/second.sock",
		"unix:///nowhere/in/a/directory/of/this/machine/third.sock",
		"unix:///nowhere/in/a/directory/of/this/machine/fourth.sock",
		"unix:///nowhere/in/a/directory/of/this/machine/fifth.sock",
	};
	struct redlock_blocking *client = NULL;
	struct redlock_mutex *mutex;
	struct redlock_error error;

	ck_assert_int_eq(redlock_blocking_open(&client, urls, 5, NULL, NULL), 0);
	mutex = mutex_of(client);
	ck_assert_int_eq(redlock_mutex_lock(mutex, 0, &error), REDLOCK_ENOQUORUM);
	ck_assert_ptr_nonnull(strstr(error.text, "first.sock: unreachable"));
	ck_assert_ptr_nonnull(strstr(error.text, "fifth.sock: unreachable"));
	redlock_mutex_free(mutex);
	redlock_blocking_close(client);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
	const char *bad[] = {"redis://", "http://127.0.0.1"};
	struct redlock_blocking *client = NULL;
	struct redlock_mutex *mutex = NULL;
	struct redlock_error error;

	ck_assert_int_eq(redlock_blocking_open(&client, bad + 1, 1, NULL, &error), REDLOCK_EINVAL);
	ck_assert_int_eq(error.status, REDLOCK_EINVAL);
	ck_assert_uint_gt(strlen(error.text), 0);
	ck_assert_int_eq(redlock_blocking_open(&client, bad, 0, NULL, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_blocking_open(NULL, bad, 1, NULL, NULL), REDLOCK_EINVAL);
	ck_assert_ptr_null(client);
	client = opened();
	ck_assert_int_eq(redlock_mutex_new(&mutex, client, "", 0, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_new(&mutex, NULL, "a", 1, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_new(NULL, client, "a", 1, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_lock(NULL, 0, &error), REDLOCK_EINVAL);
	ck_assert_int_eq(error.status, REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_extend(NULL, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_unlock(NULL, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_mutex_cancel(NULL), REDLOCK_EINVAL);
	ck_assert(!redlock_mutex_held(NULL));
	ck_assert_uint_eq(redlock_mutex_validity_ms(NULL), 0);
	ck_assert_uint_eq(redlock_mutex_fence(NULL), 0);
	redlock_mutex_free(NULL);
	mutex = mutex_of(client);
	ck_assert_int_eq(redlock_mutex_cancel(mutex), REDLOCK_EINVAL);
	redlock_mutex_free(mutex);
	ck_assert_int_eq(redlock_blocking_close(client), 0);
	ck_assert_int_eq(redlock_blocking_close(NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mutex");
	TCase *tcase = rig_case(suite, "one thread", rig_3);

	tcase_add_test(tcase, a_lock_is_taken_extended_and_given_back);
	tcase_add_test(tcase, fencing_tokens_grow);
	tcase_add_test(tcase, a_mutex_may_be_for_several_resources);
	tcase_add_test(tcase, readers_hold_together_and_a_writer_alone);
	tcase_add_test(tcase, numbers_can_be_asked_for);
	tcase_add_test(tcase, who_is_refused_is_told_by_whom);
	tcase_add_test(tcase, without_a_quorum_the_nodes_that_fail_are_named);
	tcase_add_test(tcase, five_nodes_with_long_names_are_all_named);
	tcase_add_test(tcase, what_makes_no_sense_is_refused);
	return rig_run(suite);
}
