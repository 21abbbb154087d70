/* comeback.c - nodes that were away vote again, and remember what they had granted. */
#include "stage.h"

/* Nodes 1 and 2 are back: with 4 and 5 gone there is no quorum without them. */
static void expect_that_all_count(void)
{
	struct redlock_lock *lock = stage_lock(stage.alice);

	stage_wait_votes(stage.alice, NODES);
	stage_fault(3, 4, STOP);
	stage_wait_votes(stage.alice, NODES - 2);
	ck_assert_int_eq(acquire_sync(&stage.loop, lock, LOOP_DEADLINE_MS, NULL), REDLOCK_OK);
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
}

static void away_and_back(enum fault away, enum fault back)
{
	stage_fault(0, 1, away);
	stage_wait_votes(stage.alice, NODES - 2);
	stage_fault(0, 1, back);
	expect_that_all_count();
}

START_TEST(killed_nodes_come_back_into_the_quorum)
{
	away_and_back(KILL, START);
}
END_TEST

START_TEST(frozen_nodes_come_back_into_the_quorum)
{
	away_and_back(PAUSE, UNPAUSE);
}
END_TEST

START_TEST(nodes_without_network_come_back_into_the_quorum)
{
	away_and_back(DISCONNECT, RECONNECT);
}
END_TEST

START_TEST(restarted_nodes_come_back_into_the_quorum)
{
	stage_fault(0, 1, RESTART);
	expect_that_all_count();
}
END_TEST

START_TEST(nodes_that_died_have_forgotten_nothing)
{
	struct redlock_lock *ours = stage_lock(stage.alice);
	struct redlock_lock *theirs = stage_lock(stage.bob);

	ck_assert_int_eq(acquire_sync(&stage.loop, ours, 0, NULL), REDLOCK_OK);
	stage_wait_keys(0, NODES - 1, redlock_lock_token(ours, NULL));
	stage_fault(0, 3, KILL);
	stage_fault(0, 3, START);
	stage_wait_votes(stage.alice, NODES);
	stage_wait_votes(stage.bob, NODES);
	ck_assert_int_eq(acquire_sync(&stage.loop, theirs, 0, NULL), REDLOCK_EHELD);
	ck_assert_int_eq(extend_sync(&stage.loop, ours, NULL), REDLOCK_OK);
	ck_assert_int_eq(release_sync(&stage.loop, ours, NULL), REDLOCK_OK);
	redlock_lock_free(ours);
	redlock_lock_free(theirs);
}
END_TEST

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	unsigned *losses = data;

	(void)lock;
	(void)status;
	(void)report;
	(*losses)++;
}

START_TEST(a_lease_is_renewed_while_all_nodes_restart_one_by_one)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;
	unsigned losses = 0;

	redlock_lock_options_init(&options);
	options.ttl_ms = 6000;
	options.auto_renew = true;
	options.on_lost = on_lost;
	options.data = &losses;
	lock = stage_lock_with(stage.alice, &options);
	ck_assert_int_eq(acquire_sync(&stage.loop, lock, 0, NULL), REDLOCK_OK);
	for (size_t i = 0; i < NODES; i++) {
		stage_fault(i, i, RESTART);
		stage_wait_votes(stage.alice, NODES);
		/* In all, time for several leases of that length. */
		loop_run_ms(&stage.loop, 2500);
	}
	ck_assert_uint_eq(losses, 0);
	ck_assert(redlock_lock_held(lock));
	ck_assert_int_eq(release_sync(&stage.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
}
END_TEST

void add_comeback(Suite *suite)
{
	stage_case(suite, killed_nodes_come_back_into_the_quorum);
	stage_case(suite, frozen_nodes_come_back_into_the_quorum);
	stage_case(suite, nodes_without_network_come_back_into_the_quorum);
	stage_case(suite, restarted_nodes_come_back_into_the_quorum);
	stage_case(suite, nodes_that_died_have_forgotten_nothing);
	stage_case(suite, a_lease_is_renewed_while_all_nodes_restart_one_by_one);
}
