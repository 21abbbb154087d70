/* lock.c - the lock as a whole: who gets the alarm, and how everything ends.
 *
 *            acquire              win               release
 *   IDLE ------------> ACQUIRING -----> HELD ----------------> RELEASING
 *    ^ `-> QUEUED ------^|    ^           | ^                      |
 *    |            lost  v    | again     v | renewed or not       |
 *    |<---------------- PAUSING        EXTENDING                  |
 *    |  no more time                     |                        |
 *    |<------------ over by the clock ---'                        |
 *    `<--------------------- a quorum has answered ---------------'
 */
#include "lock.h"

#include <string.h>

#include "lease.h"
#include "lock_parts.h"
#include "queue.h"

static void on_alarm(struct rlk_timer *timer, uint64_t now_us)
{
	struct rlk_lock *lock =
		(struct rlk_lock *)((char *)timer - offsetof(struct rlk_lock, alarm));

	switch (lock->state) {
	case RLK_QUEUED:
	case RLK_ACQUIRING:
	case RLK_PAUSING:
	case RLK_WAITING:
		rlk_lock_take_alarm(lock, now_us);
		break;
	case RLK_HELD:
	case RLK_EXTENDING:
		rlk_lock_hold_alarm(lock, now_us);
		break;
	case RLK_IDLE:
	case RLK_RELEASING:
		break;
	}
}

bool rlk_lock_on_its_way(const struct rlk_lock *lock)
{
	return lock->state == RLK_QUEUED || lock->state == RLK_ACQUIRING ||
	       lock->state == RLK_PAUSING || lock->state == RLK_WAITING ||
	       lock->state == RLK_RELEASING || rlk_lock_untold(lock, RLK_RELEASED);
}

void rlk_lock_init(struct rlk_lock *lock, struct rlk_cluster *cluster, struct rlk_name *name,
		   const struct rlk_lock_config *config, const struct rlk_lock_user *user)
{
	char *token = (char *)lock + rlk_lock_size(cluster->node_count, 0);

	lock->cluster = cluster;
	lock->name = rlk_name_intern(cluster, name);
	lock->config = *config;
	if (config->token_len > 0) {
		lock->config.token = memcpy(token, config->token, config->token_len);
	}
	lock->user = user;
	lock->alarm.fire = on_alarm;
	atomic_init(&lock->valid_until_us, 0);
	lock->next = cluster->locks;
	if (cluster->locks != NULL) {
		cluster->locks->prev = lock;
	}
	cluster->locks = lock;
}

/* Nothing was shown to be ours: leave every key as it is. */
static void leave(struct rlk_lock *lock)
{
	rlk_attempt_leave(lock->attempt);
	lock->attempt = NULL;
	lock->adopting = false;
	lock->state = RLK_IDLE;
}

int rlk_lock_cancel(struct rlk_lock *lock)
{
	if (lock->state == RLK_QUEUED || lock->state == RLK_ACQUIRING ||
	    lock->state == RLK_PAUSING || lock->state == RLK_WAITING) {
		rlk_lock_take_over(lock, REDLOCK_ECANCELED);
		return 0;
	}
	if (!lock->user_extends) {
		return REDLOCK_EINVAL;
	}
	if (lock->adopting) {
		leave(lock);
	}
	rlk_lock_extend_over(lock, REDLOCK_ECANCELED);
	return 0;
}

static void end_hold(struct rlk_lock *lock, int status)
{
	bool held = !lock->adopting;

	atomic_store(&lock->valid_until_us, 0);
	rlk_timer_stop(&lock->cluster->timers, &lock->alarm);
	if (held) {
		rlk_attempt_abandon(lock->attempt);
		lock->attempt = NULL;
		lock->state = RLK_IDLE;
	} else {
		leave(lock);
	}
	rlk_queue_freed(lock);
	rlk_lock_extend_over(lock, status);
	if (held && status != REDLOCK_ECANCELED) {
		rlk_lock_news(lock, RLK_LOST, status);
	}
}

void rlk_lock_end(struct rlk_lock *lock, int status)
{
	switch (lock->state) {
	case RLK_QUEUED:
	case RLK_ACQUIRING:
	case RLK_PAUSING:
	case RLK_WAITING:
		rlk_lock_take_over(lock, status);
		break;
	case RLK_HELD:
	case RLK_EXTENDING:
		end_hold(lock, status);
		break;
	case RLK_RELEASING:
		rlk_attempt_leave(lock->attempt);
		lock->attempt = NULL;
		lock->state = RLK_IDLE;
		rlk_queue_freed(lock);
		if (lock->user_releases) {
			rlk_lock_news(lock, RLK_RELEASED, status);
		}
		break;
	case RLK_IDLE:
		break;
	}
}
