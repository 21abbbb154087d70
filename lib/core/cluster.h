/* cluster.h - N nodes, and what all their locks share. */
#ifndef RLK_CLUSTER_H
#define RLK_CLUSTER_H

#include "counts.h"
#include "names.h"
#include "node.h"
#include "pace.h"
#include "ports.h"
#include "spares.h"
#include "timers.h"

struct rlk_lock;
struct rlk_survey;

struct rlk_config {
	uint32_t max_ttl_ms;
	uint32_t drift_ppm;
	uint32_t node_timeout_ms;
	uint32_t connect_timeout_ms;
	uint32_t min_validity_percent;
	uint32_t retry_min_ms, retry_max_ms;
	uint32_t reconnect_min_ms, reconnect_max_ms;
	uint32_t max_in_flight;
	uint32_t pace;	   /* See pace.h. */
	uint32_t hand_max; /* So often a lease passes from lock to lock before others have it. */
	bool in_pauses;	   /* Wait in pauses, never in line. */
	bool guard;	   /* Withhold votes of nodes that may have forgotten grants. */
	bool durable;	   /* Every node is vouched for: it loses nothing. */
	bool may_change;   /* Another server may come to answer on a connection that stays. */
};

struct rlk_cluster {
	const struct rlk_ports *ports;
	void *world;
	struct rlk_config config;
	struct rlk_node *nodes;
	unsigned node_count, quorum;
	struct rlk_timers timers;
	struct rlk_spares spares;
	struct rlk_survey *surveys;
	struct rlk_names names;
	uint64_t names_seed;
	uint32_t rounds;	/* Number of the last round of any lock. */
	uint32_t tickets;	/* Number of the last one. */
	char caller[13];	/* Names this client to the nodes that call it: 12 hex digits. */
	bool listening;		/* Some lock wants to be called, or has wanted it. */
	struct rlk_lock *locks; /* All of them. */
	struct rlk_lock *news;	/* Those with callbacks due, first to last. */
	struct rlk_lock *news_tail;
	struct rlk_lock *paced, *paced_last; /* Those that stand behind: pace.c. */
	struct rlk_timer pace;
	uint64_t random;
	uint64_t last_fence;	 /* Fencing tokens have to be above this. */
	uint64_t proposed_fence; /* The last one of ours. */
	uint64_t fence_floor;	 /* The highest within reach that a node wants them to be above. */
	int64_t fence_skew_us;	 /* What to add to our wall clock to please the nodes. */
	bool closing;
	struct rlk_counts counts;
};

/* @nodes: an array of @node_count zeroed nodes. @seed is never 0. */
void rlk_cluster_init(struct rlk_cluster *cluster, const struct rlk_ports *ports, void *world,
		      const struct rlk_config *config, struct rlk_node *nodes, unsigned node_count,
		      uint64_t seed);
/* Start connecting to every node. */
void rlk_cluster_start(struct rlk_cluster *cluster);
/* Free the pools. No lock, attempt or request may be left. */
void rlk_cluster_fini(struct rlk_cluster *cluster);
/* Disconnect every node for good; every request ends. */
void rlk_cluster_stop(struct rlk_cluster *cluster);
/* Releases that no node has confirmed, on nodes that are connected, or about to be. */
unsigned rlk_cluster_owed(const struct rlk_cluster *cluster);

/* What a round trip to a quorum takes, as it was lately. */
uint64_t rlk_cluster_rtt_us(const struct rlk_cluster *cluster);

uint64_t rlk_now(const struct rlk_cluster *cluster);
void rlk_trace(const struct rlk_cluster *cluster, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
