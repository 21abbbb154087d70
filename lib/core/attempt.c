/* attempt.c - one attempt, one token, and a claim for each node.
 *
 * A claim says what the attempt may have set on its node. Only a clean refusal
 * proves that nothing was set; silence, an error and a broken connection do
 * not. Abandoning an attempt turns every claim that may be set into a debt,
 * which the node keeps until it is settled, whatever becomes of the lock. So
 * an attempt lives on after its lock has forgotten it, and since its token is
 * its own, a late release can never hurt a later attempt.
 *
 * Who stands in line under its token may find the key set at any time, by whoever
 * gives it back: so with a ticket, no answer proves that nothing will be set. */
#include "attempt.h"

#include <assert.h>
#include <string.h>

#include "cluster.h"
#include "debts.h"
#include "mutant.h"
#include "parts.h"

static void bury(struct rlk_attempt *attempt)
{
	struct rlk_cluster *cluster = attempt->cluster;

	rlk_name_drop(cluster, attempt->name);
	memset(attempt->token, 0, attempt->token_len);
	if (attempt->token_len > RLK_TOKEN_LEN) {
		cluster->ports->free(cluster->world, attempt); /* Of another size. */
		return;
	}
	attempt->next_spare = cluster->spares.attempts;
	cluster->spares.attempts = attempt;
}

static void unpin(struct rlk_attempt *attempt, unsigned pins)
{
	assert(attempt->pins >= pins);
	attempt->pins -= pins;
	if (attempt->pins == 0) {
		bury(attempt);
	}
}

/* Has the release of what this would set been sent, or is it about to be? */
static bool is_undone(const struct rlk_attempt *attempt, const struct rlk_request *request)
{
	return (request->op == RLK_OP_ACQUIRE || request->op == RLK_OP_REPAIR ||
		request->op == RLK_OP_JOIN) &&
	       (attempt->owner == NULL || attempt->claims[request->node].owed);
}

/* It is no vote, and so need not be granted under the lease's own fencing token. */
static bool is_to_block(const struct rlk_attempt *attempt, const struct rlk_request *request)
{
	return request->op == RLK_OP_REPAIR && attempt->claims[request->node].blocks;
}

static void describe(struct rlk_asker *asker, const struct rlk_request *request,
		     struct rlk_command *command)
{
	const struct rlk_attempt *attempt = (const struct rlk_attempt *)asker;

	command->op = (enum rlk_op)request->op;
	command->name = attempt->name;
	command->token = attempt->token;
	command->token_len = attempt->token_len;
	command->ttl_ms = attempt->ttl_ms;
	/* Others may have the same token, and promised anything that is allowed. */
	command->longest_ms =
		attempt->own_token ? attempt->cluster->config.max_ttl_ms : attempt->longest_ms;
	command->fence = is_to_block(attempt, request) ? attempt->claims[request->node].block_fence
						       : attempt->fence;
	command->ticket = attempt->ticket;
	command->caller = attempt->cluster->caller;
	command->checked = attempt->cluster->config.may_change;
	command->several = rlk_is_several(attempt->name);
	command->shared = attempt->shared;
	command->undone = is_undone(attempt, request);
}

/* ---- What an answer tells of the key --------------------------------------------------------- */

/* Unknown is not no: only a clean refusal says that nothing is set. */
static void note_set(struct rlk_claim *claim, const struct rlk_request *request,
		     enum rlk_answer_kind kind, bool in_line)
{
	switch (kind) {
	case RLK_YES:
		claim->state = RLK_CLAIM_SET;
		break;
	case RLK_NO:
	case RLK_FENCE_LOW:
	case RLK_FENCE_HIGH:
		/* A repair may be refused because the key is there after all: ours. */
		if ((request->op == RLK_OP_ACQUIRE && !in_line) ||
		    RLK_MUTANT(REPAIR_REFUSED_IS_NO)) {
			claim->state = RLK_CLAIM_NONE;
		}
		break;
	case RLK_BROKEN:
		if (request->sent && !RLK_MUTANT(BROKEN_IS_NO)) {
			claim->stray = true;
		} else if (!in_line || request->sent) {
			claim->state = RLK_CLAIM_NONE;
		}
		break;
	default:
		/* Silence or an error: it may be set all the same. */
		if ((!request->sent && !in_line) ||
		    (RLK_MUTANT(SILENCE_IS_NO) && kind == RLK_SILENT) ||
		    (RLK_MUTANT(ERROR_IS_NO) && kind == RLK_ERROR)) {
			claim->state = RLK_CLAIM_NONE;
		}
		break;
	}
}

/* That several are not there does not say that none of them is. */
static void note_extended(struct rlk_claim *claim, enum rlk_answer_kind kind, bool open)
{
	if (kind == RLK_YES) {
		claim->state = RLK_CLAIM_SET;
	} else if (kind == RLK_NO || kind == RLK_MISSING) {
		if (!open && (!claim->stray || RLK_MUTANT(STRAY_EXTENDED))) {
			claim->state = RLK_CLAIM_NONE;
		} else if (claim->state == RLK_CLAIM_SET) {
			claim->state = RLK_CLAIM_ASKED;
		}
	}
}

static bool is_final(const struct rlk_request *request, const struct rlk_answer *answer)
{
	return answer->kind != RLK_SILENT || !request->sent;
}

static void note(struct rlk_attempt *attempt, struct rlk_node *node,
		 const struct rlk_request *request, const struct rlk_answer *answer)
{
	struct rlk_claim *claim = &attempt->claims[node->index];
	bool in_line = attempt->ticket.seq != 0 && !RLK_MUTANT(LINE_REFUSED_IS_NO);

	switch ((enum rlk_op)request->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
		note_set(claim, request, answer->kind, in_line);
		break;
	case RLK_OP_ADVANCE:
		if (claim->blocks && answer->kind == RLK_YES && !claim->stray && !claim->owed) {
			/* It has granted the heir's token, and nothing of the giver's can follow.
			 */
			claim->blocks = false;
			claim->counted_until_us = 0;
		}
		/* fall through */
	case RLK_OP_EXTEND:
		note_extended(claim, answer->kind, in_line || rlk_is_several(attempt->name));
		break;
	case RLK_OP_JOIN:
		if (answer->kind == RLK_BROKEN) {
			claim->stray = true;
		}
		break;
	case RLK_OP_RELEASE:
		/* A broken connection is rlk_debts_broken()'s business. */
		if (claim->owed && is_final(request, answer) && answer->kind != RLK_BROKEN) {
			rlk_debt_answered(node, claim,
					  answer->kind == RLK_YES || answer->kind == RLK_NO);
		}
		break;
	case RLK_OP_REMAINING:
	case RLK_OP_INSPECT:
		break;
	}
}

static void heard(struct rlk_asker *asker, struct rlk_node *node, const struct rlk_request *request,
		  const struct rlk_answer *answer)
{
	struct rlk_attempt *attempt = (struct rlk_attempt *)asker;
	/* A release is pinned by its debt. */
	bool over = is_final(request, answer) && request->op != RLK_OP_RELEASE;

	attempt->pins++; /* Stay until we are through. */
	attempt->claims[node->index].unanswered =
		(uint16_t)(attempt->claims[node->index].unanswered - over);
	note(attempt, node, request, answer);
	if (attempt->owner != NULL) {
		attempt->heard(attempt->owner, node->index, request, answer);
	}
	unpin(attempt, over ? 2 : 1);
}

void rlk_attempt_settled(const struct rlk_node *node, struct rlk_claim *debt)
{
	debt->state = RLK_CLAIM_NONE;
	unpin(rlk_attempt_of(node, debt), 1);
}

static const struct rlk_asking asking = {describe, heard};

/* ---- Life ------------------------------------------------------------------------------------ */

/* They are all of one size, but for those with a long token of the caller's. */
static struct rlk_attempt *take(struct rlk_cluster *cluster, size_t token_len)
{
	size_t at = sizeof(struct rlk_attempt) + cluster->node_count * sizeof(struct rlk_claim);
	size_t size = at + (token_len > RLK_TOKEN_LEN ? token_len : RLK_TOKEN_LEN) + 1;
	struct rlk_attempt *attempt = cluster->spares.attempts;

	if (token_len > RLK_TOKEN_LEN) {
		attempt = cluster->ports->alloc(cluster->world, size);
	} else if (attempt == NULL) {
		attempt = rlk_spares_grow(cluster, size, &cluster->spares.attempt_count);
	} else {
		cluster->spares.attempts = attempt->next_spare;
		memset(attempt, 0, size);
	}
	if (attempt != NULL) {
		attempt->token = (char *)attempt + at;
	}
	return attempt;
}

struct rlk_attempt *rlk_attempt_new(struct rlk_cluster *cluster, struct rlk_name *name,
				    uint32_t ttl_ms, const char *own, size_t own_len)
{
	struct rlk_attempt *attempt = take(cluster, own_len);

	if (attempt == NULL) {
		return NULL;
	}
	attempt->asker.asking = &asking;
	attempt->cluster = cluster;
	attempt->name = rlk_name_hold(name);
	attempt->ttl_ms = attempt->longest_ms = ttl_ms;
	attempt->pins = 1;
	if (own_len > 0) {
		attempt->own_token = true;
		attempt->token_len = (uint8_t)own_len;
		memcpy(attempt->token, own, own_len);
	}
	return attempt;
}

enum rlk_answer_kind rlk_attempt_ask(struct rlk_attempt *attempt, unsigned node, enum rlk_op op,
				     uint32_t round, uint64_t now_us)
{
	struct rlk_claim *claim = &attempt->claims[node];
	enum rlk_answer_kind taken;

	if (claim->unanswered == UINT16_MAX) {
		return RLK_FULL;
	}
	taken = rlk_node_ask(&attempt->cluster->nodes[node], &attempt->asker, op, round, now_us);
	if (taken != RLK_YES) {
		return taken;
	}
	attempt->pins++;
	claim->unanswered++;
	if (op == RLK_OP_ACQUIRE || op == RLK_OP_REPAIR || op == RLK_OP_JOIN) {
		claim->state = RLK_CLAIM_ASKED;
	}
	return RLK_YES;
}

/* Requests that have not left need not be undone, and must not leave after their undoing. */
static void withdraw(struct rlk_attempt *attempt, unsigned node)
{
	unsigned withdrawn;
	bool would_set;

	if (RLK_MUTANT(UNSENT_STAYS)) {
		return;
	}
	withdrawn = rlk_node_withdraw(&attempt->cluster->nodes[node], &attempt->asker, &would_set);
	attempt->pins -= withdrawn;
	attempt->claims[node].unanswered = (uint16_t)(attempt->claims[node].unanswered - withdrawn);
	/* A renewal says nothing of the key, which may be another process's doing. */
	if (would_set) {
		attempt->claims[node].state = RLK_CLAIM_NONE;
	}
}

/* What is left of the claim, now that all that has not left is withdrawn. */
static enum rlk_answer_kind give_back(struct rlk_attempt *attempt, unsigned node, uint32_t round,
				      uint64_t now_us)
{
	struct rlk_claim *claim = &attempt->claims[node];
	struct rlk_node *at = &attempt->cluster->nodes[node];

	assert(!claim->owed);
	if (claim->state == RLK_CLAIM_NONE && at->state != RLK_UP && !at->fresh) {
		return RLK_UNREACHABLE; /* Nothing is there, and nobody to ask. */
	}
	attempt->pins++; /* For the debt. */
	if (rlk_debt_owe(at, claim, round, now_us)) {
		return RLK_YES;
	}
	return RLK_UNREACHABLE;
}

enum rlk_answer_kind rlk_attempt_release(struct rlk_attempt *attempt, unsigned node, uint32_t round,
					 uint64_t now_us)
{
	withdraw(attempt, node);
	return give_back(attempt, node, round, now_us);
}

void rlk_attempt_withdraw(struct rlk_attempt *attempt)
{
	unsigned i;

	for (i = 0; i < attempt->cluster->node_count; i++) {
		withdraw(attempt, i);
	}
}

void rlk_attempt_leave(struct rlk_attempt *attempt)
{
	attempt->owner = NULL;
	rlk_attempt_withdraw(attempt);
	unpin(attempt, 1);
}

void rlk_attempt_abandon(struct rlk_attempt *attempt)
{
	uint64_t now_us = rlk_now(attempt->cluster);
	unsigned i;

	/* One round: nobody hears what still comes for it. */
	attempt->owner = RLK_MUTANT(ATTEMPT_MIXED) ? attempt->owner : NULL;
	for (i = 0; i < attempt->cluster->node_count; i++) {
		withdraw(attempt, i);
		/* Nothing is left behind. */
		if (attempt->claims[i].state != RLK_CLAIM_NONE && !RLK_MUTANT(LOSS_KEPT)) {
			give_back(attempt, i, 0, now_us);
		}
	}
	unpin(attempt, 1);
}

static bool is_under(const struct rlk_attempt *attempt, const char *token, size_t token_len)
{
	return attempt->token_len == token_len && memcmp(attempt->token, token, token_len) == 0;
}

bool rlk_attempt_owed(const struct rlk_node *node, const struct rlk_name *name, const char *token,
		      size_t token_len)
{
	const struct rlk_claim *debt;

	for (debt = node->debts; debt != NULL; debt = debt->next) {
		const struct rlk_attempt *attempt = rlk_attempt_of(node, debt);
		if (attempt->name == name && is_under(attempt, token, token_len)) {
			return true;
		}
	}
	return false;
}

bool rlk_attempt_owed_part(const struct rlk_node *node, const struct rlk_name *name,
			   const char *token, size_t token_len)
{
	const struct rlk_claim *debt;

	for (debt = node->debts; debt != NULL; debt = debt->next) {
		const struct rlk_attempt *attempt = rlk_attempt_of(node, debt);
		if (is_under(attempt, token, token_len) && rlk_names_meet(attempt->name, name)) {
			return true;
		}
	}
	return false;
}
