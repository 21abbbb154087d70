/* nodes.c - the docker command line for faults, a connection of our own for facts. */
#include "nodes.h"

#include <check.h>
#include <hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define CONTAINER "libredlock-node%zu"
#define NETWORK "libredlock-nodes"
#define DEFAULT_NODES                                                                              \
	"redis://127.0.0.1:6401,redis://127.0.0.1:6402,redis://127.0.0.1:6403,"                    \
	"redis://127.0.0.1:6404,redis://127.0.0.1:6405"
#define DEFAULT_SUBNET "10.83.64"
#define ANSWER_SECONDS 5
#define RESTORE_TRIES 300
#define RESTORE_PAUSE_NS 200000000

static char list[1024];
static const char *urls[NODES];
static const char *subnet;

/* ---- Docker ---------------------------------------------------------------------------------- */

/* Run a shell command, quietly. */
__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
	char command[1024];
	va_list args;
	size_t used;

	va_start(args, format);
	(void)vsnprintf(command, sizeof command, format, args);
	va_end(args);
	used = strlen(command);
	(void)snprintf(command + used, sizeof command - used, " >/dev/null 2>&1");
	return system(command) == 0;
}

static bool reconnect(size_t node)
{
	return run("docker network connect --ip %s.%zu --alias node%zu " NETWORK " " CONTAINER,
		   subnet, node + 11, node + 1, node + 1);
}

bool node_fault(size_t node, enum fault fault)
{
	size_t number = node + 1;

	switch (fault) {
	case STOP:
		return run("docker stop --time 5 " CONTAINER, number);
	case KILL:
		return run("docker kill " CONTAINER, number);
	case START:
		return run("docker start " CONTAINER, number);
	case RESTART:
		return run("docker restart --time 5 " CONTAINER, number);
	case PAUSE:
		return run("docker pause " CONTAINER, number);
	case UNPAUSE:
		return run("docker unpause " CONTAINER, number);
	case DISCONNECT:
		return run("docker network disconnect " NETWORK " " CONTAINER, number);
	case RECONNECT:
		return reconnect(node);
	}
	return false;
}

bool nodes_find(void)
{
	const char *given = getenv("REDLOCK_CLUSTER_NODES");
	const char *given_subnet = getenv("REDLOCK_SUBNET");
	char *next = list;

	(void)snprintf(list, sizeof list, "%s", given ? given : DEFAULT_NODES);
	subnet = given_subnet ? given_subnet : DEFAULT_SUBNET;
	for (size_t i = 0; i < NODES; i++) {
		urls[i] = strtok_r(next, ", \n", &next);
		if (!urls[i] || !run("docker inspect " CONTAINER, i + 1)) {
			return false;
		}
	}
	return true;
}

const char *const *nodes_urls(void)
{
	return urls;
}

/* ---- What a node holds ----------------------------------------------------------------------- */

static redisContext *open_node(size_t node)
{
	struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	char host[64];
	unsigned port;
	redisContext *context;

	if (sscanf(urls[node], "redis://%63[^:]:%u", host, &port) != 2) {
		return NULL;
	}
	context = redisConnectWithTimeout(host, (int)port, patience);
	if (!context || context->err || redisSetTimeout(context, patience) != REDIS_OK) {
		redisFree(context);
		return NULL;
	}
	return context;
}

static redisReply *ask(size_t node, const char *command, const char *key)
{
	redisContext *context = open_node(node);
	redisReply *reply;

	ck_assert_msg(context != NULL, "node %zu cannot be reached", node + 1);
	reply = redisCommand(context, "%s %s", command, key);
	ck_assert_msg(reply != NULL, "node %zu: %s", node + 1, context->errstr);
	redisFree(context);
	return reply;
}

long long node_pttl(size_t node, const char *key)
{
	redisReply *reply = ask(node, "PTTL", key);
	long long pttl_ms;

	ck_assert_int_eq(reply->type, REDIS_REPLY_INTEGER);
	pttl_ms = reply->integer;
	freeReplyObject(reply);
	return pttl_ms;
}

bool node_has(size_t node, const char *key, const char *value)
{
	redisReply *reply = ask(node, "GET", key);
	bool has = reply->type == REDIS_REPLY_STRING && reply->len == strlen(value) &&
		   memcmp(reply->str, value, strlen(value)) == 0;

	freeReplyObject(reply);
	return has;
}

/* ---- Making good ----------------------------------------------------------------------------- */

static bool answers(size_t node)
{
	redisContext *context = open_node(node);
	redisReply *reply;
	bool pong;

	if (!context) {
		return false;
	}
	reply = redisCommand(context, "PING");
	pong = reply && reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "PONG") == 0;
	freeReplyObject(reply);
	redisFree(context);
	return pong;
}

static bool wait_until_all_answer(void)
{
	struct timespec pause = {.tv_nsec = RESTORE_PAUSE_NS};
	size_t node = 0;

	for (int tries = 0; tries < RESTORE_TRIES; tries++) {
		while (node < NODES && answers(node)) {
			node++;
		}
		if (node == NODES) {
			return true;
		}
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

/* One question for all five: most tests leave little to make good. */
static bool all_run_and_are_connected(void)
{
	return run("test \"$(docker inspect --format "
		   "'{{.State.Status}} {{len .NetworkSettings.Networks}}' "
		   "libredlock-node1 libredlock-node2 libredlock-node3 libredlock-node4 "
		   "libredlock-node5 | sort -u)\" = 'running 1'");
}

bool nodes_restore(void)
{
	if (all_run_and_are_connected()) {
		return wait_until_all_answer();
	}
	for (size_t i = 0; i < NODES; i++) {
		/* Each is refused where there is nothing to make good. */
		(void)node_fault(i, UNPAUSE);
		(void)node_fault(i, RECONNECT);
		(void)node_fault(i, START);
	}
	return wait_until_all_answer();
}
