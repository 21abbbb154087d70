/* scene_cover.c - what seldom happens: the turns of the core that no other scene takes. */
#include "scene.h"

/* ---- Time ------------------------------------------------------------------------------------ */

/* Whether the timers or the answers come first when the process goes on is up to chance. */
START_TEST(a_renewal_that_is_heard_of_after_a_pause_comes_too_late)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	lock = scene_lock_ttl(alice, 1000);
	for (i = 0; i < 20; i++) {
		ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
		sim_run(sim, 900 * MS);
		ck_assert_int_eq(sim_extend(lock), 0);
		sim_run(sim, 500);
		sim_client_pause(alice);
		sim_run(sim, 300 * MS);
		sim_client_resume(alice);
		ck_assert(!sim_held(lock));
		sim_run(sim, 100 * MS);
		ck_assert_int_eq(lock->status[RLK_EXTENDED], REDLOCK_EEXPIRED);
		ck_assert_int_eq(lock->status[RLK_LOST], REDLOCK_EEXPIRED);
		ck_assert_uint_eq(lock->told[RLK_LOST], i + 1);
		ck_assert_uint_eq(scene_keys(), 0);
	}
}
END_TEST

/* The same for whom a lease is handed to: what was promised to the giver has ended. */
START_TEST(an_heir_that_pauses_beyond_the_end_of_what_it_inherits_does_not_get_it)
{
	struct sim_lock *first, *second;
	unsigned i;

	for (i = 1; i <= 20; i++) {
		scene(3);
		alice->dice = dice_for(i, 0);
		first = scene_holding(scene_lock_ttl(alice, 1000));
		second = scene_waiting(scene_lock_ttl(alice, 1000));
		sim_run(sim, 900 * MS);
		ck_assert_int_eq(sim_release(first, true), 0);
		sim_run(sim, 500);
		sim_client_pause(alice);
		sim_run(sim, 200 * MS);
		sim_client_resume(alice);
		sim_run(sim, 0);
		ck_assert(!sim_held(second));
		ck_assert_int_eq(sim_heard(second, RLK_ACQUIRED), REDLOCK_OK);
		ck_assert_uint_gt(second->core->attempts, 1);
		sim_end(sim);
		sim = NULL;
	}
}
END_TEST

START_TEST(an_heir_asks_if_less_is_left_than_a_win_has_to_leave)
{
	struct sim_lock *first, *second;

	scene_new(3);
	sim->config.min_validity_percent = 80;
	scene_enter();
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_lock(alice));
	sim_run(sim, 3 * S); /* More than half of it is left. */
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(!sim_held(second));
	ck_assert_int_eq(sim_heard(second, RLK_ACQUIRED), REDLOCK_OK);
	ck_assert_uint_gt(scene_until_us(second), sim_client_now(alice) + 9 * S);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_RELEASE), 0);
}
END_TEST

/* What another process took is gone on with, and by the time that this is known it is over. */
START_TEST(a_lease_that_was_gone_on_with_too_slowly_is_not_held)
{
	struct sim_lock *lock;
	unsigned i;

	scene_new(3);
	sim->config.node_timeout_ms = 20000;
	scene_enter();
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "ours", 60000);
		alice->from_us[i] = 10 * S;
	}
	lock = scene_lock_token(alice, "ours");
	ck_assert_int_eq(sim_extended(lock), REDLOCK_EEXPIRED);
	ck_assert(!sim_held(lock));
	ck_assert_uint_eq(scene_keys(), 3); /* Somebody else may hold it. */
}
END_TEST

/* ---- Nodes that cannot be believed ----------------------------------------------------------- */

/* Node 0 forgets while nobody looks, and is given the key again by the holder. Inside its guard
 * that is no vote for the holder, and none for whom the lease is handed to. */
START_TEST(a_node_in_its_guard_does_not_vote_for_an_heir)
{
	struct sim_lock *first, *second;

	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	scene_enter();
	sim_stop(sim, 0, SIM_FORGETS_ALL, false);
	sim_run(sim, 5 * MS);
	first = scene_holding(scene_lock(alice));
	sim_start(sim, 0);
	sim_run(sim, 200 * MS);
	ck_assert_int_eq(sim_extended(first), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 3);
	second = scene_waiting(scene_lock(alice));
	sim_run(sim, 6 * S); /* So little is left that the heir has to ask. */
	sim_pause(sim, 1);
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(second->core->ballots[0].vote, REDLOCK_VOTE_WITHHELD);
	ck_assert_int_eq(second->core->ballots[2].vote, REDLOCK_VOTE_GRANTED);
	ck_assert(!sim_held(second));
	sim_resume(sim, 1);
	ck_assert_int_eq(sim_heard(second, RLK_ACQUIRED), REDLOCK_OK);
}
END_TEST

START_TEST(a_node_that_is_vouched_for_votes_at_once_after_a_restart)
{
	struct sim_lock *lock;

	scene_new(3);
	sim->config.durable = true;
	scene_enter();
	sim_stop(sim, 0, SIM_KEEPS_ALL, false);
	sim_start(sim, 0);
	sim_run(sim, 200 * MS);
	ck_assert(alice->nodes[0].durable);
	lock = scene_holding(scene_lock(alice));
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 0);
	ck_assert_uint_eq(scene_keys(), 3);
}
END_TEST

/* Without the right to ask, it is not known which process a node is; they are not one for that. */
START_TEST(nodes_of_which_nothing_is_known_are_not_taken_for_the_same)
{
	unsigned i;

	scene_new(3);
	for (i = 0; i < 3; i++) {
		sim->servers[i].run_id[0] = sim->servers[i].data.incarnation[0] = '\0';
	}
	scene_enter();
	for (i = 0; i < 3; i++) {
		ck_assert(!alice->nodes[i].barred);
	}
	scene_holding(scene_lock(alice));
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 3);
}
END_TEST

static void set_fences(unsigned nodes, uint64_t fence)
{
	unsigned i, j;

	for (i = 0; i < nodes; i++) {
		for (j = 0; j < SIM_KEYS_MAX; j++) {
			sim->servers[i].data.keys[j].fence = fence;
		}
	}
}

/* Above that, a node does not count any more. Who believed it would never get a token again. */
START_TEST(a_fencing_token_beyond_all_counting_is_believed_of_nobody)
{
	struct sim_lock *lock;
	uint64_t fence;

	scene(3);
	lock = scene_fenced(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	fence = sim_fence(lock);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	set_fences(2, UINT64_C(1) << 60);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_ERROR), 2);
	sim_run(sim, 5 * MS);
	set_fences(2, fence);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_lt(sim_fence(lock), fence + 1 * S);
}
END_TEST

/* ---- Callbacks ------------------------------------------------------------------------------- */

static void free_when_extended(struct sim_lock *lock, enum rlk_news news, int status)
{
	(void)status;
	if (news == RLK_EXTENDED) {
		sim_lock_free(lock);
	}
}

/* Both are due at once: the renewal that failed, and the loss. */
START_TEST(who_frees_the_lock_when_told_that_a_renewal_failed_is_not_told_of_the_loss)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	lock = scene_holding(scene_lock_ttl(alice, 1000));
	lock->on_tell = free_when_extended;
	for (i = 0; i < 3; i++) {
		sim_pause(sim, i);
	}
	sim_run(sim, 900 * MS);
	ck_assert_int_eq(sim_extend(lock), 0);
	sim_run(sim, 200 * MS);
	ck_assert_int_eq(lock->status[RLK_EXTENDED], REDLOCK_EEXPIRED);
	ck_assert_uint_eq(lock->told[RLK_EXTENDED], 1);
	ck_assert_uint_eq(lock->told[RLK_LOST], 0);
	ck_assert_ptr_null(lock->core);
}
END_TEST

/* Nobody has to be asked, so it is done before it can be told. */
START_TEST(who_hands_a_lease_on_and_frees_the_lock_is_told_that_it_was_released)
{
	struct sim_lock *first, *second;

	scene(3);
	first = scene_holding(scene_lock(alice));
	second = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_lock_free(first);
	ck_assert(sim_held(second));
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(first->told[RLK_RELEASED], 1);
	ck_assert_int_eq(first->status[RLK_RELEASED], REDLOCK_OK);
	ck_assert_ptr_null(first->core);
	ck_assert(sim_held(second));
}
END_TEST

/* ---- Clients that close ---------------------------------------------------------------------- */

START_TEST(nothing_can_be_asked_of_a_client_that_closes)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_client_close(alice);
	ck_assert_int_eq(sim_release(lock, true), REDLOCK_ECLOSED);
	ck_assert_int_eq(sim_extend(lock), REDLOCK_ECLOSED);
	ck_assert_int_eq(sim_acquire(lock, 0), REDLOCK_ECLOSED);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(lock->told[RLK_LOST], 1);
	ck_assert_uint_eq(lock->told[RLK_RELEASED], 0);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

void add_cover(TCase *tcase)
{
	tcase_add_test(tcase, a_renewal_that_is_heard_of_after_a_pause_comes_too_late);
	tcase_add_test(tcase,
		       an_heir_that_pauses_beyond_the_end_of_what_it_inherits_does_not_get_it);
	tcase_add_test(tcase, an_heir_asks_if_less_is_left_than_a_win_has_to_leave);
	tcase_add_test(tcase, a_lease_that_was_gone_on_with_too_slowly_is_not_held);
	tcase_add_test(tcase, a_node_in_its_guard_does_not_vote_for_an_heir);
	tcase_add_test(tcase, a_node_that_is_vouched_for_votes_at_once_after_a_restart);
	tcase_add_test(tcase, nodes_of_which_nothing_is_known_are_not_taken_for_the_same);
	tcase_add_test(tcase, a_fencing_token_beyond_all_counting_is_believed_of_nobody);
	tcase_add_test(tcase,
		       who_frees_the_lock_when_told_that_a_renewal_failed_is_not_told_of_the_loss);
	tcase_add_test(tcase, who_hands_a_lease_on_and_frees_the_lock_is_told_that_it_was_released);
	tcase_add_test(tcase, nothing_can_be_asked_of_a_client_that_closes);
}
