/* scene_fence.c - fencing tokens: each lease's is above those of all leases before it, whatever the
 * clocks. The judge compares them; here it is also seen that one is to be had at all. */
#include "scene.h"

static void hold_once(struct sim_lock *lock)
{
	ck_assert_int_eq(sim_acquired(lock, 10000), REDLOCK_OK);
	ck_assert_uint_ne(sim_fence(lock), 0);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
}

static void restart(unsigned node, enum sim_memory memory)
{
	sim_stop(sim, node, memory, false);
	sim_start(sim, node);
	sim_run(sim, 200 * MS);
}

START_TEST(tokens_grow_though_one_clock_is_far_ahead)
{
	struct sim_lock *of_alice, *of_bob;
	uint64_t last = 0;
	unsigned i, nodes;

	for (nodes = 1; nodes <= 5; nodes++) {
		scene(nodes);
		alice->wall.base_us += 20 * S;
		of_alice = scene_fenced(alice);
		of_bob = scene_fenced(bob);
		for (i = 0, last = 0; i < 20; i++) {
			struct sim_lock *lock = i % 2 ? of_bob : of_alice;
			ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
			ck_assert_uint_gt(sim_fence(lock), last);
			last = sim_fence(lock);
			ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
			sim_run(sim, 5 * MS);
		}
		sim_end(sim);
		sim = NULL;
	}
}
END_TEST

START_TEST(a_minority_that_is_down_keeps_nobody_from_a_token)
{
	scene(5);
	alice->wall.base_us += 20 * S;
	hold_once(scene_fenced(alice));
	sim_stop(sim, 0, SIM_KEEPS_ALL, false);
	sim_stop(sim, 1, SIM_KEEPS_ALL, false);
	sim_run(sim, 5 * MS);
	hold_once(scene_fenced(bob));
}
END_TEST

START_TEST(a_client_whose_clock_is_wrong_by_minutes_gets_a_token_too)
{
	scene(3);
	alice->wall.base_us += 600 * S;
	bob->wall.base_us -= 600 * S;
	hold_once(scene_fenced(alice));
	hold_once(scene_fenced(bob));
	hold_once(scene_fenced(alice));
}
END_TEST

START_TEST(a_waiter_with_a_slow_clock_is_not_starved)
{
	struct sim_lock *of_alice, *of_bob;
	unsigned i;

	scene_in_pauses(3);
	alice->wall.base_us += 20 * S;
	of_alice = scene_fenced(alice);
	of_bob = scene_fenced(bob);
	ck_assert_int_eq(sim_acquired(of_alice, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquire(of_bob, REDLOCK_WAIT_FOREVER), 0);
	bob->to_us[0] = bob->to_us[1] = bob->to_us[2] = 5 * MS;
	for (i = 0; i < 20; i++) { /* Alice is faster, again and again. */
		sim_run(sim, 300 * MS);
		ck_assert_int_eq(sim_released(of_alice), REDLOCK_OK);
		ck_assert_int_eq(sim_acquired(of_alice, 0), REDLOCK_OK);
	}
	ck_assert_int_eq(sim_released(of_alice), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(of_bob, RLK_ACQUIRED), REDLOCK_OK);
	sim_run(sim, 5 * MS);
}
END_TEST

START_TEST(nodes_that_forgot_their_tokens_grant_higher_ones)
{
	unsigned i;

	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	scene_enter();
	alice->wall.base_us += 20 * S;
	hold_once(scene_fenced(alice));
	for (i = 0; i < 3; i++) {
		restart(i, SIM_FORGETS_ALL);
	}
	sim_run(sim, 11 * S);
	hold_once(scene_fenced(bob));
}
END_TEST

START_TEST(an_old_snapshot_does_not_bring_back_old_tokens)
{
	struct sim_lock *lock;

	scene_new(1);
	sim->config.max_ttl_ms = 10000;
	scene_enter();
	lock = scene_fenced(alice);
	hold_once(lock);
	sim_save(sim, 0); /* Of a token, but not of the last one. */
	alice->wall.base_us += 20 * S;
	hold_once(lock);
	restart(0, SIM_FORGETS_SOME);
	sim_run(sim, 11 * S);
	hold_once(scene_fenced(bob));
}
END_TEST

START_TEST(an_own_token_of_the_holder_and_fencing_go_together)
{
	struct sim_lock *lock;

	scene(4);
	alice->wall.base_us += 20 * S;
	hold_once(scene_fenced(alice));
	lock = sim_lock_new(bob, JOB,
			    &(struct rlk_lock_config){.ttl_ms = 10000,
						      .at_risk_ms = 3333,
						      .fence = true,
						      .token_len = 3,
						      .token = "bob"});
	hold_once(lock);
	/* Half of the nodes have a higher token than the others. */
	sim->servers[2].data.keys[0].fence += 100 * S / 10;
	sim->servers[3].data.keys[0].fence += 100 * S / 10;
	hold_once(lock);
}
END_TEST

/* Bob is who Alice was before she died. That her key is his does not make her fencing token his. */
START_TEST(who_comes_back_under_an_own_token_gets_another_fencing_token)
{
	struct rlk_lock_config config = {.ttl_ms = 10000,
					 .at_risk_ms = 3333,
					 .fence = true,
					 .token_len = 4,
					 .token = "ours"};
	struct sim_lock *lock;
	uint64_t fence;

	scene(3);
	lock = sim_lock_new(alice, JOB, &config);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	fence = sim_fence(lock);
	sim_client_kill(alice);
	sim->loose = true;
	bob->wall.base_us -= 600 * S;
	bob->cluster.proposed_fence = fence - 1; /* So that he proposes the same. */
	lock = sim_lock_new(bob, JOB, &config);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_gt(sim_fence(lock), fence);
}
END_TEST

START_TEST(plain_and_fenced_locks_exclude_each_other)
{
	struct sim_lock *plain, *fenced;

	scene(3);
	plain = scene_lock(alice);
	fenced = scene_fenced(bob);
	ck_assert_int_eq(sim_acquired(plain, 0), REDLOCK_OK);
	ck_assert_uint_eq(sim_fence(plain), 0);
	ck_assert_int_eq(sim_acquired(fenced, 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_released(plain), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_acquired(fenced, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(plain, 0), REDLOCK_EHELD);
}
END_TEST

START_TEST(a_renewal_keeps_the_token)
{
	struct sim_lock *lock;
	uint64_t fence;

	scene(3);
	lock = scene_fenced(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	fence = sim_fence(lock);
	sim_run(sim, 5 * S);
	restart(0, SIM_FORGETS_ALL);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(sim_fence(lock), fence);
	ck_assert_uint_eq(scene_keys(), 3);
}
END_TEST

/* Bob has got nodes 3 and 4, with greater fencing tokens than hers, and lost; she has the others.
 */
static struct sim_lock *scene_outbid(uint64_t by_us)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	bob->wall.base_us += by_us;
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 30);
	}
	ck_assert_int_eq(sim_acquired(scene_fenced(bob), 0), REDLOCK_EHELD);
	sim_run(sim, 40 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
	lock = scene_fenced(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 3);
	return lock;
}

START_TEST(a_node_that_granted_a_greater_token_to_nobody_keeps_others_out)
{
	struct sim_lock *lock = scene_outbid(10 * S);
	uint64_t fence = sim_fence(lock);

	sim_run(sim, 100 * MS);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, lock->core->attempt->token, RLK_TOKEN_LEN), 5);
	ck_assert_uint_eq(sim_fence(lock), fence);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* So do nodes that have forgotten their tokens, a minute ahead at first. */
START_TEST(however_far_ahead_that_is)
{
	struct sim_lock *lock = scene_outbid(59 * S);

	sim_run(sim, 100 * MS);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, lock->core->attempt->token, RLK_TOKEN_LEN), 5);
}
END_TEST

START_TEST(and_does_not_vote_for_the_lesser_one)
{
	struct sim_lock *lock = scene_outbid(10 * S);

	sim_run(sim, 100 * MS);
	sim_plant(sim, 2, JOB, "somebody else", 60000);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
}
END_TEST

START_TEST(but_votes_for_the_heir_whose_token_is_greater)
{
	struct sim_lock *giver = scene_outbid(10 * S), *heir = scene_fenced(alice);

	ck_assert_int_eq(sim_acquire(heir, 60000), 0);
	sim_run(sim, 100 * MS);
	ck_assert_int_eq(sim_released(giver), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(heir, RLK_ACQUIRED), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	sim_plant(sim, 2, JOB, "somebody else", 60000);
	ck_assert_int_eq(sim_extended(heir), REDLOCK_OK);
}
END_TEST

/* What they may have forgotten is above her clock until a minute after they were born anew. */
START_TEST(nodes_that_forgot_their_tokens_get_the_key_of_a_lease_that_they_refused)
{
	struct sim_lock *lock;

	scene_new(5);
	sim->config.max_ttl_ms = 10000;
	scene_enter();
	lock = scene_fenced(alice);
	hold_once(lock);
	restart(3, SIM_FORGETS_ALL);
	restart(4, SIM_FORGETS_ALL);
	sim_run(sim, 12 * S);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 200 * MS);
	ck_assert_uint_eq(scene_keys(), 5);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	/* And the next one is above all that they may have granted, as soon as the others grant
	 * that. */
	sim_run(sim, 20 * S);
	scene_slow_answers(1 * MS, 1 * MS);
	alice->from_us[0] = alice->from_us[1] = 20 * MS;
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_GRANTED), 3);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_NONE), 2);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 50 * MS);
}
END_TEST

void add_fence(TCase *tcase)
{
	tcase_add_test(tcase, a_node_that_granted_a_greater_token_to_nobody_keeps_others_out);
	tcase_add_test(tcase, however_far_ahead_that_is);
	tcase_add_test(tcase, and_does_not_vote_for_the_lesser_one);
	tcase_add_test(tcase, but_votes_for_the_heir_whose_token_is_greater);
	tcase_add_test(tcase,
		       nodes_that_forgot_their_tokens_get_the_key_of_a_lease_that_they_refused);
	tcase_add_test(tcase, tokens_grow_though_one_clock_is_far_ahead);
	tcase_add_test(tcase, a_minority_that_is_down_keeps_nobody_from_a_token);
	tcase_add_test(tcase, a_client_whose_clock_is_wrong_by_minutes_gets_a_token_too);
	tcase_add_test(tcase, a_waiter_with_a_slow_clock_is_not_starved);
	tcase_add_test(tcase, nodes_that_forgot_their_tokens_grant_higher_ones);
	tcase_add_test(tcase, an_old_snapshot_does_not_bring_back_old_tokens);
	tcase_add_test(tcase, an_own_token_of_the_holder_and_fencing_go_together);
	tcase_add_test(tcase, who_comes_back_under_an_own_token_gets_another_fencing_token);
	tcase_add_test(tcase, plain_and_fenced_locks_exclude_each_other);
	tcase_add_test(tcase, a_renewal_keeps_the_token);
}
