/* test_stats.c - what a client has counted, in numbers and in text. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "waiter.h"

static struct redlock_stats stats(void)
{
	struct redlock_stats now;

	ck_assert_int_eq(redlock_client_stats(rig.client, &now), 0);
	return now;
}

static struct redlock_node_stats node_stats(size_t node)
{
	struct redlock_node_stats now;

	ck_assert_int_eq(redlock_client_node_stats(rig.client, node, &now), 0);
	return now;
}

START_TEST(what_happens_to_leases_is_counted)
{
	struct redlock_lock *lock = rig_lock(NAME), *brief = rig_lock_for("other", 300);
	struct waiter waiter;

	rig_acquire(lock);
	ck_assert_uint_eq(stats().attempts, 1);
	ck_assert_uint_eq(stats().grants, 1);
	ck_assert_uint_eq(stats().held_now, 1);
	ck_assert_uint_eq(stats().locks_now, 2);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), 0);
	ck_assert_uint_eq(stats().renewals, 1);
	start_waiting(&waiter, rig.client, 60000);
	ck_assert_uint_eq(stats().waiting_now, 1);
	rig_release(lock);
	expect_won(&waiter);
	ck_assert_uint_eq(stats().handed_on, 1);
	ck_assert_uint_eq(stats().waits_client, 1);
	ck_assert_uint_eq(stats().releases, 0);
	finish(&waiter);
	rig_acquire(brief);
	loop_run_ms(&rig.loop, 500);
	ck_assert_uint_eq(stats().losses, 1);
	ck_assert_uint_eq(stats().held_now, 0);
	ck_assert_uint_eq(stats().releases, 1);
	redlock_lock_free(brief);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(refusals_are_counted_by_reason)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *holder = rig_lock_of(other, NAME), *lock = rig_lock(NAME);
	struct waiter waiter;
	size_t i;

	rig_acquire(holder);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_EHELD);
	ck_assert_uint_eq(stats().refused_held, 1);
	ck_assert_uint_eq(stats().grants, 0);
	start_waiting(&waiter, rig.client, 60000);
	loop_run_ms(&rig.loop, 100);
	rig_release(holder);
	expect_won(&waiter);
	ck_assert_uint_eq(stats().waits_line, 1);
	ck_assert_uint_eq(stats().called, 1);
	finish(&waiter);
	for (i = 0; i < 3; i++) {
		server_kill(&rig.servers.at[i]);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	ck_assert_uint_ge(stats().refused_no_quorum, 1);
	ck_assert_uint_eq(node_stats(0).disconnects, 1);
	ck_assert_uint_eq(node_stats(4).disconnects, 0);
	redlock_lock_free(lock);
	redlock_lock_free(holder);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(each_node_has_its_numbers)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct redlock_node_stats before = node_stats(2), node;
	uint64_t sum = 0;
	size_t i;

	rig_acquire(lock);
	rig_until_everywhere(NAME, redlock_lock_token(lock, NULL));
	loop_run_ms(&rig.loop, 50);
	node = node_stats(2);
	ck_assert_str_eq(node.address, rig.servers.at[2].address);
	ck_assert_int_eq(node.state, REDLOCK_NODE_UP);
	ck_assert_uint_eq(node.requests, before.requests + 1);
	ck_assert_uint_eq(node.replies, before.replies + 1);
	ck_assert_uint_eq(node.connects, 1);
	ck_assert_uint_gt(node.rtt_sum_us, 0);
	for (i = 0; i < REDLOCK_RTT_BUCKETS; i++) {
		sum += node.rtt[i];
	}
	ck_assert_uint_eq(sum, node.replies);
	server_stop(&rig.servers.at[2]);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), 0);
	loop_run_ms(&rig.loop, rig.options.ttl_ms / 20 + 200);
	ck_assert_uint_eq(node_stats(2).timeouts, 1);
	ck_assert_int_eq(node_stats(2).state, REDLOCK_NODE_SUSPECT);
	ck_assert_uint_eq(node_stats(2).in_flight_now, 1);
	server_continue(&rig.servers.at[2]);
	loop_run_ms(&rig.loop, 200);
	ck_assert_uint_eq(node_stats(2).late_replies, 1);
	ck_assert_int_eq(redlock_client_node_stats(rig.client, 5, &node), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_client_node_stats(NULL, 0, &node), REDLOCK_EINVAL);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* A header that is older than the library has a shorter structure, a newer one a longer. */
START_TEST(structures_of_other_versions_are_filled_as_far_as_they_go)
{
	struct {
		struct redlock_stats known;
		uint64_t newer, beyond;
	} room = {.newer = 7, .beyond = 7};

	ck_assert_int_eq(redlock_client_stats_sized(rig.client, &room.known, 8), 0);
	ck_assert_uint_eq(room.newer, 7);
	ck_assert_int_eq(redlock_client_stats_sized(rig.client, &room.known, sizeof room.known + 8),
			 0);
	ck_assert_uint_eq(room.newer, 0);
	ck_assert_uint_eq(room.beyond, 7);
	ck_assert_int_eq(redlock_client_stats_sized(rig.client, NULL, 8), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_client_stats(NULL, &room.known), REDLOCK_EINVAL);
}
END_TEST

START_TEST(the_text_is_what_prometheus_reads)
{
	static const char pattern[] = "^(# (HELP redlock_[a-z_]+ .+|TYPE redlock_[a-z_]+ "
				      "(counter|gauge|histogram))|redlock_[a-z_]+(\\{([a-z]+=\""
				      "([^\"\\]|\\\\[n\"\\])*\",?)+\\})? [0-9.]+)$";
	size_t len = redlock_client_stats_text(rig.client, "a \"b\" \\c\nd", NULL, 0);
	char *text = malloc(len + 1), little[16];
	unsigned lines = 0;
	regex_t regex;
	char *line, *rest;

	ck_assert_uint_gt(len, 1000);
	ck_assert_uint_eq(redlock_client_stats_text(rig.client, "a \"b\" \\c\nd", text, len + 1),
			  len);
	ck_assert_uint_eq(strlen(text), len);
	ck_assert_ptr_nonnull(
		strstr(text, "redlock_grants_total{client=\"a \\\"b\\\" \\\\c\\nd\"} 0\n"));
	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		ck_assert_msg(regexec(&regex, line, 0, NULL, 0) == 0, "%s", line);
		lines++;
	}
	ck_assert_uint_gt(lines, 100);
	regfree(&regex);
	free(text);
	redlock_client_stats_text(rig.client, NULL, little, sizeof little);
	ck_assert_str_eq(little, "# HELP redlock_");
	ck_assert_uint_eq(redlock_client_stats_text(NULL, NULL, little, sizeof little), 0);
	ck_assert_str_eq(little, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stats");
	TCase *tcase = rig_case(suite, "numbers", rig_5);

	tcase_add_test(tcase, what_happens_to_leases_is_counted);
	tcase_add_test(tcase, refusals_are_counted_by_reason);
	tcase_add_test(tcase, each_node_has_its_numbers);
	tcase_add_test(tcase, structures_of_other_versions_are_filled_as_far_as_they_go);
	tcase_add_test(tcase, the_text_is_what_prometheus_reads);
	return rig_run(suite);
}
