#include "condition.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "floor_connect.h"

#define NS_PER_MS 1000000ULL
#define STOP_PAUSE_MS 5

const char *const condition_names[LAB_CONDITIONS] = {
	[LAB_HEALTHY] = "healthy", [LAB_HUNG1] = "hung1", [LAB_HUNG2] = "hung2",
	[LAB_DEAD1] = "dead1",	   [LAB_SLOW1] = "slow1", [LAB_RTT] = "rtt",
};

/* ---- Choice ---------------------------------------------------------------------------------- */

static bool add_condition(struct condition_options *options, enum lab_condition condition)
{
	size_t i;

	for (i = 0; i < options->count; i++) {
		if (options->all[i] == condition) {
			return true;
		}
	}
	options->all[options->count++] = condition;
	return true;
}

static bool add_named(struct condition_options *options, const char *name, size_t len)
{
	int i;

	for (i = 0; i < LAB_CONDITIONS; i++) {
		if (strlen(condition_names[i]) == len &&
		    strncmp(condition_names[i], name, len) == 0) {
			return add_condition(options, (enum lab_condition)i);
		}
	}
	return false;
}

bool condition_options_take(struct condition_options *options, const char *names)
{
	size_t len;

	options->count = 0;
	add_condition(options, LAB_HEALTHY);
	for (;;) {
		len = strcspn(names, ",");
		if (!add_named(options, names, len)) {
			return false;
		}
		if (names[len] == '\0') {
			return true;
		}
		names += len + 1;
	}
}

size_t condition_silent(enum lab_condition condition)
{
	return condition == LAB_HUNG2 ? 2 : condition == LAB_HUNG1 || condition == LAB_DEAD1;
}

size_t condition_absent(enum lab_condition condition)
{
	return condition == LAB_DEAD1;
}

/* ---- Distance -------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

double condition_quorum_rtt_ms(const struct condition_options *options, size_t nodes)
{
	uint32_t rtt_ms[NODES_MAX];
	size_t i;

	if (options->rtt_count == 0 || nodes == 0) {
		return 0;
	}
	for (i = 0; i < nodes; i++) {
		rtt_ms[i] = options->rtt_ms[i % options->rtt_count];
	}
	qsort(rtt_ms, nodes, sizeof(rtt_ms[0]), ascending);
	return rtt_ms[nodes / 2];
}

static struct delay_plan distances(const struct condition_options *options,
				   enum lab_condition condition, size_t nodes)
{
	struct delay_plan plan = {.jitter_ns = options->jitter_ms * NS_PER_MS};
	size_t i;

	if (condition == LAB_SLOW1) {
		plan.rtt_ns[nodes - 1] = options->slow_ms * NS_PER_MS;
		return plan;
	}
	for (i = 0; i < nodes; i++) {
		plan.rtt_ns[i] = options->rtt_ms[i % options->rtt_count] * NS_PER_MS;
	}
	return plan;
}

/* The process of the proxy goes on with these when its parent has long left the function. */
static int open_proxy(struct conditions *conditions, enum lab_condition condition,
		      const struct nodes *nodes, char *why, size_t why_len)
{
	struct delay_proxy *proxy = &conditions->proxy[condition];
	struct delay_plan plan = distances(conditions->options, condition, nodes->count);

	if (delay_proxy_start(proxy, nodes, &plan, why, why_len) != 0) {
		return -1;
	}
	if (condition == LAB_RTT) {
		conditions->nodes[condition] = proxy->nodes;
	} else {
		/* The others are as near as ever. */
		conditions->nodes[condition].all[nodes->count - 1] =
			proxy->nodes.all[nodes->count - 1];
	}
	return 0;
}

int conditions_open(struct conditions *conditions, const struct condition_options *options,
		    const struct nodes *nodes, char *why, size_t why_len)
{
	size_t i;

	*conditions = (struct conditions){.options = options};
	for (i = 0; i < options->count; i++) {
		enum lab_condition condition = options->all[i];

		conditions->nodes[condition] = *nodes;
		if (condition != LAB_SLOW1 && condition != LAB_RTT) {
			continue;
		}
		if (open_proxy(conditions, condition, nodes, why, why_len) != 0) {
			conditions_close(conditions);
			return -1;
		}
	}
	return 0;
}

void conditions_close(struct conditions *conditions)
{
	int i;

	for (i = 0; i < LAB_CONDITIONS; i++) {
		delay_proxy_end(&conditions->proxy[i]);
	}
}

/* ---- What is done to servers ----------------------------------------------------------------- */

static void signal_silent(const struct servers *servers, enum lab_condition condition, int signo)
{
	size_t silent = condition_silent(condition);
	size_t i;

	for (i = 1; i <= silent; i++) {
		kill(servers->all[servers->count - i].pid, signo);
	}
}

void condition_impose(const struct servers *servers, enum lab_condition condition)
{
	struct timespec pause = {.tv_nsec = STOP_PAUSE_MS * (long)NS_PER_MS};

	signal_silent(servers, condition, condition == LAB_DEAD1 ? SIGKILL : SIGSTOP);
	if (condition_silent(condition) > 0) {
		nanosleep(&pause, NULL); /* They may have been on the other processor. */
	}
}

void condition_lift(const struct servers *servers, enum lab_condition condition)
{
	if (condition_absent(condition) == 0) {
		signal_silent(servers, condition, SIGCONT);
	}
}

/* What was on its way to a node that hung may have been carried out when its sender was gone. */
static bool empty(const struct server *server)
{
	static const char *const request[] = {"EVAL", "redis.call('flushall') return 'done'", "0"};
	struct nodes node = {0};
	char answer[16] = "";
	int fd;

	nodes_add_local(&node, server->port);
	fd = floor_connect(&node.all[0]);
	if (fd >= 0) {
		floor_ask(fd, request, 3, answer, sizeof(answer));
		close(fd);
	}
	return strcmp(answer, "done") == 0;
}

int condition_repair(struct servers *servers, enum lab_condition condition, char *why,
		     size_t why_len)
{
	size_t i;

	condition_lift(servers, condition);
	for (i = 0; i < condition_absent(condition); i++) {
		if (servers_restart(servers, servers->count - 1, why, why_len) != 0) {
			return -1;
		}
	}
	for (i = 1; i <= condition_silent(condition); i++) {
		if (!empty(&servers->all[servers->count - i])) {
			snprintf(why, why_len, "a server that hung does not answer again");
			return -1;
		}
	}
	return 0;
}
