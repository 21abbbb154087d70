/* scene_line_trouble.c - waiting in line, when somebody dies, stands still, lies, or does not hear.
 */
#include <string.h>

#include "core/line.h"
#include "core/lock_parts.h"
#include "scene.h"

START_TEST(who_dies_while_holding_is_succeeded_when_its_keys_have_died)
{
	struct sim_lock *first, *second;
	uint64_t until_us;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	until_us = first->core->round.start_us + 10 * S;
	sim_client_kill(alice);
	scene_until_had_us(second);
	ck_assert_uint_le(sim_client_now(bob), until_us + 50 * MS);
}
END_TEST

START_TEST(who_dies_in_line_is_passed_over)
{
	struct sim_lock *first, *third;
	struct sim_client *carol;

	scene(5);
	first = scene_holding(scene_lock(alice));
	scene_in_line(scene_lock(bob));
	carol = scene_client();
	third = scene_in_line(scene_lock(carol));
	sim_client_kill(bob);
	sim_run(sim, 4 * S); /* The servers have noticed by now, and long before any TTL is over. */
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_uint_le(scene_until_had_us(third), 4 * MS);
}
END_TEST

START_TEST(who_stands_still_in_line_holds_up_the_others_for_a_moment)
{
	struct sim_lock *first, *second, *third;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	third = scene_in_line(scene_lock(scene_client()));
	sim_client_pause(bob);
	sim_run(sim, S);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_uint_le(scene_until_had_us(third), 200 * MS);
	sim_client_resume(bob);
	sim_run(sim, S);
	ck_assert_int_eq(sim_release(third, true), 0);
	scene_until_had_us(second);
}
END_TEST

START_TEST(a_node_that_calls_without_reason_is_not_believed_for_long)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	scene_holding(scene_renewed(bob));
	lock = scene_in_line(scene_lock(alice));
	for (i = 0; i < 1000; i++) {
		struct rlk_call call = {
			.yours = true,
			.name = (uint32_t)lock->core->name->hash,
			.seq = lock->core->attempt != NULL ? lock->core->attempt->ticket.seq : 0};
		sim_ear_call(sim, 0, alice->index, &call);
		sim_run(sim, 10 * MS);
	}
	ck_assert_int_eq(lock->core->state, RLK_WAITING);
	ck_assert_uint_le(sim->servers[1].asked[RLK_OP_ACQUIRE], 3);
	ck_assert_uint_le(sim->servers[1].asked[RLK_OP_JOIN], 20);
}
END_TEST

/* Whoever was led astray believes one caller only after a while: that must not be forgotten when
 * the answers come, which say that the other lease lasts for long. */
START_TEST(a_call_that_comes_before_the_answers_is_looked_after)
{
	struct rlk_call call = {.yours = true};
	struct sim_lock *lock;
	unsigned asked;

	scene(5);
	scene_holding(scene_lock_ttl(bob, 60000));
	lock = scene_in_line(scene_lock(alice));
	lock->core->misled = 7; /* So 1.3 s; longer than answers may take. */
	rlk_lock_rejoin(lock->core);
	call.name = (uint32_t)lock->core->name->hash;
	call.seq = lock->core->attempt->ticket.seq;
	sim_ear_call(sim, 0, alice->index, &call);
	sim_run(sim, 3 * MS);
	ck_assert_uint_ne(lock->core->called, 0);
	asked = sim->servers[1].asked[RLK_OP_JOIN];
	sim_run(sim, 3 * S);
	ck_assert_uint_gt(sim->servers[1].asked[RLK_OP_JOIN], asked);
}
END_TEST

START_TEST(a_node_that_calls_the_next_all_the_time_is_not_heeded_all_the_time)
{
	struct sim_lock *lock;
	unsigned i;

	scene(5);
	scene_holding(scene_renewed(bob));
	lock = scene_in_line(scene_lock(alice));
	for (i = 0; i < 1000; i++) {
		struct rlk_call call = {.name = (uint32_t)lock->core->name->hash,
					.seq = lock->core->attempt->ticket.seq};
		sim_ear_call(sim, 0, alice->index, &call);
		sim_run(sim, 5 * MS);
	}
	ck_assert_int_eq(lock->core->state, RLK_WAITING);
	ck_assert_uint_le(sim->servers[1].asked[RLK_OP_JOIN], 60);
}
END_TEST

START_TEST(who_is_connected_anew_joins_the_line_anew)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	for (i = 0; i < 3; i++) { /* With all that they knew. */
		sim->servers[i].durable = true;
		sim_stop(sim, i, SIM_KEEPS_ALL, false);
		memset(&sim->servers[i].data.keys[0].line, 0,
		       sizeof sim->servers[i].data.keys[0].line);
		sim->servers[i].data.keys[0].places = 0;
		sim_start(sim, i);
	}
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(scene_tickets(), 5);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_uint_le(scene_until_had_us(second), 4 * MS);
}
END_TEST

START_TEST(a_node_that_is_joined_again_and_again_puts_nothing_off)
{
	struct sim_lock *first, *second;
	uint64_t until_us;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	until_us = first->core->round.start_us + 10 * S;
	sim_client_kill(alice);
	sim_plant(sim, 4, JOB, "ghijklmnopqrstuvghijklmnopqrstuv", 60000);
	while (!sim_held(second) && sim_client_now(bob) < until_us + S) {
		sim_deafen(bob, 4);
		sim_run(sim, 200 * MS);
	}
	ck_assert(sim_held(second));
}
END_TEST

START_TEST(a_call_that_was_not_heard_is_made_up_for_by_listening_again)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	for (i = 0; i < 5; i++) {
		sim_silence(bob, i, SIM_TO_CLIENT, 20 * MS);
	}
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 5 * MS);
	for (i = 0; i < 5; i++) {
		sim_deafen(bob, i);
	}
	/* It listens again after a pause of some 50 ms, while the key is kept for it. */
	ck_assert_uint_le(scene_until_had_us(second), 200 * MS);
}
END_TEST

/* What it answers late is from before it was listened to. */
START_TEST(a_node_that_was_silent_when_it_was_listened_to_is_joined_when_it_answers)
{
	struct sim_lock *first, *second;

	scene(1);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	sim_silence(bob, 0, SIM_TO_CLIENT, 700 * MS);
	ck_assert_int_eq(sim_acquire(scene_lock(bob), 0), 0);
	sim_run(sim, 600 * MS);
	sim_silence(bob, 0, SIM_TO_CLIENT, 0); /* From here on; what is held up comes as late. */
	sim_deafen(bob, 0);
	sim_run(sim, 2 * MS);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_uint_le(scene_until_had_us(second), 2000 * MS);
}
END_TEST

/* Listened to again, and nobody can be asked to join: the only place is taken for so long. */
static uint64_t until_had_us_if_busy_for(uint64_t us)
{
	struct sim_lock *first, *second;

	scene_new(1);
	sim->config.max_in_flight = 1;
	scene_enter();
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	sim_silence(bob, 0, SIM_TO_CLIENT, us);
	ck_assert_int_eq(sim_acquire(sim_lock_new(bob, "jobs:43", NULL), 0), 0);
	sim_run(sim, 2 * MS);
	sim_silence(bob, 0, SIM_TO_CLIENT, 0); /* From here on. */
	sim_deafen(bob, 0);
	sim_run(sim, 2 * MS);
	ck_assert_int_eq(sim_release(first, true), 0);
	return scene_until_had_us(second);
}

START_TEST(a_node_that_had_too_much_to_do_is_joined_soon)
{
	ck_assert_uint_le(until_had_us_if_busy_for(400 * MS), 1000 * MS);
}
END_TEST

START_TEST(and_one_that_was_silent_as_well_when_it_answers)
{
	ck_assert_uint_le(until_had_us_if_busy_for(700 * MS), 2000 * MS);
}
END_TEST

/* Those who are in line on different nodes first: one of them wins, and the other one is next. */
START_TEST(nodes_that_call_different_clients_do_not_keep_both_out)
{
	struct sim_lock *first, *second, *third;
	unsigned i;

	scene(5);
	first = scene_holding(scene_lock(alice));
	second = scene_in_line(scene_lock(bob));
	third = scene_in_line(scene_lock(scene_client()));
	for (i = 0; i < 2; i++) { /* Two of the nodes lost Bob's ticket. */
		sim_line_leave(&sim->servers[i].data.keys[0], second->core->attempt->token);
	}
	ck_assert_int_eq(sim_release(first, true), 0);
	sim_run(sim, 100 * MS);
	ck_assert(sim_held(second));
	ck_assert(!sim_held(third));
	ck_assert_int_eq(sim_release(second, true), 0);
	scene_until_had_us(third);
}
END_TEST

static struct sim_lock *waits_in_pauses(struct sim_lock **holder)
{
	struct sim_lock *lock;

	scene_enter();
	*holder = scene_holding(scene_lock(alice));
	lock = scene_lock(bob);
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, S);
	ck_assert_uint_eq(scene_tickets(), 0);
	return lock;
}

START_TEST(where_nobody_may_listen_all_wait_in_pauses)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene_new(5);
	for (i = 0; i < 5; i++) {
		sim->servers[i].mute = true;
	}
	second = waits_in_pauses(&first);
	ck_assert_uint_gt(second->core->attempts, 3);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_uint_le(scene_until_had_us(second), 260 * MS);
}
END_TEST

START_TEST(where_nobody_may_stand_in_line_all_wait_in_pauses)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene_new(5);
	for (i = 0; i < 3; i++) {
		sim->servers[i].no_line = true;
	}
	second = waits_in_pauses(&first);
	ck_assert_int_eq(sim_release(first, true), 0);
	ck_assert_uint_le(scene_until_had_us(second), 260 * MS);
}
END_TEST

START_TEST(whoever_follows_another_protocol_is_looked_after_in_pauses)
{
	struct sim_lock *lock;
	unsigned i;

	scene(3);
	for (i = 0; i < 3; i++) {
		sim_plant(sim, i, JOB, "of another library", 60000);
	}
	lock = scene_in_line(scene_lock(alice));
	sim_run(sim, S);
	for (i = 0; i < 3; i++) { /* It says nothing when it goes. */
		sim->servers[i].data.keys[0].dies_ms = 0;
	}
	ck_assert_uint_le(scene_until_had_us(lock), 260 * MS);
}
END_TEST

void add_line_trouble(TCase *tcase)
{
	tcase_add_test(tcase, who_dies_while_holding_is_succeeded_when_its_keys_have_died);
	tcase_add_test(tcase, who_dies_in_line_is_passed_over);
	tcase_add_test(tcase, who_stands_still_in_line_holds_up_the_others_for_a_moment);
	tcase_add_test(tcase, a_node_that_calls_without_reason_is_not_believed_for_long);
	tcase_add_test(tcase, a_call_that_comes_before_the_answers_is_looked_after);
	tcase_add_test(tcase, a_node_that_calls_the_next_all_the_time_is_not_heeded_all_the_time);
	tcase_add_test(tcase, who_is_connected_anew_joins_the_line_anew);
	tcase_add_test(tcase, a_node_that_is_joined_again_and_again_puts_nothing_off);
	tcase_add_test(tcase, a_call_that_was_not_heard_is_made_up_for_by_listening_again);
	tcase_add_test(tcase,
		       a_node_that_was_silent_when_it_was_listened_to_is_joined_when_it_answers);
	tcase_add_test(tcase, a_node_that_had_too_much_to_do_is_joined_soon);
	tcase_add_test(tcase, and_one_that_was_silent_as_well_when_it_answers);
	tcase_add_test(tcase, nodes_that_call_different_clients_do_not_keep_both_out);
	tcase_add_test(tcase, where_nobody_may_listen_all_wait_in_pauses);
	tcase_add_test(tcase, where_nobody_may_stand_in_line_all_wait_in_pauses);
	tcase_add_test(tcase, whoever_follows_another_protocol_is_looked_after_in_pauses);
}
