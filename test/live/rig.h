/* rig.h - what every live test stands on: servers, a loop, a client, and their end.
 *
 * There is one rig for each test (Check runs every test in a process of its
 * own). At its end the client is closed, no handle may be left on the loop, and
 * no key but a stranger's on any server that runs. */
#ifndef REDLOCK_TEST_RIG_H
#define REDLOCK_TEST_RIG_H

#include "loop.h"
#include "proxy.h"
#include "servers.h"

#include <check.h>
#include <redlock/redlock.h>

struct rig {
	uv_loop_t loop;
	struct servers servers;
	struct proxy *proxies[SERVERS_MAX];
	char urls[SERVERS_MAX][256];	/* Of clients opened from now on. */
	struct redlock_options options; /* The same. No guard, a TTL of a minute. */
	struct redlock_client *client;	/* Closed by rig_close(). */
};

extern struct rig rig;

/* Servers and the loop, but no client yet. @options may be NULL. */
void rig_open(size_t nodes, const struct server_options *options);
/* Put a proxy in front of a node, for clients opened from now on. */
struct proxy *rig_proxy(size_t node);
/* Open rig.client, and wait until it is connected to all servers that run. */
void rig_connect(void);
void rig_close(void);

/* Fixtures: so many nodes, and rig.client connected to them. */
void rig_1(void);
void rig_2(void);
void rig_3(void);
void rig_4(void);
void rig_5(void);

/* One more client, at once, or connected. The test closes it. */
struct redlock_client *rig_client(void);
struct redlock_client *rig_connected_client(void);
/* Wait until @count nodes of @client are up and their votes count. */
void rig_wait_up(struct redlock_client *client, size_t count);
/* The same, whether their votes count or not. */
void rig_wait_connected(struct redlock_client *client, size_t count);

/* A lock of rig.client with its options' TTL. The test frees it. */
struct redlock_lock *rig_lock(const char *name);
struct redlock_lock *rig_lock_of(struct redlock_client *client, const char *name);
struct redlock_lock *rig_lock_with(struct redlock_client *client, const char *name,
				   const struct redlock_lock_options *options);
/* A lock with a TTL of its own. */
struct redlock_lock *rig_lock_for(const char *name, uint32_t ttl_ms);

/* A stranger takes (or changes) @key on a node; for ever, or for @ttl_ms. */
void rig_stranger(size_t node, const char *key);
void rig_stranger_for(size_t node, const char *key, unsigned ttl_ms);
/* Do so many of the nodes that run have @key with @value? NULL: not have it? */
size_t rig_count(const char *key, const char *value);
/* Run until no node that runs has @key; or all have it with @value; or a quorum has. */
void rig_until_gone(const char *key);
void rig_until_everywhere(const char *key, const char *value);
void rig_until_quorum(const char *key, const char *value);

void rig_acquire(struct redlock_lock *lock);
void rig_release(struct redlock_lock *lock);
/* Copy the token of a held lock. */
void rig_token(const struct redlock_lock *lock, char *token, size_t size);

/* Run a suite in a sandbox; for main() to return. */
int rig_run(Suite *suite);

/* Add a test under its own name, in a case of its own fixture. */
#define RIG_CASE_SECONDS 60
TCase *rig_case(Suite *suite, const char *name, SFun setup);

#endif
