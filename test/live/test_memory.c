/* test_memory.c - the caller's allocator: everything is given back, and running out is survived. */
#include "faulty.h"
#include "rig.h"

#include <string.h>

#define NAME "orders:17"
#define PASSWORD "hunter2"

/* What may come of an operation when memory is short. */
static void expect_known_end(int status)
{
	ck_assert_msg(status == REDLOCK_OK || status == REDLOCK_ENOMEM ||
			      status == REDLOCK_ENOQUORUM || status == REDLOCK_EHELD ||
			      status == REDLOCK_ELOST || status == REDLOCK_EEXPIRED,
		      "%s", redlock_status_name(status));
}

static void use_lock(struct redlock_client *client)
{
	struct redlock_lock *lock = NULL;
	int rv = redlock_lock_new(&lock, client, NAME, strlen(NAME), NULL);

	expect_known_end(rv);
	if (rv) {
		return;
	}
	if (acquire_sync(&rig.loop, lock, 0, NULL) == REDLOCK_OK) {
		expect_known_end(extend_sync(&rig.loop, lock, NULL));
		expect_known_end(release_sync(&rig.loop, lock, NULL));
	}
	redlock_lock_free(lock);
}

/* A whole life: open, lock, extend, release, look, close. */
static void live(struct faulty *faulty)
{
	struct redlock_allocator allocator = faulty_allocator(faulty);
	const char *urls[] = {rig.urls[0], rig.urls[1], rig.urls[2]};
	struct redlock_client *client = NULL;
	struct redlock_error error;
	int rv;

	rig.options.allocator = &allocator;
	rv = redlock_client_new(&client, &rig.loop, urls, 3, &rig.options, &error);
	rig.options.allocator = NULL;
	memset(&allocator, 0, sizeof allocator);
	expect_known_end(rv);
	if (rv == REDLOCK_OK) {
		use_lock(client);
		use_lock(client);
		close_sync(&rig.loop, client);
	} else {
		loop_run_ms(&rig.loop, 1);
	}
	ck_assert_uint_eq(faulty->in_use, 0);
}

static void rig_3_unconnected(void)
{
	rig_open(3, NULL);
	rig.options.node_timeout_ms = 200;
}

START_TEST(all_memory_is_asked_of_the_allocator_and_given_back)
{
	struct faulty faulty = {.fail_at = FAULTY_NEVER};

	live(&faulty);
	ck_assert_uint_gt(faulty.asked, 0);
}
END_TEST

static void fail_each(bool for_good)
{
	struct faulty faulty;

	for (uint64_t i = 0;; i++) {
		faulty = (struct faulty){.fail_at = i, .for_good = for_good};
		live(&faulty);
		if (!faulty.failed) {
			break;
		}
		ck_assert_uint_lt(i, 10000);
	}
	rig_until_gone(NAME);
}

START_TEST(any_single_allocation_may_fail)
{
	fail_each(false);
}
END_TEST

START_TEST(memory_may_run_out_for_good_at_any_allocation)
{
	fail_each(true);
}
END_TEST

static int answer(struct redlock_client *client, const char *address,
		  struct redlock_credentials *credentials, void *data)
{
	(void)client, (void)address, (void)data;
	return redlock_credentials_set(credentials, NULL, PASSWORD);
}

static void rig_3_with_password(void)
{
	rig_open(3, &(struct server_options){.password = PASSWORD});
	rig.options.node_timeout_ms = 200;
	rig.options.credentials = answer;
}

START_TEST(taking_the_same_lock_again_and_again_takes_no_more_memory)
{
	struct faulty faulty = {.fail_at = FAULTY_NEVER};
	struct redlock_allocator allocator = faulty_allocator(&faulty);
	struct redlock_lock *lock;
	uint64_t asked;

	rig.options.allocator = &allocator;
	rig_connect();
	lock = rig_lock(NAME);
	for (int i = 0; i < 20; i++) {
		rig_acquire(lock);
		rig_release(lock);
		rig_until_gone(NAME);
	}
	asked = faulty.asked;
	for (int i = 0; i < 50; i++) {
		rig_acquire(lock);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_release(lock);
		rig_until_gone(NAME);
	}
	ck_assert_uint_le(faulty.asked, asked + 5);
	redlock_lock_free(lock);
	close_sync(&rig.loop, rig.client);
	rig.client = NULL;
	ck_assert_uint_eq(faulty.in_use, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *three = rig_case(suite, "three nodes", rig_3_unconnected);

	TCase *asked = rig_case(suite, "credentials", rig_3_with_password);

	tcase_add_test(asked, all_memory_is_asked_of_the_allocator_and_given_back);
	tcase_add_test(asked, any_single_allocation_may_fail);
	tcase_add_test(asked, memory_may_run_out_for_good_at_any_allocation);
	tcase_add_test(three, all_memory_is_asked_of_the_allocator_and_given_back);
	tcase_add_test(three, any_single_allocation_may_fail);
	tcase_add_test(three, memory_may_run_out_for_good_at_any_allocation);
	tcase_add_test(three, taking_the_same_lock_again_and_again_takes_no_more_memory);
	return rig_run(suite);
}
