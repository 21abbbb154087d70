/* turn.c - standing in line, until it is this lock's turn to try. */
#include "lease.h"
#include "lock_parts.h"
#include "queue.h"

/* For as long as a round trip takes: then those in line elsewhere have been called. And for a share
 * of the time that we have had it ourselves, if others may wait in pauses of their own. */
static uint64_t yield_us(const struct rlk_lock *lock, uint64_t kept_us)
{
	const struct rlk_cluster *cluster = lock->cluster;
	uint64_t rtt_us = rlk_cluster_rtt_us(cluster), share_us = kept_us / 8;
	uint64_t most_us = rlk_us(cluster->config.retry_max_ms);

	rtt_us = rtt_us > 1000 ? rtt_us : 1000;
	share_us = share_us < most_us ? share_us : most_us;
	return share_us > rtt_us && !lock->name->contended ? share_us : rtt_us;
}

void rlk_lock_turn(struct rlk_lock *lock)
{
	uint64_t now_us = rlk_now(lock->cluster), until_us;
	uint64_t kept_us = rlk_until(now_us, lock->name->kept_since_us);

	if (!rlk_queue_must_yield(lock, now_us)) {
		rlk_lock_try(lock);
		return;
	}
	until_us = rlk_later(now_us, yield_us(lock, kept_us));
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
	lock->last_status = REDLOCK_EHELD;
	rlk_lock_clear_ballots(lock);
	rlk_timer_set(&lock->cluster->timers, &lock->alarm, lock->deadline_us);
}
