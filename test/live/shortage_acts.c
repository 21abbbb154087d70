/* shortage_acts.c - each operation of a client, as it is done while memory fails. */
#include "shortage.h"

#include <stdio.h>
#include <string.h>

#define MANY 40
#define QUORUM 2

/* ---- What may come of it --------------------------------------------------------------------- */

static size_t faults_of(const struct outcome *outcome)
{
	return outcome_votes(outcome, REDLOCK_VOTE_ERROR) +
	       outcome_votes(outcome, REDLOCK_VOTE_UNREACHABLE) +
	       outcome_votes(outcome, REDLOCK_VOTE_TIMED_OUT);
}

/* A status that the votes bear out. */
static void expect_truth(const struct outcome *outcome)
{
	ck_assert_uint_eq(outcome->calls, 1);
	switch (outcome->status) {
	case REDLOCK_OK:
		ck_assert_uint_ge(3 - faults_of(outcome), QUORUM);
		break;
	case REDLOCK_ENOQUORUM:
		ck_assert_uint_ge(faults_of(outcome), 3 - QUORUM + 1);
		for (size_t i = 0; i < 3; i++) {
			ck_assert(outcome->nodes[i].vote == REDLOCK_VOTE_GRANTED ||
				  outcome->nodes[i].vote == REDLOCK_VOTE_NONE ||
				  outcome->nodes[i].vote == REDLOCK_VOTE_HELD ||
				  outcome->nodes[i].vote == REDLOCK_VOTE_MISSING ||
				  outcome->nodes[i].error[0] != '\0');
		}
		break;
	case REDLOCK_ENOMEM:
		break;
	default:
		ck_abort_msg("%s", redlock_status_name(outcome->status));
	}
}

static void expect_end(struct stage *stage, struct outcome *outcome, int rv)
{
	if (rv != REDLOCK_OK) {
		ck_assert_int_eq(rv, REDLOCK_ENOMEM);
		ck_assert(faulty.failed);
		loop_run_ms(&rig.loop, 5);
		ck_assert_uint_eq(outcome->calls, 0);
		return;
	}
	(void)stage;
	ck_assert_uint_eq(outcome->calls, 0);
	loop_wait_for(&rig.loop, outcome);
	expect_truth(outcome);
}

/* ---- Acts ------------------------------------------------------------------------------------ */

static void make_lock(struct stage *stage)
{
	struct redlock_lock *lock = NULL;
	int rv = redlock_lock_new(&lock, stage->client, "another", 7, NULL);

	ck_assert_int_eq(rv, faulty.failed ? REDLOCK_ENOMEM : REDLOCK_OK);
	ck_assert(!faulty.failed == !!lock);
	redlock_lock_free(lock);
}

static void make_many(struct stage *stage)
{
	struct redlock_lock *locks[MANY];
	char name[16];

	for (int i = 0; i < MANY; i++) {
		locks[i] = NULL;
		(void)snprintf(name, sizeof name, "lock %d", i);
		if (redlock_lock_new(&locks[i], stage->client, name, strlen(name), NULL)) {
			ck_assert(faulty.failed);
			ck_assert_ptr_null(locks[i]);
		}
	}
	for (int i = 0; i < MANY; i++) {
		redlock_lock_free(locks[i]);
	}
}

static void acquire(struct stage *stage)
{
	expect_end(stage, &stage->outcome,
		   redlock_acquire(stage->lock, 0, outcome_take, &stage->outcome));
	ck_assert(redlock_lock_held(stage->lock) == (stage->outcome.status == REDLOCK_OK));
}

static void hold(struct stage *stage)
{
	rig_acquire(stage->lock);
}

static void extend(struct stage *stage)
{
	expect_end(stage, &stage->outcome,
		   redlock_extend(stage->lock, outcome_take, &stage->outcome));
	ck_assert(redlock_lock_held(stage->lock)); /* The old lease stands. */
}

static void hold_and_lose_a_key(struct stage *stage)
{
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(stage->lock);
	rig_token(stage->lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	server_do(&rig.servers.at[0], "DEL %s", NAME);
}

/* Somebody else took it, under the token that we know. */
static void find_it_taken(struct stage *stage)
{
	(void)stage;
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "SET %s ours PX 60000", NAME);
	}
}

static void adopt(struct stage *stage)
{
	expect_end(stage, &stage->outcome,
		   redlock_extend(stage->lock, outcome_take, &stage->outcome));
}

static void release(struct stage *stage)
{
	expect_end(stage, &stage->outcome,
		   redlock_release(stage->lock, outcome_take, &stage->outcome));
	ck_assert(!redlock_lock_held(stage->lock));
}

static void give_back_theirs(struct stage *stage)
{
	expect_end(stage, &stage->outcome,
		   redlock_release(stage->lock, outcome_take, &stage->outcome));
}

static void release_ours(struct stage *stage)
{
	/* Give back what was found, whatever came of the act. */
	(void)release_sync(&rig.loop, stage->lock, NULL);
}

/* A stranger has it: ask, pause, ask how long, ask again. */
static void stranger_comes(struct stage *stage)
{
	(void)stage;
	for (size_t i = 0; i < 3; i++) {
		rig_stranger(i, NAME);
	}
}

static void wait_in_vain(struct stage *stage)
{
	ck_assert_int_eq(redlock_acquire(stage->lock, 20, outcome_take, &stage->outcome),
			 REDLOCK_OK);
	loop_wait_for(&rig.loop, &stage->outcome);
	ck_assert(stage->outcome.status == REDLOCK_ETIMEDOUT ||
		  (faulty.failed && (stage->outcome.status == REDLOCK_ENOMEM ||
				     stage->outcome.status == REDLOCK_ENOQUORUM)));
}

static void stranger_goes(struct stage *stage)
{
	(void)stage;
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "DEL %s", NAME);
	}
}

/* One holds, another of the same client waits. */
static void hold_and_be_waited_for(struct stage *stage)
{
	struct redlock_lock_options options;

	rig_acquire(stage->lock);
	redlock_lock_options_init(&options);
	options.fence = redlock_lock_fence(stage->lock) != 0;
	stage->heir = rig_lock_with(stage->client, NAME, &options);
	ck_assert_int_eq(redlock_acquire(stage->heir, 20000, outcome_take, &stage->other),
			 REDLOCK_OK);
	loop_run_ms(&rig.loop, 3);
}

static void hand_on(struct stage *stage)
{
	expect_end(stage, &stage->outcome,
		   redlock_release(stage->lock, outcome_take, &stage->outcome));
	loop_run_ms(&rig.loop, 20);
}

static void heir_ends(struct stage *stage)
{
	loop_wait_for(&rig.loop, &stage->other);
	ck_assert_msg(stage->other.status == REDLOCK_OK || stage->other.status == REDLOCK_ENOMEM,
		      "%s", redlock_status_name(stage->other.status));
	redlock_lock_free(stage->heir);
}

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	struct stage *stage = data;

	(void)client;
	ck_assert_int_eq(status, REDLOCK_OK);
	ck_assert_uint_eq(inspection->node_count, 3);
	stage->looks++;
}

static bool has_looked(void *data)
{
	return ((struct stage *)data)->looks > 0;
}

static void inspect(struct stage *stage)
{
	int rv = redlock_inspect(stage->client, NAME, strlen(NAME), on_inspected, stage);

	if (rv) {
		ck_assert_int_eq(rv, REDLOCK_ENOMEM);
	} else {
		loop_until(&rig.loop, has_looked, stage, "the survey ends");
	}
	loop_run_ms(&rig.loop, 5);
	ck_assert_uint_eq(stage->looks, rv == REDLOCK_OK);
}

static void on_closed(struct redlock_client *client, int status, const void *unused, void *data)
{
	(void)client;
	(void)unused;
	ck_assert_int_eq(status, REDLOCK_OK);
	((struct stage *)data)->closed = true;
}

/* With a lease held: it is given back on the way out. */
static void shut(struct stage *stage)
{
	struct redlock_client *client = stage->client;

	redlock_lock_free(stage->lock);
	stage_disperse(stage);
	stage->lock = NULL;
	stage->client = NULL;
	ck_assert_int_eq(redlock_client_close(client, on_closed, stage), REDLOCK_OK);
	loop_wait(&rig.loop, &stage->closed);
}

static void lose_all_connections(struct stage *stage)
{
	(void)stage;
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "CLIENT KILL TYPE normal SKIPME yes");
	}
}

/* Until an allocation has failed, and a moment longer; or until all must have been made. */
static void reconnect(struct stage *stage)
{
	(void)stage;
	for (int i = 0; i < 100 && !faulty.failed; i++) {
		loop_run_ms(&rig.loop, 10);
	}
	loop_run_ms(&rig.loop, 30);
}

const struct act acts[] = {
	{"make a lock", .run = make_lock},
	{"make many locks", .run = make_many},
	{"acquire", .run = acquire},
	{"acquire, fenced", .fenced = true, .run = acquire},
	{"acquire, own token", .own_token = true, .run = acquire},
	{"wait", .before = stranger_comes, .run = wait_in_vain, .after = stranger_goes},
	{"extend", .crowded = true, .before = hold, .run = extend},
	{"extend, fenced", .crowded = true, .fenced = true, .before = hold, .run = extend},
	{"repair", .crowded = true, .before = hold_and_lose_a_key, .run = extend},
	{"repair, fenced", .crowded = true, .fenced = true, .before = hold_and_lose_a_key,
	 .run = extend},
	{"adopt", .own_token = true, .before = find_it_taken, .run = adopt, .after = release_ours},
	{"release", .crowded = true, .before = hold, .run = release},
	{"release what another took", .own_token = true, .before = find_it_taken,
	 .run = give_back_theirs, .after = release_ours},
	{"hand on", .frugal = true, .before = hold_and_be_waited_for, .run = hand_on,
	 .after = heir_ends},
	{"hand on, fenced", .crowded = true, .fenced = true, .before = hold_and_be_waited_for,
	 .run = hand_on, .after = heir_ends},
	{"make a semaphore", .run = make_semaphore, .after = drop_semaphore},
	{"take a permit", .before = have_semaphore, .run = take_permit, .after = drop_semaphore},
	{"take the last permit", .before = take_all_but_one, .run = take_permit,
	 .after = drop_semaphore},
	{"wait for a permit in vain", .before = take_all, .run = wait_for_permit_in_vain,
	 .after = drop_semaphore},
	{"wait for a permit", .before = take_all, .run = wait_for_permit, .after = drop_semaphore},
	{"inspect", .run = inspect},
	{"close", .crowded = true, .before = hold, .run = shut},
	{"connect again", .before = lose_all_connections, .run = reconnect},
};

const size_t act_count = sizeof acts / sizeof acts[0];
