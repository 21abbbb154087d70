/* scene_guard.c - nodes that forget, and the guard that keeps them from voting twice. */
#include "scene.h"

/* Node @node crashes and comes back at once; everybody is connected again. */
static void restart(unsigned node, enum sim_memory memory)
{
	sim_stop(sim, node, memory, false);
	sim_start(sim, node);
	sim_run(sim, 200 * MS);
}

/* max_ttl is what the guard waits for. */
static void scene_max_ttl(unsigned nodes, uint32_t max_ttl_ms)
{
	scene_new(nodes);
	sim->config.max_ttl_ms = max_ttl_ms;
	scene_enter();
}

START_TEST(a_node_that_restarted_does_not_vote_for_max_ttl)
{
	struct sim_lock *lock;

	scene_max_ttl(3, 10000);
	lock = scene_lock(alice);
	restart(0, SIM_FORGETS_ALL);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 1);
	ck_assert_int_gt(lock->core->ballots[0].remaining_ms, 9800);
	ck_assert_uint_eq(sim->servers[0].asked[RLK_OP_ACQUIRE], 0);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 9700 * MS);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 1);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 500 * MS); /* Drift, on both sides, is added. */
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 0);
}
END_TEST

START_TEST(a_node_that_writes_everything_to_disk_votes_at_once)
{
	struct sim_lock *lock;

	scene_new(3);
	sim->servers[0].durable = true;
	scene_enter();
	lock = scene_lock(alice);
	restart(0, SIM_KEEPS_ALL);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 0);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(sim->servers[0].asked[RLK_OP_ACQUIRE], 1);
}
END_TEST

START_TEST(a_broken_connection_is_no_restart)
{
	struct sim_lock *lock;

	scene(3);
	sim_break(alice, 0);
	sim_run(sim, 200 * MS);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 0);
}
END_TEST

START_TEST(when_a_majority_forgets_nobody_else_gets_in_before_the_lease_is_over)
{
	struct sim_lock *lock;

	scene_max_ttl(3, 10000);
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	restart(0, SIM_FORGETS_ALL);
	restart(1, SIM_FORGETS_ALL);
	lock = scene_lock(bob);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOQUORUM);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 2);
	ck_assert_int_eq(sim_acquired(lock, 60000), REDLOCK_OK); /* The judge looks on. */
	ck_assert_uint_ge(sim_elapsed_us(sim), 10 * S);
}
END_TEST

START_TEST(without_the_guard_two_hold_it)
{
	scene_new(3);
	sim->config.guard = false;
	sim->loose = true;
	scene_enter();
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	restart(0, SIM_FORGETS_ALL);
	restart(1, SIM_FORGETS_ALL);
	ck_assert_int_eq(sim_acquired(scene_lock(bob), 0), REDLOCK_OK);
	ck_assert_uint_gt(sim->overlaps, 0);
}
END_TEST

START_TEST(an_old_snapshot_is_no_memory)
{
	unsigned i;

	scene_max_ttl(3, 10000);
	for (i = 0; i < 3; i++) {
		sim_save(sim, i);
	}
	ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	restart(0, SIM_FORGETS_SOME);
	restart(1, SIM_FORGETS_SOME);
	ck_assert_int_eq(sim_acquired(scene_lock(bob), 0), REDLOCK_ENOQUORUM);
}
END_TEST

START_TEST(a_holder_goes_on_when_a_majority_forgets_and_is_given_the_key_again)
{
	struct sim_lock *lock;
	unsigned i;

	scene_max_ttl(3, 10000);
	lock = scene_renewed(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	for (i = 0; i < 6; i++) {
		restart(i % 3, SIM_FORGETS_ALL);
		sim_run(sim, 4 * S);
	}
	ck_assert(sim_held(lock));
	ck_assert_uint_eq(lock->told[RLK_LOST], 0);
	ck_assert_uint_eq(scene_keys(), 3);
}
END_TEST

/* Alice has nodes 1 and 2. Bob has asked for all, has got node 0, and his SET is still on its way
 * to node 1. Node 0 forgets Bob. If it could vote for Alice's renewal now, she would hold with
 * nodes 0 and 2, and he with nodes 0 and 1. */
START_TEST(a_node_in_its_guard_does_not_vote_for_a_lease_that_it_did_not_know)
{
	struct sim_lock *of_alice, *of_bob;

	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	sim->config.node_timeout_ms = 5000;
	scene_enter();
	sim_cut(alice, 0, 9 * S);
	sim_break(alice, 0);
	sim_conn_detach(alice->links[0].conn);
	alice->links[0].conn = NULL;
	rlk_node_down(&alice->nodes[0], "lost");
	of_alice = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(of_alice, 0), REDLOCK_OK);
	sim_run(sim, 9 * S - 100 * MS);
	/* Bob's SET will be at node 1 when Alice's key there has died. */
	bob->to_us[1] =
		sim_key(sim, 1, JOB)->dies_ms * MS + 5 * MS - SIM_WALL_US - sim_elapsed_us(sim);
	bob->to_us[2] = 5 * S;
	of_bob = scene_lock(bob);
	ck_assert_int_eq(sim_acquire(of_bob, 0), 0);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 3);
	restart(0, SIM_FORGETS_ALL);
	while (alice->nodes[0].state != RLK_UP) {
		ck_assert(sim_step(sim));
	}
	alice->to_us[1] = 5 * S;
	ck_assert_int_eq(sim_extend(of_alice), 0);
	ck_assert_int_eq(sim_heard(of_alice, RLK_EXTENDED), REDLOCK_EEXPIRED);
	ck_assert_int_eq(sim_heard(of_bob, RLK_ACQUIRED), REDLOCK_OK);
}
END_TEST

/* The same, but Alice once had node 0 as well: it missed a renewal, her key there died, and Bob
 * was granted it. That she had voted for her before is no reason to believe it now. */
START_TEST(nor_for_a_lease_whose_key_there_had_died_before_it_restarted)
{
	struct sim_lock *of_alice, *of_bob;

	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	sim->config.node_timeout_ms = 5000;
	scene_enter();
	of_alice = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(of_alice, 0), REDLOCK_OK);
	sim_run(sim, 5 * S);
	sim_cut(alice, 0, 6 * S);
	sim_conn_detach(alice->links[0].conn);
	alice->links[0].conn = NULL;
	rlk_node_down(&alice->nodes[0], "lost");
	ck_assert_int_eq(sim_extended(of_alice), REDLOCK_OK);
	sim_run(sim, 5500 * MS);
	ck_assert_uint_eq(scene_keys(), 2);
	/* Bob's SET will be at node 1 when Alice's key there has died. */
	bob->to_us[1] =
		sim_key(sim, 1, JOB)->dies_ms * MS + 5 * MS - SIM_WALL_US - sim_elapsed_us(sim);
	bob->to_us[2] = 5 * S;
	of_bob = scene_lock(bob);
	ck_assert_int_eq(sim_acquire(of_bob, 0), 0);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_keys(), 3);
	restart(0, SIM_FORGETS_ALL);
	while (alice->nodes[0].state != RLK_UP) {
		ck_assert(sim_step(sim));
	}
	alice->to_us[1] = 5 * S;
	ck_assert_int_eq(sim_extend(of_alice), 0);
	ck_assert_int_eq(sim_heard(of_alice, RLK_EXTENDED), REDLOCK_EEXPIRED);
	ck_assert_int_eq(sim_heard(of_bob, RLK_ACQUIRED), REDLOCK_OK);
}
END_TEST

START_TEST(one_server_under_two_addresses_has_one_vote)
{
	struct sim_lock *lock;

	scene(3);
	alice = scene_client();
	alice->route[1] = 0;
	alice->led_astray = true;
	sim_break(alice, 1);
	sim_run(sim, 300 * MS);
	ck_assert(alice->nodes[0].barred || alice->nodes[1].barred);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_ERROR), 1);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_stop(sim, 2, SIM_KEEPS_ALL, false);
	sim_run(sim, 5 * MS);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_ENOQUORUM);
}
END_TEST

START_TEST(a_twin_that_is_free_again_keeps_its_guard)
{
	struct sim_lock *lock;

	scene_new(3);
	alice = sim_client_new(sim);
	alice->route[1] = 0;
	alice->led_astray = true;
	sim_stop(sim, 0, SIM_FORGETS_ALL, false);
	sim_start(sim, 0);
	rlk_cluster_start(&alice->cluster);
	sim_client_wake(alice);
	sim_run(sim, 10 * MS);
	ck_assert(alice->nodes[0].twin || alice->nodes[1].twin);
	/* The address that was not barred leads to another server now. */
	alice->route[alice->nodes[0].twin ? 1 : 0] = 1;
	sim_break(alice, alice->nodes[0].twin ? 1 : 0);
	sim_run(sim, 300 * MS);
	ck_assert(!alice->nodes[0].twin && !alice->nodes[1].twin);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_WITHHELD), 1);
	ck_assert_uint_eq(sim->servers[0].asked[RLK_OP_ACQUIRE], 0);
}
END_TEST

void add_guard(TCase *tcase)
{
	tcase_add_test(tcase, a_node_that_restarted_does_not_vote_for_max_ttl);
	tcase_add_test(tcase, a_node_that_writes_everything_to_disk_votes_at_once);
	tcase_add_test(tcase, a_broken_connection_is_no_restart);
	tcase_add_test(tcase, when_a_majority_forgets_nobody_else_gets_in_before_the_lease_is_over);
	tcase_add_test(tcase, without_the_guard_two_hold_it);
	tcase_add_test(tcase, an_old_snapshot_is_no_memory);
	tcase_add_test(tcase, a_holder_goes_on_when_a_majority_forgets_and_is_given_the_key_again);
	tcase_add_test(tcase, a_node_in_its_guard_does_not_vote_for_a_lease_that_it_did_not_know);
	tcase_add_test(tcase, nor_for_a_lease_whose_key_there_had_died_before_it_restarted);
	tcase_add_test(tcase, one_server_under_two_addresses_has_one_vote);
	tcase_add_test(tcase, a_twin_that_is_free_again_keeps_its_guard);
}
