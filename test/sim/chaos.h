/* chaos.h - one random schedule: who takes part, what they do, and what goes wrong. */
#ifndef REDLOCK_TEST_CHAOS_H
#define REDLOCK_TEST_CHAOS_H

#include "sim.h"
#include "tape.h"

#define CHAOS_CLIENTS_MAX 4
#define CHAOS_LOCKS_MAX 3
#define CHAOS_SLOTS_MAX (CHAOS_CLIENTS_MAX * CHAOS_LOCKS_MAX)

/* Kinds of trouble; each schedule has some of them. */
#define CHAOS_TROUBLES(X)                                                                          \
	X(BREAK, "broken connections")                                                             \
	X(STORM, "storms of them")                                                                 \
	X(CUT, "connections held up")                                                              \
	X(SILENCE, "held up one way")                                                              \
	X(CRASH, "node crashes")                                                                   \
	X(SAVE, "snapshots")                                                                       \
	X(NODE_PAUSE, "node pauses")                                                               \
	X(CLIENT_PAUSE, "client pauses")                                                           \
	X(SUSPEND, "suspensions")                                                                  \
	X(KILL, "clients killed")                                                                  \
	X(NODE_CLOCK, "node clocks set")                                                           \
	X(WALL_CLOCK, "client wall clocks set")                                                    \
	X(SLOW, "slow times")                                                                      \
	X(ERRORS, "nodes in error")                                                                \
	X(NO_MEMORY, "no memory")                                                                  \
	X(NO_ENTROPY, "no entropy")                                                                \
	X(BARRED, "nodes demoted")                                                                 \
	X(TWIN, "addresses led astray")                                                            \
	X(TAKE_OVER, "servers replaced unseen")                                                    \
	X(DEAF, "calls not heard")                                                                 \
	X(LIES, "false calls")

#define CHAOS_ENUM(name, text) CHAOS_##name,
enum chaos_trouble { CHAOS_TROUBLES(CHAOS_ENUM) CHAOS_TROUBLE_KINDS };

/* What may be left out of the cast of a schedule, by its shrinker. */
enum chaos_oddity {
	CHAOS_JITTER,
	CHAOS_LAZY,
	CHAOS_UNEVEN,	  /* Latencies differ. */
	CHAOS_NODE_RATES, /* Clocks run fast and slow. */
	CHAOS_CLIENT_RATES,
	CHAOS_NODE_CLOCKS, /* Clocks show different times. */
	CHAOS_CLIENT_CLOCKS,
	CHAOS_ODDITIES
};

/* Who decides: see chaos_decide(). */
enum chaos_actors {
	CHAOS_CAST,
	CHAOS_USER = 1,
	CHAOS_CALLBACK = CHAOS_USER + CHAOS_SLOTS_MAX,
	CHAOS_FATE = CHAOS_CALLBACK + CHAOS_SLOTS_MAX,
	CHAOS_FATES = 2,
	CHAOS_FOREIGNER = CHAOS_FATE + CHAOS_FATES
};

/* What a user does most. */
enum chaos_habit {
	CHAOS_ANYTHING,
	CHAOS_TAKES, /* And gives back, and takes again. */
	CHAOS_RENEWS
};

/* A lock that is replaced by a new one when it is freed. */
struct chaos_slot {
	struct chaos *chaos;
	unsigned index, client;
	unsigned resource_count;
	const char *resources[SIM_PARTS_MAX]; /* All or none. */
	struct rlk_lock_config config;
	char token[RLK_TOKEN_MAX + 1]; /* Of its own; or none. */
	struct sim_lock *lock;
	uint32_t acts, tells; /* Ordinals. */
	enum chaos_habit habit;
};

/* What sends the trouble. */
struct chaos_fate {
	struct chaos *chaos;
	unsigned actor;
	uint32_t strikes; /* Ordinal. */
};

/* A client of another library. */
struct chaos_foreigner {
	struct chaos *chaos;
	const char *resource;
	char token[8];
	uint64_t start_us; /* Of its attempt; 0: there is nothing to give back. */
	uint32_t round;
	unsigned votes;
	bool held;
	struct sim_lease lease;
	uint32_t acts; /* Ordinal. */
};

struct chaos {
	struct sim *sim;
	struct tape *tape;    /* NULL: nothing is recorded. */
	struct sim_dice dice; /* Of the cast. */
	uint32_t ttl_ms;
	uint64_t pace_us; /* How fast things happen: the TTL, or much less. */
	uint64_t end_us;
	bool over;	  /* Users and trouble have stopped. */
	bool serving;	  /* Whoever gets a lock gives it back. */
	bool patient;	  /* The TTL is long: what is left behind stays there. */
	unsigned trouble; /* Bit set of enum chaos_trouble. */
	bool closes;
	bool fenced; /* Some locks are. */
	bool shared; /* Some locks are readers. */
	bool foreign;
	bool may_set_clocks;
	bool several;	 /* Some locks are for several resources. */
	bool may_change; /* Votes are checked: servers may take over unseen. */
	uint64_t clock_set_us[SIM_NODES_MAX];
	bool client_rates, client_clocks, uneven;
	bool durable; /* Every node keeps its data. */
	unsigned client_count, slot_count;
	struct sim_client *clients[CHAOS_CLIENTS_MAX];
	struct chaos_slot slots[CHAOS_SLOTS_MAX];
	struct chaos_fate fates[CHAOS_FATES];
	struct chaos_foreigner foreigner;
	uint32_t struck[CHAOS_TROUBLE_KINDS];
	uint32_t acts;
};

/* chaos_play.c */
/* Play the schedule of @seed to its end. @set_up, unless NULL, is called before anything happens.
 */
void chaos_play(struct chaos *chaos, uint64_t seed, void (*set_up)(struct sim *sim));
/* Dice for the @ordinal-th decision of an actor, and whether it is to be made at all. */
bool chaos_decide(struct chaos *chaos, unsigned actor, uint32_t ordinal, struct sim_dice *dice);
/* Make the next decision of an actor @at_us, or when the tape says. */
void chaos_next(struct chaos *chaos, unsigned actor, uint32_t ordinal, uint64_t at_us,
		sim_event_fn *run, void *data);

/* chaos_cast.c: nodes, clients and locks, drawn by lot. */
void chaos_cast(struct chaos *chaos);
/* @same_tokens: the tokens that locks have of their own are handed over to it. */
void chaos_replace_client(struct chaos *chaos, unsigned client, bool same_tokens,
			  struct sim_dice *dice);
uint64_t chaos_wall_us(struct sim_dice *dice);
void chaos_replace_lock(struct chaos_slot *slot);

/* chaos_users.c: from now on, until the end. */
void chaos_users_start(struct chaos *chaos);
/* A moment to come, rather one at which something ends. */
uint64_t chaos_moment_us(struct chaos *chaos, struct sim_dice *dice);

/* chaos_trouble.c: from now on, until the end; and all well again. */
void chaos_trouble_start(struct chaos *chaos);
/* Trouble for that client, while what it has just done is under way. */
void chaos_trouble_soon(struct chaos *chaos, struct sim_client *client, struct sim_dice *dice);
void chaos_heal(struct chaos *chaos);

/* chaos_foreign.c */
void chaos_foreigner_start(struct chaos *chaos);
void chaos_foreigner_end(struct chaos *chaos);

/* chaos_calm.c: let go of everything, and look at what is left. */
void chaos_calm(struct chaos *chaos);
void chaos_calm_told(struct sim_lock *lock, enum rlk_news news, int status);

#endif
