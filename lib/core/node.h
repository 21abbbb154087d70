/* node.h - the bookkeeping of one server: connection, requests, trust, debts. */
#ifndef RLK_NODE_H
#define RLK_NODE_H

#include "counts.h"
#include "ports.h"
#include "retry.h"
#include "timers.h"

struct rlk_cluster;
struct rlk_node;
struct rlk_claim;
struct rlk_asker;

/* One unanswered command. */
struct rlk_request {
	struct rlk_request *prev, *next;
	struct rlk_asker *asker;
	uint64_t asked_us;
	uint64_t deadline_us;
	uint32_t round; /* Asker's number of the round that asked; 0: none. */
	uint8_t op;
	uint8_t node;
	bool sent;
	bool again; /* The driver has sent it a second time. */
	bool late;  /* Told to be silent; the answer, if any, only settles. */
};

/* Whoever asks. For each request that rlk_node_ask() accepted, heard() is called
 * once with a final answer (RLK_YES to RLK_ERROR, or RLK_BROKEN; for one that
 * was never sent also the "not asked" kinds and RLK_SILENT), and at most once
 * before that with RLK_SILENT. The request is gone after the final one. */
struct rlk_asker {
	const struct rlk_asking *asking;
};

/* What all askers of a kind do. */
struct rlk_asking {
	void (*describe)(struct rlk_asker *asker, const struct rlk_request *request,
			 struct rlk_command *command);
	void (*heard)(struct rlk_asker *asker, struct rlk_node *node,
		      const struct rlk_request *request, const struct rlk_answer *answer);
};

enum rlk_node_state { RLK_DOWN, RLK_CONNECTING, RLK_UP };

/* Its second connection, on which it calls us when it is our turn. */
enum rlk_ear {
	RLK_EAR_CLOSED,
	RLK_EAR_OPENING,
	RLK_EAR_OPEN,
	RLK_EAR_REFUSED /* For as long as it is up. */
};

/* What the driver learns of a node when it logs in. */
struct rlk_enrolment {
	const char *run_id;   /* Of the server process; "" if unknown. */
	const char *barred;   /* Why it must never vote (a replica...), or NULL. */
	bool durable;	      /* Writes every change to disk before it answers. */
	bool enrolled;	      /* The next two are known. */
	uint64_t node_now_us; /* Its clock at enrolment. */
	uint64_t born_us;     /* Its clock when this incarnation began. */
};

#define RLK_RUN_ID_MAX 64
#define RLK_NODE_ERROR_MAX 192

struct rlk_node {
	struct rlk_cluster *cluster;
	unsigned index;
	enum rlk_node_state state;
	bool fresh;	  /* The first connection is under way: asking may wait for it. */
	bool suspect;	  /* Silent for longer than the timeout: not asked, not waited for. */
	bool barred;	  /* Must not vote: see error. */
	bool twin;	  /* Barred since another node is the same server. */
	unsigned twin_of; /* That one. */
	bool durable;
	uint64_t suspect_since_us, up_since_us;
	uint64_t guard_until_us;	  /* Restart guard: no vote before. */
	struct rlk_request *first, *last; /* In the order of asking. */
	struct rlk_request *watch;	  /* First that is not late. */
	unsigned in_flight;
	struct rlk_claim *debts; /* Keys that it must give up. */
	unsigned debt_count;
	uint64_t sweep_us, sweep_pause_us; /* When to ask for debts again. */
	uint64_t reconnect_us;
	uint64_t look_again_us; /* Barred: when to log in anew. */
	struct rlk_retry reconnect;
	enum rlk_ear ear;
	bool unjoined;		   /* It can call again, but was suspect then: nobody joined. */
	uint64_t join_us;	   /* Those who were left out join then; or RLK_NEVER. */
	uint64_t no_line_until_us; /* It did not let us stand in line. */
	struct rlk_retry listen;
	uint64_t listen_us;	 /* When to listen again. */
	bool tells_time;	 /* The next one is known. */
	uint64_t clock_ahead_us; /* Of ours, modulo 2^64. */
	struct rlk_timer alarm;
	uint32_t rtt_us;
	struct rlk_node_counts counts;
	char run_id[RLK_RUN_ID_MAX];
	char error[RLK_NODE_ERROR_MAX];	      /* Why it cannot vote, or its last error. */
	char past_error[RLK_NODE_ERROR_MAX];  /* The one before it logged in anew. */
	char no_line_why[RLK_NODE_ERROR_MAX]; /* Why nobody can wait in line there. */
};

void rlk_node_init(struct rlk_node *node, struct rlk_cluster *cluster, unsigned index);
void rlk_node_connect(struct rlk_node *node);

/* Ask. @now_us: the clock, read not long ago; one reading serves a round.
 * Returns RLK_YES if the request was taken; else why it cannot be asked
 * (RLK_UNREACHABLE...RLK_FULL), and heard() is not called. */
enum rlk_answer_kind rlk_node_ask(struct rlk_node *node, struct rlk_asker *asker, enum rlk_op op,
				  uint32_t round, uint64_t now_us);
/* Take back the requests of @asker that have not been sent, releases excepted; heard() is not
 * called for them. Returns how many; @would_set: one of them would have set the key. */
unsigned rlk_node_withdraw(struct rlk_node *node, struct rlk_asker *asker, bool *would_set);

/* From the driver. */
void rlk_node_up(struct rlk_node *node, const struct rlk_enrolment *enrolment);
void rlk_node_down(struct rlk_node *node, const char *why);
/* @came_us: the clock when the answer was read, or not long after; for the books only. */
void rlk_node_answer(struct rlk_node *node, struct rlk_request *request,
		     const struct rlk_answer *answer, uint64_t came_us);

/* For good: disconnect, end every request, forget every debt. */
void rlk_node_stop(struct rlk_node *node);

/* Can it be asked for its vote? */
bool rlk_node_may_vote(const struct rlk_node *node, uint64_t now_us);
bool rlk_node_guarded(const struct rlk_node *node, uint64_t now_us);
/* Wake the node's alarm no later than @at_us. */
void rlk_node_wake_by(struct rlk_node *node, uint64_t at_us);

#endif
