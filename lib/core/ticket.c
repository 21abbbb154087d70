/* ticket.c - a place in line, the same on all nodes. */
#include "lease.h"
#include "lock_parts.h"
#include "sort.h"

/* A node keeps the key for us so long: enough to come and take it, on a busy machine, too. */
#define KEEP_MIN_MS 100
#define KEEP_MAX_MS 1000

/* Since when it has waited, by a clock that all clients share: that of the node in the middle. */
static uint64_t since_us(const struct rlk_lock *lock)
{
	const struct rlk_cluster *cluster = lock->cluster;
	uint64_t clocks[RLK_NODES_MAX], now_us = rlk_now(cluster);
	unsigned i, count = 0;

	for (i = 0; i < cluster->node_count; i++) {
		if (cluster->nodes[i].tells_time) {
			clocks[count++] = now_us + cluster->nodes[i].clock_ahead_us;
		}
	}
	if (count == 0) {
		return cluster->ports->wall_us(cluster->world) - (now_us - lock->asked_us);
	}
	rlk_sort(clocks, count);
	return clocks[count / 2] - (now_us - lock->asked_us);
}

static uint16_t keep_ms(const struct rlk_lock *lock)
{
	uint64_t ms = KEEP_MIN_MS + 8 * rlk_cluster_rtt_us(lock->cluster) / 1000;

	ms = ms > KEEP_MAX_MS ? KEEP_MAX_MS : ms;
	return (uint16_t)(ms > lock->config.ttl_ms ? lock->config.ttl_ms : ms);
}

void rlk_lock_draw_ticket(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;

	if (lock->since_us == 0) {
		lock->since_us = since_us(lock);
	}
	cluster->tickets += cluster->tickets + 1 == 0 ? 2 : 1;
	lock->attempt->ticket = (struct rlk_ticket){
		.since_us = lock->since_us,
		.seq = cluster->tickets,
		.keep_ms = keep_ms(lock),
	};
}
