/* scene_change.c - another server takes a node's place, and no connection breaks. */
#include "scene.h"

static void checked(bool may_change)
{
	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	sim->config.may_change = may_change;
	scene_enter();
}

START_TEST(a_server_that_took_over_unseen_does_not_vote_before_the_lease_is_over)
{
	struct sim_lock *of_alice, *of_bob;

	checked(true);
	of_alice = scene_holding(scene_lock(alice));
	sim_take_over(sim, 0, SIM_FORGETS_ALL);
	sim_take_over(sim, 1, SIM_FORGETS_ALL);
	of_bob = scene_lock(bob);
	ck_assert_int_ne(sim_acquired(of_bob, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(of_bob, 60000), REDLOCK_OK);
	ck_assert(!sim_held(of_alice));
}
END_TEST

START_TEST(nor_if_it_has_a_copy_of_all_but_the_latest)
{
	struct sim_lock *of_alice, *of_bob;

	checked(true);
	sim_save(sim, 0);
	sim_save(sim, 1);
	of_alice = scene_holding(scene_fenced(alice));
	sim_take_over(sim, 0, SIM_FORGETS_SOME);
	sim_take_over(sim, 1, SIM_FORGETS_SOME);
	of_bob = scene_fenced(bob);
	ck_assert_int_ne(sim_acquired(of_bob, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(of_bob, 60000), REDLOCK_OK);
	ck_assert(!sim_held(of_alice));
}
END_TEST

START_TEST(without_the_option_it_votes_at_once)
{
	struct sim_lock *of_bob;

	checked(false);
	sim->loose = true;
	scene_holding(scene_lock(alice));
	sim_take_over(sim, 0, SIM_FORGETS_ALL);
	sim_take_over(sim, 1, SIM_FORGETS_ALL);
	of_bob = scene_lock(bob);
	ck_assert_int_eq(sim_acquired(of_bob, 0), REDLOCK_OK);
	ck_assert_uint_gt(sim->overlaps, 0);
}
END_TEST

/* The address of node 0 leads to node 1, unseen: its vote counts twice. */
START_TEST(a_renewal_is_not_counted_twice_where_an_address_leads_to_another_node_unseen)
{
	struct sim_lock *of_alice, *of_bob;

	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	sim->config.may_change = true;
	sim->loose = true; /* Two holders are counted, below. */
	scene_enter();
	of_alice = scene_holding(scene_lock(alice));
	alice->led_astray = true;
	alice->route[0] = 1;
	alice->links[0].conn->server = 1; /* A proxy's doing: the connection stays. */
	sim_cut(alice, 2, 60 * S);
	sim_run(sim, 5 * S);
	sim_extended(of_alice);
	sim_run(sim, 5100 * MS);
	of_bob = scene_lock(bob);
	sim_acquired(of_bob, 0);
	ck_assert(!sim_held(of_alice) || !sim_held(of_bob));
	ck_assert_uint_eq(sim->overlaps, 0);
}
END_TEST

/* A backup takes over for a while; then the first server is back, which never went down, and knows
 * nothing of what the other one granted. No client can see that: it is assumed not to be. */
START_TEST(a_server_that_comes_back_unharmed_after_another_took_its_place_votes_at_once)
{
	struct sim_lock *of_bob, *of_carol;
	struct sim_client *carol;
	struct sim_data data;
	char run_id[RLK_RUN_ID_MAX];

	scene_new(3);
	sim->config.max_ttl_ms = 10000;
	sim->config.may_change = true;
	sim->loose = true;
	scene_enter();
	data = sim->servers[0].data;
	memcpy(run_id, sim->servers[0].run_id, sizeof run_id);
	sim_take_over(sim, 0, SIM_FORGETS_ALL);
	carol = scene_client();
	sim_run(sim, 11 * S);
	sim_cut(carol, 2, 60 * S);
	of_carol = scene_holding(scene_lock(carol));
	sim->servers[0].data = data; /* The first one again. */
	memcpy(sim->servers[0].run_id, run_id, sizeof run_id);
	of_bob = scene_lock(bob);
	ck_assert_int_eq(sim_acquired(of_bob, 0), REDLOCK_OK);
	ck_assert(sim_held(of_carol));
}
END_TEST

void add_change(TCase *tcase)
{
	tcase_add_test(tcase,
		       a_server_that_took_over_unseen_does_not_vote_before_the_lease_is_over);
	tcase_add_test(tcase, nor_if_it_has_a_copy_of_all_but_the_latest);
	tcase_add_test(tcase, without_the_option_it_votes_at_once);
	tcase_add_test(
		tcase,
		a_renewal_is_not_counted_twice_where_an_address_leads_to_another_node_unseen);
	tcase_add_test(
		tcase,
		a_server_that_comes_back_unharmed_after_another_took_its_place_votes_at_once);
}
