/* sound.c - the lock on five sound nodes. */
#include "stage.h"

START_TEST(a_lease_is_on_all_nodes_until_it_is_released)
{
	struct redlock_lock *lock = stage_lock(stage.alice);

	ck_assert_int_eq(acquire_sync(&stage.loop, lock, 0, NULL), REDLOCK_OK);
	ck_assert(redlock_lock_held(lock));
	stage_wait_keys(0, NODES - 1, redlock_lock_token(lock, NULL));
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	ck_assert(!redlock_lock_held(lock));
	stage_wait_keys(0, NODES - 1, NULL);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_second_client_is_refused_until_the_release)
{
	struct redlock_lock *ours = stage_lock(stage.alice);
	struct redlock_lock *theirs = stage_lock(stage.bob);
	struct outcome refused;

	ck_assert_int_eq(acquire_sync(&stage.loop, ours, 0, NULL), REDLOCK_OK);
	ck_assert_int_eq(acquire_sync(&stage.loop, theirs, 0, &refused), REDLOCK_EHELD);
	ck_assert_uint_ge(outcome_votes(&refused, REDLOCK_VOTE_HELD), NODES / 2 + 1);
	ck_assert_int_eq(release_sync(&stage.loop, ours, NULL), REDLOCK_OK);
	ck_assert_int_eq(acquire_sync(&stage.loop, theirs, LOOP_DEADLINE_MS, NULL), REDLOCK_OK);
	redlock_lock_free(ours);
	redlock_lock_free(theirs);
}
END_TEST

START_TEST(a_waiting_client_is_next)
{
	struct redlock_lock *ours = stage_lock(stage.alice);
	struct redlock_lock *theirs = stage_lock(stage.bob);
	struct outcome waiting = {0};

	ck_assert_int_eq(acquire_sync(&stage.loop, ours, 0, NULL), REDLOCK_OK);
	ck_assert_int_eq(redlock_acquire(theirs, REDLOCK_WAIT_FOREVER, outcome_take, &waiting), 0);
	loop_run_ms(&stage.loop, 500);
	ck_assert(!waiting.done);
	ck_assert_int_eq(release_sync(&stage.loop, ours, NULL), REDLOCK_OK);
	loop_wait_for(&stage.loop, &waiting);
	ck_assert_int_eq(waiting.status, REDLOCK_OK);
	redlock_lock_free(ours);
	redlock_lock_free(theirs);
}
END_TEST

/* What each node says is left of the lease, against what it said before. */
struct lengths {
	long long before_ms[NODES];
};

static bool all_are_longer(void *data)
{
	const struct lengths *lengths = data;

	for (size_t i = 0; i < NODES; i++) {
		if (node_pttl(i, stage.resource) <= lengths->before_ms[i]) {
			return false;
		}
	}
	return true;
}

START_TEST(an_extension_lengthens_the_key_on_every_node)
{
	struct redlock_lock *lock = stage_lock(stage.alice);
	struct lengths lengths;

	ck_assert_int_eq(acquire_sync(&stage.loop, lock, 0, NULL), REDLOCK_OK);
	stage_wait_keys(0, NODES - 1, redlock_lock_token(lock, NULL));
	/* Longer than LOOP_DEADLINE_MS would hide an extension behind the time that passes. */
	loop_run_ms(&stage.loop, 2000);
	for (size_t i = 0; i < NODES; i++) {
		lengths.before_ms[i] = node_pttl(i, stage.resource);
	}
	ck_assert_int_eq(extend_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	loop_until(&stage.loop, all_are_longer, &lengths, "every node has more of the lease left");
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
}
END_TEST

void add_sound(Suite *suite)
{
	stage_case(suite, a_lease_is_on_all_nodes_until_it_is_released);
	stage_case(suite, a_second_client_is_refused_until_the_release);
	stage_case(suite, a_waiting_client_is_next);
	stage_case(suite, an_extension_lengthens_the_key_on_every_node);
}
