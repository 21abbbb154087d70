/* scene_lesson_take.c - what went wrong elsewhere in taking a lock.
 */
#include "scene.h"

#include <string.h>

static void scene_over(void)
{
	sim_end(sim);
	sim = NULL;
}

static void stop(unsigned node)
{
	sim_stop(sim, node, SIM_KEEPS_ALL, false);
}

/* ---- Decided, whatever the number of nodes --------------------------------------------------- */

/* Waiting for a quorum of refusals waits for ever where there are as many yes as no. */
START_TEST(an_even_number_of_nodes_settles_when_half_refuse)
{
	unsigned nodes, i;
	uint64_t start_us;

	for (nodes = 2; nodes <= 8; nodes += 2) {
		scene(nodes);
		for (i = 0; i < nodes / 2; i++) {
			sim_plant(sim, i, JOB, "somebody else", 60000);
			alice->from_us[nodes / 2 + i] = 300 * MS;
		}
		start_us = sim->now_us;
		ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_EHELD);
		ck_assert_uint_eq(sim->now_us - start_us, 2 * MS);
		sim_run(sim, 700 * MS);
		ck_assert_uint_eq(scene_keys(), nodes / 2);
		scene_over();
	}
}
END_TEST

START_TEST(an_even_number_of_nodes_settles_when_half_are_gone)
{
	unsigned nodes, i;
	uint64_t start_us;
	bool quietly;

	for (nodes = 2; nodes <= 8; nodes += 2) {
		for (quietly = false;; quietly = true) {
			scene(nodes);
			for (i = 0; i < nodes / 2; i++) {
				sim_stop(sim, i, SIM_KEEPS_ALL, quietly);
			}
			start_us = sim->now_us;
			ck_assert_int_eq(sim_acquired(scene_lock(alice), 0), REDLOCK_ENOQUORUM);
			ck_assert_uint_le(sim->now_us - start_us, quietly ? 500 * MS : 2 * MS);
			scene_over();
			if (quietly) {
				break;
			}
		}
	}
}
END_TEST

enum trouble { TAKEN, DOWN, DYING, HUNG, FAILING, TROUBLES };

static void trouble_node(unsigned node, enum trouble trouble)
{
	switch (trouble) {
	case TAKEN:
		sim_plant(sim, node, JOB, "somebody else", 60000);
		break;
	case DOWN:
	case DYING:
		stop(node);
		break;
	case HUNG:
		sim_pause(sim, node);
		break;
	case FAILING:
	case TROUBLES:
		sim->servers[node].error_percent = 100;
		break;
	}
}

static void expect_win_iff_the_rest_is_a_quorum(unsigned nodes, unsigned mask, enum trouble trouble)
{
	unsigned i, bad = (unsigned)__builtin_popcount(mask);
	bool wins = nodes - bad >= nodes / 2 + 1;
	struct sim_lock *lock;

	scene(nodes);
	for (i = 0; i < nodes; i++) {
		if ((mask & 1U << i) != 0) {
			trouble_node(i, trouble);
		}
	}
	if (trouble == DOWN) { /* And is known to be; else it dies while it is asked. */
		sim_run(sim, 5 * MS);
	}
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), wins		   ? REDLOCK_OK
						: trouble == TAKEN ? REDLOCK_EHELD
								   : REDLOCK_ENOQUORUM);
	if (wins) {
		ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
		ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	}
	for (i = 0; i < nodes; i++) {
		sim->servers[i].error_percent = 0;
		sim_resume(sim, i);
	}
	sim_run(sim, 3 * S); /* Before anything would die by itself. */
	ck_assert_uint_eq(scene_keys(), trouble == TAKEN ? bad : 0);
	scene_over();
}

/* One dead node made the whole attempt fail, and left the keys of those before it. */
START_TEST(whatever_is_wrong_with_some_nodes_the_others_decide_and_nothing_stays)
{
	unsigned nodes, mask;
	enum trouble trouble;

	for (nodes = 1; nodes <= 5; nodes++) {
		for (mask = 0; mask < 1U << nodes; mask++) {
			for (trouble = 0; trouble < TROUBLES; trouble++) {
				expect_win_iff_the_rest_is_a_quorum(nodes, mask, trouble);
			}
		}
	}
}
END_TEST

START_TEST(errors_of_a_minority_are_no_failure)
{
	struct sim_lock *lock;

	scene(5);
	sim->servers[0].error_percent = sim->servers[1].error_percent = 100;
	lock = scene_lock_ttl(alice, 60000);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_votes(lock, REDLOCK_VOTE_ERROR), 2);
	ck_assert_int_eq(sim_extended(lock), REDLOCK_OK);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	sim->servers[0].error_percent = sim->servers[1].error_percent = 0;
	sim_run(sim, 3 * S);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* Each of three reaches another node first. Counting at each node for itself would let all in. */
START_TEST(a_split_vote_has_one_winner_and_everybody_gets_it_in_the_end)
{
	struct sim_client *clients[3];
	struct sim_lock *locks[3];
	unsigned i, j, won = 0;

	scene(3);
	clients[0] = alice, clients[1] = bob, clients[2] = scene_client();
	sim_run(sim, 10 * MS);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 3; j++) {
			clients[i]->to_us[j] = i == j ? 1 * MS : 5 * MS;
		}
		locks[i] = scene_lock(clients[i]);
		ck_assert_int_eq(sim_acquire(locks[i], 0), 0);
	}
	sim_run(sim, 50 * MS);
	for (i = 0; i < 3; i++) { /* They have tried once, and a second time at one node. */
		ck_assert_uint_eq(locks[i]->told[RLK_ACQUIRED], 1);
		if (sim_held(locks[i])) {
			ck_assert_int_eq(sim_released(locks[i]), REDLOCK_OK);
			won++;
		} else {
			ck_assert_int_eq(locks[i]->status[RLK_ACQUIRED], REDLOCK_EHELD);
		}
	}
	ck_assert_uint_eq(won, 1);
	sim_run(sim, 50 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(sim_acquire(locks[i], REDLOCK_WAIT_FOREVER), 0);
	}
	for (i = 0; i < 3; i++) { /* The judge sees that it is one at a time. */
		while (!sim_held(locks[0]) && !sim_held(locks[1]) && !sim_held(locks[2])) {
			ck_assert(sim_step(sim));
		}
		sim_run(sim, 1 * MS);
		for (j = 0; !sim_held(locks[j]); j++) {
		}
		ck_assert_int_eq(sim_released(locks[j]), REDLOCK_OK);
	}
	ck_assert_uint_le(sim_elapsed_us(sim), 5 * S);
}
END_TEST

/* ---- In time --------------------------------------------------------------------------------- */

/* The one check is made when the grants come, the other by the clock if they do not: with the loop
 * standing still, it is chance which of them comes first. */
START_TEST(grants_that_come_when_the_lease_is_over_win_nothing)
{
	struct sim_lock *lock;
	unsigned i, late = 0;

	scene(3);
	scene_slow_answers(119 * MS, 0);
	lock = scene_lock_ttl(alice, 100);
	ck_assert_int_ne(sim_acquired(lock, 0), REDLOCK_OK);
	ck_assert(!sim_held(lock));
	scene_slow_answers(1 * MS, 0);
	lock = scene_lock_ttl(alice, 1000); /* Valid for 988 ms; the keys live for 1001. */
	for (i = 0; i < 40; i++) {
		ck_assert_int_eq(sim_acquire(lock, 0), 0);
		sim_client_pause(alice);
		sim_run(sim, 990 * MS);
		ck_assert_uint_eq(scene_keys(), 3);
		sim_client_resume(alice);
		ck_assert_int_ne(sim_heard(lock, RLK_ACQUIRED), REDLOCK_OK);
		late += lock->status[RLK_ACQUIRED] == REDLOCK_EEXPIRED;
		sim_run(sim, 2 * MS);
		ck_assert_uint_eq(scene_keys(), 0);
	}
	ck_assert_uint_gt(late, 0);
	ck_assert_uint_lt(late, 40);
}
END_TEST

START_TEST(a_second_acquire_that_is_refused_leaves_the_first_lease_alone)
{
	struct sim_lock *lock;
	char token[RLK_TOKEN_LEN];
	uint64_t until_us;

	scene(3);
	lock = scene_lock(alice);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	until_us = scene_until_us(lock);
	memcpy(token, lock->core->attempt->token, sizeof token);
	ck_assert_int_eq(sim_acquire(lock, 1000), REDLOCK_EBUSY);
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(scene_until_us(lock), until_us);
	ck_assert_mem_eq(lock->core->attempt->token, token, sizeof token);
	ck_assert_uint_eq(sim_keys_with(sim, JOB, token, RLK_TOKEN_LEN), 3);
	ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

/* ---- Given up -------------------------------------------------------------------------------- */

/* The releases shared the fate of the call that was cancelled. */
START_TEST(a_cancelled_acquire_leaves_no_key_whenever_it_is_cancelled)
{
	struct sim_lock *lock;
	uint64_t after_us;
	bool freed;

	scene(3);
	for (after_us = 0; after_us < 4 * MS; after_us += 50) {
		for (freed = false;; freed = true) {
			lock = scene_lock_ttl(alice, 60000);
			ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
			sim_run(sim, after_us);
			if (freed) {
				sim_lock_free(lock);
			} else if (sim_cancel(lock) != 0) {
				ck_assert(sim_held(lock));
				ck_assert_int_eq(sim_release(lock, false), 0);
			}
			sim_run(sim, 10 * MS);
			ck_assert_uint_eq(scene_keys(), 0);
			if (freed) {
				break;
			}
		}
	}
}
END_TEST

START_TEST(a_slow_grant_behind_quick_refusals_is_given_back)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "somebody else", 60000);
	}
	alice->to_us[3] = alice->to_us[4] = 300 * MS;
	lock = scene_lock_ttl(alice, 60000);
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_EHELD);
	sim_lock_free(lock); /* It has its answer, and is not interested in any other. */
	sim_run(sim, 700 * MS);
	for (i = 3; i < 5; i++) {
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_ACQUIRE], 1);
		ck_assert_uint_eq(sim->servers[i].asked[RLK_OP_RELEASE], 1);
		ck_assert_ptr_null(sim_key(sim, i, JOB));
	}
}
END_TEST

void add_lesson_take(TCase *tcase)
{
	tcase_add_test(tcase, an_even_number_of_nodes_settles_when_half_refuse);
	tcase_add_test(tcase, an_even_number_of_nodes_settles_when_half_are_gone);
	tcase_add_test(tcase,
		       whatever_is_wrong_with_some_nodes_the_others_decide_and_nothing_stays);
	tcase_add_test(tcase, errors_of_a_minority_are_no_failure);
	tcase_add_test(tcase, a_split_vote_has_one_winner_and_everybody_gets_it_in_the_end);
	tcase_add_test(tcase, grants_that_come_when_the_lease_is_over_win_nothing);
	tcase_add_test(tcase, a_second_acquire_that_is_refused_leaves_the_first_lease_alone);
	tcase_add_test(tcase, a_cancelled_acquire_leaves_no_key_whenever_it_is_cancelled);
	tcase_add_test(tcase, a_slow_grant_behind_quick_refusals_is_given_back);
}
