/* turn.c - standing in line, until it is this lock's turn to try. */
#include "lease.h"
#include "lock_parts.h"
#include "queue.h"

/* Who is in line elsewhere has been called by now: giving back took a round trip. Those who wait in
 * pauses of their own get a share of the time, all at once. */
void rlk_lock_turn(struct rlk_lock *lock)
{
	uint64_t now_us = rlk_now(lock->cluster), most_us, until_us, kept_us = 0;

	if (!rlk_queue_begin_anew(lock, now_us, &kept_us) || lock->name->contended) {
		rlk_lock_try(lock);
		return;
	}
	most_us = rlk_us(lock->cluster->config.retry_max_ms);
	until_us = rlk_later(now_us, kept_us / 2 < most_us ? kept_us / 2 : most_us);
	lock->state = RLK_PAUSING;
	rlk_timer_set(&lock->cluster->timers, &lock->alarm,
		      until_us < lock->deadline_us ? until_us : lock->deadline_us);
}

void rlk_lock_hurry(struct rlk_lock *lock)
{
	if (lock->state == RLK_PAUSING && lock->attempts > 0) {
		rlk_timer_set(&lock->cluster->timers, &lock->alarm, rlk_now(lock->cluster));
	}
}

void rlk_lock_stand_in_line(struct rlk_lock *lock)
{
	lock->state = RLK_QUEUED;
	lock->way = REDLOCK_WAY_CLIENT;
	lock->last_status = REDLOCK_EHELD;
	rlk_lock_clear_ballots(lock);
	rlk_timer_set(&lock->cluster->timers, &lock->alarm, lock->deadline_us);
}

/* Who stands behind another lock of this client has asked nobody: what did that one find? */
int rlk_lock_found(const struct rlk_lock *lock)
{
	return lock->state == RLK_QUEUED && lock->name->why != 0 ? lock->name->why
								 : lock->last_status;
}
