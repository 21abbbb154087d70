/* stats.c - a client's counts, in the caller's terms. */
#include <string.h>

#include "client.h"
#include "core/lease.h"

_Static_assert(REDLOCK_RTT_BUCKETS == RLK_RTT_BUCKETS, "one histogram");

static void hand_out(void *to, size_t to_size, const void *from, size_t from_size)
{
	memset(to, 0, to_size);
	memcpy(to, from, to_size < from_size ? to_size : from_size);
}

static void count_locks(const struct rlk_cluster *cluster, struct redlock_stats *stats)
{
	uint64_t now_us = rlk_now(cluster);
	const struct rlk_lock *lock;

	for (lock = cluster->locks; lock != NULL; lock = lock->next) {
		stats->locks_now++;
		stats->held_now += atomic_load(&lock->valid_until_us) > now_us;
		stats->waiting_now += lock->state == RLK_ACQUIRING || lock->state == RLK_QUEUED ||
				      lock->state == RLK_WAITING || lock->state == RLK_PAUSING;
	}
}

int redlock_client_stats_sized(const struct redlock_client *client, struct redlock_stats *stats,
			       size_t size)
{
	const struct rlk_counts *counts;
	struct redlock_stats all;
	unsigned i;

	if (client == NULL || stats == NULL) {
		return REDLOCK_EINVAL;
	}
	counts = &client->cluster.counts;
	all = (struct redlock_stats){
		.attempts = counts->rounds,
		.grants = counts->grants,
		.refused_held = counts->refused_held,
		.refused_no_quorum = counts->refused_no_quorum,
		.refused_late = counts->refused_late,
		.waits_client = counts->waits[REDLOCK_WAY_CLIENT],
		.waits_line = counts->waits[REDLOCK_WAY_LINE],
		.waits_pauses = counts->waits[REDLOCK_WAY_PAUSES],
		.called = counts->called,
		.handed_on = counts->handed,
		.renewals = counts->renewals,
		.renewals_failed = counts->renewals_failed,
		.releases = counts->released,
		.losses = counts->lost,
	};
	count_locks(&client->cluster, &all);
	for (i = 0; i < client->cluster.node_count; i++) {
		all.debts_now += client->nodes[i].debt_count;
	}
	hand_out(stats, size, &all, sizeof all);
	return 0;
}

int redlock_client_node_stats_sized(const struct redlock_client *client, size_t index,
				    struct redlock_node_stats *stats, size_t size)
{
	const struct rlk_node *node;
	struct redlock_node_stats all;
	unsigned i;

	if (client == NULL || stats == NULL || index >= client->cluster.node_count) {
		return REDLOCK_EINVAL;
	}
	node = &client->nodes[index];
	all = (struct redlock_node_stats){
		.address = client->link[index].url.address,
		.state = rlk_node_state_of(node),
		.requests = node->counts.asked,
		.errors = node->counts.errors,
		.timeouts = node->counts.silences,
		.late_replies = node->counts.late,
		.connects = node->counts.ups,
		.disconnects = node->counts.downs,
		.in_flight_now = node->in_flight,
		.debts_now = node->debt_count,
		.guard_now_ms = rlk_until(node->guard_until_us, rlk_now(node->cluster)) / 1000,
		.rtt_sum_us = node->counts.rtt_sum_us,
	};
	memcpy(all.rtt, node->counts.rtt, sizeof all.rtt);
	for (i = 0; i < REDLOCK_RTT_BUCKETS; i++) {
		all.replies += all.rtt[i];
	}
	hand_out(stats, size, &all, sizeof all);
	return 0;
}
