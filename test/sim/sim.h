/* sim.h - a world for the core to live in: virtual time, seeded chance, nodes that hold keys,
 * connections that delay, break and deliver late, clients whose loop can stand still.
 *
 * Nothing here is timed or threaded: one event after the other, in an order that
 * the seed decides. The core runs unchanged, on its own ports. */
#ifndef REDLOCK_TEST_SIM_H
#define REDLOCK_TEST_SIM_H

#include <check.h>

#include "core/lock.h"
#include "core/survey.h"

#define SIM_NODES_MAX 8
#define SIM_KEYS_MAX 8
#define SIM_NAME_MAX 32
#define SIM_START_US UINT64_C(1000000000000)
#define SIM_WALL_US UINT64_C(1700000000000000)

struct sim;
struct sim_client;
struct sim_lock;
struct sim_conn;
struct sim_message;

/* A clock that runs @ppm faster than the world's time. */
struct sim_clock {
	uint64_t base_us; /* What it showed at SIM_START_US. */
	int64_t ppm;
};

/* ---- Nodes ----------------------------------------------------------------------------------- */

struct sim_key {
	size_t name_len, token_len;
	char name[SIM_NAME_MAX];
	char token[RLK_TOKEN_MAX];
	uint64_t dies_ms; /* By the node's clock; 0: no key. */
	uint64_t fence;	  /* Highest fencing token of the name; 0: none. Lives on. */
};

/* What a node knows; what of it survives a crash is the crash's business. */
struct sim_data {
	struct sim_key keys[SIM_KEYS_MAX];
	char incarnation[RLK_RUN_ID_MAX]; /* Run id of the process that was born at... */
	uint64_t born_us;
};

enum sim_memory { SIM_KEEPS_ALL, SIM_FORGETS_ALL, SIM_FORGETS_SOME };

struct sim_server {
	unsigned index, runs;
	struct sim_clock clock;
	struct sim_data data, saved; /* saved: what SIM_FORGETS_SOME comes back with. */
	char run_id[RLK_RUN_ID_MAX];
	const char *barred; /* Told at log-in: why it must not vote. */
	bool up, paused, durable;
	unsigned error_percent; /* Of commands that are answered with an error. */
	unsigned asked[RLK_OP_INSPECT + 1];
};

struct sim_command {
	enum rlk_op op;
	size_t name_len, token_len;
	char name[SIM_NAME_MAX];
	char token[RLK_TOKEN_MAX];
	uint32_t ttl_ms;
	uint64_t fence, born_us;
};

/* server.c */
void sim_server_init(struct sim *sim, unsigned index);
void sim_server_execute(struct sim *sim, struct sim_server *server,
			const struct sim_command *command, struct rlk_answer *answer);
void sim_server_enrol(struct sim *sim, struct sim_server *server, uint64_t *born_us,
		      uint64_t *now_us);
/* The live key, or NULL. */
const struct sim_key *sim_key(struct sim *sim, unsigned node, const char *resource);
/* On how many nodes does the live key carry this token? */
unsigned sim_keys_with(struct sim *sim, const char *resource, const char *token, size_t token_len);
/* Put another owner's key there. */
void sim_plant(struct sim *sim, unsigned node, const char *resource, const char *token,
	       uint32_t ttl_ms);
void sim_save(struct sim *sim, unsigned node);
/* Crash. Connections end at once; @quietly: without a word to the other side. */
void sim_stop(struct sim *sim, unsigned node, enum sim_memory memory, bool quietly);
void sim_start(struct sim *sim, unsigned node);
void sim_pause(struct sim *sim, unsigned node);
void sim_resume(struct sim *sim, unsigned node);

/* ---- Connections ----------------------------------------------------------------------------- */

struct sim_queue {
	struct sim_message *first, *last;
	uint64_t ready_us; /* Of the last one: nothing overtakes. */
	bool pumping;
};

/* One connection; the next one of the same pair is another. */
struct sim_conn {
	struct sim_conn *next;
	struct sim *sim;
	struct sim_client *client;
	unsigned node;	   /* As the client counts. */
	unsigned server;   /* Where it leads to. */
	bool detached;	   /* The client has let go of it: it hears nothing more. */
	bool ending;	   /* Its end is on the way to the client. */
	bool dead;	   /* The server process has gone. */
	uint64_t ended_us; /* When the client's end went; 0: it is there. */
	uint64_t born_us;
	struct sim_queue to_server, to_client;
};

/* pipe.c */
struct sim_conn *sim_conn_open(struct sim_client *client, unsigned node);
void sim_conn_ask(struct sim_conn *conn, struct rlk_request *request,
		  const struct rlk_command *command);
/* The client lets go: what is on its way may still arrive (see stray_percent). */
void sim_conn_detach(struct sim_conn *conn);
/* The connection breaks: as above, and the client will hear of it. */
void sim_conn_break(struct sim_conn *conn);
void sim_conn_server_gone(struct sim_conn *conn, bool quietly);
/* Deliver again what waited for a pause to end. */
void sim_conn_wake(struct sim_conn *conn);
void sim_conns_free(struct sim *sim);

/* ---- Clients --------------------------------------------------------------------------------- */

struct sim_link {
	struct sim_client *client;
	unsigned node;
	struct sim_conn *conn;
	struct rlk_timer patience;
};

struct sim_client {
	struct sim_client *next;
	struct sim *sim;
	unsigned index;
	struct sim_clock clock, wall;
	struct rlk_cluster cluster;
	struct rlk_node nodes[SIM_NODES_MAX];
	struct sim_link links[SIM_NODES_MAX];
	unsigned route[SIM_NODES_MAX];			       /* The server behind each address. */
	uint64_t to_us[SIM_NODES_MAX], from_us[SIM_NODES_MAX]; /* Latency each way. */
	uint64_t cut_until_us[SIM_NODES_MAX];		       /* No packet passes before. */
	bool paused, closing, stopped, gone;
	uint64_t wake_us;    /* When its loop will turn; RLK_NEVER: not planned. */
	uint64_t resumed_us; /* By its clock. */
	struct rlk_timer grace;
	long blocks; /* Allocated and not freed. */
	unsigned fail_percent;
	unsigned lock_count; /* Not gone. */
	bool no_entropy;
};

/* client.c */
struct sim_client *sim_client_new(struct sim *sim);
uint64_t sim_client_now(const struct sim_client *client);
/* Let the loop turn: timers, news. */
void sim_client_turn(struct sim_client *client);
/* Let it turn soon. */
void sim_client_wake(struct sim_client *client);
void sim_client_pause(struct sim_client *client);
void sim_client_resume(struct sim_client *client);
void sim_client_close(struct sim_client *client);
/* If it is closed and has no locks: check that it left nothing, and let go. */
void sim_client_finish(struct sim_client *client);
void sim_break(struct sim_client *client, unsigned node);
void sim_cut(struct sim_client *client, unsigned node, uint64_t for_us);

/* ---- Locks ----------------------------------------------------------------------------------- */

struct sim_lock {
	struct sim_lock *next;
	struct sim_client *client;
	char resource[SIM_NAME_MAX];
	struct rlk_lock *core; /* NULL: freed and gone. */
	bool freed;
	unsigned pending[RLK_NEWS_KINDS]; /* Operations that must still tell. */
	unsigned told[RLK_NEWS_KINDS];
	int status[RLK_NEWS_KINDS];	  /* Of the last time it was told. */
	uint64_t told_us[RLK_NEWS_KINDS]; /* By the client's clock. */
	void (*on_tell)(struct sim_lock *lock, enum rlk_news news, int status);
	void *data; /* The test's own. */

	/* The judge's notes. */
	uint64_t seen_until_us; /* Of the lease as it was seen last; 0: none. */
	uint64_t last_until_us; /* Of the last lease there was... */
	uint64_t last_seen_us;	/* ...and when that was new. Both by the client's clock. */
	bool held_since_asked;
};

/* user.c */
struct sim_lock *sim_lock_new(struct sim_client *client, const char *resource,
			      const struct rlk_lock_config *config);
int sim_acquire(struct sim_lock *lock, uint64_t wait_ms);
int sim_extend(struct sim_lock *lock);
int sim_release(struct sim_lock *lock, bool tell);
int sim_cancel(struct sim_lock *lock);
void sim_lock_free(struct sim_lock *lock);
bool sim_held(const struct sim_lock *lock);
uint64_t sim_fence(const struct sim_lock *lock);
/* Start it, let the world turn until it is told, and return the status; -100: never told. */
int sim_acquired(struct sim_lock *lock, uint64_t wait_ms);
int sim_extended(struct sim_lock *lock);
int sim_released(struct sim_lock *lock);
/* The same for news that nobody asked for. */
int sim_heard(struct sim_lock *lock, enum rlk_news news);
/* Look at the nodes and, unless it is NULL, at @resource; checks that it is told once. */
void sim_survey(struct sim_client *client, const char *resource);

/* ---- The world ------------------------------------------------------------------------------- */

typedef void sim_event_fn(struct sim *sim, void *data);

struct sim_event {
	uint64_t at_us, serial;
	sim_event_fn *run;
	void *data;
};

struct sim {
	uint64_t now_us, serial, random, event_count;
	struct sim_event *events; /* A heap. */
	size_t count, room;
	unsigned node_count, client_count;
	struct rlk_config config; /* For new clients. */
	struct sim_server servers[SIM_NODES_MAX];
	struct sim_client *clients;
	struct sim_lock *locks;
	struct sim_conn *conns;
	char label[32]; /* Begins every failure: the seed. */
	bool trace;	/* Tell all that happens. */

	uint64_t latency_us, jitter_us; /* Each way; for new clients, for all. */
	unsigned slow_percent;		/* Of messages that take up to... */
	uint64_t slow_us;
	unsigned stray_percent;		     /* Chance that a message survives its connection... */
	uint64_t stray_min_us, stray_max_us; /* ...and how late it then is. */
	uint64_t stray_limit_us;	     /* Lost if later than this; 0: no limit. */
	uint64_t lazy_us; /* How long a loop may take from an event to its turn. */

	bool forgot;	   /* A node has lost data: keys may be missing. */
	bool loose;	   /* The judge does not look (two holders are expected). */
	unsigned overlaps; /* How often there were two holders, if so. */
	unsigned leases;   /* Begun. */
	unsigned surveys;  /* Begun, and not gone. */
	struct {
		char resource[SIM_NAME_MAX];
		uint64_t last; /* Of the lease that began last. */
	} fences[SIM_KEYS_MAX];
};

/* world.c */
struct sim *sim_new(unsigned nodes, uint64_t seed);
/* Close all clients and free it all; fails if anything is left. */
void sim_end(struct sim *sim);
void sim_at(struct sim *sim, uint64_t at_us, sim_event_fn *run, void *data);
bool sim_step(struct sim *sim);
void sim_run(struct sim *sim, uint64_t us);
uint64_t sim_elapsed_us(const struct sim *sim);
uint64_t sim_clock_read(const struct sim *sim, const struct sim_clock *clock);
/* When, in the world's time, the clock shows @reading_us. */
uint64_t sim_clock_when(const struct sim_clock *clock, uint64_t reading_us);
uint64_t sim_random(struct sim *sim);
uint64_t sim_between(struct sim *sim, uint64_t least, uint64_t most);
bool sim_chance(struct sim *sim, unsigned percent);
/* Zeroed; never NULL. */
void *sim_alloc(size_t size);
void sim_note(const struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_fail(const struct sim *sim, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* judge.c */
/* Look at all locks: called whenever something may have changed. */
void sim_judge(struct sim *sim);
void sim_judge_told(struct sim_lock *lock, enum rlk_news news, int status);

#endif
