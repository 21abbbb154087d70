/* ear.c - what the core is told of calls, noted on its way. */
#include "ear.h"

#include "loop.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct ear ear;
static uv_loop_t *loop; /* Of the client that was told to listen last. */

void __real_rlk_line_called(struct rlk_cluster *cluster, unsigned node,
			    const struct rlk_call *call);
void __real_rlk_node_listens(struct rlk_node *node);
void __real_rlk_node_deaf(struct rlk_node *node, bool for_good, const char *why);
void __wrap_rlk_line_called(struct rlk_cluster *cluster, unsigned node,
			    const struct rlk_call *call);
void __wrap_rlk_node_listens(struct rlk_node *node);
void __wrap_rlk_node_deaf(struct rlk_node *node, bool for_good, const char *why);

/* ---- Noting ---------------------------------------------------------------------------------- */

void __wrap_rlk_line_called(struct rlk_cluster *cluster, unsigned node, const struct rlk_call *call)
{
	if (ear.calls < EAR_CALLS_MAX) {
		ear.call[ear.calls] = *call;
	}
	ear.calls++;
	ear.node = node;
	__real_rlk_line_called(cluster, node, call);
	if (ear.on_call) {
		ear.on_call(cluster->world, node);
	}
}

void __wrap_rlk_node_listens(struct rlk_node *node)
{
	ear.listens++;
	__real_rlk_node_listens(node);
}

void __wrap_rlk_node_deaf(struct rlk_node *node, bool for_good, const char *why)
{
	/* Nothing that a server says may end a line of a log. */
	for (const char *at = why; at && *at; at++) {
		ck_assert_msg((unsigned char)*at >= ' ', "a control character in: %s", why);
	}
	ear.deaf++;
	ear.for_good += for_good;
	(void)snprintf(ear.why, sizeof ear.why, "%s", why ? why : "");
	__real_rlk_node_deaf(node, for_good, why);
	if (ear.on_deaf) {
		ear.on_deaf(node->cluster->world, node->index);
	}
}

/* ---- Doing ----------------------------------------------------------------------------------- */

void ear_open(struct redlock_client *client, unsigned node)
{
	ck_assert_int_eq(client->nodes[node].state, RLK_UP);
	loop = client->loop;
	client->nodes[node].ear = RLK_EAR_OPENING;
	client->cluster.ports->listen(client->cluster.world, node);
}

void ear_reset(void)
{
	memset(&ear, 0, sizeof ear);
}

static bool is_told(void *data)
{
	(void)data;
	return ear.listens + ear.deaf > 0;
}

void ear_wait(void)
{
	loop_until(loop, is_told, NULL, "the node listens, or not");
}

static bool has_heard(void *count)
{
	return ear.calls >= *(unsigned *)count;
}

void ear_wait_calls(unsigned count)
{
	loop_until(loop, has_heard, &count, "so many calls");
}

void ear_expect_listens(struct redlock_client *client, unsigned node)
{
	ear_reset();
	ear_open(client, node);
	ear_wait();
	ck_assert_msg(ear.listens == 1 && ear.deaf == 0, "deaf: %s", ear.why);
	ck_assert_int_eq(client->nodes[node].ear, RLK_EAR_OPEN);
}

void ear_expect_deaf(struct redlock_client *client, unsigned node, bool for_good, const char *why)
{
	ear_reset();
	ear_open(client, node);
	ck_assert_uint_eq(ear.deaf, 0); /* Later, never at once. */
	ear_wait();
	ck_assert_uint_eq(ear.listens, 0);
	ck_assert_uint_eq(ear.deaf, 1);
	ck_assert_msg(strstr(ear.why, why), "\"%s\" is not in \"%s\"", why, ear.why);
	ck_assert_msg(ear.for_good == for_good, "for good: %u: %s", ear.for_good, ear.why);
	ck_assert_int_eq(client->nodes[node].ear, for_good ? RLK_EAR_REFUSED : RLK_EAR_CLOSED);
}

const char *ear_channel(const struct redlock_client *client)
{
	static char channel[64];

	(void)snprintf(channel, sizeof channel, "redlock:wake:%s", client->cluster.caller);
	return channel;
}
