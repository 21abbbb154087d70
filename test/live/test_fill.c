/* test_fill.c - nodes that refused a lease have it soon, too. */
#include "rig.h"

#define NAME "orders:17"

/* Two of the five are a stranger's for so long. */
static void taken_for(unsigned ms)
{
	rig_stranger_for(3, NAME, ms);
	rig_stranger_for(4, NAME, ms);
}

static void is_everywhere_soon(struct redlock_lock *lock)
{
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	ck_assert(redlock_lock_held(lock));
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}

START_TEST(who_refused_a_lease_has_it_when_it_is_free_again)
{
	struct redlock_lock *lock = rig_lock(NAME);

	taken_for(200);
	rig_acquire(lock);
	is_everywhere_soon(lock);
}
END_TEST

/* For longer than they are asked without being told. */
START_TEST(who_tells_for_how_long_is_asked_then)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;

	redlock_lock_options_init(&options);
	options.fence = true;
	lock = rig_lock_with(rig.client, NAME, &options);
	taken_for(3000);
	rig_acquire(lock);
	is_everywhere_soon(lock);
}
END_TEST

START_TEST(who_refused_a_renewal_has_the_lease_again)
{
	struct redlock_lock *lock = rig_lock(NAME);
	char token[REDLOCK_TOKEN_MAX + 1];
	struct outcome outcome;

	rig_acquire(lock);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	taken_for(200);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, &outcome), REDLOCK_OK);
	is_everywhere_soon(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fill");
	TCase *tcase = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(tcase, who_refused_a_lease_has_it_when_it_is_free_again);
	tcase_add_test(tcase, who_tells_for_how_long_is_asked_then);
	tcase_add_test(tcase, who_refused_a_renewal_has_the_lease_again);
	return rig_run(suite);
}
