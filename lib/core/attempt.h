/* attempt.h - one try at a lease: its owner token, and what it may have set where. */
#ifndef RLK_ATTEMPT_H
#define RLK_ATTEMPT_H

#include <stddef.h>

#include "node.h"

/* What the attempt may have done on one node. */
enum rlk_claim_state {
	RLK_CLAIM_NONE,	 /* Nothing is set there by us. */
	RLK_CLAIM_ASKED, /* May be set, now or later. */
	RLK_CLAIM_SET	 /* Was set. */
};

/* What the attempt may have set on one node; and the debt that becomes of it: a key that must be
 * given back there. There is one for each node and attempt, so they are small. */
struct rlk_claim {
	struct rlk_claim *prev, *next; /* The debts of the node. */
	union {
		/* Until it is owed: the node has voted for this lease, unguarded, and our key
		 * cannot have died there before this; 0: it has not. */
		uint64_t counted_until_us;
		/* If it blocks: the fencing token that it named. */
		uint64_t block_fence;
		/* From then on: gone by itself then; RLK_NEVER: not known yet. */
		uint64_t dies_us;
	};
	uint8_t state; /* enum rlk_claim_state */
	bool owed;
	bool asking; /* A release is on its way. */
	bool stray;  /* A dead connection may still deliver the SET. */
	bool blocks; /* The node has granted a greater fencing token: our key there keeps others
		      * out, and is no vote. */
	uint16_t unanswered; /* Questions, but for releases. */
};

struct rlk_attempt {
	struct rlk_asker asker;
	struct rlk_cluster *cluster;
	union {
		/* Whose attempt it is; NULL once it is only to be cleaned up. */
		void *owner;
		struct rlk_attempt *next_spare;
	};
	void (*heard)(void *owner, unsigned node, const struct rlk_request *request,
		      const struct rlk_answer *answer);
	struct rlk_name *name;
	char *token;   /* Behind the claims. */
	unsigned pins; /* Owner, unanswered requests, unsettled debts. */
	uint32_t ttl_ms;
	uint32_t longest_ms; /* A key of it may have been set for so long. */
	uint8_t token_len;
	bool own_token; /* A token that is not new for each attempt. */
	bool shared;	/* Of a reader. */
	uint64_t fence;
	struct rlk_ticket ticket;  /* Its token may be called wherever this has been seen. */
	struct rlk_claim claims[]; /* One for each node. */
};

/* A new attempt, or NULL; with the token @own, or else with one of its own, which is the caller's
 * to fill in. */
struct rlk_attempt *rlk_attempt_new(struct rlk_cluster *cluster, struct rlk_name *name,
				    uint32_t ttl_ms, const char *own, size_t own_len);
/* Ask @node; as rlk_node_ask(). */
enum rlk_answer_kind rlk_attempt_ask(struct rlk_attempt *attempt, unsigned node, enum rlk_op op,
				     uint32_t round, uint64_t now_us);
/* Ask @node to release, and keep asking in the background until it has; as rlk_node_ask(). */
enum rlk_answer_kind rlk_attempt_release(struct rlk_attempt *attempt, unsigned node, uint32_t round,
					 uint64_t now_us);
/* What has not left stays here. */
void rlk_attempt_withdraw(struct rlk_attempt *attempt);
/* The owner lets go, and hears no more; what has not left stays here, and releases still owed are
 * settled in the background. */
void rlk_attempt_leave(struct rlk_attempt *attempt);
/* Give back whatever may be set, and leave. */
void rlk_attempt_abandon(struct rlk_attempt *attempt);
/* Does the node still owe us the release of this name under this token? */
bool rlk_attempt_owed(const struct rlk_node *node, const struct rlk_name *name, const char *token,
		      size_t token_len);
/* The same of any of its resources. */
bool rlk_attempt_owed_part(const struct rlk_node *node, const struct rlk_name *name,
			   const char *token, size_t token_len);
/* A debt is settled: the key is gone, or has died by itself. */
void rlk_attempt_settled(const struct rlk_node *node, struct rlk_claim *debt);

static inline struct rlk_attempt *rlk_attempt_of(const struct rlk_node *node,
						 const struct rlk_claim *claim)
{
	return (struct rlk_attempt *)((char *)(claim - node->index) -
				      offsetof(struct rlk_attempt, claims));
}

/* The answer to @request, or to none if it is NULL, is next: what it is about is fetched from
 * memory meanwhile. With a thousand attempts under way that is most of the time of an answer. */
static inline void rlk_attempt_look_ahead(const struct rlk_request *request)
{
	const struct rlk_attempt *attempt;

	if (request != NULL) {
		attempt = (const struct rlk_attempt *)request->asker; /* Or something else. */
		__builtin_prefetch(attempt);
		__builtin_prefetch(&attempt->owner);
		__builtin_prefetch(&attempt->claims[request->node]);
	}
}

#endif
