/* scene_lesson_hold.c - what went wrong elsewhere in holding and giving back a lock. */
#include "scene.h"

static void pause_nodes(unsigned from, unsigned to)
{
	for (; from < to; from++) {
		sim_pause(sim, from);
	}
}

static void resume_nodes(void)
{
	unsigned i;

	for (i = 0; i < sim->node_count; i++) {
		sim_resume(sim, i);
	}
}

static unsigned asked(enum rlk_op op)
{
	unsigned i, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		n += sim->servers[i].asked[op];
	}
	return n;
}

static struct sim_lock *hold(struct sim_lock *lock)
{
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), sim->node_count);
	return lock;
}

/* A token of the caller's own, and a short TTL. */
static struct sim_lock *own_token(struct sim_client *client, uint32_t ttl_ms)
{
	return sim_lock_new(client, JOB,
			    &(struct rlk_lock_config){.ttl_ms = ttl_ms,
						      .at_risk_ms = ttl_ms / 3,
						      .token = "ours",
						      .token_len = 4});
}

/* ---- A failed renewal ------------------------------------------------------------------------ */

/* It deleted all keys, then asked to extend them again. */
START_TEST(a_renewal_that_fails_deletes_nothing)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	lock = hold(scene_lock(alice));
	pause_nodes(0, 3);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ENOQUORUM);
	resume_nodes();
	sim_run(sim, 5 * MS);
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(scene_keys(), 5);
	sim->forgot = true;
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 60000);
	}
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
	sim_run(sim, 5 * MS);
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(scene_keys(), 5);
	ck_assert_uint_eq(asked(RLK_OP_RELEASE), 0);
}
END_TEST

/* Renewing at half of the TTL, or a third of it later, the second try comes with the end. */
START_TEST(one_missed_renewal_is_made_up_for_before_anything_is_at_risk)
{
	struct sim_lock *lock;
	unsigned round;

	scene(5);
	lock = hold(scene_renewed(alice));
	for (round = 0; round < 20; round++) {
		sim_run(sim, round * 777 * MS % (3 * S));
		pause_nodes(0, 5);
		sim_run(sim, 2 * S); /* A renewal may be missed, and what is made up of it. */
		resume_nodes();
		sim_run(sim, 1 * S);
		ck_assert(sim_held(lock));
		ck_assert_uint_eq(lock->told[RLK_AT_RISK], 0);
	}
}
END_TEST

START_TEST(one_renewal_that_hangs_holds_up_no_other)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
	struct sim_lock *locks[7];
	unsigned i;

	scene(5);
	for (i = 0; i < 7; i++) {
		locks[i] = sim_lock_new(alice, names[i],
					&(struct rlk_lock_config){.ttl_ms = 1000,
								  .at_risk_ms = 333,
								  .auto_renew = true});
		ck_assert_int_eq(sim_acquired(locks[i], 0), REDLOCK_OK);
	}
	pause_nodes(0, 2);
	sim_run(sim, 60 * S);
	for (i = 0; i < 7; i++) {
		ck_assert(sim_held(locks[i]));
		ck_assert_uint_eq(locks[i]->told[RLK_AT_RISK], 0);
	}
}
END_TEST

/* Half a second before the end is before the beginning, for a TTL below that. */
START_TEST(the_shortest_leases_are_renewed_and_told_of)
{
	static const uint32_t ttls_ms[] = {10, 20, 50, 100, 499, 500, 501, 511, 512, 513};
	struct sim_lock *lock;
	unsigned i, early;

	for (i = 0; i < sizeof ttls_ms / sizeof *ttls_ms; i++) {
		for (early = 0; early <= 2; early++) { /* At risk from the start, with 1 or 2. */
			scene(3);
			lock = sim_lock_new(
				alice, JOB,
				&(struct rlk_lock_config){.ttl_ms = ttls_ms[i],
							  .at_risk_ms = ttls_ms[i] * early,
							  .auto_renew = true});
			ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
			sim_run(sim, 50 * MS * ttls_ms[i]);
			ck_assert(sim_held(lock));
			ck_assert_uint_eq(lock->told[RLK_LOST], 0);
			/* Once for each renewal, at the most. */
			ck_assert_uint_le(lock->told[RLK_AT_RISK], 1 + asked(RLK_OP_EXTEND) / 3);
			pause_nodes(0, 3);
			ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
			sim_end(sim);
			sim = NULL;
		}
	}
}
END_TEST

/* ---- Lost ------------------------------------------------------------------------------------ */

/* The timer went on, and the script re-created what was gone: lost, and held again, in silence. */
START_TEST(a_lost_lease_does_not_come_back)
{
	struct sim_lock *lock;
	unsigned asks;

	scene(5);
	lock = hold(scene_renewed(alice));
	pause_nodes(0, 5);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	resume_nodes();
	sim_run(sim, 5 * S); /* Late answers to the renewals come in. */
	asks = asked(RLK_OP_EXTEND) + asked(RLK_OP_ACQUIRE) + asked(RLK_OP_REPAIR);
	sim_run(sim, 60 * S);
	ck_assert(!sim_held(lock));
	ck_assert_uint_eq(scene_keys(), 0);
	ck_assert_uint_eq(lock->told[RLK_LOST], 1);
	ck_assert_uint_eq(asked(RLK_OP_EXTEND) + asked(RLK_OP_ACQUIRE) + asked(RLK_OP_REPAIR),
			  asks);
}
END_TEST

/* With a watchdog for each node, nobody looked at the quorum. */
START_TEST(a_majority_that_is_taken_away_is_told_of_in_time)
{
	struct sim_lock *lock;
	uint64_t until_us;
	unsigned i;

	scene(5);
	lock = hold(scene_renewed(alice));
	sim_run(sim, 20 * S);
	sim->forgot = true;
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 15000);
	}
	until_us = scene_until_us(lock);
	ck_assert_int_eq(sim_heard(lock, RLK_AT_RISK), 0);
	ck_assert_uint_eq(scene_until_us(lock), until_us);
	ck_assert_uint_le(lock->told_us[RLK_AT_RISK], until_us - 3333 * MS);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, "somebody else", 13), 3);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	ck_assert_uint_le(lock->told_us[RLK_LOST], until_us);
	sim_run(sim, 60 * S); /* The others' keys expire: that is no reason to set ours. */
	ck_assert(!sim_held(lock));
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* An extend that creates what is missing has no memory of who may have held it meanwhile. */
START_TEST(what_somebody_else_had_meanwhile_is_not_renewed)
{
	struct sim_lock *lock, *of_bob, *own;

	scene(3);
	lock = hold(scene_lock_ttl(alice, 1000));
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	sim_run(sim, 100 * MS);
	own = hold(own_token(alice, 1000));
	ck_assert_int_eq(sim_heard(own, RLK_LOST), REDLOCK_EEXPIRED);
	sim_run(sim, 1 * S);
	of_bob = hold(scene_lock(bob));
	ck_assert_int_eq(sim_extended(lock), REDLOCK_EEXPIRED);
	ck_assert_int_eq(sim_extended(own), REDLOCK_ELOST);
	ck_assert(sim_held(of_bob));
	ck_assert_int_eq(sim_released(of_bob), REDLOCK_OK);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_EEXPIRED);
	ck_assert_int_eq(sim_extended(own), REDLOCK_ELOST);
	sim_run(sim, 10 * MS);
	ck_assert(!sim_held(lock) && !sim_held(own));
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* The time that the answers took was not taken off, and a lease that was over was handed out. */
START_TEST(going_on_with_a_lease_that_ends_before_the_answers_come_is_no_success)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	hold(scene_lock_token(alice, "ours"));
	sim_client_pause(alice);
	sim->loose = true;
	for (i = 0; i < 3; i++) {
		bob->from_us[i] = 119 * MS;
	}
	lock = own_token(bob, 100);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_EEXPIRED);
	ck_assert(!sim_held(lock));
	lock = own_token(bob, 200); /* Some of it is left, and no more than that. */
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_uint_eq(scene_until_us(lock), lock->core->round.start_us + 200 * MS - 4 * MS);
}
END_TEST

/* ---- Slow and dead nodes --------------------------------------------------------------------- */

START_TEST(nobody_waits_for_a_hung_minority_to_renew_or_to_release)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene(5);
	lock = hold(scene_lock(alice));
	pause_nodes(0, 2);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_uint_eq(sim->now_us - start_us, 2 * MS);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	ck_assert_uint_eq(sim->now_us - start_us, 4 * MS);
}
END_TEST

START_TEST(a_hung_majority_ends_a_renewal_and_a_release_at_the_node_timeout)
{
	struct sim_lock *lock;
	uint64_t start_us;

	scene(5);
	lock = hold(scene_lock(alice));
	pause_nodes(0, 3);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim->now_us - start_us, 500 * MS);
	resume_nodes();
	sim_run(sim, 5 * MS);
	pause_nodes(0, 3);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_released(lock), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(sim->now_us - start_us, 500 * MS);
	resume_nodes();
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* The first node that was dead ended the release, or the way back did, when the quorum had come. */
START_TEST(a_release_goes_on_behind_nodes_that_fail_and_after_the_quorum)
{
	struct sim_lock *lock;
	unsigned i;

	scene(7);
	lock = hold(scene_lock_ttl(alice, 60000));
	sim_stop(sim, 0, SIM_KEEPS_ALL, false);
	sim->servers[1].error_percent = 100;
	alice->to_us[6] = 100 * MS;
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_lock_free(lock);
	for (i = 2; i < 6; i++) {
		ck_assert_ptr_null(sim_key(sim, i, JOB));
	}
	ck_assert_ptr_nonnull(sim_key(sim, 6, JOB));
	sim_run(sim, 110 * MS);
	ck_assert_ptr_null(sim_key(sim, 6, JOB));
	sim->servers[1].error_percent = 0;
	sim_start(sim, 0);
	sim_run(sim, 6 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* Fewer keys deleted than a quorum was called a failure, though nothing was left. */
START_TEST(a_release_succeeds_where_most_of_the_keys_had_gone_already)
{
	struct sim_lock *lock;

	scene(5);
	sim_pause(sim, 3);
	sim_pause(sim, 4);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_stop(sim, 2, SIM_FORGETS_ALL, false); /* Granted by three; one of them forgets. */
	sim_start(sim, 2);
	sim_run(sim, 200 * MS);
	ck_assert_uint_eq(scene_keys(), 2);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	resume_nodes();
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* It was tried again and again, for seconds, and then hid the result of the work. */
START_TEST(a_release_of_what_has_expired_is_quick_and_harmless)
{
	struct sim_lock *lock, *own;
	uint64_t start_us;
	unsigned i;

	scene(5);
	lock = hold(scene_lock_ttl(alice, 1000));
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	start_us = sim->now_us;
	ck_assert_int_eq(sim_release(lock, true), REDLOCK_EEXPIRED);
	sim_run(sim, 100 * MS);
	own = hold(own_token(alice, 1000));
	ck_assert_int_eq(sim_heard(own, RLK_LOST), REDLOCK_EEXPIRED);
	sim_run(sim, 1 * S);
	for (i = 0; i < 5; i++) {
		sim->servers[i].asked[RLK_OP_RELEASE] = 0;
	}
	hold(scene_lock(bob));
	start_us = sim->now_us;
	ck_assert_int_eq(sim_released(own), REDLOCK_ELOST);
	ck_assert_uint_eq(sim->now_us - start_us, 2 * MS);
	sim_run(sim, 5 * S);
	ck_assert_uint_eq(asked(RLK_OP_RELEASE), 5); /* Asked once, and content with the answer. */
	ck_assert_uint_eq(scene_keys(), 5);
}
END_TEST

void add_lesson_hold(TCase *tcase)
{
	tcase_add_test(tcase, a_renewal_that_fails_deletes_nothing);
	tcase_add_test(tcase, one_missed_renewal_is_made_up_for_before_anything_is_at_risk);
	tcase_add_test(tcase, one_renewal_that_hangs_holds_up_no_other);
	tcase_add_test(tcase, the_shortest_leases_are_renewed_and_told_of);
	tcase_add_test(tcase, a_lost_lease_does_not_come_back);
	tcase_add_test(tcase, a_majority_that_is_taken_away_is_told_of_in_time);
	tcase_add_test(tcase, what_somebody_else_had_meanwhile_is_not_renewed);
	tcase_add_test(tcase,
		       going_on_with_a_lease_that_ends_before_the_answers_come_is_no_success);
	tcase_add_test(tcase, nobody_waits_for_a_hung_minority_to_renew_or_to_release);
	tcase_add_test(tcase, a_hung_majority_ends_a_renewal_and_a_release_at_the_node_timeout);
	tcase_add_test(tcase, a_release_goes_on_behind_nodes_that_fail_and_after_the_quorum);
	tcase_add_test(tcase, a_release_succeeds_where_most_of_the_keys_had_gone_already);
	tcase_add_test(tcase, a_release_of_what_has_expired_is_quick_and_harmless);
}
