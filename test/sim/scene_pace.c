/* scene_pace.c - of very many who wait, so many ask at once; here: of a few, one. */
#include "scene.h"

#define CROWD 5

static struct sim_lock *crowd[CROWD];

/* Locks on resources of their own. */
static void gather(struct sim_client *client, uint32_t ttl_ms)
{
	const struct rlk_lock_config config = {.ttl_ms = ttl_ms, .at_risk_ms = ttl_ms / 3};
	char resource[] = "jobs:0";
	unsigned i;

	for (i = 0; i < CROWD; i++) {
		resource[5] = (char)('0' + i);
		crowd[i] = sim_lock_new(client, resource, &config);
	}
}

static void scene_of_crowd(void)
{
	scene_new(5);
	sim->config.pace = 1;
	scene_enter();
	gather(alice, 10000);
}

START_TEST(those_who_wait_ask_one_after_the_other)
{
	unsigned i;

	scene_of_crowd();
	for (i = 0; i < CROWD; i++) {
		scene_waiting(crowd[i]);
		ck_assert_int_eq(crowd[i]->core->state, i == 0 ? RLK_ACQUIRING : RLK_PAUSING);
	}
	sim_run(sim, 20 * MS);
	for (i = 0; i < CROWD; i++) {
		ck_assert(sim_held(crowd[i]));
		ck_assert_uint_eq(crowd[i]->core->attempts, 1);
		ck_assert(i == 0 ||
			  crowd[i]->told_us[RLK_ACQUIRED] > crowd[i - 1]->told_us[RLK_ACQUIRED]);
	}
}
END_TEST

START_TEST(who_does_not_wait_is_behind_nobody)
{
	scene_of_crowd();
	scene_holding(crowd[4]);
	scene_waiting(crowd[0]);
	scene_waiting(crowd[1]);
	ck_assert_int_eq(sim_acquire(crowd[2], 0), 0);
	ck_assert_int_eq(crowd[2]->core->state, RLK_ACQUIRING);
	ck_assert_int_eq(sim_extend(crowd[4]), 0);
	ck_assert_int_eq(crowd[4]->core->state, RLK_EXTENDING);
	ck_assert(crowd[1]->core->paced);
	sim_run(sim, 20 * MS);
	ck_assert(sim_held(crowd[0]) && sim_held(crowd[1]) && sim_held(crowd[2]));
}
END_TEST

START_TEST(who_stands_behind_may_leave)
{
	scene_of_crowd();
	scene_waiting(crowd[0]);
	ck_assert_int_eq(sim_acquire(crowd[1], 2), 0);
	scene_waiting(crowd[2]);
	scene_waiting(crowd[3]);
	ck_assert_int_eq(sim_acquire(crowd[4], 2), 0);
	ck_assert_int_eq(sim_cancel(crowd[2]), 0);
	sim_lock_free(crowd[3]);
	sim_cancel(crowd[1]);
	ck_assert_int_eq(sim_acquire(crowd[1], 1), REDLOCK_EBUSY); /* It is not told yet. */
	sim_run(sim, 20 * MS);
	ck_assert(sim_held(crowd[0]));
	ck_assert(sim_held(crowd[4]));
	ck_assert_int_eq(crowd[1]->status[RLK_ACQUIRED], REDLOCK_ECANCELED);
	ck_assert_int_eq(crowd[2]->status[RLK_ACQUIRED], REDLOCK_ECANCELED);
	ck_assert_int_eq(crowd[3]->status[RLK_ACQUIRED], REDLOCK_ECANCELED);
	ck_assert_int_eq(sim_acquired(crowd[1], 1000), REDLOCK_OK);
}
END_TEST

START_TEST(the_wait_ends_on_time_behind_a_crowd)
{
	unsigned i;

	scene_of_crowd();
	for (i = 0; i < CROWD - 1; i++) {
		scene_waiting(crowd[i]);
	}
	ck_assert_int_eq(sim_acquire(crowd[4], 2), 0);
	sim_run(sim, 20 * MS);
	ck_assert_int_eq(crowd[4]->status[RLK_ACQUIRED], REDLOCK_ETIMEDOUT);
	ck_assert_uint_eq(crowd[4]->core->attempts, 0);
	ck_assert_uint_eq(scene_votes(crowd[4], REDLOCK_VOTE_NONE), 5);
}
END_TEST

START_TEST(closing_ends_the_wait_of_those_behind)
{
	unsigned i;

	scene_of_crowd();
	for (i = 0; i < CROWD; i++) {
		scene_waiting(crowd[i]);
	}
	sim_client_close(alice);
	sim_run(sim, 10 * MS);
	for (i = 0; i < CROWD; i++) {
		ck_assert_int_eq(crowd[i]->status[RLK_ACQUIRED], REDLOCK_ECLOSED);
	}
}
END_TEST

/* They come when the leases must be over, all at the same time. */
START_TEST(those_in_line_come_back_one_after_the_other)
{
	struct sim_lock *lock;
	unsigned i;

	scene_of_crowd();
	gather(bob, 1000);
	for (i = 0; i < CROWD; i++) {
		scene_holding(crowd[i]);
	}
	sim_client_kill(bob);
	gather(alice, 10000);
	for (i = 0; i < CROWD; i++) {
		scene_waiting(crowd[i]);
	}
	sim_run(sim, 100 * MS);
	for (i = 0; i < CROWD; i++) {
		ck_assert_int_eq(crowd[i]->core->state, RLK_WAITING);
	}
	sim_run(sim, 3 * S);
	for (i = 0; i < CROWD; i++) {
		lock = crowd[i];
		ck_assert(sim_held(lock));
		ck_assert_int_eq(sim_released(lock), REDLOCK_OK);
	}
}
END_TEST

/* Who tries once asks at once, and be it all of them. */
START_TEST(what_a_crowd_needed_is_given_back)
{
	struct sim_lock *many[300];
	const struct rlk_spares *spares;
	unsigned i, held = 0;

	scene(5);
	spares = &alice->cluster.spares;
	for (i = 0; i < 300; i++) {
		many[i] = scene_lock(alice);
		ck_assert_int_eq(sim_acquire(many[i], 0), 0);
	}
	ck_assert_uint_ge(spares->request_count, 1500);
	ck_assert_uint_ge(spares->attempt_count, 300);
	sim_run(sim, 100 * MS);
	ck_assert_uint_ge(spares->attempt_count, 300);
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(spares->request_count, 1024);
	ck_assert_uint_le(spares->attempt_count, 257); /* And the one in use. */
	ck_assert(!spares->alarm.armed || spares->attempt_count == 257);
	for (i = 0; i < 300; i++) {
		held += sim_held(many[i]);
	}
	ck_assert_uint_eq(held, 1);
}
END_TEST

void add_pace(TCase *tcase)
{
	tcase_add_test(tcase, those_who_wait_ask_one_after_the_other);
	tcase_add_test(tcase, who_does_not_wait_is_behind_nobody);
	tcase_add_test(tcase, who_stands_behind_may_leave);
	tcase_add_test(tcase, the_wait_ends_on_time_behind_a_crowd);
	tcase_add_test(tcase, closing_ends_the_wait_of_those_behind);
	tcase_add_test(tcase, those_in_line_come_back_one_after_the_other);
	tcase_add_test(tcase, what_a_crowd_needed_is_given_back);
}
