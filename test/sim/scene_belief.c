/* scene_belief.c - what a client knows of its keys, and a node of its tokens, and when they cannot
 * know. */
#include "scene.h"

/* The commands on their way to @node come late, though the connection has gone. */
static void break_late(unsigned node, uint64_t late_us)
{
	sim->stray_percent = 100;
	sim->stray_min_us = sim->stray_max_us = late_us;
	sim_break(alice, node);
}

START_TEST(a_key_is_released_for_as_long_as_its_command_may_still_arrive)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	lock = scene_lock_ttl(alice, 2000);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 500);
	for (i = 0; i < 3; i++) {
		break_late(i, 1200 * MS);
	}
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_ENOQUORUM);
	sim_run(sim, 1202 * MS);
	ck_assert_uint_gt(scene_keys(), 0);
	sim_run(sim, 500 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_refused_renewal_does_not_settle_what_may_still_be_set)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 500);
	break_late(2, 500 * MS);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	sim_plant(sim, 2, JOB, "somebody else", 300);
	sim_run(sim, 200 * MS);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_HELD), 1);
	sim_lock_free(lock);
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_refused_repair_may_have_found_our_own_key)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 500);
	break_late(2, 5 * S);
	sim->stray_pounces = 1; /* Before a repair. */
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 2);
	sim_run(sim, 500 * MS);
	ck_assert_uint_ge(sim->servers[2].asked[RLK_OP_REPAIR], 1);
	ck_assert_int_eq(lock->core->attempt->claims[2].state, RLK_CLAIM_SET);
	ck_assert_uint_eq(scene_keys(), 3);
	sim_lock_free(lock);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

static uint64_t fence_once(struct sim_lock *lock)
{
	uint64_t fence;

	ck_assert_int_eq(sim_acquired(lock, 60000), REDLOCK_OK);
	fence = sim_fence(lock);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	return fence;
}

START_TEST(a_token_that_was_granted_is_not_granted_again)
{
	uint64_t fence, asked_us;

	scene(1);
	asked_us = sim->now_us;
	fence = fence_once(scene_fenced(alice));
	sim_run(sim, 50 * MS);
	bob->wall.base_us -= sim->now_us - asked_us; /* The same time for the second time. */
	ck_assert_uint_eq(sim_clock_read(sim, &bob->wall), fence);
	ck_assert_uint_gt(fence_once(scene_fenced(bob)), fence);
}
END_TEST

START_TEST(no_token_is_granted_that_a_node_could_not_bound_once_it_has_forgotten_it)
{
	uint64_t fence;
	unsigned i;

	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	scene_enter();
	alice->wall.base_us += 90 * S;
	fence = fence_once(scene_fenced(alice));
	for (i = 0; i < 3; i++) {
		sim_stop(sim, i, SIM_FORGETS_ALL, false);
		sim_start(sim, i);
	}
	sim_run(sim, 12 * S);
	ck_assert_uint_gt(fence_once(scene_fenced(bob)), fence);
}
END_TEST

START_TEST(who_inherits_a_lease_makes_no_key_of_it_where_there_is_none)
{
	struct sim_lock *giver, *heir;

	scene(3);
	giver = scene_fenced(alice);
	heir = scene_fenced(alice);
	ck_assert_int_eq(sim_acquired(giver, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquire(heir, 60000), 0);
	sim_run(sim, 10 * MS);
	sim_plant(sim, 2, JOB, "", 0);
	ck_assert_uint_eq(scene_keys(), 2);
	ck_assert_int_eq(sim_released(giver), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(heir, RLK_ACQUIRED), REDLOCK_OK);
	sim_run(sim, 1 * MS);
	ck_assert_uint_gt(sim->servers[2].asked[RLK_OP_ADVANCE], 0);
	ck_assert_uint_eq(scene_keys(), 2);
	sim_run(sim, 100 * MS); /* It is given back to it once the lease is the heir's. */
	ck_assert_uint_eq(scene_keys(), 3);
}
END_TEST

void add_belief(TCase *tcase)
{
	tcase_add_test(tcase, who_inherits_a_lease_makes_no_key_of_it_where_there_is_none);
	tcase_add_test(tcase, a_key_is_released_for_as_long_as_its_command_may_still_arrive);
	tcase_add_test(tcase, a_refused_renewal_does_not_settle_what_may_still_be_set);
	tcase_add_test(tcase, a_refused_repair_may_have_found_our_own_key);
	tcase_add_test(tcase, a_token_that_was_granted_is_not_granted_again);
	tcase_add_test(tcase,
		       no_token_is_granted_that_a_node_could_not_bound_once_it_has_forgotten_it);
}
