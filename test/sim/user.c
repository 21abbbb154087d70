/* user.c - locks as a program uses them, with a note of every promise that is open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

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
	static const char *const names[] = {"acquired", "extended", "at risk", "lost", "released"};
	struct sim_lock *lock = body_of(core)->lock;

	sim_note(lock->client->sim, "client %u on %s (lock %u) is told: %s, %s",
		 lock->client->index, lock->resource, lock->no, names[news],
		 redlock_strerror(status));
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
	sim_judge(lock->client); /* Its lease has ended, or now. */
	lock->core = NULL;
	free(body);
	if (lock->prev_live != NULL) {
		lock->prev_live->next_live = lock->next_live;
	} else {
		lock->client->locks = lock->next_live;
	}
	if (lock->next_live != NULL) {
		lock->next_live->prev_live = lock->prev_live;
	}
	lock->client->lock_count--;
	if (lock->client->stopped) {
		sim_client_finish(lock->client);
	}
}

static const struct rlk_lock_user the_user = {tell, gone};

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

/* They have to be in order. */
static struct rlk_name *name_of_all(struct sim_client *client, const char *const *resources,
				    unsigned count)
{
	struct rlk_name *name;
	size_t len = 0;
	unsigned i;
	char *at;

	for (i = 0; i < count; i++) {
		len += RLK_PART_HEAD + strlen(resources[i]);
	}
	name = client->cluster.ports->alloc(client, sizeof *name + len + 1);
	if (name != NULL) {
		name->refs = 1;
		name->len = len;
		name->several = (uint8_t)count;
		for (at = name->bytes, i = 0; i < count; i++) {
			at = rlk_part_begin(at, strlen(resources[i]));
			at = memcpy(at, resources[i], strlen(resources[i]));
			at += strlen(resources[i]);
		}
	}
	return name;
}

static void describe(struct sim_lock *lock, const char *const *resources, unsigned count)
{
	size_t n = 0;
	unsigned i;

	lock->about_count = count;
	for (i = 0; i < count; i++) {
		lock->about[i] = sim_resource(lock->client->sim, resources[i]);
		n += (size_t)snprintf(lock->resource + n, sizeof lock->resource - n, "%s%s",
				      i > 0 ? " and " : "", resources[i]);
	}
}

struct sim_lock *sim_lock_new(struct sim_client *client, const char *resource,
			      const struct rlk_lock_config *config)
{
	return sim_lock_new_all(client, &resource, 1, config);
}

struct sim_lock *sim_lock_new_all(struct sim_client *client, const char *const *resources,
				  unsigned count, const struct rlk_lock_config *config)
{
	struct sim_lock *lock = sim_alloc(sizeof *lock);
	static const struct rlk_lock_config fallback = {.ttl_ms = 10000, .at_risk_ms = 3333};
	size_t token_len = config != NULL ? config->token_len : 0;
	struct body *body = sim_alloc(offsetof(struct body, core) +
				      rlk_lock_size(client->cluster.node_count, token_len));
	struct rlk_name *name =
		count == 1 ? name_of(client, resources[0]) : name_of_all(client, resources, count);

	if (name == NULL) { /* As redlock_lock_new() would say. */
		free(body);
		free(lock);
		return NULL;
	}
	lock->client = client;
	lock->core = &body->core;
	describe(lock, resources, count);
	body->lock = lock;
	rlk_lock_init(&body->core, &client->cluster, name, config != NULL ? config : &fallback,
		      &the_user);
	client->lock_count++;
	lock->next = client->sim->locks;
	lock->no = lock->next == NULL ? 0 : lock->next->no + 1;
	client->sim->locks = lock;
	lock->next_live = client->locks;
	if (client->locks != NULL) {
		client->locks->prev_live = lock;
	}
	client->locks = lock;
	return lock;
}

static void say(const struct sim_lock *lock, const char *what)
{
	sim_note(lock->client->sim, "client %u %s %s (lock %u)", lock->client->index, what,
		 lock->resource, lock->no);
}

/* What a call may have caused is the loop's business. */
static int started(struct sim_lock *lock, int status)
{
	if (status != 0) {
		sim_note(lock->client->sim, "client %u may not (lock %u): %s", lock->client->index,
			 lock->no, redlock_strerror(status));
	}
	sim_judge(lock->client);
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
	int status;

	say(lock, wait_ms == 0		  ? "tries once for"
		  : wait_ms == UINT64_MAX ? "waits for ever for"
					  : "waits a while for");
	status = rlk_lock_acquire(lock->core, wait_ms);

	expect(lock, RLK_ACQUIRED, status);
	if (status == 0) {
		sim_rules_asked(lock, wait_ms);
		lock->held_since_asked = false;
		lock->endless = wait_ms == UINT64_MAX;
	}
	return started(lock, status);
}

int sim_extend(struct sim_lock *lock)
{
	int status;

	say(lock, "extends");
	sim_nodes_believed(lock);
	status = rlk_lock_extend(lock->core);
	expect(lock, RLK_EXTENDED, status);
	return started(lock, status);
}

int sim_release(struct sim_lock *lock, bool tell_me)
{
	int status;

	say(lock, "releases");
	sim_nodes_believed(lock);
	status = rlk_lock_release(lock->core, tell_me);
	if (tell_me) {
		expect(lock, RLK_RELEASED, status);
	}
	if (status == 0) {
		sim_rules_let_go(lock);
	}
	if (status == 0 && sim_held(lock)) {
		sim_fail(lock->client->sim, "held after the release was asked for");
	}
	return started(lock, status);
}

int sim_cancel(struct sim_lock *lock)
{
	say(lock, "stops waiting for");
	return started(lock, rlk_lock_cancel(lock->core));
}

void sim_lock_free(struct sim_lock *lock)
{
	struct sim_client *client = lock->client;

	say(lock, "frees its lock on");
	lock->freed = true;
	sim_nodes_believed(lock);
	sim_rules_let_go(lock);
	rlk_lock_free(lock->core);
	sim_judge(client);
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

	if (closed != survey->client->closing) {
		sim_fail(survey->client->sim, "a survey is wrong about whether it was closed");
	}
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
