/* ears.c - listening to the nodes, so that they can call.
 *
 * On a connection of its own for each node, opened when somebody wants to stand
 * in line for the first time, and again whenever it breaks. While it is not
 * there the node cannot call, so nobody stands in line there; and what it called
 * before it was there has to be asked for. */
#include "line.h"

#include <stdio.h>

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"
#include "pace.h"

/* A node that had too much to do to be joined is tried again after this. */
#define JOIN_AGAIN_US 100000

bool rlk_node_may_call(const struct rlk_node *node, uint64_t now_us)
{
	return node->state == RLK_UP && !node->suspect && !node->barred &&
	       node->ear == RLK_EAR_OPEN && node->no_line_until_us <= now_us &&
	       !rlk_node_guarded(node, now_us);
}

void rlk_node_listen(struct rlk_node *node)
{
	struct rlk_cluster *cluster = node->cluster;

	if (cluster->listening && node->state == RLK_UP && node->ear == RLK_EAR_CLOSED &&
	    node->listen_us == RLK_NEVER && !node->barred && !cluster->closing) {
		node->ear = RLK_EAR_OPENING;
		cluster->ports->listen(cluster->world, node->index);
	}
}

void rlk_cluster_listen(struct rlk_cluster *cluster)
{
	unsigned i;

	if (cluster->listening) {
		return;
	}
	cluster->listening = true;
	for (i = 0; i < cluster->node_count; i++) {
		rlk_node_listen(&cluster->nodes[i]);
	}
}

void rlk_node_deaf(struct rlk_node *node, bool for_good, const char *why)
{
	rlk_trace(node->cluster, "node %u: does not call: %s", node->index + 1,
		  why != NULL ? why : "connection lost");
	snprintf(node->no_line_why, sizeof node->no_line_why, "%s", why != NULL ? why : "");
	node->ear = for_good ? RLK_EAR_REFUSED : RLK_EAR_CLOSED;
	if (!for_good) {
		node->listen_us =
			rlk_later(rlk_now(node->cluster),
				  rlk_retry_pause_us(&node->listen, &node->cluster->random));
		rlk_node_wake_by(node, node->listen_us);
	}
}

unsigned rlk_cluster_callers(const struct rlk_cluster *cluster)
{
	uint64_t now_us = rlk_now(cluster);
	unsigned i, n = 0;

	for (i = 0; i < cluster->node_count; i++) {
		n += rlk_node_may_call(&cluster->nodes[i], now_us);
	}
	return n;
}

static void join(struct rlk_node *node, uint64_t now_us)
{
	struct rlk_lock *lock;

	for (lock = node->cluster->locks; lock != NULL; lock = lock->next) {
		if (lock->state == RLK_WAITING && !rlk_pace_hold(lock)) {
			rlk_lock_join_at(lock, node, now_us);
		}
	}
}

void rlk_node_left_out(struct rlk_node *node, uint64_t now_us)
{
	if (node->join_us == RLK_NEVER) {
		node->join_us = rlk_later(now_us, JOIN_AGAIN_US);
		rlk_node_wake_by(node, node->join_us);
	}
}

void rlk_node_join_left_out(struct rlk_node *node, uint64_t now_us)
{
	struct rlk_lock *lock;

	node->join_us = RLK_NEVER;
	if (!rlk_node_may_call(node, now_us)) {
		node->unjoined |= node->suspect; /* Else all join when it is up again. */
		return;
	}
	for (lock = node->cluster->locks; lock != NULL; lock = lock->next) {
		if (lock->state == RLK_WAITING && lock->ballots[node->index].left_out &&
		    !lock->paced) {
			rlk_lock_join_at(lock, node, now_us);
		}
	}
}

void rlk_node_listens(struct rlk_node *node)
{
	node->ear = RLK_EAR_OPEN;
	node->no_line_why[0] = '\0';
	rlk_retry_reset(&node->listen);
	/* Not asked before it answers again; and what it answers then may be older than this. */
	node->unjoined = node->suspect;
	/* What it called before was not heard. */
	if (!RLK_MUTANT(LINE_NOT_AGAIN)) {
		join(node, rlk_now(node->cluster));
	}
}
