/* queue.c - the locks of one client that want one resource stand in line.
 *
 *   keeper: holds the lease, or is the one that tries for it
 *      |
 *   first waiter <-> second <-> ... <-> last
 *
 * One of them talks to the nodes; the others cost no traffic, and get their
 * turn in the order in which they came. The keeper's lease may pass to the next
 * one directly (hand.c), but neither often nor long: other clients wait too, so
 * after a while this one gives the lease back for good, and stays away for a
 * moment (turn.c) before it tries again.
 *
 * A lock that tries once, without waiting, asks the nodes and stands in no
 * line. Nor does a reader: others may read at the same time, so each asks for
 * itself, and what it has is not handed on. */
#include "queue.h"

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"

/* Others who wait in pauses of their own would hardly ever hit upon a round trip: from time to time
 * they get more. */
#define LONG_YIELD_EVERY 64

static void append(struct rlk_lock *lock)
{
	struct rlk_name *name = lock->name;

	lock->ahead = name->last;
	lock->behind = NULL;
	if (name->last != NULL) {
		name->last->behind = lock;
	} else {
		name->first = lock;
	}
	name->last = lock;
}

static void remove_from(struct rlk_name *name, struct rlk_lock *lock)
{
	if (lock->ahead != NULL) {
		lock->ahead->behind = lock->behind;
	} else {
		name->first = lock->behind;
	}
	if (lock->behind != NULL) {
		lock->behind->ahead = lock->ahead;
	} else {
		name->last = lock->ahead;
	}
	lock->ahead = lock->behind = NULL;
}

static void begin_anew(struct rlk_name *name, uint64_t now_us)
{
	name->turns = 0;
	name->kept_since_us = now_us;
}

static bool is_apart(const struct rlk_lock *lock)
{
	return lock->config.shared && !RLK_MUTANT(SHARED_HANDED_ON);
}

bool rlk_queue_join(struct rlk_lock *lock)
{
	struct rlk_name *name = lock->name;

	if (is_apart(lock)) {
		return false;
	}
	if (name->keeper == NULL && name->first == NULL) {
		name->keeper = lock;
		name->why = 0;
		begin_anew(name, lock->asked_us);
		return false;
	}
	append(lock);
	return true;
}

void rlk_queue_keep(struct rlk_lock *lock)
{
	if (is_apart(lock)) {
		return;
	}
	lock->name->why = 0;
	if (lock->name->keeper == NULL) {
		lock->name->keeper = lock;
		begin_anew(lock->name, lock->round.start_us);
	}
}

/* Hand on, but neither often nor long: others wait, too. */
static bool is_spent(const struct rlk_lock *lock, uint64_t now_us)
{
	const struct rlk_name *name = lock->name;
	uint32_t ttl_ms = lock->config.ttl_ms;

	return !RLK_MUTANT(HAND_ENDLESS) &&
	       (name->turns >= lock->cluster->config.hand_max ||
		now_us >= rlk_later(name->kept_since_us, rlk_us(ttl_ms)));
}

bool rlk_queue_must_yield(const struct rlk_lock *lock)
{
	const struct rlk_name *name = lock->name;

	return name->keeper == lock && name->first != NULL &&
	       is_spent(name->first, rlk_now(lock->cluster));
}

bool rlk_queue_begin_anew(const struct rlk_lock *lock, uint64_t now_us, uint64_t *kept_us)
{
	struct rlk_name *name = lock->name;

	if (!is_spent(lock, now_us)) {
		return false;
	}
	*kept_us = rlk_until(now_us, name->kept_since_us);
	begin_anew(name, now_us);
	return ++name->yields % LONG_YIELD_EVERY == 0;
}

static struct rlk_lock *promote_first(struct rlk_name *name)
{
	struct rlk_lock *lock = name->first;

	remove_from(name, lock);
	name->keeper = lock;
	name->turns++;
	return lock;
}

/* Not by recursion: whoever fails at once makes room for the next one, and there may be thousands.
 */
static void pass_on(struct rlk_lock *by)
{
	struct rlk_name *name = by->name;

	if (name->passing || by->cluster->closing) {
		return;
	}
	name->passing = true;
	while (name->keeper == NULL && name->first != NULL) {
		rlk_lock_turn(promote_first(name));
	}
	name->passing = false;
}

void rlk_queue_leave(struct rlk_lock *lock)
{
	struct rlk_name *name = lock->name;

	if (lock == name->first || lock->ahead != NULL) {
		remove_from(name, lock);
	} else if (lock == name->keeper) {
		name->keeper = NULL;
	}
	pass_on(lock);
}

void rlk_queue_freed(struct rlk_lock *lock)
{
	struct rlk_lock *keeper = lock->name->keeper;

	if (keeper != NULL && keeper != lock) {
		rlk_lock_hurry(keeper); /* What it waits for may be free now. */
	}
	rlk_queue_leave(lock);
}

struct rlk_lock *rlk_queue_succeed(struct rlk_lock *lock, uint64_t now_us)
{
	struct rlk_name *name = lock->name;
	const struct rlk_lock *heir = name->first;

	/* A caller's own token cannot be handed on, nor exchanged for another. */
	if (name->keeper != lock || heir == NULL || lock->config.token_len > 0 ||
	    heir->config.token_len > 0 || is_spent(heir, now_us)) {
		return NULL;
	}
	return promote_first(name);
}
