/* scene_several.c - locks for several resources: all or none, and each of them excludes. */
#include "scene.h"

#include <string.h>

#define CASH "accounts:1"
#define SAVINGS "accounts:2"
#define LOAN "accounts:3"

static struct sim_lock *lock_for(struct sim_client *client, const char *first, const char *second)
{
	const char *const both[] = {first, second};

	return sim_lock_new_all(client, both, 2,
				&(struct rlk_lock_config){.ttl_ms = 10000, .at_risk_ms = 3333});
}

static struct sim_lock *lock_on(struct sim_client *client, const char *resource)
{
	return sim_lock_new(client, resource, NULL);
}

/* On how many nodes is there a key for it? */
static unsigned keys_of(const char *resource)
{
	unsigned i, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		n += sim_key(sim, i, resource) != NULL;
	}
	return n;
}

/* Somebody deletes a key by hand. */
static void lose_key(unsigned node, const char *resource)
{
	unsigned i;

	for (i = 0; i < SIM_KEYS_MAX; i++) {
		if (strcmp(sim->servers[node].data.keys[i].name, resource) == 0) {
			sim->servers[node].data.keys[i].dies_ms = 0;
		}
	}
}

START_TEST(several_are_had_at_once_and_given_back_at_once)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_holding(lock_for(alice, CASH, SAVINGS));
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_until_us(lock), lock->core->round.start_us + VALID_US);
	ck_assert_uint_eq(keys_of(CASH), 5);
	ck_assert_uint_eq(keys_of(SAVINGS), 5);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_ACQUIRE), 5);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(keys_of(CASH) + keys_of(SAVINGS), 0);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_RELEASE), 5);
}
END_TEST

START_TEST(where_one_is_held_none_is_set)
{
	struct sim_lock *lock;

	scene(5);
	scene_holding(lock_on(alice, SAVINGS));
	sim_run(sim, 5 * MS);
	lock = lock_for(bob, CASH, SAVINGS);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_EHELD);
	ck_assert_uint_ge(scene_votes(lock, REDLOCK_VOTE_HELD), 3);
	ck_assert_uint_eq(keys_of(CASH), 0);
	sim_run(sim, 5 * MS);
	/* Who refused has nothing to give back; those that were not heard may have. */
	ck_assert_uint_le(scene_asked_in_all(RLK_OP_RELEASE), 2);
	ck_assert_int_eq(sim_acquired(lock_on(bob, CASH), 0), REDLOCK_OK);
}
END_TEST

START_TEST(who_has_several_excludes_whoever_wants_one_of_them)
{
	scene(5);
	scene_holding(lock_for(alice, CASH, SAVINGS));
	ck_assert_int_eq(sim_acquired(lock_on(bob, CASH), 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_acquired(lock_on(bob, SAVINGS), 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_acquired(lock_for(bob, SAVINGS, LOAN), 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_acquired(lock_on(bob, LOAN), 0), REDLOCK_OK);
	/* Those of one client, too, in which no line is shared. */
	ck_assert_int_eq(sim_acquired(lock_for(alice, CASH, LOAN), 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_acquired(lock_on(alice, CASH), 0), REDLOCK_EHELD);
}
END_TEST

START_TEST(the_same_resources_have_one_name_and_others_another)
{
	scene(3);
	ck_assert_ptr_eq(lock_for(alice, "a", "b")->core->name,
			 lock_for(alice, "a", "b")->core->name);
	ck_assert_ptr_ne(lock_for(alice, "ab", "c")->core->name,
			 lock_for(alice, "a", "bc")->core->name);
}
END_TEST

START_TEST(a_renewal_gives_a_lost_key_back_and_shortens_none)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_holding(lock_for(alice, CASH, SAVINGS));
	sim_run(sim, 3 * S);
	lose_key(0, SAVINGS);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(keys_of(CASH), 5);
	ck_assert_uint_eq(keys_of(SAVINGS), 5);
	/* The one that was not lost lives as long as the lease, too. */
	ck_assert_uint_ge(sim_server_left_ms(sim, &sim->servers[0], sim_key(sim, 0, CASH)), 9980);
	ck_assert_uint_ge(sim_server_left_ms(sim, &sim->servers[0], sim_key(sim, 0, SAVINGS)),
			  9980);
}
END_TEST

START_TEST(a_node_where_another_has_one_of_them_does_not_vote_and_the_others_are_given_back)
{
	struct sim_lock *lock;

	scene(5);
	lock = scene_holding(lock_for(alice, CASH, SAVINGS));
	sim_run(sim, 5 * MS);
	sim_plant(sim, 0, SAVINGS, "somebody else", 20000);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_GRANTED), 4);
	ck_assert_uint_eq(keys_of(CASH), 5);
	/* What it said of several does not mean that nothing of ours is there. */
	sim_lock_free(lock);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(keys_of(CASH), 0);
	ck_assert_uint_eq(keys_of(SAVINGS), 1);
}
END_TEST

START_TEST(a_release_says_that_one_of_them_was_not_ours_any_more)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	lock = scene_holding(lock_for(alice, CASH, SAVINGS));
	sim_run(sim, 5 * MS);
	sim->forgot = true;
	for (i = 0; i < 3; i++) {
		lose_key(i, CASH);
	}
	ck_assert_int_eq(sim_released(lock), REDLOCK_ELOST);
	sim_run(sim, 5 * MS);
	ck_assert_uint_eq(keys_of(CASH) + keys_of(SAVINGS), 0);
}
END_TEST

START_TEST(who_waits_for_one_of_them_is_called_when_all_are_given_back)
{
	struct sim_lock *holder, *waiter;

	scene(5);
	holder = scene_holding(lock_for(alice, "jobs:41", JOB));
	waiter = scene_in_line(lock_on(bob, JOB));
	ck_assert_int_eq(sim_release(holder, true), 0);
	ck_assert_uint_le(scene_until_had_us(waiter), 4 * MS);
	ck_assert_uint_eq(keys_of("jobs:41"), 0);
	ck_assert_uint_eq(scene_tickets(), 0);
	ck_assert_int_eq(holder->status[RLK_RELEASED], REDLOCK_OK);
}
END_TEST

START_TEST(who_waits_for_several_waits_in_pauses)
{
	struct sim_lock *holder, *waiter;

	scene(5);
	holder = scene_holding(lock_on(alice, SAVINGS));
	waiter = lock_for(bob, CASH, SAVINGS);
	ck_assert_int_eq(sim_acquire(waiter, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 1 * S);
	ck_assert_int_eq(waiter->core->way, REDLOCK_WAY_PAUSES);
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_JOIN), 0);
	ck_assert_int_eq(sim_release(holder, true), 0);
	ck_assert_uint_le(scene_until_had_us(waiter), 600 * MS);
}
END_TEST

START_TEST(a_pause_for_several_is_no_longer_than_the_last_of_them_is_held)
{
	struct sim_lock *waiter;
	uint64_t us;

	scene_new(5);
	sim->config.retry_min_ms = sim->config.retry_max_ms = 60000;
	scene_enter();
	scene_holding(sim_lock_new(alice, CASH, &(struct rlk_lock_config){.ttl_ms = 1000}));
	scene_holding(sim_lock_new(alice, SAVINGS, &(struct rlk_lock_config){.ttl_ms = 3000}));
	waiter = lock_for(bob, CASH, SAVINGS);
	sim_client_kill(alice);
	ck_assert_int_eq(sim_acquire(waiter, REDLOCK_WAIT_FOREVER), 0);
	us = scene_until_had_us(waiter);
	ck_assert_uint_ge(us, 2900 * MS);
	ck_assert_uint_le(us, 3100 * MS);
}
END_TEST

START_TEST(locks_of_one_client_for_the_same_resources_stand_in_line)
{
	struct sim_lock *first, *second, *other;

	scene(5);
	first = scene_holding(lock_for(alice, CASH, SAVINGS));
	second = scene_waiting(lock_for(alice, CASH, SAVINGS));
	other = scene_waiting(lock_for(alice, CASH, LOAN));
	sim_run(sim, 100 * MS);
	ck_assert_int_eq(second->core->state, RLK_QUEUED);
	ck_assert_int_eq(other->core->state, RLK_PAUSING);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert(sim_held(second)); /* The nodes were not asked. */
	ck_assert_int_eq(sim_release(second, true), 0);
	scene_until_had_us(other);
}
END_TEST

/* A release of the token for one resource may come late, and would hit a lease under it on two. */
START_TEST(a_node_is_not_asked_for_several_while_it_owes_a_release_of_one)
{
	const char *const both[] = {JOB, SAVINGS};
	struct rlk_lock_config ours = {.ttl_ms = 10000, .token = "ours", .token_len = 4};
	struct sim_lock *one, *two;
	unsigned i;

	scene(3);
	sim->stray_percent = 0;
	for (i = 1; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 500);
	}
	one = scene_lock_token(alice, "ours");
	ck_assert_int_eq(sim_acquire(one, 0), 0);
	sim_run(sim, 1500);
	sim_break(alice, 0);
	ck_assert_int_eq(sim_heard(one, RLK_ACQUIRED), REDLOCK_EHELD);
	sim_run(sim, 600 * MS);
	ck_assert_uint_eq(alice->nodes[0].debt_count, 1);
	two = sim_lock_new_all(alice, both, 2, &ours);
	ck_assert_int_eq(sim_acquired(two, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(two, REDLOCK_VOTE_GRANTED), 2);
	ck_assert_uint_eq(scene_votes(two, REDLOCK_VOTE_ERROR), 1);
	sim_run(sim, 3 * S);
	ck_assert_uint_eq(scene_keys(), 2);
}
END_TEST

void add_several(TCase *tcase)
{
	tcase_add_test(tcase, several_are_had_at_once_and_given_back_at_once);
	tcase_add_test(tcase, where_one_is_held_none_is_set);
	tcase_add_test(tcase, who_has_several_excludes_whoever_wants_one_of_them);
	tcase_add_test(tcase, the_same_resources_have_one_name_and_others_another);
	tcase_add_test(tcase, a_renewal_gives_a_lost_key_back_and_shortens_none);
	tcase_add_test(
		tcase,
		a_node_where_another_has_one_of_them_does_not_vote_and_the_others_are_given_back);
	tcase_add_test(tcase, a_release_says_that_one_of_them_was_not_ours_any_more);
	tcase_add_test(tcase, who_waits_for_one_of_them_is_called_when_all_are_given_back);
	tcase_add_test(tcase, who_waits_for_several_waits_in_pauses);
	tcase_add_test(tcase, a_pause_for_several_is_no_longer_than_the_last_of_them_is_held);
	tcase_add_test(tcase, locks_of_one_client_for_the_same_resources_stand_in_line);
	tcase_add_test(tcase, a_node_is_not_asked_for_several_while_it_owes_a_release_of_one);
}
