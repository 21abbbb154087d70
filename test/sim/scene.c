/* scene.c - runs all scenes, each in a world of its own. */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim *sim;
struct sim_client *alice, *bob;

void scene_new(unsigned nodes)
{
	sim = sim_new(nodes, 1);
	snprintf(sim->label, sizeof sim->label, "scene");
}

struct sim_client *scene_client(void)
{
	struct sim_client *client = sim_client_new(sim);

	rlk_cluster_start(&client->cluster);
	sim_client_wake(client);
	return client;
}

void scene_enter(void)
{
	alice = scene_client();
	bob = scene_client();
	sim_run(sim, 10 * MS);
}

void scene(unsigned nodes)
{
	scene_new(nodes);
	scene_enter();
}

void scene_in_pauses(unsigned nodes)
{
	scene_new(nodes);
	sim->config.in_pauses = true;
	scene_enter();
}

struct sim_lock *scene_lock(struct sim_client *client)
{
	return sim_lock_new(client, JOB, NULL);
}

struct sim_lock *scene_fenced(struct sim_client *client)
{
	return sim_lock_new(
		client, JOB,
		&(struct rlk_lock_config){.ttl_ms = 10000, .at_risk_ms = 3333, .fence = true});
}

struct sim_lock *scene_renewed(struct sim_client *client)
{
	return sim_lock_new(
		client, JOB,
		&(struct rlk_lock_config){.ttl_ms = 10000, .at_risk_ms = 3333, .auto_renew = true});
}

struct sim_lock *scene_lock_ttl(struct sim_client *client, uint32_t ttl_ms)
{
	return sim_lock_new(client, JOB,
			    &(struct rlk_lock_config){.ttl_ms = ttl_ms, .at_risk_ms = ttl_ms / 3});
}

struct sim_lock *scene_lock_token(struct sim_client *client, const char *token)
{
	struct rlk_lock_config config = {.ttl_ms = 10000, .at_risk_ms = 3333};

	config.token = token;
	config.token_len = (uint8_t)strlen(token);
	return sim_lock_new(client, JOB, &config);
}

void scene_slow_answers(uint64_t first_us, uint64_t step_us)
{
	unsigned i;

	for (i = 0; i < sim->node_count; i++) {
		alice->from_us[i] = first_us + i * step_us;
	}
}

unsigned scene_keys(void)
{
	unsigned i, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		n += sim_key(sim, i, JOB) != NULL;
	}
	return n;
}

unsigned scene_votes(const struct sim_lock *lock, enum redlock_vote vote)
{
	unsigned i, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		n += lock->core->ballots[i].vote == vote;
	}
	return n;
}

uint64_t scene_until_us(const struct sim_lock *lock)
{
	return atomic_load(&lock->core->valid_until_us);
}

static void leave(void)
{
	if (sim != NULL) {
		sim_end(sim); /* Fails on what was left behind, and on promises not kept. */
	}
	sim = NULL;
}

unsigned scene_asked_in_all(enum rlk_op op)
{
	unsigned i, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		n += sim->servers[i].asked[op];
	}
	return n;
}

unsigned scene_asked_anything(void)
{
	unsigned op, n = 0;

	for (op = 0; op <= RLK_OP_INSPECT; op++) {
		n += scene_asked_in_all((enum rlk_op)op);
	}
	return n;
}

struct sim_lock *scene_waiting(struct sim_lock *lock)
{
	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	return lock;
}

struct sim_lock *scene_holding(struct sim_lock *lock)
{
	ck_assert_int_eq(sim_acquired(lock, 0), REDLOCK_OK);
	return lock;
}

static void add(Suite *suite, const char *name, void (*add_tests)(TCase *tcase))
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, NULL, leave);
	add_tests(tcase);
	suite_add_tcase(suite, tcase);
}

#define SCENE_ADD(name) add(suite, #name, add_##name);

/* How many tickets there are for JOB, on all nodes. */
unsigned scene_tickets(void)
{
	unsigned i, j, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		for (j = 0; j < SIM_KEYS_MAX; j++) {
			const struct sim_key *key = &sim->servers[i].data.keys[j];
			n += strncmp(key->name, JOB, sizeof JOB) == 0 ? key->places : 0;
		}
	}
	return n;
}

/* A lock of that client's, which stands in line on every node. */
struct sim_lock *scene_in_line(struct sim_lock *lock)
{
	unsigned before = scene_tickets();

	ck_assert_int_eq(sim_acquire(lock, REDLOCK_WAIT_FOREVER), 0);
	sim_run(sim, 40 * MS);
	ck_assert_int_eq(lock->core->state, RLK_WAITING);
	ck_assert_uint_eq(scene_tickets(), before + sim->node_count);
	return lock;
}

/* Until it has the lease, in the world's time. */
uint64_t scene_until_had_us(struct sim_lock *lock)
{
	uint64_t start_us = sim->now_us;

	while (!sim_held(lock) && sim->now_us < start_us + 60 * S && sim_step(sim)) {
	}
	ck_assert(sim_held(lock));
	return sim->now_us - start_us;
}

int main(void)
{
	Suite *suite = suite_create("scenes");
	SRunner *runner = srunner_create(suite);
	int failed;

	SCENES(SCENE_ADD)
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
