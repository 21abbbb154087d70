/* test_semaphore_handle.c - what a handle is told of its lease, and which calls it refuses. */
#include "permits.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- The lease ------------------------------------------------------------------------------- */

struct news {
	struct redlock_semaphore *semaphore;
	struct outcome at_risk, lost, again;
};

static void on_at_risk(struct redlock_semaphore *semaphore, int status,
		       const struct redlock_report *report, void *data)
{
	struct news *news = data;

	ck_assert_ptr_eq(semaphore, news->semaphore);
	ck_assert(redlock_semaphore_held(semaphore));
	outcome_take_freed(NULL, status, report, &news->at_risk);
}

static void on_lost(struct redlock_semaphore *semaphore, int status,
		    const struct redlock_report *report, void *data)
{
	struct news *news = data;

	ck_assert_ptr_eq(semaphore, news->semaphore);
	ck_assert(!redlock_semaphore_held(semaphore));
	ck_assert_int_eq(redlock_semaphore_slot(semaphore), -1);
	outcome_take_freed(NULL, status, report, &news->lost);
	if (news->lost.calls == 1) {
		ck_assert_int_eq(
			redlock_semaphore_acquire(semaphore, 10000, take_outcome, &news->again),
			REDLOCK_OK);
	}
}

START_TEST(who_does_not_renew_is_told_of_risk_and_loss_and_may_ask_anew)
{
	struct redlock_semaphore_options options;
	struct news news = {0};
	struct user user;

	redlock_semaphore_options_init(&options);
	options.ttl_ms = 700;
	options.on_at_risk = on_at_risk;
	options.on_lost = on_lost;
	options.data = &news;
	user_open_with(&user, rig.client, 2, &options);
	news.semaphore = user.semaphore;
	user_take(&user);
	loop_wait(&rig.loop, &news.lost.done);
	ck_assert_uint_eq(news.at_risk.calls, 1);
	ck_assert_int_eq(news.lost.status, REDLOCK_EEXPIRED);
	loop_wait_for(&rig.loop, &news.again);
	ck_assert_int_eq(news.again.status, REDLOCK_OK);
	redlock_semaphore_free(user.semaphore);
	loop_run_ms(&rig.loop, 800);
	ck_assert_uint_eq(news.lost.calls, 1);
}
END_TEST

START_TEST(a_permit_that_is_renewed_outlives_its_ttl)
{
	struct redlock_semaphore_options options;
	struct user user;

	redlock_semaphore_options_init(&options);
	options.ttl_ms = 600;
	options.auto_renew = true;
	user_open_with(&user, rig.client, 2, &options);
	user_take(&user);
	loop_run_ms(&rig.loop, 1500);
	ck_assert(redlock_semaphore_held(user.semaphore));
	memset(&user.outcome, 0, sizeof user.outcome);
	ck_assert_int_eq(redlock_semaphore_extend(user.semaphore, take_outcome, &user.outcome),
			 REDLOCK_OK);
	ck_assert_int_eq(redlock_semaphore_extend(user.semaphore, take_outcome, &user.outcome),
			 REDLOCK_EBUSY);
	ck_assert_int_eq(user_end(&user), REDLOCK_OK);
	user_give(&user);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* Asks until it is told to stop. */
struct observer {
	struct redlock_semaphore *semaphore;
	atomic_bool over;
	atomic_uint seen_held;
};

static void *observe(void *data)
{
	struct observer *observer = data;

	while (!atomic_load(&observer->over)) {
		int slot = redlock_semaphore_slot(observer->semaphore);

		atomic_fetch_add(&observer->seen_held,
				 slot >= 0 && redlock_semaphore_held(observer->semaphore) &&
					 redlock_semaphore_validity_ms(observer->semaphore) > 0);
		ck_assert_int_lt(slot, 3);
		sched_yield();
	}
	return NULL;
}

START_TEST(another_thread_may_ask_what_is_held)
{
	struct observer observer = {0};
	struct user user;
	pthread_t thread;

	user_open(&user, rig.client, 3);
	observer.semaphore = user.semaphore;
	ck_assert_int_eq(pthread_create(&thread, NULL, observe, &observer), 0);
	for (int i = 0; i < 50 || atomic_load(&observer.seen_held) == 0; i++) {
		ck_assert_int_lt(i, 5000);
		user_take(&user);
		user_give(&user);
	}
	atomic_store(&observer.over, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* ---- Arguments ------------------------------------------------------------------------------- */

static int new_of(struct redlock_client *client, size_t len, uint32_t permits,
		  const struct redlock_semaphore_options *options)
{
	static const char name[65536] = NAME;
	struct redlock_semaphore *semaphore = NULL;
	int status = redlock_semaphore_new(&semaphore, client, name, len, permits, options);

	ck_assert_int_eq(semaphore != NULL, status == 0);
	redlock_semaphore_free(semaphore);
	return status;
}

START_TEST(what_is_no_semaphore_is_refused)
{
	struct redlock_semaphore_options options;

	redlock_semaphore_options_init(&options);
	ck_assert_int_eq(new_of(rig.client, 65533, REDLOCK_PERMITS_MAX, &options), REDLOCK_OK);
	ck_assert_int_eq(new_of(rig.client, 65534, 1, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(new_of(rig.client, 0, 1, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(new_of(rig.client, 1, 0, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(new_of(rig.client, 1, REDLOCK_PERMITS_MAX + 1, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(new_of(NULL, 1, 1, NULL), REDLOCK_EINVAL);
	options.ttl_ms = 60001; /* Above max_ttl_ms. */
	ck_assert_int_eq(new_of(rig.client, 1, 2, &options), REDLOCK_EINVAL);
	options.ttl_ms = 0;
	options.size = 0;
	ck_assert_int_eq(new_of(rig.client, 1, 2, &options), REDLOCK_EINVAL);
	redlock_semaphore_free(NULL);
}
END_TEST

START_TEST(a_call_at_the_wrong_time_is_refused_and_has_no_callback)
{
	struct outcome none = {0};
	struct user user;
	struct redlock_semaphore *semaphore;

	user_open(&user, rig.client, 2);
	semaphore = user.semaphore;
	ck_assert_int_eq(redlock_semaphore_release(semaphore, take_outcome, &none),
			 REDLOCK_EEXPIRED);
	ck_assert_int_eq(redlock_semaphore_extend(semaphore, take_outcome, &none),
			 REDLOCK_EEXPIRED);
	ck_assert_int_eq(redlock_semaphore_cancel(semaphore), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_semaphore_acquire(semaphore, 0, NULL, NULL), REDLOCK_EINVAL);
	user_start(&user, 0);
	ck_assert_int_eq(redlock_semaphore_acquire(semaphore, 0, take_outcome, &none),
			 REDLOCK_EBUSY);
	ck_assert_int_eq(redlock_semaphore_release(semaphore, take_outcome, &none), REDLOCK_EBUSY);
	ck_assert_int_eq(redlock_semaphore_extend(semaphore, take_outcome, &none), REDLOCK_EBUSY);
	ck_assert_int_eq(user_end(&user), REDLOCK_OK);
	ck_assert_int_eq(redlock_semaphore_acquire(semaphore, 0, take_outcome, &none),
			 REDLOCK_EBUSY);
	ck_assert_int_eq(redlock_semaphore_cancel(semaphore), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_semaphore_release(semaphore, NULL, NULL), REDLOCK_OK);
	ck_assert_int_eq(redlock_semaphore_acquire(semaphore, 0, take_outcome, &none),
			 REDLOCK_EBUSY);
	ck_assert_int_eq(redlock_semaphore_release(semaphore, take_outcome, &none), REDLOCK_EBUSY);
	ck_assert_int_eq(redlock_semaphore_acquire(NULL, 0, take_outcome, &none), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_semaphore_extend(NULL, take_outcome, &none), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_semaphore_release(NULL, take_outcome, &none), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_semaphore_cancel(NULL), REDLOCK_EINVAL);
	ck_assert(!redlock_semaphore_held(NULL));
	ck_assert_int_eq(redlock_semaphore_slot(NULL), -1);
	loop_run_ms(&rig.loop, 100);
	ck_assert_uint_eq(none.calls, 0);
	redlock_semaphore_free(semaphore);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("semaphore_handle");
	TCase *three = rig_case(suite, "three nodes", rig_3);

	tcase_add_test(three, who_does_not_renew_is_told_of_risk_and_loss_and_may_ask_anew);
	tcase_add_test(three, a_permit_that_is_renewed_outlives_its_ttl);
	tcase_add_test(three, another_thread_may_ask_what_is_held);
	tcase_add_test(three, what_is_no_semaphore_is_refused);
	tcase_add_test(three, a_call_at_the_wrong_time_is_refused_and_has_no_callback);
	return rig_run(suite);
}
