/* test_hold.c - holding a lease: renewal, the warnings, and its end by the clock. */
#include "rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define NAME "orders:17"

/* News of one lease. */
struct news {
	struct outcome at_risk, lost;
};

static void on_at_risk(struct redlock_lock *lock, int status, const struct redlock_report *report,
		       void *data)
{
	struct news *news = data;

	ck_assert_uint_eq(news->lost.calls, 0);
	outcome_take(lock, status, report, &news->at_risk);
}

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct news *news = data;

	outcome_take(lock, status, report, &news->lost);
}

static void init_options(struct redlock_lock_options *options, uint32_t ttl_ms, struct news *news)
{
	memset(news, 0, sizeof *news);
	redlock_lock_options_init(options);
	options->ttl_ms = ttl_ms;
	options->on_at_risk = on_at_risk;
	options->on_lost = on_lost;
	options->data = news;
}

static struct redlock_lock *renewing_lock(uint32_t ttl_ms, struct news *news)
{
	struct redlock_lock_options options;

	init_options(&options, ttl_ms, news);
	options.auto_renew = true;
	return rig_lock_with(rig.client, NAME, &options);
}

static void rig_5_impatient(void)
{
	rig_open(5, NULL);
	rig.options.node_timeout_ms = 300;
	rig_connect();
}

/* ---- Renewal --------------------------------------------------------------------------------- */

START_TEST(a_renewed_lease_holds_for_several_ttls)
{
	struct news news;
	struct redlock_lock *lock = renewing_lock(1600, &news);
	char token[REDLOCK_TOKEN_MAX + 1];
	uint64_t end_ms;

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	for (end_ms = loop_clock_ms() + 4000; loop_clock_ms() < end_ms;) {
		loop_run_ms(&rig.loop, 50);
		ck_assert(redlock_lock_held(lock));
		ck_assert_uint_ge(rig_count(NAME, token), 3);
	}
	ck_assert_str_eq(redlock_lock_token(lock, NULL), token);
	ck_assert_uint_eq(news.lost.calls, 0);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_lease_without_renewal_is_over_after_its_ttl)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	struct news news;
	uint64_t end_ms;

	init_options(&options, 900, &news);
	lock = rig_lock_with(rig.client, NAME, &options);
	rig_acquire(lock);
	end_ms = loop_clock_ms() + redlock_lock_validity_ms(lock);
	loop_wait_for(&rig.loop, &news.at_risk);
	ck_assert_int_eq(news.at_risk.status, REDLOCK_OK);
	ck_assert_uint_eq(news.lost.calls, 0);
	loop_wait_for(&rig.loop, &news.lost);
	ck_assert_int_eq(news.lost.status, REDLOCK_EEXPIRED);
	ck_assert(!news.lost.held);
	ck_assert_uint_eq(news.lost.report.validity_ms, 0);
	/* Early rather than late; a loaded machine may wake us much later than asked. */
	ck_assert_uint_le(news.lost.at_ms, end_ms + 5000);
	loop_run_ms(&rig.loop, 100);
	ck_assert_uint_eq(news.lost.calls, 1);
	ck_assert_uint_eq(news.at_risk.calls, 1);
	redlock_lock_free(lock);
}
END_TEST

static bool is_at_risk(void *news)
{
	return ((struct news *)news)->at_risk.done;
}

START_TEST(when_renewal_stops_the_holder_is_warned_and_told_and_another_gets_it)
{
	struct news news;
	struct redlock_lock *lock = renewing_lock(2000, &news);
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *next = rig_lock_of(other, NAME);
	struct outcome taken = {0};

	rig_acquire(lock);
	for (size_t i = 0; i < 3; i++) {
		server_stop(&rig.servers.at[i]);
	}
	ck_assert_int_eq(redlock_acquire(next, REDLOCK_WAIT_FOREVER, outcome_take, &taken), 0);
	loop_until(&rig.loop, is_at_risk, &news, "on_at_risk");
	ck_assert(news.at_risk.held);
	ck_assert_uint_gt(news.at_risk.report.validity_ms, 0);
	loop_wait_for(&rig.loop, &news.lost);
	ck_assert_int_eq(news.lost.status, REDLOCK_EEXPIRED);
	ck_assert(!news.lost.held);
	ck_assert(!taken.done);
	for (size_t i = 0; i < 3; i++) {
		server_continue(&rig.servers.at[i]);
	}
	loop_wait_for(&rig.loop, &taken);
	ck_assert_int_eq(taken.status, REDLOCK_OK);
	ck_assert(!redlock_lock_held(lock));
	rig_release(next);
	ck_assert_uint_eq(news.lost.calls, 1);
	redlock_lock_free(lock);
	redlock_lock_free(next);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(a_renewal_that_fails_for_a_while_does_not_lose_the_lease)
{
	struct news news;
	struct redlock_lock *lock = renewing_lock(3000, &news);

	rig_acquire(lock);
	for (size_t i = 0; i < 3; i++) {
		server_stop(&rig.servers.at[i]);
	}
	loop_until(&rig.loop, is_at_risk, &news, "on_at_risk");
	for (size_t i = 0; i < 3; i++) {
		server_continue(&rig.servers.at[i]);
	}
	loop_run_ms(&rig.loop, 1500);
	ck_assert(redlock_lock_held(lock));
	ck_assert_uint_eq(news.lost.calls, 0);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_holding_is_capped_however_often_it_is_renewed)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	struct news news;
	uint64_t start_ms = loop_clock_ms();

	init_options(&options, 1000, &news);
	options.auto_renew = true;
	options.max_hold_ms = 1800;
	lock = rig_lock_with(rig.client, NAME, &options);
	rig_acquire(lock);
	loop_wait_for(&rig.loop, &news.lost);
	ck_assert_int_eq(news.lost.status, REDLOCK_EEXPIRED);
	ck_assert_uint_ge(news.lost.at_ms, start_ms + 1000);
	ck_assert_uint_eq(redlock_lock_validity_ms(lock), 0);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(no_news_comes_of_a_lease_that_was_released)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	struct news news;

	init_options(&options, 400, &news);
	options.at_risk_ms = 100;
	lock = rig_lock_with(rig.client, NAME, &options);
	rig_acquire(lock);
	rig_release(lock);
	loop_run_ms(&rig.loop, 500);
	ck_assert_uint_eq(news.at_risk.calls, 0);
	ck_assert_uint_eq(news.lost.calls, 0);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_held_lock_that_is_freed_is_given_back_without_news)
{
	struct news news;
	struct redlock_lock *lock = renewing_lock(60000, &news);

	rig_acquire(lock);
	redlock_lock_free(lock);
	rig_until_gone(NAME);
	ck_assert_uint_eq(news.lost.calls, 0);
}
END_TEST

START_TEST(a_lease_ends_with_its_client)
{
	struct news news;
	struct redlock_lock *lock = renewing_lock(60000, &news);

	rig_acquire(lock);
	close_sync(&rig.loop, rig.client);
	rig.client = NULL;
	ck_assert(!redlock_lock_held(lock));
	ck_assert_uint_eq(news.lost.calls, 1);
	ck_assert_int_eq(news.lost.status, REDLOCK_ECLOSED);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

/* ---- Other threads --------------------------------------------------------------------------- */

struct watcher {
	const struct redlock_lock *lock;
	atomic_bool over;
	atomic_ulong seen_held, seen_free;
};

static void *watch(void *data)
{
	struct watcher *watcher = data;

	while (!atomic_load(&watcher->over)) {
		bool held = redlock_lock_held(watcher->lock);

		atomic_fetch_add(held ? &watcher->seen_held : &watcher->seen_free, 1);
		ck_assert_uint_le(redlock_lock_validity_ms(watcher->lock), 60000);
	}
	return NULL;
}

static void wait_for_more(atomic_ulong *count)
{
	unsigned long before = atomic_load(count);
	uint64_t end_ms = loop_clock_ms() + LOOP_DEADLINE_MS;

	while (atomic_load(count) == before) {
		ck_assert_uint_lt(loop_clock_ms(), end_ms);
		loop_run_ms(&rig.loop, 1);
	}
}

START_TEST(any_thread_may_ask_whether_it_is_held)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct watcher watcher = {.lock = lock};
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, watch, &watcher), 0);
	for (int round = 0; round < 20; round++) {
		rig_acquire(lock);
		wait_for_more(&watcher.seen_held);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_release(lock);
		wait_for_more(&watcher.seen_free);
	}
	atomic_store(&watcher.over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(another_thread_sees_the_end_even_if_the_loop_does_not_run)
{
	struct redlock_lock *lock = rig_lock_for(NAME, 500);
	struct watcher watcher = {.lock = lock};
	pthread_t thread;
	uint64_t end_ms = loop_clock_ms() + LOOP_DEADLINE_MS;

	rig_acquire(lock);
	ck_assert_int_eq(pthread_create(&thread, NULL, watch, &watcher), 0);
	while (atomic_load(&watcher.seen_free) == 0) {
		ck_assert_uint_lt(loop_clock_ms(), end_ms);
	}
	atomic_store(&watcher.over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(!redlock_lock_held(NULL));
	ck_assert_uint_eq(redlock_lock_validity_ms(NULL), 0);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("hold");
	TCase *five = rig_case(suite, "five nodes", rig_5);
	TCase *silent = rig_case(suite, "silent nodes", rig_5_impatient);

	tcase_add_test(five, a_renewed_lease_holds_for_several_ttls);
	tcase_add_test(five, a_lease_without_renewal_is_over_after_its_ttl);
	tcase_add_test(silent,
		       when_renewal_stops_the_holder_is_warned_and_told_and_another_gets_it);
	tcase_add_test(silent, a_renewal_that_fails_for_a_while_does_not_lose_the_lease);
	tcase_add_test(five, a_holding_is_capped_however_often_it_is_renewed);
	tcase_add_test(five, no_news_comes_of_a_lease_that_was_released);
	tcase_add_test(five, a_held_lock_that_is_freed_is_given_back_without_news);
	tcase_add_test(five, a_lease_ends_with_its_client);
	tcase_add_test(five, any_thread_may_ask_whether_it_is_held);
	tcase_add_test(five, another_thread_sees_the_end_even_if_the_loop_does_not_run);
	return rig_run(suite);
}
