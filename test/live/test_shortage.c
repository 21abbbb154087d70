/* test_shortage.c - every allocation of every operation fails: once, and from there on.
 *
 * Whatever runs short, the operation ends once and with the truth, nothing is
 * left behind, on the nodes or here, and with memory again the client works. */
#include "shortage.h"

#include <stdio.h>
#include <string.h>

struct faulty faulty;
static struct redlock_allocator allocator;

/* ---- One round ------------------------------------------------------------------------------- */

void stage_disperse(struct stage *stage)
{
	for (int i = 0; i < CROWD; i++) {
		redlock_lock_free(stage->busy[i]);
		stage->busy[i] = NULL;
	}
}

static void open_stage(struct stage *stage, const struct act *act)
{
	struct redlock_lock_options options;

	memset(stage, 0, sizeof *stage);
	stage->client = rig_connected_client();
	redlock_lock_options_init(&options);
	options.fence = act->fenced;
	if (act->own_token) {
		options.token = "ours";
		options.token_len = 4;
	}
	stage->lock = rig_lock_with(stage->client, NAME, &options);
}

/* Usable again: it takes the lock and gives it back. */
static void expect_works(struct redlock_client *client)
{
	struct redlock_lock *lock;

	rig_wait_up(client, 3);
	rig_until_gone(NAME);
	lock = rig_lock_of(client, NAME);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}

static void close_stage(struct stage *stage)
{
	redlock_lock_free(stage->lock);
	stage_disperse(stage);
	if (stage->client) {
		expect_works(stage->client);
		close_sync(&rig.loop, stage->client);
	}
	ck_assert_uint_le(stage->outcome.calls, 1);
	ck_assert_uint_le(stage->other.calls, 1);
	rig_until_gone(NAME);
	ck_assert_uint_eq(faulty.in_use, 0);
}

static void crowd(struct stage *stage)
{
	char name[16];

	for (int i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof name, "busy %d", i);
		stage->busy[i] = rig_lock_of(stage->client, name);
		ck_assert_int_eq(
			redlock_acquire(stage->busy[i], 0, outcome_take_freed, &stage->of_busy[i]),
			REDLOCK_OK);
	}
}

/* Returns whether an allocation failed. */
static bool play(const struct act *act, uint64_t skip, bool for_good)
{
	struct stage stage;
	bool failed;

	(void)faulty_mend(&faulty);
	open_stage(&stage, act);
	if (act->before) {
		act->before(&stage);
	}
	if (act->crowded) {
		crowd(&stage);
	}
	faulty_break(&faulty, skip, for_good);
	act->run(&stage);
	failed = faulty_mend(&faulty);
	if (act->after) {
		act->after(&stage);
	}
	close_stage(&stage);
	return failed;
}

static void rig_3_faulty(void)
{
	rig_open(3, NULL);
	for (size_t i = 0; i < 3; i++) {
		server_make_old(&rig.servers.at[i]); /* All three grant a fencing token. */
	}
	allocator = faulty_allocator(&faulty);
	rig.options.allocator = &allocator;
	rig.options.reconnect_min_ms = rig.options.reconnect_max_ms = 10;
}

START_TEST(an_operation_that_runs_out_of_memory_ends_once_and_leaves_nothing)
{
	const struct act *act = &acts[_i];

	for (int for_good = 0; for_good < 2; for_good++) {
		uint64_t skip = 0;

		while (play(act, skip, for_good)) {
			skip++;
			ck_assert_msg(skip < 1000, "%s", act->name);
		}
		ck_assert_msg(skip > 0 || act->frugal, "%s: takes no memory", act->name);
	}
}
END_TEST

/* From the first byte of a client to the end of its log-in. */
static bool begin_short(uint64_t skip, bool for_good)
{
	struct redlock_client *client = NULL;
	const char *urls[] = {rig.urls[0], rig.urls[1], rig.urls[2]};
	struct redlock_error error = {0};
	bool failed;
	int rv;

	faulty_break(&faulty, skip, for_good);
	rv = redlock_client_new(&client, &rig.loop, urls, 3, &rig.options, &error);
	if (rv) {
		ck_assert_int_eq(rv, REDLOCK_ENOMEM);
		ck_assert_str_eq(error.text, "out of memory");
		ck_assert_ptr_null(client);
	}
	for (int i = 0; client && i < 50 && !faulty.failed; i++) {
		loop_run_ms(&rig.loop, 20);
	}
	failed = faulty_mend(&faulty);
	if (client) {
		expect_works(client);
		close_sync(&rig.loop, client);
	}
	ck_assert_uint_eq(faulty.in_use, 0);
	return failed;
}

START_TEST(a_client_that_begins_without_memory_comes_up_when_there_is_some)
{
	uint64_t skip = 0;

	/* By name: the resolver takes memory too. */
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://localhost:%u",
			       rig.servers.at[i].port);
	}
	while (begin_short(skip, _i == 1)) {
		skip++;
		ck_assert_uint_lt(skip, 1000);
	}
	ck_assert_uint_gt(skip, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shortage");
	TCase *tcase = rig_case(suite, "every allocation", rig_3_faulty);

	tcase_add_loop_test(tcase,
			    an_operation_that_runs_out_of_memory_ends_once_and_leaves_nothing, 0,
			    (int)act_count);
	tcase_add_loop_test(tcase, a_client_that_begins_without_memory_comes_up_when_there_is_some,
			    0, 2);
	return rig_run(suite);
}
