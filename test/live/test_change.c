/* test_change.c - another server comes to answer at a node's address, and the connection stays. */
#include "rig.h"

#include <string.h>

#define NAME "orders:17"
#define MAX_TTL_MS 3000

static struct servers spare;
static struct redlock_client *other;

/* Two clients of three nodes behind proxies that have proved their age, and two fresh servers. */
static void behind_proxies(bool may_change)
{
	rig_open(3, NULL);
	rig.options.guard = REDLOCK_GUARD_ON;
	rig.options.ttl_ms = rig.options.max_ttl_ms = MAX_TTL_MS;
	rig.options.node_timeout_ms = 500;
	rig.options.node_may_change = may_change;
	for (size_t i = 0; i < 3; i++) {
		rig_proxy(i);
	}
	rig_connect();
	other = rig_connected_client();
	servers_start(&spare, 2, NULL);
	rig_wait_up(rig.client, 3);
	rig_wait_up(other, 3);
}

static void rig_checked(void)
{
	behind_proxies(true);
}

static void rig_trusting(void)
{
	behind_proxies(false);
}

static void finish(void)
{
	close_sync(&rig.loop, other);
	rig_close();
	servers_finish(&spare);
}

static void change_a_majority(void)
{
	proxy_lead_to(rig.proxies[0], spare.at[0].port);
	proxy_lead_to(rig.proxies[1], spare.at[1].port);
}

START_TEST(a_server_that_took_over_unseen_does_not_vote)
{
	struct redlock_lock *first = rig_lock(NAME), *second = rig_lock_of(other, NAME);
	struct outcome outcome;

	rig_acquire(first);
	rig_until_everywhere(NAME, redlock_lock_token(first, NULL)); /* Nothing is on its way. */
	change_a_majority();
	/* Asked on connections that never broke: they say that they are others. */
	ck_assert_int_ne(acquire_sync(&rig.loop, second, 0, &outcome), REDLOCK_OK);
	ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_ERROR), 2);
	ck_assert_ptr_nonnull(strstr(outcome.nodes[0].error, "CHANGED"));
	/* And withhold their votes until the first lease is over. */
	ck_assert_int_eq(acquire_sync(&rig.loop, second, 60000, &outcome), REDLOCK_OK);
	ck_assert(!redlock_lock_held(first));
	rig_release(second);
	redlock_lock_free(first);
	redlock_lock_free(second);
}
END_TEST

/* This is what the option is for. */
START_TEST(without_the_option_it_votes_and_two_hold_the_lock)
{
	struct redlock_lock *first = rig_lock(NAME), *second = rig_lock_of(other, NAME);
	struct outcome outcome;

	rig_acquire(first);
	rig_until_everywhere(NAME, redlock_lock_token(first, NULL)); /* Nothing is on its way. */
	change_a_majority();
	ck_assert_int_eq(acquire_sync(&rig.loop, second, 0, &outcome), REDLOCK_OK);
	ck_assert(redlock_lock_held(first));
	ck_assert(redlock_lock_held(second));
	rig_release(second);
	redlock_lock_free(first);
	redlock_lock_free(second);
}
END_TEST

START_TEST(a_lease_lives_its_whole_life_with_checked_votes)
{
	struct redlock_lock_options options;
	struct redlock_lock *locks[2];
	struct outcome outcome;

	redlock_lock_options_init(&options);
	for (int fenced = 0; fenced < 2; fenced++) {
		options.fence = fenced;
		locks[0] = rig_lock_with(rig.client, NAME, &options);
		locks[1] = rig_lock_with(other, NAME, &options);
		rig_acquire(locks[0]);
		ck_assert_int_eq(acquire_sync(&rig.loop, locks[1], 0, &outcome), REDLOCK_EHELD);
		server_do(&rig.servers.at[2], "DEL %s", NAME);
		ck_assert_int_eq(extend_sync(&rig.loop, locks[0], &outcome), REDLOCK_OK);
		rig_until_everywhere(NAME, redlock_lock_token(locks[0], NULL));
		rig_release(locks[0]);
		ck_assert_int_eq(acquire_sync(&rig.loop, locks[1], 5000, &outcome), REDLOCK_OK);
		rig_release(locks[1]);
		redlock_lock_free(locks[0]);
		redlock_lock_free(locks[1]);
	}
}
END_TEST

START_TEST(a_callers_own_token_could_be_that_of_an_old_copy)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;

	redlock_lock_options_init(&options);
	options.token = "mine";
	options.token_len = 4;
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, NAME, strlen(NAME), &options),
			 REDLOCK_EUNSUPPORTED);
}
END_TEST

static void add(Suite *suite, const char *name, SFun setup, const TTest *test)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, RIG_CASE_SECONDS);
	tcase_add_checked_fixture(tcase, setup, finish);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("change");

	add(suite, "checked", rig_checked, a_server_that_took_over_unseen_does_not_vote);
	add(suite, "trusting", rig_trusting, without_the_option_it_votes_and_two_hold_the_lock);
	add(suite, "life", rig_checked, a_lease_lives_its_whole_life_with_checked_votes);
	add(suite, "tokens", rig_checked, a_callers_own_token_could_be_that_of_an_old_copy);
	return rig_run(suite);
}
