/* test_many.c - so much to say at once that no socket takes it in one piece. */
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define LOCKS 3000 /* 300 KB to each node. */

static struct redlock_lock *locks[LOCKS];
static struct crowd {
	unsigned calls, granted;
} crowd;

static void on_end(struct redlock_lock *lock, int status, const struct redlock_report *report,
		   void *data)
{
	(void)lock, (void)report, (void)data;
	crowd.calls++;
	crowd.granted += status == REDLOCK_OK;
}

static bool all_are_told(void *data)
{
	(void)data;
	return crowd.calls == LOCKS;
}

static void expect_all_granted(const char *what)
{
	loop_until(&rig.loop, all_are_told, NULL, what);
	ck_assert_uint_eq(crowd.granted, LOCKS);
	crowd = (struct crowd){0, 0};
}

static void acquire_all(void)
{
	char name[32];
	unsigned i;

	for (i = 0; i < LOCKS; i++) {
		snprintf(name, sizeof name, "{test}:many:%u", i);
		locks[i] = rig_lock(name);
		ck_assert_int_eq(redlock_acquire(locks[i], 0, on_end, NULL), REDLOCK_OK);
	}
}

static void release_all(void)
{
	unsigned i;

	for (i = 0; i < LOCKS; i++) {
		ck_assert_int_eq(redlock_release(locks[i], on_end, NULL), REDLOCK_OK);
	}
	expect_all_granted("all are released");
	for (i = 0; i < LOCKS; i++) {
		redlock_lock_free(locks[i]);
	}
}

START_TEST(thousands_are_taken_and_given_back_in_one_turn)
{
	acquire_all();
	expect_all_granted("all are granted");
	release_all();
}
END_TEST

START_TEST(a_node_that_goes_in_the_middle_of_it_is_one_node_less)
{
	server_kill(&rig.servers.at[0]); /* The client does not know it yet. */
	acquire_all();
	expect_all_granted("all are granted");
	release_all();
}
END_TEST

/* It reads nothing, so that its socket fills up. */
START_TEST(a_node_that_stands_still_in_the_middle_of_it_gets_the_rest_later)
{
	server_stop(&rig.servers.at[0]);
	acquire_all();
	expect_all_granted("all are granted");
	server_continue(&rig.servers.at[0]);
	release_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("many");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, thousands_are_taken_and_given_back_in_one_turn);
	tcase_add_test(five, a_node_that_goes_in_the_middle_of_it_is_one_node_less);
	tcase_add_test(five, a_node_that_stands_still_in_the_middle_of_it_gets_the_rest_later);
	return rig_run(suite);
}
