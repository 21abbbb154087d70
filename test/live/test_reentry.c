/* test_end.c - freeing and closing at any moment: every callback once, no key and no handle left.
 */
#include "rig.h"

#include <string.h>
#include <time.h>

#define NAME "orders:17"

static void on_closed(struct redlock_client *client, int status, const void *unused, void *data)
{
	(void)client;
	(void)unused;
	ck_assert_int_eq(status, REDLOCK_OK);
	*(bool *)data = true;
}

/* rig.client is gone: rig_close() must not close it once more. */
static void wait_closed(const bool *closed)
{
	loop_wait(&rig.loop, closed);
	rig.client = NULL;
}

/* ---- Inside callbacks ------------------------------------------------------------------------ */

/* A callback that ends something. */
struct ending {
	struct outcome outcome;
	bool closed;
};

static void free_inside(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct ending *ending = data;

	redlock_lock_free(lock);
	outcome_take_freed(lock, status, report, &ending->outcome);
}

static void close_inside(struct redlock_lock *lock, int status, const struct redlock_report *report,
			 void *data)
{
	struct ending *ending = data;

	ck_assert_int_eq(redlock_client_close(rig.client, on_closed, &ending->closed), REDLOCK_OK);
	ck_assert(!redlock_lock_held(lock));
	outcome_take(lock, status, report, &ending->outcome);
}

static void free_and_close_inside(struct redlock_lock *lock, int status,
				  const struct redlock_report *report, void *data)
{
	struct ending *ending = data;

	redlock_lock_free(lock);
	ck_assert_int_eq(redlock_client_close(rig.client, on_closed, &ending->closed), REDLOCK_OK);
	outcome_take_freed(lock, status, report, &ending->outcome);
}

START_TEST(a_lock_may_be_freed_in_the_callback_of_its_acquire)
{
	struct ending ending = {0};

	ck_assert_int_eq(redlock_acquire(rig_lock(NAME), 0, free_inside, &ending), REDLOCK_OK);
	loop_wait_for(&rig.loop, &ending.outcome);
	ck_assert_int_eq(ending.outcome.status, REDLOCK_OK);
	loop_run_ms(&rig.loop, 50);
	rig_until_gone(NAME);
}
END_TEST

START_TEST(a_lock_may_be_freed_in_the_callback_of_its_extend)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct ending ending = {0};

	rig_acquire(lock);
	ck_assert_int_eq(redlock_extend(lock, free_inside, &ending), REDLOCK_OK);
	loop_wait_for(&rig.loop, &ending.outcome);
	loop_run_ms(&rig.loop, 50);
	rig_until_gone(NAME);
}
END_TEST

START_TEST(a_lock_may_be_freed_in_the_callback_of_its_release)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct ending ending = {0};

	rig_acquire(lock);
	ck_assert_int_eq(redlock_release(lock, free_inside, &ending), REDLOCK_OK);
	loop_wait_for(&rig.loop, &ending.outcome);
	ck_assert_int_eq(ending.outcome.status, REDLOCK_OK);
	rig_until_gone(NAME);
}
END_TEST

START_TEST(a_lock_may_be_freed_in_the_callback_of_its_refusal)
{
	struct ending ending = {0};

	for (size_t i = 0; i < 3; i++) {
		rig_stranger(i, NAME);
	}
	ck_assert_int_eq(redlock_acquire(rig_lock(NAME), 0, free_inside, &ending), REDLOCK_OK);
	loop_wait_for(&rig.loop, &ending.outcome);
	ck_assert_int_eq(ending.outcome.status, REDLOCK_EHELD);
}
END_TEST

static void expect_news_may_free(bool at_risk)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	struct ending ending = {0};

	redlock_lock_options_init(&options);
	options.ttl_ms = 600;
	options.data = &ending;
	*(at_risk ? &options.on_at_risk : &options.on_lost) = free_inside;
	lock = rig_lock_with(rig.client, NAME, &options);
	rig_acquire(lock);
	loop_wait_for(&rig.loop, &ending.outcome);
	rig_until_gone(NAME);
	loop_run_ms(&rig.loop, 700);
	ck_assert_uint_eq(ending.outcome.calls, 1);
}

START_TEST(a_lock_may_be_freed_in_on_lost)
{
	expect_news_may_free(false);
}
END_TEST

START_TEST(a_lock_may_be_freed_in_on_at_risk)
{
	expect_news_may_free(true);
}
END_TEST

START_TEST(the_client_may_be_closed_in_a_callback)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct ending ending = {0};

	ck_assert_int_eq(redlock_acquire(lock, 0, close_inside, &ending), REDLOCK_OK);
	wait_closed(&ending.closed);
	ck_assert_uint_eq(ending.outcome.calls, 1);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(lock_and_client_may_be_ended_in_one_callback)
{
	struct ending ending = {0};

	ck_assert_int_eq(redlock_acquire(rig_lock(NAME), 0, free_and_close_inside, &ending),
			 REDLOCK_OK);
	wait_closed(&ending.closed);
	ck_assert_uint_eq(ending.outcome.calls, 1);
	rig_until_gone(NAME);
}
END_TEST

/* Take and give back, each from the callback of the one before. */
struct chain {
	unsigned left;
	bool done;
};

static void chain_release(struct redlock_lock *lock, int status,
			  const struct redlock_report *report, void *data);

static void chain_acquire(struct redlock_lock *lock, int status,
			  const struct redlock_report *report, void *data)
{
	(void)report;
	ck_assert_int_eq(status, REDLOCK_OK);
	ck_assert_int_eq(redlock_release(lock, chain_release, data), REDLOCK_OK);
}

static void chain_release(struct redlock_lock *lock, int status,
			  const struct redlock_report *report, void *data)
{
	struct chain *chain = data;

	(void)report;
	ck_assert_int_eq(status, REDLOCK_OK);
	chain->done = --chain->left == 0;
	if (!chain->done) {
		ck_assert_int_eq(redlock_acquire(lock, 0, chain_acquire, data), REDLOCK_OK);
	}
}

START_TEST(a_callback_may_start_the_next_operation)
{
	struct redlock_lock *lock = rig_lock(NAME);
	struct chain chain = {.left = 200};

	ck_assert_int_eq(redlock_acquire(lock, 0, chain_acquire, &chain), REDLOCK_OK);
	loop_wait(&rig.loop, &chain.done);
	redlock_lock_free(lock);
}
END_TEST

/* ---- News that is not told yet --------------------------------------------------------------- */

/* Two leases that ended while the loop stood still: each callback tries the other lock. */
struct twins {
	struct redlock_lock *locks[2];
	struct outcome outcome;
	int told, status;
};

static void try_the_other(struct redlock_lock *lock, int status,
			  const struct redlock_report *report, void *data)
{
	struct twins *twins = data;

	(void)status;
	(void)report;
	if (twins->told++ == 0) {
		twins->status = redlock_acquire(twins->locks[twins->locks[0] == lock], 0,
						outcome_take, &twins->outcome);
	}
}

START_TEST(a_lock_whose_end_is_not_told_yet_is_busy)
{
	struct redlock_lock_options options;
	struct twins twins = {.status = 1};
	size_t i;

	redlock_lock_options_init(&options);
	options.ttl_ms = 400;
	options.on_lost = try_the_other;
	options.data = &twins;
	twins.locks[0] = rig_lock_with(rig.client, NAME, &options);
	twins.locks[1] = rig_lock_with(rig.client, "another", &options);
	for (i = 0; i < 2; i++) {
		rig_acquire(twins.locks[i]);
	}
	nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
	while (twins.told < 2) {
		uv_run(&rig.loop, UV_RUN_ONCE);
	}
	ck_assert_int_eq(twins.status, REDLOCK_EBUSY);
	ck_assert_uint_eq(twins.outcome.calls, 0);
	for (i = 0; i < 2; i++) {
		redlock_lock_free(twins.locks[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reentry");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, a_lock_may_be_freed_in_the_callback_of_its_acquire);
	tcase_add_test(five, a_lock_may_be_freed_in_the_callback_of_its_extend);
	tcase_add_test(five, a_lock_may_be_freed_in_the_callback_of_its_release);
	tcase_add_test(five, a_lock_may_be_freed_in_the_callback_of_its_refusal);
	tcase_add_test(five, a_lock_may_be_freed_in_on_lost);
	tcase_add_test(five, a_lock_may_be_freed_in_on_at_risk);
	tcase_add_test(five, the_client_may_be_closed_in_a_callback);
	tcase_add_test(five, lock_and_client_may_be_ended_in_one_callback);
	tcase_add_test(five, a_callback_may_start_the_next_operation);
	tcase_add_test(five, a_lock_whose_end_is_not_told_yet_is_busy);
	return rig_run(suite);
}
