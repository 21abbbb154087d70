/* scene_lesson_clock.c - what went wrong elsewhere with clocks. */
#include "scene.h"

static void expect_full_lease(const struct sim_lock *lock)
{
	unsigned i;

	ck_assert_uint_eq(scene_until_us(lock), lock->core->round.start_us + VALID_US);
	for (i = 0; i < sim->node_count; i++) {
		uint64_t now_ms = sim_clock_read(sim, &sim->servers[i].clock) / 1000;

		ck_assert_uint_le(sim_key(sim, i, JOB)->dies_ms, now_ms + 10000);
		ck_assert_uint_ge(sim_key(sim, i, JOB)->dies_ms, now_ms + 9900);
	}
}

/* Leases were measured by the wall clock, or keys set to expire at a time by the client's. */
START_TEST(a_wall_clock_that_is_wrong_or_stepped_changes_no_lease)
{
	static const int64_t steps_s[] = {0, 3600, -3600, 86400 * 365, -86400 * 365};
	struct sim_lock *lock;
	unsigned i, fenced;

	for (i = 0; i < sizeof steps_s / sizeof *steps_s; i++) {
		for (fenced = 0; fenced < 2; fenced++) {
			scene(3);
			alice->wall.base_us += (uint64_t)steps_s[i] * S;
			lock = fenced ? scene_fenced(alice) : scene_lock(alice);
			ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
			sim_run(sim, 5 * MS);
			expect_full_lease(lock);
			alice->wall.base_us -= 2 * (uint64_t)steps_s[i] * S;
			sim_run(sim, 5 * S);
			ck_assert(sim_held(lock));
			ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
			sim_run(sim, 5 * MS);
			expect_full_lease(lock);
			alice->wall.base_us += (uint64_t)steps_s[i] * S;
			ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
			sim_end(sim);
			sim = NULL;
		}
	}
}
END_TEST

/* The floor of nodes that remember no token moves on with their clocks: a proposal just above what
 * they answered was below it when it arrived, each time. */
START_TEST(a_client_whose_clock_is_days_behind_is_not_kept_out_by_old_nodes)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	alice->wall.base_us = S; /* 1970: no battery, and no network time yet. */
	lock = scene_fenced(alice);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
		ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	}
	/* It has learnt by how much, and what it proposes is granted at once. */
	ck_assert_int_eq(sim_acquired(sim_lock_new(alice, "jobs:43", &lock->core->config), 0),
			 REDLOCK_OK);
	ck_assert_uint_le(sim->servers[0].asked[RLK_OP_ACQUIRE], 3 + 2 + 1);
}
END_TEST

static struct sim_client *client_up_for(uint64_t up_us)
{
	struct sim_client *client = sim_client_new(sim);

	client->clock.base_us = up_us;
	rlk_cluster_start(&client->cluster);
	sim_client_wake(client);
	return client;
}

/* Milliseconds in an int: 24.8 days after the start of the machine, every lock was refused. */
START_TEST(leases_do_not_mind_how_long_the_machine_has_been_up)
{
	static const uint64_t turns_us[] = {
		10 * S,
		(UINT64_C(1) << 31),
		(UINT64_C(1) << 32),
		(UINT64_C(1) << 31) * MS,
		(UINT64_C(1) << 32) * MS,
		(UINT64_C(1) << 31) * S,
		(UINT64_C(1) << 32) * S,
		(UINT64_C(1) << 53),
	};
	struct sim_lock *lock, *renewed;
	unsigned i;

	for (i = 0; i < sizeof turns_us / sizeof *turns_us; i++) {
		scene_new(3);
		alice = client_up_for(turns_us[i] - 5 * S);
		sim_run(sim, 10 * MS);
		renewed = sim_lock_new(alice, "jobs:43",
				       &(struct rlk_lock_config){.ttl_ms = 10000,
								 .at_risk_ms = 3333,
								 .auto_renew = true});
		ck_assert_int_eq(sim_acquired(renewed, 0), REDLOCK_OK);
		lock = scene_lock(alice);
		ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
		ck_assert_uint_eq(scene_until_us(lock), lock->core->round.start_us + VALID_US);
		ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
		ck_assert_int_eq(sim_acquired(lock, 20000), REDLOCK_OK);
		sim_run(sim, 30 * S);
		ck_assert(sim_held(renewed));
		ck_assert_uint_eq(renewed->told[RLK_AT_RISK], 0);
		sim_end(sim);
		sim = NULL;
	}
}
END_TEST

void add_lesson_clock(TCase *tcase)
{
	tcase_add_test(tcase, a_wall_clock_that_is_wrong_or_stepped_changes_no_lease);
	tcase_add_test(tcase, a_client_whose_clock_is_days_behind_is_not_kept_out_by_old_nodes);
	tcase_add_test(tcase, leases_do_not_mind_how_long_the_machine_has_been_up);
}
