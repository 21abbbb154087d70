/* test_several_trouble.c - locks for several resources when something is lost, late or not allowed.
 */
#include "several.h"

#include <stdio.h>

#define TOKEN "machine-7/job-19"
#define PASSWORD "hunter2"

START_TEST(a_renewal_gives_a_node_back_what_it_lost)
{
	struct redlock_lock *lock = both(rig.client);

	rig_acquire(lock);
	expect_everywhere(lock);
	server_do(&rig.servers.at[0], "DEL %s", OTHER);
	server_restart_empty(&rig.servers.at[1]);
	rig_wait_up(rig.client, 5);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	expect_everywhere(lock);
	ck_assert_int_gt(server_pttl(&rig.servers.at[0], NAME), 50000);
	ck_assert_int_gt(server_pttl(&rig.servers.at[0], OTHER), 50000);
	rig_release(lock);
	expect_gone();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(one_that_was_lost_on_a_quorum_is_told_and_the_other_one_is_given_back)
{
	struct redlock_lock *lock = both(rig.client);
	size_t i;

	rig_acquire(lock);
	expect_everywhere(lock);
	for (i = 0; i < 5; i++) {
		rig_stranger(i, OTHER);
	}
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
	rig_until_gone(NAME);
	ck_assert_uint_eq(rig_count(OTHER, STRANGER), 5);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_lease_that_renews_itself_keeps_all_of_them)
{
	struct redlock_lock *lock = both_for(1000, true);

	rig_acquire(lock);
	loop_run_ms(&rig.loop, 2500);
	ck_assert(redlock_lock_held(lock));
	expect_everywhere(lock);
	rig_release(lock);
	expect_gone();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(scripts_that_were_forgotten_are_sent_again)
{
	struct redlock_lock *lock = both(rig.client);
	size_t round, i;

	for (round = 0; round < 2; round++) {
		rig_acquire(lock);
		expect_everywhere(lock);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_release(lock);
		expect_gone();
		for (i = 0; i < 5; i++) {
			server_do(&rig.servers.at[i], "SCRIPT FLUSH");
		}
	}
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_node_that_goes_and_comes_back_with_its_data_gives_them_up)
{
	struct redlock_lock *lock = both(rig.client);

	rig_acquire(lock);
	expect_everywhere(lock);
	server_kill(&rig.servers.at[0]);
	rig_release(lock);
	server_start_again(&rig.servers.at[0], true);
	rig_wait_up(rig.client, 5);
	expect_gone();
	redlock_lock_free(lock);
}
END_TEST

START_TEST(grants_that_come_too_late_are_given_back)
{
	struct redlock_lock *lock = both(rig.client);
	struct outcome outcome = {0};
	size_t i;

	for (i = 0; i < 3; i++) {
		proxy_hold(rig.proxies[i], PROXY_TO_CLIENT, true);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	for (i = 0; i < 3; i++) {
		proxy_hold(rig.proxies[i], PROXY_TO_CLIENT, false);
	}
	expect_gone();
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 15000, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* ---- Tokens and rights ----------------------------------------------------------------------- */

START_TEST(another_client_goes_on_with_several_under_their_token)
{
	struct redlock_client *client = rig_connected_client();
	struct redlock_lock *first, *second;
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.token = TOKEN;
	options.token_len = sizeof TOKEN - 1;
	first = lock_with(rig.client, NAME, OTHER, &options);
	second = lock_with(client, OTHER, NAME, &options);
	rig_acquire(first);
	rig_until_everywhere(OTHER, TOKEN);
	ck_assert_int_eq(extend_sync(&rig.loop, second, NULL), REDLOCK_OK);
	ck_assert(redlock_lock_held(second));
	rig_release(second);
	expect_gone();
	redlock_lock_free(first);
	redlock_lock_free(second);
	close_sync(&rig.loop, client);
}
END_TEST

static void rig_without_scripts(void)
{
	rig_open(3, &(struct server_options){
			    .acl = "user default off\n"
				   "user plain on >" PASSWORD
				   " ~* resetchannels -@all +set +get +pttl +time +info "
				   "+config|get"});
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://plain:" PASSWORD "@%s",
			       rig.servers.at[i].address);
	}
	rig.options.ttl_ms = 1000;
	rig.client = rig_client();
}

START_TEST(where_no_script_may_run_the_right_is_named)
{
	struct redlock_lock *lock = both(rig.client);
	struct outcome outcome;
	size_t i, told = 0;

	if (server_sets_if_equal(&rig.servers.at[0])) {
		rig_wait_connected(rig.client, 3);
	}
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	for (i = 0; i < 3; i++) {
		told += strstr(outcome.errors[i], "+eval") != NULL;
	}
	ck_assert_uint_ge(told, 2);
	ck_assert_uint_eq(rig_count(NAME, NULL), 3);
	redlock_lock_free(lock);
}
END_TEST

static void rig_5_proxied(void)
{
	rig_open(5, NULL);
	rig.options.node_timeout_ms = 300;
	for (size_t i = 0; i < 5; i++) {
		(void)rig_proxy(i);
	}
	rig_connect();
}

static void rig_5_durable(void)
{
	rig_open(5, &(struct server_options){.durable = true});
	rig_connect();
}

int main(void)
{
	Suite *suite = suite_create("several trouble");
	TCase *five = rig_case(suite, "five nodes", rig_5);
	TCase *durable = rig_case(suite, "five nodes with a disk", rig_5_durable);
	TCase *proxied = rig_case(suite, "five nodes behind proxies", rig_5_proxied);
	TCase *without = rig_case(suite, "three nodes without scripts", rig_without_scripts);

	tcase_add_test(five, a_renewal_gives_a_node_back_what_it_lost);
	tcase_add_test(five, one_that_was_lost_on_a_quorum_is_told_and_the_other_one_is_given_back);
	tcase_add_test(five, a_lease_that_renews_itself_keeps_all_of_them);
	tcase_add_test(five, scripts_that_were_forgotten_are_sent_again);
	tcase_add_test(durable, a_node_that_goes_and_comes_back_with_its_data_gives_them_up);
	tcase_add_test(proxied, grants_that_come_too_late_are_given_back);
	tcase_add_test(five, another_client_goes_on_with_several_under_their_token);
	tcase_add_test(without, where_no_script_may_run_the_right_is_named);
	return rig_run(suite);
}
