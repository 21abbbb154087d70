/* queue.h - who of one client's locks keeps a resource, and who waits for it behind. */
#ifndef RLK_QUEUE_H
#define RLK_QUEUE_H

#include "lock.h"

/* The lock wants to wait for its resource. True: it stands in line now, and rlk_lock_turn() will
 * be called. False: it is the one that tries, or a reader, of whom many may try. */
bool rlk_queue_join(struct rlk_lock *lock);
/* The lock has a lease now: those who come later wait for it, unless it is a reader. */
void rlk_queue_keep(struct rlk_lock *lock);
/* The lock neither has nor wants its resource any more: whose turn is it? */
void rlk_queue_leave(struct rlk_lock *lock);
/* The same for one that had a lease, in line or not. */
void rlk_queue_freed(struct rlk_lock *lock);
/* Take the first of those that wait as the keeper in @lock's place, if @lock may give it what it
 * has. NULL: it may not, or nobody waits. */
struct rlk_lock *rlk_queue_succeed(struct rlk_lock *lock, uint64_t now_us);
/* Has the client of @lock, who gives back, kept the resource to itself for long enough? Then the
 * next in line has to wait until this is done. */
bool rlk_queue_must_yield(const struct rlk_lock *lock);
/* It is the turn of @lock: if that was so, @kept_us is how long, it begins anew, and the answer is
 * whether to stay away for longer. */
bool rlk_queue_begin_anew(const struct rlk_lock *lock, uint64_t now_us, uint64_t *kept_us);

#endif
