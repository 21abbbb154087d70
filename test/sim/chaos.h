/* chaos.h - one random schedule: who takes part, what they do, and what goes wrong. */
#ifndef REDLOCK_TEST_CHAOS_H
#define REDLOCK_TEST_CHAOS_H

#include "sim.h"

#define CHAOS_CLIENTS_MAX 4
#define CHAOS_LOCKS_MAX 3

/* Kinds of trouble; each schedule has some of them. */
enum chaos_trouble {
	CHAOS_BREAK,
	CHAOS_STORM, /* All connections of one node, or of one client. */
	CHAOS_CUT,
	CHAOS_CRASH,
	CHAOS_SAVE,
	CHAOS_NODE_PAUSE,
	CHAOS_CLIENT_PAUSE,
	CHAOS_SLOW,
	CHAOS_ERRORS,
	CHAOS_NO_MEMORY,
	CHAOS_NO_ENTROPY,
	CHAOS_BARRED, /* A node is a replica for a while. */
	CHAOS_TWIN,   /* Two addresses lead to one node. */
	CHAOS_TROUBLES
};

/* A lock that is replaced by a new one when it is freed. */
struct chaos_slot {
	struct chaos *chaos;
	unsigned client;
	const char *resource;
	struct rlk_lock_config config;
	struct sim_lock *lock;
};

struct chaos {
	struct sim *sim;
	uint32_t ttl_ms;
	uint64_t pace_us; /* How fast things happen: the TTL, or much less. */
	uint64_t end_us;
	bool over;	  /* Users and trouble have stopped. */
	bool patient;	  /* The TTL is long: what is left behind stays there. */
	unsigned trouble; /* Bit set of enum chaos_trouble. */
	bool closes;
	bool may_twin;
	bool durable; /* Every node keeps its data. */
	unsigned client_count, slot_count;
	struct sim_client *clients[CHAOS_CLIENTS_MAX];
	struct chaos_slot slots[CHAOS_CLIENTS_MAX * CHAOS_LOCKS_MAX];
};

/* chaos_cast.c: nodes, clients and locks, drawn by lot. */
void chaos_cast(struct chaos *chaos);
void chaos_replace_client(struct chaos *chaos, unsigned client);
void chaos_replace_lock(struct chaos_slot *slot);

/* chaos_users.c: from now on, until the end. */
void chaos_users_start(struct chaos *chaos);
/* A moment to come, rather one at which something ends. */
uint64_t chaos_moment_us(struct chaos *chaos);

/* chaos_trouble.c: from now on, until the end; and all well again. */
void chaos_trouble_start(struct chaos *chaos);
void chaos_heal(struct chaos *chaos);

/* chaos_calm.c: let go of everything, and look at what is left. */
void chaos_calm(struct chaos *chaos);

#endif
