/* scene_token.c - a token of the caller's own: a lease changes hands, and old commands of the same
 * token must not hit a new lease. */
#include "scene.h"

START_TEST(another_process_goes_on_with_a_lease)
{
	struct sim_lock *lock;

	scene(5);
	ck_assert_int_eq(sim_acquired(scene_lock_token(alice, "ours"), 0), REDLOCK_OK);
	sim_run(sim, 1 * S);
	sim_client_pause(alice); /* Its process is gone, and says nothing any more. */
	sim->loose = true;
	lock = scene_lock_token(bob, "ours");
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(scene_until_us(lock), sim_client_now(bob) - 2 * MS + VALID_US);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(another_process_gives_a_lease_back)
{
	struct sim_lock *lock;

	scene(5);
	ck_assert_int_eq(sim_acquired(scene_lock_token(alice, "ours"), 0), REDLOCK_OK);
	sim_run(sim, 1 * S);
	sim_client_pause(alice);
	sim->loose = true;
	lock = scene_lock_token(bob, "theirs");
	ck_assert_int_eq(sim_released(lock), REDLOCK_ELOST);
	ck_assert_uint_eq(scene_keys(), 5);
	lock = scene_lock_token(bob, "ours");
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(going_on_with_a_lease_that_is_not_there_creates_and_deletes_nothing)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock_token(alice, "ours");
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
	sim_plant(sim, 0, JOB, "ours", 10000);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ELOST);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 1);
	ck_assert(!sim_held(lock));
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
}
END_TEST

/* Alice's attempt is lost; her SET and RELEASE to node 0 are stray, so that the release is owed
 * there for longer. */
static void owe_at_node_0(struct sim_lock *lock)
{
	sim->stray_percent = 0;
	sim_plant(sim, 1, JOB, "somebody else", 500);
	sim_plant(sim, 2, JOB, "somebody else", 500);
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 1500);
	sim_break(alice, 0);
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_EHELD);
	sim_run(sim, 600 * MS);
	ck_assert_int_eq(alice->nodes[0].state, RLK_UP);
	ck_assert_uint_eq(alice->nodes[0].debt_count, 1);
	ck_assert_uint_eq(scene_keys(), 0);
}

START_TEST(a_node_is_not_asked_while_it_owes_a_release_of_the_same_token)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock_token(alice, "ours");
	owe_at_node_0(lock);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_GRANTED), 2);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_ERROR), 1);
	sim_run(sim, 3 * S);
	ck_assert_uint_eq(scene_keys(), 2);
}
END_TEST

START_TEST(nor_is_it_asked_to_renew_or_repair_what_that_release_would_delete)
{
	struct sim_lock *lock;

	scene(3);
	lock = scene_lock_token(alice, "ours");
	owe_at_node_0(lock);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_stop(sim, 2, SIM_KEEPS_ALL, false);
	sim_run(sim, 100 * MS);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_ENOQUORUM);
	sim_run(sim, 5 * S); /* Whatever is released meanwhile: the judge counts the keys. */
}
END_TEST

START_TEST(nor_does_it_vote_for_a_lease_that_is_gone_on_with)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	sim->stray_percent = 100;
	sim->stray_min_us = sim->stray_max_us = 230 * MS;
	lock = scene_lock_token(alice, "ours");
	ck_assert_int_eq(sim_acquire(lock, 0), 0);
	sim_run(sim, 500);
	for (i = 0; i < 3; i++) {
		sim_break(alice, i);
	}
	ck_assert_int_eq(sim_heard(lock, RLK_ACQUIRED), REDLOCK_ENOQUORUM);
	while (scene_keys() == 0) { /* The SETs of the dead connections arrive. */
		ck_assert(sim_step(sim));
	}
	ck_assert_int_ne(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 5 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_release_that_is_executed_late_does_not_hit_the_next_lease)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	sim->stray_percent = 100;
	sim->stray_min_us = sim->stray_max_us = 3 * S;
	lock = scene_lock_token(alice, "ours");
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_release(lock, true), 0);
	sim_run(sim, 500); /* The release is on its way, and will be for 3 s. */
	for (i = 0; i < 3; i++) {
		sim_break(alice, i);
	}
	ck_assert_int_eq(sim_heard(lock, RLK_RELEASED), REDLOCK_ENOQUORUM);
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(scene_keys(), 0); /* Released again, on new connections. */
	sim_acquired(lock, 0);
	sim_run(sim, 5 * S); /* If it was won, the judge counts the keys. */
	ck_assert_int_eq(sim_acquired(lock, 20000), REDLOCK_OK);
}
END_TEST

START_TEST(going_on_with_what_is_as_good_as_over_is_no_success)
{
	struct sim_lock *lock;
	unsigned i;

	scene_new(3);
	sim->config.node_timeout_ms = 30000;
	scene_enter();
	lock = scene_lock_token(alice, "theirs");
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "theirs", 5000);
		alice->from_us[i] = VALID_US - 2 * MS; /* One of it is left then. */
	}
	ck_assert_int_eq(sim_extended(lock), REDLOCK_EEXPIRED);
	ck_assert(!sim_held(lock));
	sim_run(sim, 1 * S);
	ck_assert_uint_eq(lock->told[RLK_LOST], 0);
}
END_TEST

START_TEST(nor_is_going_on_with_it_beyond_the_longest_time_to_hold)
{
	struct rlk_lock_config config = {.ttl_ms = 10000, .max_hold_ms = 50, .token_len = 6};
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	config.token = "theirs";
	lock = sim_lock_new(alice, JOB, &config);
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "theirs", 5000);
		alice->from_us[i] = 100 * MS;
	}
	ck_assert_int_eq(sim_extended(lock), REDLOCK_EEXPIRED);
	ck_assert(!sim_held(lock));
}
END_TEST

START_TEST(what_has_not_left_when_a_lease_under_an_own_token_ends_never_does)
{
	struct sim_lock *lock;

	scene_new(3);
	sim->config.node_timeout_ms = 30000;
	sim->config.connect_timeout_ms = 30000;
	alice = scene_client();
	sim_cut(alice, 2, 15 * S);
	sim_run(sim, 10 * MS);
	lock = scene_lock_token(alice, "alice's own");
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(lock, RLK_LOST), REDLOCK_EEXPIRED);
	sim_run(sim, 10 * S);
	ck_assert_int_eq((int)alice->nodes[2].state, RLK_UP);
	ck_assert_uint_eq(sim->servers[2].asked[RLK_OP_ACQUIRE], 0);
}
END_TEST

/* Alice holds a lease under a token that Bob knows, and stands still; Bob comes, and his connection
 * to node 2 takes its time. */
static void alice_leaves_it_to_bob(uint32_t node_timeout_ms, uint64_t cut_us)
{
	scene_new(3);
	sim->config.node_timeout_ms = node_timeout_ms;
	sim->config.connect_timeout_ms = 5000;
	alice = scene_client();
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(sim_acquired(scene_lock_token(alice, "ours"), 0), REDLOCK_OK);
	sim_run(sim, 10 * MS);
	sim_client_pause(alice);
	sim->loose = true;
	bob = scene_client();
	sim_cut(bob, 2, cut_us);
	sim_run(sim, 10 * MS);
}

START_TEST(a_lease_that_is_gone_on_with_is_given_back_where_its_renewal_has_not_left)
{
	struct sim_lock *lock;

	alice_leaves_it_to_bob(5000, 1 * S);
	lock = scene_lock_token(bob, "ours");
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert(sim_held(lock));
	sim_lock_free(lock);
	sim_run(sim, 3 * S);
	ck_assert_int_eq((int)bob->nodes[2].state, RLK_UP);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* The same by a release, when the first connection has been waited for for too long. */
START_TEST(so_it_is_by_a_release_after_the_first_connection_took_too_long)
{
	struct sim_lock *lock, *other;

	alice_leaves_it_to_bob(500, 2 * S);
	other = sim_lock_new(bob, "jobs:43", NULL);
	ck_assert_int_eq(sim_acquired(other, 0), REDLOCK_OK);
	sim_run(sim, 400 * MS);
	lock = scene_lock_token(bob, "ours");
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 200 * MS); /* The other lock's request is given up meanwhile. */
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 4 * S);
	ck_assert_int_eq((int)bob->nodes[2].state, RLK_UP);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

void add_token(TCase *tcase)
{
	tcase_add_test(tcase, going_on_with_what_is_as_good_as_over_is_no_success);
	tcase_add_test(tcase, nor_is_going_on_with_it_beyond_the_longest_time_to_hold);
	tcase_add_test(tcase, what_has_not_left_when_a_lease_under_an_own_token_ends_never_does);
	tcase_add_test(tcase, another_process_goes_on_with_a_lease);
	tcase_add_test(tcase, another_process_gives_a_lease_back);
	tcase_add_test(tcase, going_on_with_a_lease_that_is_not_there_creates_and_deletes_nothing);
	tcase_add_test(tcase, a_node_is_not_asked_while_it_owes_a_release_of_the_same_token);
	tcase_add_test(tcase, nor_is_it_asked_to_renew_or_repair_what_that_release_would_delete);
	tcase_add_test(tcase, nor_does_it_vote_for_a_lease_that_is_gone_on_with);
	tcase_add_test(tcase, a_release_that_is_executed_late_does_not_hit_the_next_lease);
	tcase_add_test(tcase,
		       a_lease_that_is_gone_on_with_is_given_back_where_its_renewal_has_not_left);
	tcase_add_test(tcase, so_it_is_by_a_release_after_the_first_connection_took_too_long);
}
