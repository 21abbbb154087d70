/* cluster.c - what all nodes and locks share, set up and torn down. */
#include "cluster.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "round.h"
#include "sort.h"

void rlk_cluster_init(struct rlk_cluster *cluster, const struct rlk_ports *ports, void *world,
		      const struct rlk_config *config, struct rlk_node *nodes, unsigned node_count,
		      uint64_t seed)
{
	unsigned i;

	assert(seed != 0);
	memset(cluster, 0, sizeof *cluster);
	cluster->ports = ports;
	cluster->world = world;
	cluster->config = *config;
	cluster->nodes = nodes;
	cluster->node_count = node_count;
	cluster->quorum = rlk_quorum(node_count);
	cluster->random = seed;
	cluster->names_seed = rlk_random(&cluster->random);
	snprintf(cluster->caller, sizeof cluster->caller, "%012" PRIx64,
		 rlk_random(&cluster->random) >> 16);
	rlk_pace_init(cluster);
	rlk_spares_init(cluster);
	for (i = 0; i < node_count; i++) {
		rlk_node_init(&nodes[i], cluster, i);
	}
}

void rlk_cluster_start(struct rlk_cluster *cluster)
{
	unsigned i;

	for (i = 0; i < cluster->node_count; i++) {
		rlk_node_connect(&cluster->nodes[i]);
	}
}

void rlk_cluster_stop(struct rlk_cluster *cluster)
{
	unsigned i;

	for (i = 0; i < cluster->node_count; i++) {
		rlk_node_stop(&cluster->nodes[i]);
	}
	rlk_spares_stop(cluster);
}

void rlk_cluster_fini(struct rlk_cluster *cluster)
{
	assert(cluster->locks == NULL);
	rlk_spares_free(cluster);
	rlk_names_free(cluster);
}

unsigned rlk_cluster_owed(const struct rlk_cluster *cluster)
{
	unsigned i, owed = 0;

	for (i = 0; i < cluster->node_count; i++) {
		if (cluster->nodes[i].state != RLK_DOWN) {
			owed += cluster->nodes[i].debt_count;
		}
	}
	return owed;
}

uint64_t rlk_cluster_rtt_us(const struct rlk_cluster *cluster)
{
	uint64_t rtts_us[RLK_NODES_MAX];
	unsigned i, n = 0;

	for (i = 0; i < cluster->node_count; i++) {
		const struct rlk_node *node = &cluster->nodes[i];
		if (node->state == RLK_UP && !node->suspect && node->rtt_us != 0) {
			rtts_us[n++] = node->rtt_us;
		}
	}
	if (n == 0) {
		return 0;
	}
	rlk_sort(rtts_us, n);
	return rtts_us[(n < cluster->quorum ? n : cluster->quorum) - 1];
}

uint64_t rlk_now(const struct rlk_cluster *cluster)
{
	return cluster->ports->now_us(cluster->world);
}

void rlk_trace(const struct rlk_cluster *cluster, const char *format, ...)
{
	char line[256];
	va_list args;

	if (cluster->ports->trace == NULL) {
		return;
	}
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	cluster->ports->trace(cluster->world, line);
}
