/* stage.c - fixture of the cluster's tests. */
#include "stage.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CASE_SECONDS 180
/* A machine that is busy with containers is no silent node. */
#define PATIENT_MS 2000

struct stage stage;

/* ---- Locks ----------------------------------------------------------------------------------- */

struct redlock_lock *stage_lock_with(struct redlock_client *client,
				     const struct redlock_lock_options *options)
{
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(
		redlock_lock_new(&lock, client, stage.resource, strlen(stage.resource), options),
		REDLOCK_OK);
	return lock;
}

struct redlock_lock *stage_lock(struct redlock_client *client)
{
	return stage_lock_with(client, NULL);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

struct job {
	uv_work_t work;
	size_t node;
	enum fault fault;
	bool well, done;
};

static void do_fault(uv_work_t *work)
{
	struct job *job = work->data;

	job->well = node_fault(job->node, job->fault);
}

static void on_fault_done(uv_work_t *work, int status)
{
	struct job *job = work->data;

	ck_assert_int_eq(status, 0);
	job->done = true;
}

void stage_fault(size_t first, size_t last, enum fault fault)
{
	struct job jobs[NODES];

	for (size_t i = first; i <= last; i++) {
		jobs[i] = (struct job){.node = i, .fault = fault};
		jobs[i].work.data = &jobs[i];
		ck_assert_int_eq(uv_queue_work(&stage.loop, &jobs[i].work, do_fault, on_fault_done),
				 0);
	}
	for (size_t i = first; i <= last; i++) {
		loop_wait(&stage.loop, &jobs[i].done);
		ck_assert_msg(jobs[i].well, "docker refused to do this to node %zu", i + 1);
	}
}

/* ---- Waiting --------------------------------------------------------------------------------- */

struct survey {
	size_t votes;
	bool done;
};

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	struct survey *survey = data;

	(void)client;
	ck_assert_int_eq(status, REDLOCK_OK);
	for (size_t i = 0; i < inspection->node_count; i++) {
		const struct redlock_node_status *node = &inspection->nodes[i];

		survey->votes += node->state == REDLOCK_NODE_UP && node->guard_ms == 0;
	}
	survey->done = true;
}

struct votes {
	struct redlock_client *client;
	size_t count;
};

static bool votes_are(void *data)
{
	struct votes *votes = data;
	struct survey survey = {0};

	ck_assert_int_eq(redlock_inspect(votes->client, NULL, 0, on_inspected, &survey),
			 REDLOCK_OK);
	loop_wait(&stage.loop, &survey.done);
	return survey.votes == votes->count;
}

void stage_wait_votes(struct redlock_client *client, size_t count)
{
	struct votes votes = {client, count};

	loop_until(&stage.loop, votes_are, &votes, "so many nodes vote");
}

struct keys {
	size_t first, last;
	const char *token;
};

static bool keys_are(void *data)
{
	struct keys *keys = data;

	for (size_t i = keys->first; i <= keys->last; i++) {
		if (keys->token ? !node_has(i, stage.resource, keys->token)
				: node_pttl(i, stage.resource) != -2) {
			return false;
		}
	}
	return true;
}

void stage_wait_keys(size_t first, size_t last, const char *token)
{
	struct keys keys = {first, last, token};

	loop_until(&stage.loop, keys_are, &keys,
		   token ? "the nodes hold the key" : "no key is left behind");
}

/* ---- Fixture --------------------------------------------------------------------------------- */

static struct redlock_client *open_client(void)
{
	struct redlock_client *client = NULL;
	struct redlock_options options;
	struct redlock_error error;

	redlock_options_init(&options);
	options.ttl_ms = LONG_TTL_MS;
	options.node_timeout_ms = PATIENT_MS;
	options.reconnect_max_ms = 500;
	ck_assert_msg(redlock_client_new(&client, &stage.loop, nodes_urls(), NODES, &options,
					 &error) == REDLOCK_OK,
		      "%s", error.text);
	return client;
}

static void open_stage(void)
{
	ck_assert_msg(nodes_restore(), "the cluster is not sound");
	memset(&stage, 0, sizeof stage);
	(void)snprintf(stage.resource, sizeof stage.resource, "cluster-test:%ld", (long)getpid());
	ck_assert_int_eq(uv_loop_init(&stage.loop), 0);
	stage.alice = open_client();
	stage.bob = open_client();
	stage_wait_votes(stage.alice, NODES);
	stage_wait_votes(stage.bob, NODES);
}

static void close_stage(void)
{
	ck_assert_msg(nodes_restore(), "the cluster does not become sound again");
	stage_wait_keys(0, NODES - 1, NULL);
	close_sync(&stage.loop, stage.alice);
	close_sync(&stage.loop, stage.bob);
	loop_finish(&stage.loop);
}

/* Runs in Check's own process, so after a test that failed, crashed or hung as well. */
static void make_good(void)
{
	(void)nodes_restore();
}

void stage_case(Suite *suite, const TTest *test)
{
	TCase *tcase = tcase_create(test->name);

	tcase_set_timeout(tcase, CASE_SECONDS);
	tcase_add_unchecked_fixture(tcase, NULL, make_good);
	tcase_add_checked_fixture(tcase, open_stage, close_stage);
	tcase_add_test(tcase, test);
	suite_add_tcase(suite, tcase);
}
