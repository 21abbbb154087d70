/* rig.c - servers, a loop and a client for one live test. */
#include "rig.h"

#include "sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* Leases outlive the deadline of a wait: a key that is left behind cannot expire unseen. */
#define LONG_TTL_MS 60000
/* A busy machine is no silent node. */
#define PATIENT_MS 1500

struct rig rig;

/* ---- Life ------------------------------------------------------------------------------------ */

void rig_open(size_t nodes, const struct server_options *options)
{
	memset(&rig, 0, sizeof rig);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* A test goes with the runner that forked it. */
	servers_start(&rig.servers, nodes, options);
	ck_assert_int_eq(uv_loop_init(&rig.loop), 0);
	redlock_options_init(&rig.options);
	rig.options.guard = REDLOCK_GUARD_OFF;
	rig.options.ttl_ms = LONG_TTL_MS;
	rig.options.node_timeout_ms = PATIENT_MS;
	rig.options.reconnect_max_ms = 200;
	for (size_t i = 0; i < nodes; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://%s",
			       rig.servers.at[i].address);
	}
}

struct proxy *rig_proxy(size_t node)
{
	rig.proxies[node] = proxy_new(rig.servers.at[node].port);
	(void)snprintf(rig.urls[node], sizeof rig.urls[node], "redis://127.0.0.1:%u",
		       proxy_port(rig.proxies[node]));
	return rig.proxies[node];
}

static bool answers(const struct server *server)
{
	return server->pid && !server->stopped;
}

static size_t count_running(void)
{
	size_t count = 0;

	for (size_t i = 0; i < rig.servers.count; i++) {
		count += answers(&rig.servers.at[i]);
	}
	return count;
}

void rig_connect(void)
{
	rig.client = rig_connected_client();
}

static bool is_clean(void *server)
{
	return server_leftovers(server) == 0;
}

void rig_close(void)
{
	if (rig.client) {
		close_sync(&rig.loop, rig.client);
	}
	for (size_t i = 0; i < rig.servers.count; i++) {
		struct server *server = &rig.servers.at[i];

		if (answers(server)) {
			loop_until(&rig.loop, is_clean, server, "no key is left behind");
		}
		if (rig.proxies[i]) {
			proxy_free(rig.proxies[i]);
		}
	}
	loop_finish(&rig.loop);
	servers_finish(&rig.servers);
}

static void open_and_connect(size_t nodes)
{
	rig_open(nodes, NULL);
	rig_connect();
}

void rig_1(void)
{
	open_and_connect(1);
}

void rig_2(void)
{
	open_and_connect(2);
}

void rig_3(void)
{
	open_and_connect(3);
}

void rig_4(void)
{
	open_and_connect(4);
}

void rig_5(void)
{
	open_and_connect(5);
}

/* ---- Clients --------------------------------------------------------------------------------- */

struct redlock_client *rig_client(void)
{
	struct redlock_client *client = NULL;
	const char *urls[SERVERS_MAX];
	struct redlock_error error;
	int rv;

	for (size_t i = 0; i < rig.servers.count; i++) {
		urls[i] = rig.urls[i];
	}
	rv = redlock_client_new(&client, &rig.loop, urls, rig.servers.count, &rig.options, &error);
	ck_assert_msg(rv == 0, "%s: %s", redlock_status_name(rv), error.text);
	ck_assert_uint_eq(redlock_client_node_count(client), rig.servers.count);
	return client;
}

struct redlock_client *rig_connected_client(void)
{
	struct redlock_client *client = rig_client();

	rig_wait_up(client, count_running());
	return client;
}

struct look {
	struct redlock_client *client;
	size_t wanted, up;
	bool guarded_too, done;
};

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	struct look *look = data;

	(void)client;
	ck_assert_int_eq(status, REDLOCK_OK);
	look->up = 0;
	for (size_t i = 0; i < inspection->node_count; i++) {
		const struct redlock_node_status *node = &inspection->nodes[i];

		look->up += node->state == REDLOCK_NODE_UP &&
			    (look->guarded_too || node->guard_ms == 0);
	}
	look->done = true;
}

static bool enough_are_up(void *data)
{
	struct look *look = data;

	look->done = false;
	ck_assert_int_eq(redlock_inspect(look->client, NULL, 0, on_inspected, look), REDLOCK_OK);
	loop_wait(&rig.loop, &look->done);
	return look->up >= look->wanted;
}

void rig_wait_up(struct redlock_client *client, size_t count)
{
	struct look look = {.client = client, .wanted = count};

	loop_until(&rig.loop, enough_are_up, &look, "the nodes are up");
}

void rig_wait_connected(struct redlock_client *client, size_t count)
{
	struct look look = {.client = client, .wanted = count, .guarded_too = true};

	loop_until(&rig.loop, enough_are_up, &look, "the nodes are connected");
}

/* ---- Locks ----------------------------------------------------------------------------------- */

struct redlock_lock *rig_lock_with(struct redlock_client *client, const char *name,
				   const struct redlock_lock_options *options)
{
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(redlock_lock_new(&lock, client, name, strlen(name), options), REDLOCK_OK);
	ck_assert_ptr_nonnull(lock);
	return lock;
}

struct redlock_lock *rig_lock_of(struct redlock_client *client, const char *name)
{
	return rig_lock_with(client, name, NULL);
}

struct redlock_lock *rig_lock(const char *name)
{
	return rig_lock_of(rig.client, name);
}

struct redlock_lock *rig_lock_for(const char *name, uint32_t ttl_ms)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.ttl_ms = ttl_ms;
	return rig_lock_with(rig.client, name, &options);
}

void rig_acquire(struct redlock_lock *lock)
{
	struct outcome outcome;
	int status = acquire_sync(&rig.loop, lock, 0, &outcome);

	ck_assert_msg(status == REDLOCK_OK, "%s", redlock_status_name(status));
	ck_assert(outcome.held);
}

void rig_release(struct redlock_lock *lock)
{
	int status = release_sync(&rig.loop, lock, NULL);

	ck_assert_msg(status == REDLOCK_OK, "%s", redlock_status_name(status));
}

void rig_token(const struct redlock_lock *lock, char *token, size_t size)
{
	ck_assert_ptr_nonnull(redlock_lock_token(lock, NULL));
	(void)snprintf(token, size, "%s", redlock_lock_token(lock, NULL));
}

/* ---- Keys ------------------------------------------------------------------------------------ */

void rig_stranger(size_t node, const char *key)
{
	server_do(&rig.servers.at[node], "SET %s %s", key, STRANGER);
}

void rig_stranger_for(size_t node, const char *key, unsigned ttl_ms)
{
	server_do(&rig.servers.at[node], "SET %s %s PX %u", key, STRANGER, ttl_ms);
}

size_t rig_count(const char *key, const char *value)
{
	size_t count = 0;

	for (size_t i = 0; i < rig.servers.count; i++) {
		struct server *server = &rig.servers.at[i];

		count += answers(server) && server_has(server, key, value);
	}
	return count;
}

struct wanted {
	const char *key, *value;
};

static bool all_have(void *data)
{
	const struct wanted *wanted = data;

	return rig_count(wanted->key, wanted->value) == count_running();
}

void rig_until_gone(const char *key)
{
	rig_until_everywhere(key, NULL);
}

void rig_until_everywhere(const char *key, const char *value)
{
	struct wanted wanted = {key, value};

	loop_until(&rig.loop, all_have, &wanted, value ? "all have the key" : "the key is gone");
}

static bool a_quorum_has(void *data)
{
	const struct wanted *wanted = data;

	return rig_count(wanted->key, wanted->value) >= rig.servers.count / 2 + 1;
}

void rig_until_quorum(const char *key, const char *value)
{
	struct wanted wanted = {key, value};

	loop_until(&rig.loop, a_quorum_has, &wanted, "a quorum has the key");
}

/* ---- Run ------------------------------------------------------------------------------------- */

TCase *rig_case(Suite *suite, const char *name, SFun setup)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, RIG_CASE_SECONDS);
	tcase_add_checked_fixture(tcase, setup, rig_close);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int rig_run(Suite *suite)
{
	return sandbox_run(suite);
}
