/* line.c - waiting in line at the nodes, behind other clients.
 *
 *   WAITING --- a node calls: the key is kept for us ---> ACQUIRING: confirm by a vote
 *    ^   |                                                   |          |
 *    |   `- the other lease must be over: join again         | lost     | won
 *    `-------------------------- pause <---------------------'          v
 *                                                                     held
 *
 * A refused client leaves a ticket on each node: since when it has waited, and
 * the token under which it will ask. Whoever gives the key back there passes it
 * on to the first ticket whose client listens, for a moment, and calls that
 * client. Nobody else has to be woken, so the price of a handover does not grow
 * with the number of those who wait.
 *
 * What a node keeps for us is no vote. The client that is called confirms by an
 * ordinary round, with a start of its own, so whatever holds of a lease that was
 * taken holds of this one. A node that refuses in that round, since it has not
 * heard of the release yet, is asked again when it calls; its refusal is final
 * when patience is over.
 *
 * A call may be lost, wrong, or a lie. Without one, the client joins again when
 * the other lease must be over. After one that came to nothing, it believes only
 * a quorum of callers. */
#include "line.h"

#include <stdio.h>

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"
#include "pace.h"
#include "parts.h"
#include "sort.h"

/* So long for the releases to reach all the nodes, at least. */
#define PATIENCE_MIN_US 20000
/* When a lease ends without a release, those in line do not come all at once. */
#define RANK_US 25000
#define RANK_MOST_US 15000000
/* After a call that came to nothing, the next one is looked after in twice of this; up to... */
#define MISLED_US 10000
#define MISLED_MOST 9
/* How long the other lease lasts is not known. */
#define UNKNOWN_US 1000000
/* A node that lets us stand in no line is asked for it again after this. */
#define NO_LINE_US 10000000

/* ---- Joining --------------------------------------------------------------------------------- */

static void wake_at(struct rlk_lock *lock, uint64_t at_us)
{
	at_us = RLK_MUTANT(LINE_CALL_ALONE) ? RLK_NEVER : at_us;
	rlk_timer_set(&lock->cluster->timers, &lock->alarm,
		      at_us < lock->deadline_us || RLK_MUTANT(WAIT_ENDLESS) ? at_us
									    : lock->deadline_us);
}

static enum rlk_answer_kind ask(struct rlk_lock *lock, unsigned node, enum rlk_op op,
				uint64_t now_us)
{
	enum rlk_answer_kind taken =
		rlk_attempt_ask(lock->attempt, node, op, lock->round.serial, now_us);

	if (taken != RLK_YES) {
		rlk_lock_no_answer(lock, node, taken, NULL);
	}
	return taken;
}

void rlk_lock_join_at(struct rlk_lock *lock, struct rlk_node *node, uint64_t now_us)
{
	bool left_out = false;

	if (rlk_node_may_call(node, now_us)) {
		left_out = ask(lock, node->index, RLK_OP_JOIN, now_us) == RLK_FULL;
	}
	lock->ballots[node->index].left_out = left_out;
	if (left_out) {
		rlk_node_left_out(node, now_us);
	}
}

/* By then each node has told how long it will be, or will not tell. */
static uint64_t answers_by_us(const struct rlk_lock *lock)
{
	return rlk_later(lock->round.start_us, rlk_us(lock->cluster->config.node_timeout_ms));
}

static void join(struct rlk_lock *lock)
{
	unsigned i;

	lock->called = 0;
	lock->led = false;
	rlk_lock_open_round(lock);
	for (i = 0; i < lock->cluster->node_count; i++) {
		rlk_lock_join_at(lock, &lock->cluster->nodes[i], lock->round.start_us);
	}
	wake_at(lock, answers_by_us(lock));
}

bool rlk_lock_line_up(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;

	/* A caller's own token could be called for an earlier attempt; who is called has one key
	 * kept for it; readers go in together. */
	if (lock->deadline_us == 0 || cluster->config.in_pauses || lock->config.token_len > 0 ||
	    rlk_is_several(lock->name) || lock->config.shared) {
		return false;
	}
	rlk_cluster_listen(cluster);
	if (rlk_cluster_callers(cluster) < cluster->quorum) {
		return false;
	}
	if (rlk_lock_equip(lock) != 0) {
		if (lock->attempt != NULL) {
			rlk_attempt_leave(lock->attempt);
			lock->attempt = NULL;
		}
		return false;
	}
	rlk_lock_draw_ticket(lock);
	lock->state = RLK_WAITING;
	lock->way = REDLOCK_WAY_LINE;
	lock->paused = true;
	lock->last_status = REDLOCK_EHELD;
	join(lock);
	return true;
}

/* Too few nodes let us stand in line: leave them all, and try in pauses. */
static void step_out(struct rlk_lock *lock)
{
	rlk_trace(lock->cluster, "too few nodes would call: waiting in pauses");
	rlk_attempt_abandon(lock->attempt);
	lock->attempt = NULL;
	rlk_lock_pause(lock, rlk_now(lock->cluster));
}

/* ---- In line --------------------------------------------------------------------------------- */

/* How many are ahead, as the node in the middle has it; and do most nodes say that the holder may
 * be one who calls nobody? A single node that says anything else changes neither. */
static unsigned rank_of(const struct rlk_lock *lock, bool *foreign)
{
	uint64_t ranks[RLK_NODES_MAX];
	unsigned i, known = 0, strangers = 0;

	for (i = 0; i < lock->cluster->node_count; i++) {
		if (lock->ballots[i].vote != REDLOCK_VOTE_HELD) {
			continue;
		}
		ranks[known++] = lock->ballots[i].rank;
		strangers += lock->ballots[i].foreign;
	}
	*foreign = 2 * strangers > known;
	rlk_sort(ranks, known);
	return known == 0 ? 0 : (unsigned)ranks[(known - 1) / 2];
}

/* A call that is not believed is looked after in a while, which is longer each time. */
static uint64_t look_after_call_us(const struct rlk_lock *lock)
{
	return rlk_later(rlk_now(lock->cluster), (uint64_t)MISLED_US << lock->misled);
}

/* Join again when the other lease is over, one after the other: so much for a holder who died. */
static void plan(struct rlk_lock *lock)
{
	uint64_t now_us = rlk_now(lock->cluster), free_us = rlk_lock_free_again_us(lock);
	uint64_t later_us, at_us;
	bool foreign, after_call;
	unsigned rank;

	rank = rank_of(lock, &foreign);
	later_us = rank * (uint64_t)RANK_US;
	later_us = later_us > RANK_MOST_US ? RANK_MOST_US : later_us;
	free_us = free_us == RLK_NEVER ? UNKNOWN_US : free_us;
	if (foreign && rank == 0) {
		/* Who follows another protocol gives back without a word. */
		uint64_t most_us = rlk_us(lock->cluster->config.retry_max_ms);
		uint64_t pause_us =
			most_us / 2 + rlk_random(&lock->cluster->random) % (most_us / 2 + 1);
		free_us = pause_us < free_us ? pause_us : free_us;
	}
	at_us = rlk_later(now_us, rlk_later(free_us, later_us));
	after_call = lock->called != 0 && look_after_call_us(lock) < at_us;
	at_us = after_call ? look_after_call_us(lock) : at_us; /* It came before the answers. */
	/* More answers can only make it sooner; and so can a call. */
	if (lock->alarm.at_us == answers_by_us(lock) || at_us < lock->alarm.at_us) {
		lock->misled = (uint8_t)(lock->misled + (after_call && lock->misled < MISLED_MOST));
		wake_at(lock, at_us);
	}
}

void rlk_lock_confirm(struct rlk_lock *lock)
{
	uint64_t rtt_us = rlk_cluster_rtt_us(lock->cluster);
	uint64_t most_us = rlk_us(lock->cluster->config.node_timeout_ms);
	uint64_t patience_us = 4 * rtt_us > PATIENCE_MIN_US ? 4 * rtt_us : PATIENCE_MIN_US;

	lock->called = lock->pending = 0;
	patience_us = patience_us < most_us ? patience_us : most_us;
	lock->patience_us = rlk_later(rlk_now(lock->cluster), patience_us);
	/* In line: what a node keeps for us is no vote; the round that confirms is. */
	rlk_lock_ask_for_votes(lock, RLK_OP_ACQUIRE);
}

/* Believe it at once, unless that has led us astray: then a quorum, or look after a while. */
static void consider(struct rlk_lock *lock)
{
	uint64_t at_us;

	if (lock->misled == 0 || rlk_count(lock->called) >= lock->cluster->quorum) {
		rlk_lock_confirm(lock);
		return;
	}
	at_us = look_after_call_us(lock);
	if (at_us < lock->alarm.at_us) {
		lock->misled = (uint8_t)(lock->misled + (lock->misled < MISLED_MOST));
		wake_at(lock, at_us);
	}
}

void rlk_lock_heard_join(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			 const struct rlk_answer *answer)
{
	struct rlk_ballot_note *note = &lock->ballots[node];

	if (request->op != RLK_OP_JOIN) {
		return; /* What an earlier round was answered late. */
	}
	switch (answer->kind) {
	case RLK_YES:
		rlk_lock_ballot(lock, node, RLK_BALLOT_YES, REDLOCK_VOTE_GRANTED, request);
		lock->called |= UINT32_C(1) << node;
		consider(lock);
		if (lock->state != RLK_WAITING) {
			return;
		}
		break;
	case RLK_NO:
		rlk_lock_note_remaining(lock, node, answer->remaining_ms);
		note->rank = (uint16_t)(answer->rank > UINT16_MAX ? UINT16_MAX : answer->rank);
		note->foreign = answer->foreign;
		rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, request);
		lock->name->contended = true;
		break;
	case RLK_ERROR:
		lock->cluster->nodes[node].no_line_until_us =
			rlk_later(rlk_now(lock->cluster), NO_LINE_US);
		snprintf(lock->cluster->nodes[node].no_line_why, RLK_NODE_ERROR_MAX, "%.*s",
			 (int)answer->text_len, answer->text);
		rlk_lock_no_answer(lock, node, RLK_ERROR, request);
		if (rlk_cluster_callers(lock->cluster) < lock->cluster->quorum) {
			step_out(lock);
			return;
		}
		break;
	default:
		rlk_lock_no_answer(lock, node, answer->kind, request);
		break;
	}
	if (rlk_count(lock->round.no | lock->round.yes) >= lock->cluster->quorum) {
		plan(lock);
	}
}

void rlk_lock_rejoin(struct rlk_lock *lock)
{
	if (rlk_cluster_callers(lock->cluster) < lock->cluster->quorum) {
		step_out(lock);
	} else {
		join(lock);
	}
}

void rlk_lock_line_alarm(struct rlk_lock *lock)
{
	if (!rlk_pace_hold(lock)) {
		rlk_lock_rejoin(lock);
	}
}

/* ---- While confirming ------------------------------------------------------------------------ */

static void ask_again(struct rlk_lock *lock, unsigned node)
{
	ask(lock, node, RLK_OP_ACQUIRE, rlk_now(lock->cluster));
}

bool rlk_lock_may_be_called_yet(struct rlk_lock *lock, unsigned node)
{
	uint32_t bit = UINT32_C(1) << node;

	if (lock->patience_us == 0) {
		return false;
	}
	if ((lock->called & bit) != 0) { /* While its refusal was on its way. */
		lock->called &= ~bit;
		ask_again(lock, node);
	} else {
		lock->pending |= bit;
	}
	return true;
}

void rlk_lock_patience_over(struct rlk_lock *lock)
{
	unsigned i;

	lock->patience_us = 0;
	for (i = 0; i < lock->cluster->node_count; i++) {
		if ((lock->pending >> i & 1) != 0) {
			rlk_lock_ballot(lock, i, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, NULL);
		}
	}
	lock->pending = 0;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static struct rlk_lock *find(struct rlk_cluster *cluster, const struct rlk_call *call)
{
	struct rlk_name *name = NULL;
	struct rlk_lock *lock;

	while ((name = rlk_name_next(cluster, call->name, name)) != NULL) {
		lock = name->keeper;
		if (lock != NULL && lock->attempt != NULL && call->seq != 0 &&
		    lock->attempt->ticket.seq == call->seq) {
			return lock;
		}
	}
	return NULL;
}

static void called(struct rlk_lock *lock, unsigned node)
{
	uint32_t bit = UINT32_C(1) << node;

	switch (lock->state) {
	case RLK_WAITING:
		lock->called |= bit;
		consider(lock);
		break;
	case RLK_ACQUIRING:
		if ((lock->pending & bit) != 0 && lock->patience_us != 0) {
			lock->pending &= ~bit;
			ask_again(lock, node);
		} else {
			lock->called |= bit;
		}
		if (RLK_MUTANT(LINE_CALL_COUNTS)) {
			rlk_lock_ballot(lock, node, RLK_BALLOT_YES, REDLOCK_VOTE_GRANTED, NULL);
		}
		break;
	case RLK_HELD:
	case RLK_EXTENDING:
		/* Not counted any more, but one node more that keeps others out. */
		if (lock->attempt->claims[node].state != RLK_CLAIM_SET) {
			rlk_attempt_ask(lock->attempt, node, RLK_OP_ACQUIRE, 0,
					rlk_now(lock->cluster));
		}
		break;
	default:
		break;
	}
}

void rlk_line_called(struct rlk_cluster *cluster, unsigned node, const struct rlk_call *call)
{
	struct rlk_lock *lock = find(cluster, call);
	uint64_t at_us, earliest_us;

	if (lock == NULL || cluster->closing) {
		return;
	}
	if (call->yours) {
		called(lock, node);
	} else if (lock->state == RLK_WAITING) {
		/* Nor can a node that calls again and again make us ask all the time. */
		earliest_us =
			rlk_later(lock->round.start_us, rlk_us(lock->attempt->ticket.keep_ms));
		at_us = rlk_later(rlk_now(cluster), rlk_us(call->in_ms));
		at_us = at_us > earliest_us ? at_us : earliest_us;
		if (at_us < lock->alarm.at_us) {
			wake_at(lock, at_us);
		}
	}
}
