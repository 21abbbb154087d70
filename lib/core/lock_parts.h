/* lock_parts.h - what the rooms of the lock share with each other, and nobody else. */
#ifndef RLK_LOCK_PARTS_H
#define RLK_LOCK_PARTS_H

#include "lock.h"

/* lock.c */
/* To a lease, or away from one: neither extended nor released before that has ended and is told. */
bool rlk_lock_on_its_way(const struct rlk_lock *lock);

/* news.c */
void rlk_lock_news(struct rlk_lock *lock, enum rlk_news news, int status);
/* Is this still to be told? Then the operation that it ends is not over for the user. */
bool rlk_lock_untold(const struct rlk_lock *lock, enum rlk_news news);

/* ballot.c: rounds. */
struct rlk_attempt *rlk_lock_attempt(struct rlk_lock *lock);
/* A caller's own token is not new for each attempt: where the release of an earlier attempt under
 * it is still owed, that release could hit this one. Such a node is not asked, and not believed. */
bool rlk_lock_in_debt(const struct rlk_lock *lock, unsigned node);
/* No node has said anything yet. */
void rlk_lock_clear_ballots(struct rlk_lock *lock);
/* How long the node's key lives; or it has no vote for so long. */
void rlk_lock_note_remaining(struct rlk_lock *lock, unsigned node, int64_t remaining_ms);
void rlk_lock_open_round(struct rlk_lock *lock);
void rlk_lock_ballot(struct rlk_lock *lock, unsigned node, enum rlk_ballot ballot,
		     enum redlock_vote vote, const struct rlk_request *request);
/* The vote of a node that could not be asked, or did not answer. */
void rlk_lock_no_answer(struct rlk_lock *lock, unsigned node, enum rlk_answer_kind kind,
			const struct rlk_request *request);

/* The node's vote for the lease counts in the round under way: note how long its key lives. */
void rlk_lock_counted(struct rlk_lock *lock, unsigned node);

/* The round is lost, and others' refusals made it so: REDLOCK_EHELD, or REDLOCK_ENOQUORUM. */
int rlk_lock_why_refused(const struct rlk_lock *lock);

/* hold.c: from the win to the end of the lease. */
void rlk_lock_hold(struct rlk_lock *lock, uint64_t now_us);
/* A node says that the key is ours: is that a vote? */
bool rlk_lock_may_count(const struct rlk_lock *lock, unsigned node);
void rlk_lock_heard_extend(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			   const struct rlk_answer *answer);
void rlk_lock_hold_alarm(struct rlk_lock *lock, uint64_t now_us);
void rlk_lock_extend_over(struct rlk_lock *lock, int status);

/* fill.c: asking those again who lack the lease. */
/* Holding has just begun, or a renewal has ended: lock->fill_us says when. */
void rlk_lock_fill_begin(struct rlk_lock *lock, uint64_t now_us);
/* An answer that came after that. Returns whether it was a refusal, or none, and lock->fill_us says
 * something. */
bool rlk_lock_fill_heard(struct rlk_lock *lock, unsigned node, const struct rlk_answer *answer);
/* Nodes that have not said that they have the key, and may have it yet. */
uint32_t rlk_lock_lacking(const struct rlk_lock *lock);
/* Ask, and say when next. */
void rlk_lock_fill(struct rlk_lock *lock, uint64_t now_us);

/* give_back.c: release. */
void rlk_lock_heard_release(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			    const struct rlk_answer *answer);

/* fence.c: fencing tokens. */
uint64_t rlk_fence_propose(struct rlk_cluster *cluster);
/* A node grants none below that: so that the next lease has its vote, too. */
void rlk_fence_note_floor(struct rlk_cluster *cluster, uint64_t floor);
/* The node has granted @fence, which is above that of the lease: it can only block from now on. */
void rlk_fence_blocks(struct rlk_lock *lock, unsigned node, uint64_t fence);
void rlk_fence_refused(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
		       const struct rlk_answer *answer);
/* The lease is had: whatever is proposed later is above its token. */
void rlk_fence_won(struct rlk_lock *lock);
bool rlk_fence_is_open(const struct rlk_lock *lock);
bool rlk_fence_mend(struct rlk_lock *lock);

/* take.c: acquire. */
void rlk_lock_heard_acquire(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			    const struct rlk_answer *answer);
void rlk_lock_take_alarm(struct rlk_lock *lock, uint64_t now_us);
void rlk_lock_take_over(struct rlk_lock *lock, int status);
/* Try, under a new attempt. */
void rlk_lock_begin(struct rlk_lock *lock);
/* The round of lock->attempt. */
void rlk_lock_ask_for_votes(struct rlk_lock *lock, enum rlk_op op);

/* A new attempt, with a token: 0, or a REDLOCK_ error. */
int rlk_lock_equip(struct rlk_lock *lock);

/* pace.c: behind others that want to ask. */
/* Does it have to stand there? Then it does. */
bool rlk_lock_stands_behind(struct rlk_lock *lock);
/* The next try of one that waits: in line, or by a new attempt. */
void rlk_lock_try(struct rlk_lock *lock);

/* lead.c: one node first. */
/* Ask it, if this attempt is one for it; false: all have to be asked at once. */
bool rlk_lock_ask_lead(struct rlk_lock *lock);
/* The answer of the node that was asked first: does it end the attempt? Else the others are to be
 * asked now, unless they have been. */
bool rlk_lock_heard_lead(struct rlk_lock *lock, unsigned node, enum rlk_answer_kind kind);

/* pause.c: waiting in pauses. */
/* How long, after one more failure. */
uint64_t rlk_lock_pause_us(struct rlk_lock *lock);
/* After a loss; then try again. */
void rlk_lock_pause(struct rlk_lock *lock, uint64_t now_us);
/* Nobody waits for what was asked at its beginning. */
void rlk_lock_leave_probe(struct rlk_lock *lock);
/* How long until enough of the nodes that refused are free, if they said so; or RLK_NEVER. */
uint64_t rlk_lock_free_again_us(const struct rlk_lock *lock);

/* line.c: waiting behind other clients. */
/* Stand in line at the nodes. False: it cannot be, and nothing was done. */
bool rlk_lock_line_up(struct rlk_lock *lock);
/* At that node, if it would call. */
void rlk_lock_join_at(struct rlk_lock *lock, struct rlk_node *node, uint64_t now_us);
/* The round of an attempt that was called. */
void rlk_lock_confirm(struct rlk_lock *lock);
void rlk_lock_heard_join(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			 const struct rlk_answer *answer);
void rlk_lock_line_alarm(struct rlk_lock *lock);
/* Join again, now. */
void rlk_lock_rejoin(struct rlk_lock *lock);
/* The node refused in a round that confirms: has it no vote yet? */
bool rlk_lock_may_be_called_yet(struct rlk_lock *lock, unsigned node);
/* What was refused until now is refused. */
void rlk_lock_patience_over(struct rlk_lock *lock);

/* ticket.c: for lock->attempt. */
void rlk_lock_draw_ticket(struct rlk_lock *lock);

/* turn.c: waiting behind another lock of this client. */
void rlk_lock_stand_in_line(struct rlk_lock *lock);
/* It stood in line, and is the one that tries now. */
void rlk_lock_turn(struct rlk_lock *lock);
/* Why it has not got the lease until now. */
int rlk_lock_found(const struct rlk_lock *lock);
/* If it is between two attempts, try again now. */
void rlk_lock_hurry(struct rlk_lock *lock);

/* hand.c: to the next lock of this client. Returns whether there was one to take it. */
bool rlk_lock_hand_on(struct rlk_lock *lock);

#endif
