/* scene_hold.c - holding a lease: renewal, repair, risk, and the end by the clock. */
#include "scene.h"

START_TEST(a_renewal_counts_from_when_it_was_asked_for)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene(5);
	scene_slow_answers(1 * MS, 1 * MS);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * S);
	start_us = sim_client_now(alice);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_uint_eq(sim_client_now(alice) - start_us, 4 * MS);
	ck_assert_uint_eq(scene_until_us(lock), start_us + VALID_US);
}
END_TEST

START_TEST(a_renewal_gives_the_key_back_to_a_node_that_lost_it)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	sim_stop(sim, 0, SIM_FORGETS_ALL, false);
	sim_start(sim, 0);
	sim_run(sim, 200 * MS);
	ck_assert_uint_eq(scene_keys(), 4);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

START_TEST(a_lease_whose_majority_is_lost_stays_valid_to_its_end_and_hurts_nobody)
{
	struct sim_lock *lock;
	uint64_t until_us;
	unsigned i;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	until_us = scene_until_us(lock);
	sim->forgot = true; /* Somebody took the keys away by hand. */
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 60000);
	}
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(scene_until_us(lock), until_us);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	ck_assert_uint_le(lock->told_us[RLK_LOST], until_us);
	ck_assert_uint_ge(lock->told_us[RLK_LOST], until_us - 5 * MS);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, "somebody else", 13), 3);
}
END_TEST

START_TEST(a_renewal_without_a_quorum_changes_nothing)
{
	struct sim_lock *lock;
	uint64_t until_us;
	unsigned i;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	until_us = scene_until_us(lock);
	for (i = 0; i < 3; i++) {
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
	}
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ENOQUORUM);
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(scene_until_us(lock), until_us);
}
END_TEST

START_TEST(a_renewal_that_is_decided_after_the_end_is_none)
{
	struct sim_lock *lock;
	uint64_t until_us;

	scene(3);
	lock = scene_lock_ttl(alice, 1000);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	until_us = scene_until_us(lock);
	scene_slow_answers(200 * MS, 0);
	sim_run(sim, 900 * MS);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_EEXPIRED);
	ck_assert_int_eq(lock->status[RLK_LOST], REDLOCK_EEXPIRED);
	ck_assert_uint_le(lock->told_us[RLK_LOST], until_us);
	sim_run(sim, 500 * MS);
	ck_assert(!sim_held(lock));
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* Node 0's answer to the first renewal comes when the second is under way, in which it would make
 * the lease look younger than its key is. */
START_TEST(an_answer_to_an_earlier_renewal_does_not_count)
{
	struct sim_lock *lock;
	uint64_t until_us;

	scene(3);
	sim->forgot = true;
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	until_us = scene_until_us(lock);
	sim_plant(sim, 1, JOB, "somebody else", 60000);
	sim_plant(sim, 2, JOB, "somebody else", 60000);
	alice->from_us[0] = 300 * MS;
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
	sim_run(sim, 100 * MS);
	alice->to_us[0] = 2 * S;
	sim_plant(sim, 1, JOB, lock->core->attempt->token, 10000);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_GRANTED), 1);
	ck_assert_uint_eq(scene_until_us(lock), until_us);
}
END_TEST

START_TEST(auto_renewal_holds_for_many_ttls)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_renewed(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 200 * S);
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(lock->told[RLK_AT_RISK] + lock->told[RLK_LOST], 0);
	/* Every third of the TTL, and no more often. */
	ck_assert_uint_le(sim->servers[0].asked[RLK_OP_EXTEND], 61);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
}
END_TEST

START_TEST(auto_renewal_survives_an_outage_that_is_shorter_than_the_lease)
{
	struct sim_lock *lock;
	unsigned i, round;

	scene(5);
	lock = scene_renewed(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 5; i++) {
			sim_pause(sim, i);
		}
		sim_run(sim, 5 * S);
		for (i = 0; i < 5; i++) {
			sim_resume(sim, i);
		}
		sim_run(sim, 4 * S);
	}
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(lock->told[RLK_LOST], 0);
}
END_TEST

START_TEST(at_risk_is_told_before_lost_and_both_before_the_end)
{
	struct sim_lock *lock;
	uint64_t until_us;

	scene(5);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	until_us = scene_until_us(lock);
	ck_assert_int_eq(sim_heard(lock, RLK_AT_RISK), 0);
	ck_assert_uint_le(lock->told_us[RLK_AT_RISK], until_us - 3333 * MS);
	ck_assert_uint_ge(lock->told_us[RLK_AT_RISK], until_us - 3340 * MS);
	ck_assert_uint_eq(lock->told[RLK_LOST], 0);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	ck_assert_uint_le(lock->told_us[RLK_LOST], until_us);
	ck_assert_uint_eq(lock->told[RLK_AT_RISK], 1);
	sim_run(sim, 60 * S);
	ck_assert_uint_eq(lock->told[RLK_LOST], 1);
}
END_TEST

START_TEST(the_end_is_told_in_time_even_if_every_node_hangs)
{
	struct sim_lock *lock;
	uint64_t until_us;
	unsigned i;

	scene(5);
	lock = scene_renewed(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 4 * S); /* Renewed once. */
	until_us = scene_until_us(lock);
	for (i = 0; i < 5; i++) {
		sim_pause(sim, i);
	}
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	ck_assert_uint_eq(lock->told[RLK_AT_RISK], 1);
	ck_assert_uint_le(lock->told_us[RLK_LOST], until_us);
	for (i = 0; i < 5; i++) {
		sim_resume(sim, i);
	}
	sim_run(sim, 20 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(one_holding_is_capped_renewals_included)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene(5);
	lock = sim_lock_new(alice, JOB,
			    &(struct rlk_lock_config){.ttl_ms = 10000,
						      .at_risk_ms = 3333,
						      .auto_renew = true,
						      .max_hold_ms = 25000});
	start_us = sim_client_now(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	ck_assert_uint_le(lock->told_us[RLK_LOST], start_us + 25 * S);
	ck_assert_uint_ge(lock->told_us[RLK_LOST], start_us + 25 * S - 5 * MS);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK); /* A new holding. */
}
END_TEST

START_TEST(nothing_is_extended_that_is_not_held_and_nothing_twice)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_extend(lock), REDLOCK_EEXPIRED);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	ck_assert_int_eq(sim_extend(lock), REDLOCK_EBUSY);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_int_eq(sim_acquire(lock, 0), REDLOCK_EBUSY);
	ck_assert_int_eq(sim_extend(lock), 0);
	ck_assert_int_eq(sim_extend(lock), REDLOCK_EBUSY);
	ck_assert_int_eq(sim_heard(lock, RLK_EXTENDED), REDLOCK_OK);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	ck_assert_int_eq(sim_extend(lock), REDLOCK_EEXPIRED);
}
END_TEST

START_TEST(a_cancelled_renewal_leaves_the_lease_alone)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_extend(lock), 0);
	ck_assert_int_eq(sim_cancel(lock), 0);
	ck_assert_int_eq(sim_heard(lock, RLK_EXTENDED), REDLOCK_ECANCELED);
	ck_assert(sim_held(lock));
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_uint_eq(lock->told[RLK_EXTENDED], 2);
}
END_TEST

void add_hold(TCase *tcase)
{
	tcase_add_test(tcase, a_renewal_counts_from_when_it_was_asked_for);
	tcase_add_test(tcase, a_renewal_gives_the_key_back_to_a_node_that_lost_it);
	tcase_add_test(tcase,
		       a_lease_whose_majority_is_lost_stays_valid_to_its_end_and_hurts_nobody);
	tcase_add_test(tcase, a_renewal_without_a_quorum_changes_nothing);
	tcase_add_test(tcase, a_renewal_that_is_decided_after_the_end_is_none);
	tcase_add_test(tcase, an_answer_to_an_earlier_renewal_does_not_count);
	tcase_add_test(tcase, auto_renewal_holds_for_many_ttls);
	tcase_add_test(tcase, auto_renewal_survives_an_outage_that_is_shorter_than_the_lease);
	tcase_add_test(tcase, at_risk_is_told_before_lost_and_both_before_the_end);
	tcase_add_test(tcase, the_end_is_told_in_time_even_if_every_node_hangs);
	tcase_add_test(tcase, one_holding_is_capped_renewals_included);
	tcase_add_test(tcase, nothing_is_extended_that_is_not_held_and_nothing_twice);
	tcase_add_test(tcase, a_cancelled_renewal_leaves_the_lease_alone);
}
