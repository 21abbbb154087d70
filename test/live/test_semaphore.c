/* test_semaphore.c - so many permits, so many holders, and what the others are told. */
#include "permits.h"

/* ---- Permits --------------------------------------------------------------------------------- */

START_TEST(a_permit_is_the_lock_of_one_slot_on_every_node)
{
	struct user user;
	char key[32], token[REDLOCK_TOKEN_MAX + 1];
	int slot;

	user_open(&user, rig.client, 3);
	ck_assert_int_eq(redlock_semaphore_slot(user.semaphore), -1);
	ck_assert_ptr_null(redlock_semaphore_token(user.semaphore, NULL));
	user_take(&user);
	slot = redlock_semaphore_slot(user.semaphore);
	ck_assert(slot >= 0 && slot < 3);
	slot_key(key, sizeof key, slot);
	(void)snprintf(token, sizeof token, "%s", redlock_semaphore_token(user.semaphore, NULL));
	rig_until_everywhere(key, token);
	ck_assert_uint_gt(redlock_semaphore_validity_ms(user.semaphore), 0);
	ck_assert_uint_eq(redlock_semaphore_fence(user.semaphore), 0);
	user_give(&user);
	ck_assert_int_eq(redlock_semaphore_slot(user.semaphore), -1);
	ck_assert_uint_eq(redlock_semaphore_validity_ms(user.semaphore), 0);
	rig_until_gone(key);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* Whoever is there takes a permit each, all of them. */
static void fill(struct user *users, unsigned count, struct redlock_client *client)
{
	unsigned used = 0, i;

	for (i = 0; i < count; i++) {
		user_open(&users[i], client, count);
		user_take(&users[i]);
		used |= 1U << redlock_semaphore_slot(users[i].semaphore);
	}
	ck_assert_uint_eq(used, (1U << count) - 1);
}

static void empty(struct user *users, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		user_give(&users[i]);
		redlock_semaphore_free(users[i].semaphore);
	}
}

START_TEST(as_many_as_there_are_permits_hold_one_each_and_the_next_is_refused)
{
	struct redlock_client *other = rig_connected_client();
	struct user users[3], late;

	fill(users, 3, rig.client);
	user_open(&late, other, 3);
	ck_assert_int_eq(user_try(&late, 0), REDLOCK_EHELD);
	ck_assert_uint_ge(outcome_votes(&late.outcome, REDLOCK_VOTE_HELD), 3);
	ck_assert_uint_ge(late.outcome.report.attempts, 3);
	ck_assert_uint_eq(late.outcome.report.validity_ms, 0);
	user_give(&users[1]);
	user_take(&late);
	ck_assert_int_eq(user_try(&users[1], 0), REDLOCK_EHELD);
	user_give(&late);
	user_take(&users[1]);
	empty(users, 3);
	redlock_semaphore_free(late.semaphore);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(the_most_permits_there_can_be_are_all_to_be_had)
{
	struct user users[REDLOCK_PERMITS_MAX], late;
	uint64_t used = 0;
	unsigned i;

	for (i = 0; i < REDLOCK_PERMITS_MAX; i++) {
		user_open(&users[i], rig.client, REDLOCK_PERMITS_MAX);
		user_take(&users[i]);
		used |= UINT64_C(1) << redlock_semaphore_slot(users[i].semaphore);
	}
	ck_assert_uint_eq(used, UINT64_MAX);
	user_open(&late, rig.client, REDLOCK_PERMITS_MAX);
	ck_assert_int_eq(user_try(&late, 0), REDLOCK_EHELD);
	redlock_semaphore_free(late.semaphore);
	empty(users, REDLOCK_PERMITS_MAX);
}
END_TEST

START_TEST(a_plain_lock_of_a_slots_name_has_its_permit)
{
	struct redlock_lock *lock = rig_lock(NAME "#0");
	struct user user;

	rig_acquire(lock);
	user_open(&user, rig.client, 1);
	ck_assert_int_eq(user_try(&user, 0), REDLOCK_EHELD);
	rig_release(lock);
	user_take(&user);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_EHELD);
	user_give(&user);
	redlock_lock_free(lock);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

START_TEST(who_gives_fewer_permits_uses_the_first_slots)
{
	struct user users[2], wide[2];
	int i;

	fill(users, 2, rig.client);
	for (i = 0; i < 2; i++) {
		user_open(&wide[i], rig.client, 4);
		user_take(&wide[i]);
		ck_assert_int_ge(redlock_semaphore_slot(wide[i].semaphore), 2);
	}
	empty(wide, 2);
	empty(users, 2);
}
END_TEST

START_TEST(fencing_tokens_of_one_slot_grow_from_holder_to_holder)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_semaphore_options options;
	struct user users[2];
	uint64_t last = 0;

	redlock_semaphore_options_init(&options);
	options.fence = true;
	user_open_with(&users[0], rig.client, 1, &options);
	user_open_with(&users[1], other, 1, &options);
	for (size_t i = 0; i < 20; i++) {
		struct user *user = &users[i % 2];

		ck_assert_int_eq(user_try(user, 15000), REDLOCK_OK);
		ck_assert_uint_gt(user->outcome.report.fence, last);
		last = user->outcome.report.fence;
		ck_assert_uint_eq(redlock_semaphore_fence(user->semaphore), last);
		user_give(user);
	}
	redlock_semaphore_free(users[0].semaphore);
	redlock_semaphore_free(users[1].semaphore);
	close_sync(&rig.loop, other);
}
END_TEST

static uint64_t requests(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < 3; i++) {
		struct redlock_node_stats stats;

		ck_assert_int_eq(redlock_client_node_stats(rig.client, i, &stats), REDLOCK_OK);
		sum += stats.requests;
	}
	return sum;
}

START_TEST(a_free_permit_costs_what_a_lock_costs_and_a_refusal_that_for_each_slot)
{
	struct user user;
	uint64_t before = requests();

	user_open(&user, rig.client, 7);
	user_take(&user);
	ck_assert_uint_eq(requests() - before, 3);
	user_give(&user);
	strangers_take(7, 0);
	before = requests();
	ck_assert_int_eq(user_try(&user, 0), REDLOCK_EHELD);
	/* A node whose answer was not waited for is told to give back. */
	ck_assert_uint_ge(requests() - before, 7 * 3);
	ck_assert_uint_le(requests() - before, 7 * (3 + 1));
	ck_assert_uint_eq(user.outcome.report.attempts, 7);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* ---- Too few nodes --------------------------------------------------------------------------- */

START_TEST(one_node_of_three_may_be_down)
{
	struct user users[3], late;

	server_kill(&rig.servers.at[0]);
	fill(users, 3, rig.client);
	user_open(&late, rig.client, 3);
	ck_assert_int_eq(user_try(&late, 0), REDLOCK_EHELD);
	redlock_semaphore_free(late.semaphore);
	empty(users, 3);
}
END_TEST

START_TEST(with_two_nodes_of_three_down_there_is_no_permit)
{
	struct user user;

	server_kill(&rig.servers.at[0]);
	server_kill(&rig.servers.at[1]);
	user_open(&user, rig.client, 3);
	ck_assert_int_eq(user_try(&user, 0), REDLOCK_ENOQUORUM);
	ck_assert_int_eq(user_try(&user, 300), REDLOCK_ENOQUORUM);
	ck_assert_uint_ge(outcome_votes(&user.outcome, REDLOCK_VOTE_UNREACHABLE), 2);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

/* Slot 0 is taken, and on slot 1 two nodes of three do not vote. */
static void rig_3_half_blind(void)
{
	rig_open(3, NULL);
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER half on nopass +@all &* ~redlock:* ~%s",
			  i < 2 ? NAME "#0*" : "*");
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://half:x@%s",
			       rig.servers.at[i].address);
		rig_stranger(i, NAME "#0");
	}
	rig_connect();
}

START_TEST(that_a_slot_has_no_quorum_is_not_hidden_by_another_that_is_taken)
{
	struct user user;

	user_open(&user, rig.client, 2);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(user_try(&user, 0), REDLOCK_ENOQUORUM);
		ck_assert_uint_ge(outcome_votes(&user.outcome, REDLOCK_VOTE_ERROR), 2);
	}
	ck_assert_int_eq(user_try(&user, 200), REDLOCK_ENOQUORUM);
	strangers_leave(1);
	user_take(&user);
	ck_assert_int_eq(redlock_semaphore_slot(user.semaphore), 0);
	user_give(&user);
	redlock_semaphore_free(user.semaphore);
}
END_TEST

static void rig_3_old(void)
{
	rig_open(3, NULL);
	for (size_t i = 0; i < 3; i++) {
		server_make_old(&rig.servers.at[i]); /* All grant a fencing token. */
	}
	rig_connect();
}

int main(void)
{
	Suite *suite = suite_create("semaphore");
	TCase *five = rig_case(suite, "five nodes", rig_5);
	TCase *three = rig_case(suite, "three nodes", rig_3);
	TCase *old = rig_case(suite, "old nodes", rig_3_old);
	TCase *blind = rig_case(suite, "half blind", rig_3_half_blind);

	tcase_add_test(five, a_permit_is_the_lock_of_one_slot_on_every_node);
	tcase_add_test(five, as_many_as_there_are_permits_hold_one_each_and_the_next_is_refused);
	tcase_add_test(three, the_most_permits_there_can_be_are_all_to_be_had);
	tcase_add_test(three, a_plain_lock_of_a_slots_name_has_its_permit);
	tcase_add_test(three, who_gives_fewer_permits_uses_the_first_slots);
	tcase_add_test(three,
		       a_free_permit_costs_what_a_lock_costs_and_a_refusal_that_for_each_slot);
	tcase_add_test(old, fencing_tokens_of_one_slot_grow_from_holder_to_holder);
	tcase_add_test(three, one_node_of_three_may_be_down);
	tcase_add_test(three, with_two_nodes_of_three_down_there_is_no_permit);
	tcase_add_test(blind, that_a_slot_has_no_quorum_is_not_hidden_by_another_that_is_taken);
	return rig_run(suite);
}
