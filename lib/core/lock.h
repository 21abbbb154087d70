/* lock.h - one lock's life: idle, acquiring, held, extending, releasing, lost. */
#ifndef RLK_LOCK_H
#define RLK_LOCK_H

#include <redlock/redlock.h>
#include <stdatomic.h>

#include "attempt.h"
#include "cluster.h"
#include "round.h"

enum rlk_lock_state {
	RLK_IDLE,      /* Holds nothing, wants nothing. */
	RLK_QUEUED,    /* Waits for its turn behind another lock of this client. */
	RLK_ACQUIRING, /* A round is asking for the lease. */
	RLK_PAUSING,   /* Between two attempts. */
	RLK_WAITING,   /* In line at the nodes, behind other clients. */
	RLK_HELD,
	RLK_EXTENDING, /* Held (or being adopted), and a round is renewing it. */
	RLK_RELEASING
};

/* What the lock has to tell its user; told from the lowest to the highest. */
enum rlk_news { RLK_ACQUIRED, RLK_EXTENDED, RLK_AT_RISK, RLK_LOST, RLK_RELEASED, RLK_NEWS_KINDS };

/* What a node's fencing token has to do with its refusal. */
enum rlk_fence_word {
	RLK_FENCE_FINE,	   /* Nothing. */
	RLK_FENCE_TOO_LOW, /* It must be above the node's floor. */
	RLK_FENCE_TOO_HIGH /* It was too far ahead of the node's clock. */
};

struct rlk_ballot_note {
	uint8_t vote;	   /* enum redlock_vote */
	uint8_t fence : 2; /* enum rlk_fence_word */
	bool foreign : 1;  /* Its owner may be one who calls nobody. */
	bool left_out : 1; /* It had too much to do when it was to be joined. */
	bool failed : 1;   /* It answered with an error, or must not vote. */
	uint16_t rank;	   /* So many are ahead in line. */
	uint32_t rtt_us;
	union {
		int64_t remaining_ms; /* If the fencing token is fine. */
		uint64_t limit;	      /* Else the node's floor, or its clock. */
	};
};

struct rlk_lock_config {
	uint64_t max_hold_ms; /* 0: no cap. */
	const char *token;
	uint32_t ttl_ms;
	uint32_t at_risk_ms;
	uint8_t token_len; /* 0: a random token for each attempt. */
	bool auto_renew;
	bool fence;
	bool shared; /* A reader: others may hold it at the same time, if they are readers. */
};

struct rlk_lock;

/* Whoever has locks of one kind. */
struct rlk_lock_user {
	void (*tell)(struct rlk_lock *lock, enum rlk_news news, int status);
	void (*gone)(struct rlk_lock *lock); /* After rlk_lock_free(): its memory may go. */
};

/* A client may have a hundred thousand of them, most of which wait: they are small. */
struct rlk_lock {
	struct rlk_cluster *cluster;
	struct rlk_lock *prev, *next; /* All locks of the cluster. */
	struct rlk_lock *next_news;
	struct rlk_lock *ahead, *behind; /* Of those that wait for the resource, or to ask. */
	struct rlk_name *name;
	const struct rlk_lock_user *user;
	struct rlk_lock_config config;
	struct rlk_attempt *attempt; /* Its token is the lease's. */
	struct rlk_attempt *probe;   /* Asks how long the other lease lasts. */
	struct rlk_round round;
	struct rlk_timer alarm;
	enum rlk_lock_state state : 8;
	uint8_t failures; /* Of what is tried again in pauses, since the last success. */

	/* News: callbacks due. */
	uint8_t news;
	uint8_t telling; /* Of those, taken up and not told yet. */
	int8_t status[RLK_NEWS_KINDS];
	bool in_news, freed, delivering;

	/* The operation under way. */
	int8_t last_status; /* Of the last attempt that was lost. */
	uint8_t hurried;    /* Attempts repeated at once for another fencing token. */
	bool paused;	    /* The first attempt is over. */
	bool paced;	    /* Stands behind others that want to ask: pace.c. */
	bool user_extends, user_releases, adopting;
	bool preferred;	  /* Came back at once, with most votes of a split. */
	bool led;	  /* The last round asked one node first: */
	bool held_back;	  /* the others are not asked yet. */
	uint8_t lead;	  /* That node. */
	uint8_t way;	  /* enum redlock_way: how it waits, or has waited last. */
	uint8_t misled;	  /* So often a call came to nothing. */
	uint8_t fills;	  /* So often those that lack it were asked again. */
	uint32_t pending; /* Nodes that refused, and may call yet. */
	uint32_t called;  /* Nodes that have called. */
	uint32_t attempts;
	uint64_t asked_us;    /* When the user asked. */
	uint64_t deadline_us; /* Of the wait; 0: tried once. */
	uint64_t decided_us;
	uint64_t since_us;     /* Place in line at the nodes; 0: it never stood there. */
	uint64_t patience_us;  /* Until then a refusal of those called is not final; 0: over. */
	uint64_t inherited_us; /* A handed-on lease ends then; 0: the attempt is our own. */

	/* The lease. */
	_Atomic uint64_t valid_until_us; /* 0: not held. Read by any thread. */
	uint64_t hold_until_us;
	uint64_t renew_us;     /* RLK_NEVER: not to be renewed. */
	uint64_t warned_of_us; /* The end that at-risk was told of: once for each. */
	uint64_t fill_us;      /* Those that lack it are asked again then; 0: no more. */

	struct rlk_ballot_note
		ballots[]; /* One for each node, of the last round; then the token. */
};

static inline size_t rlk_lock_size(unsigned node_count, size_t token_len)
{
	return sizeof(struct rlk_lock) + node_count * sizeof(struct rlk_ballot_note) + token_len;
}

/* @lock: zeroed memory of rlk_lock_size(); takes over the reference to @name, and copies the token
 * of @config. @user must stay. */
void rlk_lock_init(struct rlk_lock *lock, struct rlk_cluster *cluster, struct rlk_name *name,
		   const struct rlk_lock_config *config, const struct rlk_lock_user *user);

/* Each returns 0 or a REDLOCK_ error, and in the first case tells the outcome later. */
int rlk_lock_acquire(struct rlk_lock *lock, uint64_t wait_ms);
int rlk_lock_extend(struct rlk_lock *lock);
int rlk_lock_release(struct rlk_lock *lock, bool tell);
int rlk_lock_cancel(struct rlk_lock *lock);
/* End whatever is under way with @status and give back what is held. */
void rlk_lock_end(struct rlk_lock *lock, int status);
/* End, and call gone() when all news has been told. */
void rlk_lock_free(struct rlk_lock *lock);

/* Tell all news that is due; returns whether there was any. The driver calls this when no core
 * function is on the stack. */
bool rlk_cluster_deliver(struct rlk_cluster *cluster);
/* Close all locks with REDLOCK_ECLOSED; no operation can start any more. */
void rlk_cluster_close(struct rlk_cluster *cluster);

#endif
