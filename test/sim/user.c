/* user.c - locks as a program uses them, with a note of every promise that is open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define LIMIT_US UINT64_C(300000000)

/* The core's memory goes when it says so; what the tests look at stays. */
struct body {
	struct sim_lock *lock;
	struct rlk_lock core; /* Last: it ends in an array. */
};

static struct body *body_of(struct rlk_lock *core)
{
	return (struct body *)((char *)core - offsetof(struct body, core));
}

static void tell(struct rlk_lock *core, enum rlk_news news, int status)
{
	struct sim_lock *lock = body_of(core)->lock;

	sim_note(lock->client->sim, "client %u on %s is told %d: %d", lock->client->index,
		 lock->resource, (int)news, status);
	lock->told[news]++;
	lock->status[news] = status;
	lock->told_us[news] = sim_client_now(lock->client);
	sim_judge_told(lock, news, status);
	if (lock->on_tell != NULL) {
		lock->on_tell(lock, news, status);
	}
}

static void gone(struct rlk_lock *core)
{
	struct body *body = body_of(core);
	struct sim_lock *lock = body->lock;

	if (!lock->freed) {
		sim_fail(lock->client->sim, "a lock is gone that nobody has freed");
	}
	lock->core = NULL;
	free(body);
	lock->client->lock_count--;
	if (lock->client->stopped) {
		sim_client_finish(lock->client);
	}
}

static struct rlk_name *name_of(struct sim_client *client, const char *resource)
{
	struct rlk_name *name =
		client->cluster.ports->alloc(client, sizeof *name + strlen(resource) + 1);

	if (name != NULL) {
		name->refs = 1;
		name->len = strlen(resource);
		memcpy(name->bytes, resource, name->len + 1);
	}
	return name;
}

struct sim_lock *sim_lock_new(struct sim_client *client, const char *resource,
			      const struct rlk_lock_config *config)
{
	struct sim_lock *lock = sim_alloc(sizeof *lock);
	struct body *body =
		sim_alloc(offsetof(struct body, core) + rlk_lock_size(client->cluster.node_count));
	struct rlk_name *name = name_of(client, resource);
	struct rlk_lock_config fallback = {.ttl_ms = 10000, .at_risk_ms = 3333};

	if (name == NULL) { /* As redlock_lock_new() would say. */
		free(body);
		free(lock);
		return NULL;
	}
	lock->client = client;
	lock->core = &body->core;
	snprintf(lock->resource, sizeof lock->resource, "%s", resource);
	body->lock = lock;
	rlk_lock_init(&body->core, &client->cluster, name, config != NULL ? config : &fallback,
		      tell, gone);
	client->lock_count++;
	lock->next = client->sim->locks;
	client->sim->locks = lock;
	return lock;
}

/* What a call may have caused is the loop's business. */
static int started(struct sim_lock *lock, int status)
{
	sim_judge(lock->client->sim);
	sim_client_wake(lock->client);
	return status;
}

static void expect(struct sim_lock *lock, enum rlk_news news, int status)
{
	if (status == 0) {
		lock->pending[news]++;
	}
}

int sim_acquire(struct sim_lock *lock, uint64_t wait_ms)
{
	int status = rlk_lock_acquire(lock->core, wait_ms);

	expect(lock, RLK_ACQUIRED, status);
	if (status == 0) {
		lock->held_since_asked = false;
	}
	return started(lock, status);
}

int sim_extend(struct sim_lock *lock)
{
	int status = rlk_lock_extend(lock->core);

	expect(lock, RLK_EXTENDED, status);
	return started(lock, status);
}

int sim_release(struct sim_lock *lock, bool tell_me)
{
	int status = rlk_lock_release(lock->core, tell_me);

	if (tell_me) {
		expect(lock, RLK_RELEASED, status);
	}
	if (status == 0 && sim_held(lock)) {
		sim_fail(lock->client->sim, "held after the release was asked for");
	}
	return started(lock, status);
}

int sim_cancel(struct sim_lock *lock)
{
	return started(lock, rlk_lock_cancel(lock->core));
}

void sim_lock_free(struct sim_lock *lock)
{
	struct sim_client *client = lock->client;

	lock->freed = true;
	rlk_lock_free(lock->core);
	sim_judge(client->sim);
	sim_client_wake(client);
}

bool sim_held(const struct sim_lock *lock)
{
	return lock->core != NULL &&
	       sim_client_now(lock->client) < atomic_load(&lock->core->valid_until_us);
}

uint64_t sim_fence(const struct sim_lock *lock)
{
	return sim_held(lock) ? lock->core->attempt->fence : 0;
}

/* ---- As if they blocked ---------------------------------------------------------------------- */

int sim_heard(struct sim_lock *lock, enum rlk_news news)
{
	struct sim *sim = lock->client->sim;
	uint64_t limit_us = sim->now_us + LIMIT_US;
	unsigned before = lock->told[news];

	while (lock->told[news] == before && sim->now_us < limit_us && sim_step(sim)) {
	}
	return lock->told[news] == before ? -100 : lock->status[news];
}

int sim_acquired(struct sim_lock *lock, uint64_t wait_ms)
{
	int status = sim_acquire(lock, wait_ms);
	return status != 0 ? status : sim_heard(lock, RLK_ACQUIRED);
}

int sim_extended(struct sim_lock *lock)
{
	int status = sim_extend(lock);
	return status != 0 ? status : sim_heard(lock, RLK_EXTENDED);
}

int sim_released(struct sim_lock *lock)
{
	int status = sim_release(lock, true);
	return status != 0 ? status : sim_heard(lock, RLK_RELEASED);
}

/* ---- Surveys --------------------------------------------------------------------------------- */

struct survey {
	struct sim_client *client;
	unsigned told;
	struct rlk_survey core;
};

static struct survey *survey_of(struct rlk_survey *core)
{
	return (struct survey *)((char *)core - offsetof(struct survey, core));
}

static void survey_done(struct rlk_survey *core, bool closed)
{
	struct survey *survey = survey_of(core);

	ck_assert_int_eq(closed, survey->client->closing);
	survey->told++;
}

static void survey_gone(struct rlk_survey *core)
{
	struct survey *survey = survey_of(core);
	struct sim *sim = survey->client->sim;

	if (survey->told != 1) {
		sim_fail(sim, "a survey was told %u times", survey->told);
	}
	sim->surveys--;
	free(survey);
}

void sim_survey(struct sim_client *client, const char *resource)
{
	struct survey *survey = sim_alloc(offsetof(struct survey, core) +
					  rlk_survey_size(client->cluster.node_count));
	struct rlk_name *name = resource == NULL ? NULL : name_of(client, resource);

	survey->client = client;
	survey->core.done = survey_done;
	survey->core.gone = survey_gone;
	client->sim->surveys++;
	rlk_survey_start(&survey->core, &client->cluster, name);
	sim_client_wake(client);
}
