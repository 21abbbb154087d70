/* sim.h - a world for the core to live in: virtual time, seeded chance, nodes that hold keys,
 * connections that delay, break and deliver late, clients whose loop can stand still.
 *
 * Nothing here is timed or threaded: one event after the other, in an order that
 * the seed decides. The core runs unchanged, on its own ports. */
#ifndef REDLOCK_TEST_SIM_H
#define REDLOCK_TEST_SIM_H

#include <check.h>

#include "core/lock.h"
#include "core/parts.h"
#include "core/survey.h"
#include "dice.h"

#define SIM_NODES_MAX 8
#define SIM_KEYS_MAX 8
#define SIM_NAME_MAX 32
#define SIM_START_US UINT64_C(1000000000000)
#define SIM_WALL_US UINT64_C(1700000000000000)

struct sim;
struct sim_client;
struct sim_lock;
struct sim_conn;
struct sim_link;
struct sim_message;
struct rlk_call;

/* A clock that runs @ppm faster than the world's time. */
struct sim_clock {
	uint64_t base_us; /* What it showed at SIM_START_US. */
	int64_t ppm;
};

/* What it shows at a moment of the world's time. */
static inline uint64_t sim_clock_at(const struct sim_clock *clock, uint64_t at_us)
{
	int64_t passed_us = (int64_t)(at_us - SIM_START_US);
	return clock->base_us + (uint64_t)(passed_us + passed_us * clock->ppm / 1000000);
}

#include "server.h"

/* ---- Connections ----------------------------------------------------------------------------- */

struct sim_queue {
	struct sim_message *first, *last;
	uint64_t ready_us; /* Of the last one: nothing overtakes. */
	bool pumping;
	struct sim_dice dice;
};

/* One connection; the next one of the same pair is another. */
struct sim_conn {
	struct sim_conn *prev, *next;
	struct sim *sim;
	struct sim_client *client;
	unsigned node;	     /* As the client counts. */
	unsigned server;     /* Where it leads to. */
	bool ear;	     /* It is there to listen... */
	bool subscribed;     /* ...and the server knows. */
	uint64_t noticed_us; /* The server sees its end then. */
	bool detached;	     /* The client has let go of it: it hears nothing more. */
	bool ending;	     /* Its end is on the way to the client. */
	bool dead;	     /* The server process has gone. */
	uint64_t ended_us;   /* When the client's end went; 0: it is there. */
	uint64_t born_us;
	char run_id[RLK_RUN_ID_MAX]; /* Of the process that it has logged in to. */
	struct sim_queue to_server, to_client;
};

/* ear.c: connections to listen on. */
struct sim_conn *sim_ear_open(struct sim_client *client, unsigned node);
void sim_ear_close(struct sim_link *link);
/* A node calls that client; returns whether anybody there seems to listen. */
bool sim_ear_call(struct sim *sim, unsigned server, unsigned client, const struct rlk_call *call);
void sim_ear_arrive_at_server(struct sim_conn *conn);
/* Something false. */
void sim_ear_lie(struct sim_client *client, unsigned node, struct sim_dice *dice);

/* pipe.c */
struct sim_conn *sim_conn_open(struct sim_client *client, unsigned node, bool ear);
struct sim_message *sim_conn_tell(struct sim_conn *conn, int kind);
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
	struct sim_conn *ear;
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
	bool led_astray;				       /* Once, or now. */
	uint64_t to_us[SIM_NODES_MAX], from_us[SIM_NODES_MAX]; /* Latency each way. */
	uint64_t cut_until_us[SIM_NODES_MAX][2]; /* No packet passes before, each way. */
	bool paused, killed, closing, stopped, gone;
	uint64_t wake_us;    /* When its loop will turn; RLK_NEVER: not planned. */
	uint64_t resumed_us; /* By its clock. */
	struct rlk_timer grace;
	long blocks; /* Allocated and not freed. */
	unsigned fail_percent;
	unsigned lock_count; /* Not gone. */
	bool no_entropy;
	struct sim_lock *locks; /* Those that are not gone. */
	struct sim_dice dice;
	unsigned conns[SIM_NODES_MAX]; /* How many there were to each node. */
};

/* client.c */
struct sim_client *sim_client_new(struct sim *sim);
uint64_t sim_client_now(const struct sim_client *client);
/* NULL: there is none. */
struct sim_client *sim_client_of(const struct sim *sim, unsigned index);
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
/* Only what it listens on. */
void sim_deafen(struct sim_client *client, unsigned node);
void sim_cut(struct sim_client *client, unsigned node, uint64_t for_us);
enum sim_way { SIM_TO_SERVER, SIM_TO_CLIENT };
/* One way only. */
void sim_silence(struct sim_client *client, unsigned node, enum sim_way way, uint64_t for_us);
/* It ends without a word to anybody. What it has sent may still arrive. */
void sim_client_kill(struct sim_client *client);

/* ---- Locks ----------------------------------------------------------------------------------- */

/* A claim to be the holder of a resource, as the judge has it. */
struct sim_lease {
	struct sim_lease *prev, *next; /* Of the resource's. */
	struct sim_lock *lock;	       /* NULL: another library's. */
	uint64_t until_us;	       /* By the world's time; 0: it is not among them. */
	bool shared;		       /* A reader's. */
};

/* A lease that passes from lock to lock, under one token. */
struct sim_chain {
	size_t token_len;
	char token[RLK_TOKEN_MAX];
	unsigned hands;
	uint64_t since_us, until_us; /* By the world's time. */
};

/* What the judge knows of a resource. */
struct sim_resource {
	char name[SIM_NAME_MAX];
	uint64_t last_fence;	  /* Of the lease that began last. */
	struct sim_lease *leases; /* Not ended, or not noticed yet. */
	const void *last_holder;
	struct sim_chain chain;
};

/* What the judge remembers of a lock, for the rules that its client has to keep to; all times by
 * the client's clock. */
struct sim_rules {
	uint64_t told_by_us;   /* When an acquire must have been told of. */
	uint64_t begun_us;     /* When the lease began. */
	uint64_t warned_of_us; /* The end of which there was a warning. */
	bool let_go;	       /* The user did. */
};

struct sim_lock {
	struct sim_lock *next;
	struct sim_lock *prev_live, *next_live;
	struct sim_client *client;
	unsigned about_count;
	struct sim_resource *about[SIM_PARTS_MAX];
	unsigned no;				     /* In the order in which they were made. */
	char resource[SIM_PARTS_MAX * SIM_NAME_MAX]; /* In words. */
	struct rlk_lock *core;			     /* NULL: freed and gone. */
	bool freed;
	unsigned pending[RLK_NEWS_KINDS]; /* Operations that must still tell. */
	unsigned told[RLK_NEWS_KINDS];
	int status[RLK_NEWS_KINDS];	  /* Of the last time it was told. */
	uint64_t told_us[RLK_NEWS_KINDS]; /* By the client's clock. */
	void (*on_tell)(struct sim_lock *lock, enum rlk_news news, int status);
	void *data; /* The test's own. */

	/* The judge's notes. */
	struct sim_lease leases[SIM_PARTS_MAX]; /* One on each resource; all end at once. */
	uint64_t seen_until_us;			/* Of the lease as it was seen last; 0: none. */
	uint64_t last_until_us;			/* Of the last lease there was... */
	uint64_t last_seen_us; /* ...and when that was new. Both by the client's clock. */
	bool held_since_asked;
	bool endless; /* It is waited for until it is had. */
	struct sim_rules rules;
	bool handed_over; /* Somebody else goes on with its token: it claims nothing any more. */
};

/* user.c */
struct sim_lock *sim_lock_new(struct sim_client *client, const char *resource,
			      const struct rlk_lock_config *config);
/* For several resources, all or none. */
struct sim_lock *sim_lock_new_all(struct sim_client *client, const char *const *resources,
				  unsigned count, const struct rlk_lock_config *config);
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

/* What has happened. */
struct sim_tally {
	uint64_t grants;    /* Leases begun. */
	uint64_t sets;	    /* Of these, on several resources. */
	uint64_t handovers; /* Of these, after another's on the same resource. */
	uint64_t extends;   /* Leases lengthened. */
	uint64_t repairs;   /* Keys given back to a node. */
	uint64_t fences;    /* Fencing tokens granted. */
	uint64_t foreign;   /* Leases of another library. */
	uint64_t reads;	    /* Leases of readers... */
	uint64_t together;  /* ...and of these, begun while another reader had one. */
};

typedef void sim_event_fn(struct sim *sim, void *data);

struct sim_event {
	uint64_t at_us, serial;
	sim_event_fn *run;
	void *data;
};

struct sim {
	uint64_t now_us, serial, seed, event_count;
	struct sim_event *events; /* A heap. */
	size_t count, room;
	unsigned node_count, client_count;
	struct rlk_config config; /* For new clients. */
	struct sim_server servers[SIM_NODES_MAX];
	struct sim_client *clients;
	struct sim_lock *locks;
	struct sim_conn *conns;
	struct sim_message *spare_messages;
	char label[32]; /* Begins every failure: the seed. */
	bool trace;	/* Tell all that happens. */
	/* Takes the place of a failed test, and does not return. @kind: the same for the same. */
	void (*failed)(const struct sim *sim, const char *kind, const char *text);

	uint64_t latency_us, jitter_us; /* Each way; for new clients, for all. */
	unsigned slow_percent;		/* Of messages that take up to... */
	uint64_t slow_us;
	unsigned stray_percent;		     /* Chance that a message survives its connection... */
	uint64_t stray_min_us, stray_max_us; /* ...and how late it then is. */
	uint64_t stray_limit_us;	     /* Lost if later than this; 0: no limit. */
	unsigned stray_pounces; /* Percent: they come right before what its client sends next. */
	uint64_t lazy_us;	/* How long a loop may take from an event to its turn. */

	bool forgot;	   /* Keys may be missing anywhere. */
	bool loose;	   /* The judge does not look (two holders are expected). */
	bool thorough;	   /* The judge looks at everything after every event. */
	unsigned overlaps; /* How often there were two holders, if so. */
	unsigned surveys;  /* Begun, and not gone. */
	uint64_t watch_us; /* When a lease ends whose end must have been noticed. */
	struct sim_resource resources[SIM_KEYS_MAX];
	struct sim_tally tally;
};

/* world.c */
struct sim *sim_new(unsigned nodes, uint64_t seed);
/* Close all clients and free it all; fails if anything is left. */
void sim_end(struct sim *sim);
void sim_at(struct sim *sim, uint64_t at_us, sim_event_fn *run, void *data);
bool sim_step(struct sim *sim);
void sim_run(struct sim *sim, uint64_t us);
uint64_t sim_elapsed_us(const struct sim *sim);
/* When, in the world's time, the clock shows @reading_us. */
uint64_t sim_clock_when(const struct sim_clock *clock, uint64_t reading_us);
/* Zeroed; never NULL. */
void *sim_alloc(size_t size);
void sim_note(const struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_fail(const struct sim *sim, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

static inline uint64_t sim_clock_read(const struct sim *sim, const struct sim_clock *clock)
{
	return sim_clock_at(clock, sim->now_us);
}

/* judge.c */
struct sim_resource *sim_resource(struct sim *sim, const char *name);
/* Look at a client's locks: called whenever its core may have done something. */
void sim_judge(struct sim_client *client);
/* Look at the leases on a resource: called whenever its key may have changed on a node. */
void sim_judge_keys(struct sim *sim, const char *name, size_t name_len);
/* Look at all there is. */
void sim_judge_all(struct sim *sim);
/* Look for leases whose end was not noticed: called at sim->watch_us. */
void sim_judge_ends(struct sim *sim);
/* Another library's lease begins, or ends (@until_us is 0). */
void sim_judge_foreign(struct sim *sim, struct sim_lease *lease, const char *resource,
		       uint64_t until_us);
void sim_judge_told(struct sim_lock *lock, enum rlk_news news, int status);

#endif
