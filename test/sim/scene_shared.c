/* scene_shared.c - readers, who have a lock together, and writers, who have it alone. */
#include "scene.h"

#include <string.h>

static struct sim_lock *reader_ttl(struct sim_client *client, uint32_t ttl_ms)
{
	struct rlk_lock_config config = {
		.ttl_ms = ttl_ms, .at_risk_ms = ttl_ms / 3, .shared = true};

	return sim_lock_new(client, JOB, &config);
}

static struct sim_lock *reader(struct sim_client *client)
{
	return reader_ttl(client, 10000);
}

/* On all nodes together. */
static unsigned readers(void)
{
	unsigned i, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		const struct sim_key *key = sim_key(sim, i, JOB);
		n += key != NULL && sim_key_is_shared(key) ? key->reader_count : 0;
	}
	return n;
}

/* The key, as the node has it, is the reader's for so long. */
static uint64_t left_ms(unsigned node, const struct sim_lock *lock)
{
	const struct sim_key *key = sim_key(sim, node, JOB);
	const struct rlk_attempt *attempt = lock->core->attempt;
	uint64_t until_ms =
		key == NULL ? 0 : sim_key_until_ms(key, attempt->token, attempt->token_len);
	uint64_t now_ms = sim_clock_read(sim, &sim->servers[node].clock) / 1000;

	return until_ms > now_ms ? until_ms - now_ms : 0;
}

static void set_clocks_back(uint64_t by_us)
{
	unsigned i;

	for (i = 0; i < sim->node_count; i++) {
		sim_set_clock(sim, i, -(int64_t)by_us);
	}
}

START_TEST(two_readers_hold_at_once)
{
	struct sim_lock *first, *second, *third;

	scene(5);
	first = scene_holding(reader(alice));
	second = scene_holding(reader(bob));
	third = scene_holding(reader(alice));
	ck_assert(sim_held(first) && sim_held(second) && sim_held(third));
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(readers(), 15);
	ck_assert_uint_eq(scene_until_us(second), second->core->round.start_us + VALID_US);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	ck_assert_int_eq(sim_released(second), REDLOCK_OK);
	ck_assert_int_eq(sim_released(third), REDLOCK_OK);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(scene_keys(), 0);
}
END_TEST

START_TEST(a_writer_and_a_reader_exclude_each_other)
{
	struct sim_lock *writer, *first;

	scene(5);
	first = scene_holding(reader(alice));
	writer = scene_lock(bob);
	ck_assert_int_eq(sim_acquired(writer, 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	sim_run(sim, 10 * MS);
	ck_assert_int_eq(sim_acquired(writer, 0), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(first, 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_acquired(reader(bob), 0), REDLOCK_EHELD);
	ck_assert_uint_eq(readers(), 0);
}
END_TEST

START_TEST(a_writer_waits_for_the_last_reader_and_is_called_then)
{
	struct sim_lock *first, *second, *writer;

	scene(5);
	first = scene_holding(reader(alice));
	second = scene_holding(reader(alice));
	writer = scene_in_line(scene_lock(bob));
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	sim_run(sim, S);
	ck_assert(!sim_held(writer));
	ck_assert_int_eq(sim_release(second, true), 0);
	ck_assert_uint_le(scene_until_had_us(writer), 4 * MS);
	ck_assert_uint_eq(scene_tickets(), 0);
}
END_TEST

START_TEST(a_writer_in_line_takes_a_reader_for_nobody_of_another_protocol)
{
	struct sim_lock *writer;
	unsigned asked;

	scene(5);
	scene_holding(reader(alice));
	writer = scene_in_line(scene_lock(bob));
	asked = scene_asked_anything();
	sim_run(sim, 5 * S);
	ck_assert_uint_eq(scene_asked_anything(), asked);
	ck_assert_int_eq(writer->core->state, RLK_WAITING);
}
END_TEST

START_TEST(a_new_reader_stands_back_for_a_writer_in_line)
{
	struct sim_lock *first, *late, *writer;

	scene(5);
	first = scene_holding(reader(alice));
	writer = scene_in_line(scene_lock(bob));
	late = reader(alice);
	ck_assert_int_eq(sim_acquired(late, 0), REDLOCK_EHELD);
	ck_assert_int_eq(sim_acquire(late, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 2 * S);
	ck_assert(!sim_held(late));
	ck_assert_int_eq(sim_extended(first), REDLOCK_OK); /* That one is not new. */
	ck_assert_int_eq(sim_release(first, true), 0);
	scene_until_had_us(writer);
	sim_run(sim, S);
	ck_assert(!sim_held(late));
	ck_assert_int_eq(sim_release(writer, true), 0);
	scene_until_had_us(late);
}
END_TEST

START_TEST(a_dead_writer_in_line_keeps_no_reader_out)
{
	struct sim_lock *first;

	scene(5);
	first = scene_holding(reader(alice));
	scene_in_line(scene_lock(bob));
	sim_client_kill(bob);
	sim_run(sim, 5 * S); /* Nodes have noticed. */
	ck_assert_int_eq(sim_acquired(reader(alice), 0), REDLOCK_OK);
	ck_assert_uint_eq(scene_tickets(), 0);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
}
END_TEST

/* His client listens, for he waits for something else; and nobody heard that he left this line. */
START_TEST(nor_does_a_writer_who_has_left_unheard)
{
	struct rlk_lock_config config = {.ttl_ms = 60000, .at_risk_ms = 20000};
	struct sim_key *keys[3], lines[3];
	struct sim_client *carol;
	struct sim_lock *of_bob;
	unsigned i;

	scene(3);
	ck_assert_int_eq(sim_acquired(sim_lock_new(alice, "other", &config), 0), REDLOCK_OK);
	scene_waiting(sim_lock_new(bob, "other", &config));
	carol = scene_client();
	scene_holding(reader_ttl(carol, 1000));
	of_bob = scene_in_line(scene_lock_ttl(bob, 1000));
	for (i = 0; i < 3; i++) {
		keys[i] = (struct sim_key *)sim_key(sim, i, JOB);
		lines[i] = *keys[i];
		lines[i].line[0].stray = true;
	}
	ck_assert_int_eq(sim_cancel(of_bob), 0);
	sim_run(sim, 100 * MS);
	ck_assert_uint_eq(scene_tickets(), 0);
	for (i = 0; i < 3; i++) {
		*keys[i] = lines[i];
	}
	sim_client_kill(carol);
	sim_run(sim, 5 * S);
	ck_assert_uint_eq(scene_tickets(), 3);
	ck_assert_int_eq(sim_acquired(reader(alice), 10000), REDLOCK_OK);
}
END_TEST

START_TEST(a_reader_that_dies_is_over_after_its_ttl)
{
	struct sim_lock *writer;
	struct sim_client *carol;
	uint64_t start_us;

	scene(5);
	carol = scene_client();
	sim_run(sim, 10 * MS);
	start_us = sim->now_us;
	scene_holding(reader_ttl(carol, 4000));
	sim_client_kill(carol);
	scene_holding(reader_ttl(alice, 2000));
	writer = scene_waiting(scene_lock(bob));
	sim_run(sim, 3500 * MS);
	ck_assert(!sim_held(writer));
	scene_until_had_us(writer);
	ck_assert_uint_ge(sim->now_us, start_us + 4000 * MS);
	ck_assert_uint_le(sim->now_us, start_us + 4300 * MS);
}
END_TEST

START_TEST(an_extension_lengthens_the_readers_time_and_the_keys)
{
	struct sim_lock *first, *second;
	unsigned i;

	scene(5);
	first = scene_holding(reader(alice));
	second = scene_holding(reader_ttl(bob, 3000));
	sim_run(sim, 2 * S);
	ck_assert_int_eq(sim_extended(second), REDLOCK_OK);
	for (i = 0; i < 5; i++) { /* Nor is the other one's shortened. */
		ck_assert_uint_ge(left_ms(i, first), 7900);
	}
	ck_assert_int_eq(sim_extended(first), REDLOCK_OK);
	sim_run(sim, 10 * MS);
	for (i = 0; i < 5; i++) {
		ck_assert_uint_ge(left_ms(i, first), 9900);
		ck_assert_uint_ge(left_ms(i, second), 2900);
		ck_assert_uint_lt(left_ms(i, second), 3000);
	}
}
END_TEST

START_TEST(whose_time_is_over_is_not_lengthened_though_others_read)
{
	struct rlk_lock_config config = {.ttl_ms = 2000, .at_risk_ms = 600, .shared = true};
	struct sim_client *carol;
	struct sim_lock *heir;

	scene(5);
	carol = scene_client();
	sim_run(sim, 10 * MS);
	config.token = "shelf 7";
	config.token_len = (uint8_t)strlen(config.token);
	scene_holding(sim_lock_new(carol, JOB, &config));
	scene_holding(reader(bob));
	sim_client_kill(carol);
	sim_run(sim, 3 * S);
	heir = sim_lock_new(alice, JOB, &config);
	ck_assert_int_eq(sim_extended(heir), REDLOCK_ELOST);
	ck_assert(!sim_held(heir));
	set_clocks_back(2 * S); /* Who was told so has gone. */
	ck_assert_int_eq(sim_extended(heir), REDLOCK_ELOST);
	ck_assert(!sim_held(heir));
}
END_TEST

START_TEST(a_reader_that_was_over_by_a_clock_that_is_set_back_is_in_nobodys_way)
{
	struct sim_lock *first, *second, *writer;
	struct sim_client *carol;

	scene(5);
	carol = scene_client();
	sim_run(sim, 10 * MS);
	scene_holding(reader_ttl(carol, 2000));
	first = scene_holding(reader(bob));
	sim_client_kill(carol);
	sim_run(sim, 3 * S);
	second = scene_holding(reader(bob)); /* It finds no trace of carol's. */
	set_clocks_back(2 * S);
	writer = scene_in_line(scene_lock(alice));
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	ck_assert_int_eq(sim_released(second), REDLOCK_OK);
	ck_assert_int_eq(sim_heard(writer, RLK_ACQUIRED), REDLOCK_OK);
}
END_TEST

START_TEST(an_extension_repairs_a_node_that_has_forgotten)
{
	struct sim_lock *first, *second;

	scene_new(5);
	sim->servers[0].durable = sim->servers[1].durable = true;
	scene_enter();
	first = scene_holding(reader(alice));
	second = scene_holding(reader(bob));
	scene_in_line(scene_lock(scene_client())); /* Is not asked whether it may. */
	sim_stop(sim, 4, SIM_FORGETS_ALL, false);
	sim_start(sim, 4);
	sim_run(sim, 2 * S);
	ck_assert_uint_eq(readers(), 8);
	ck_assert_int_eq(sim_extended(first), REDLOCK_OK);
	sim_run(sim, 10 * MS);
	ck_assert_uint_eq(readers(), 9);
	ck_assert_uint_ge(left_ms(4, first), 9900);
	ck_assert_uint_eq(left_ms(4, second), 0);
}
END_TEST

START_TEST(a_late_release_of_one_reader_hurts_no_other)
{
	struct sim_lock *first, *second;

	scene(5);
	first = scene_holding(reader(alice));
	second = scene_holding(reader(bob));
	sim_cut(alice, 0, 2 * S);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
	ck_assert_int_eq(sim_acquired(first, 0), REDLOCK_OK);
	sim_run(sim, 3 * S);
	ck_assert(sim_held(first) && sim_held(second));
	ck_assert_uint_ge(readers(), 9);
	ck_assert_int_eq(sim_acquired(scene_lock(scene_client()), 0), REDLOCK_EHELD);
}
END_TEST

START_TEST(a_reader_is_not_handed_what_a_writer_of_its_client_has)
{
	struct sim_lock *writer, *lock, *next;

	scene(5);
	writer = scene_holding(scene_lock(alice));
	lock = scene_waiting(reader(alice));
	next = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(lock->core->state, RLK_ACQUIRING);
	ck_assert_int_eq(next->core->state, RLK_QUEUED);
	sim_run(sim, 100 * MS);
	ck_assert_int_eq(lock->core->state, RLK_PAUSING);
	ck_assert_int_eq(sim_release(writer, true), 0);
	ck_assert(sim_held(next));
	ck_assert_int_eq(sim_release(next, true), 0);
	scene_until_had_us(lock);
	next = scene_waiting(scene_lock(alice));
	ck_assert_int_eq(sim_release(lock, true), 0);
	ck_assert(!sim_held(next)); /* Nor does it hand anything on. */
	scene_until_had_us(next);
}
END_TEST

START_TEST(a_reader_comes_back_as_soon_as_the_key_of_a_dead_writer_is_over)
{
	struct sim_lock *lock;
	uint64_t start_us;
	unsigned i;

	scene(5);
	sim_run(sim, 10 * MS);
	start_us = sim->now_us;
	for (i = 0; i < 5; i++) {
		sim_plant(sim, i, JOB, "gggggggggggggggggggggggggggggggg", 3000);
	}
	lock = scene_waiting(reader(alice));
	scene_until_had_us(lock);
	ck_assert_uint_le(sim->now_us, start_us + 3100 * MS);
	/* What refused it told so: nobody was asked. */
	ck_assert_uint_eq(scene_asked_in_all(RLK_OP_REMAINING), 0);
}
END_TEST

START_TEST(no_two_readers_have_one_token)
{
	struct rlk_lock_config config = {.ttl_ms = 10000, .at_risk_ms = 3333, .shared = true};
	struct sim_lock *first, *second;

	scene(5);
	config.token = "shelf 7";
	config.token_len = (uint8_t)strlen(config.token);
	first = scene_holding(sim_lock_new(alice, JOB, &config));
	second = sim_lock_new(bob, JOB, &config);
	ck_assert_int_eq(sim_acquired(second, 0), REDLOCK_EHELD);
	ck_assert(sim_held(first));
	ck_assert_uint_eq(readers(), 5);
	ck_assert_int_eq(sim_released(first), REDLOCK_OK);
}
END_TEST

void add_shared(TCase *tcase)
{
	tcase_add_test(tcase, two_readers_hold_at_once);
	tcase_add_test(tcase, a_writer_and_a_reader_exclude_each_other);
	tcase_add_test(tcase, a_writer_waits_for_the_last_reader_and_is_called_then);
	tcase_add_test(tcase, a_writer_in_line_takes_a_reader_for_nobody_of_another_protocol);
	tcase_add_test(tcase, a_new_reader_stands_back_for_a_writer_in_line);
	tcase_add_test(tcase, a_dead_writer_in_line_keeps_no_reader_out);
	tcase_add_test(tcase, nor_does_a_writer_who_has_left_unheard);
	tcase_add_test(tcase, a_reader_that_dies_is_over_after_its_ttl);
	tcase_add_test(tcase, an_extension_lengthens_the_readers_time_and_the_keys);
	tcase_add_test(tcase, whose_time_is_over_is_not_lengthened_though_others_read);
	tcase_add_test(tcase, a_reader_that_was_over_by_a_clock_that_is_set_back_is_in_nobodys_way);
	tcase_add_test(tcase, an_extension_repairs_a_node_that_has_forgotten);
	tcase_add_test(tcase, a_late_release_of_one_reader_hurts_no_other);
	tcase_add_test(tcase, a_reader_is_not_handed_what_a_writer_of_its_client_has);
	tcase_add_test(tcase, a_reader_comes_back_as_soon_as_the_key_of_a_dead_writer_is_over);
	tcase_add_test(tcase, no_two_readers_have_one_token);
}
