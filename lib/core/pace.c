/* pace.c - of very many who wait, so many ask at once; the others stand behind.
 *
 * A node answers some ten thousand scripts in a second. The last of a hundred
 * thousand that are sent at once would be answered long after the node timeout,
 * and nodes that are well would be taken for silent ones. So who waits begins a
 * round only while no node has too much unanswered; those who have to stand
 * behind are looked after every millisecond, first come, first served. At least
 * one of them begins each time: what others of this client ask must not keep
 * them out.
 *
 * Only the beginning of a round is held up, and only for who waits: to try once,
 * to renew, to confirm and to give back is never behind a crowd. */
#include "pace.h"

#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"

/* ...until they have been answered; then, after so long at most, the next ones do. */
#define PACE_LOOK_US 1000

/* Nodes that are silent are not asked. */
static bool is_busy(const struct rlk_cluster *cluster)
{
	unsigned i;

	for (i = 0; i < cluster->node_count; i++) {
		if (cluster->nodes[i].in_flight >= cluster->config.pace &&
		    !cluster->nodes[i].suspect) {
			return true;
		}
	}
	return false;
}

void rlk_pace_leave(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;

	if (!lock->paced) {
		return;
	}
	lock->paced = false;
	if (lock->ahead != NULL) {
		lock->ahead->behind = lock->behind;
	} else {
		cluster->paced = lock->behind;
	}
	if (lock->behind != NULL) {
		lock->behind->ahead = lock->ahead;
	} else {
		cluster->paced_last = lock->ahead;
	}
	lock->ahead = lock->behind = NULL;
	if (cluster->paced == NULL) {
		rlk_timer_stop(&cluster->timers, &cluster->pace);
	}
}

/* It is in no line of its client's: it would not ask, then. */
static void append(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;

	lock->paced = true;
	lock->ahead = cluster->paced_last;
	if (lock->ahead != NULL) {
		lock->ahead->behind = lock;
	} else {
		cluster->paced = lock;
	}
	cluster->paced_last = lock;
}

static void look_later(struct rlk_cluster *cluster, uint64_t now_us)
{
	if (!cluster->pace.armed) {
		rlk_timer_set(&cluster->timers, &cluster->pace, rlk_later(now_us, PACE_LOOK_US));
	}
}

bool rlk_pace_hold(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;

	if (!lock->paced) {
		if (cluster->paced == NULL && !is_busy(cluster)) {
			return false;
		}
		append(lock);
		look_later(cluster, rlk_now(cluster));
	}
	rlk_timer_set(&cluster->timers, &lock->alarm,
		      RLK_MUTANT(WAIT_ENDLESS) ? RLK_NEVER : lock->deadline_us);
	return true;
}

/* In line, if others are known to stand there; else by asking for the vote of all. */
static void go(struct rlk_lock *lock)
{
	if (lock->state == RLK_WAITING) {
		rlk_lock_rejoin(lock);
		return;
	}
	rlk_lock_leave_probe(lock);
	if ((lock->since_us == 0 && !lock->name->contended) || !rlk_lock_line_up(lock)) {
		rlk_lock_begin(lock);
	}
}

bool rlk_lock_stands_behind(struct rlk_lock *lock)
{
	if (!rlk_pace_hold(lock)) {
		return false;
	}
	lock->state = RLK_PAUSING;
	if (lock->attempts == 0) { /* It has found out nothing yet. */
		lock->last_status = REDLOCK_EHELD;
		rlk_lock_clear_ballots(lock);
	}
	return true;
}

void rlk_lock_try(struct rlk_lock *lock)
{
	if (!rlk_lock_stands_behind(lock)) {
		go(lock);
	}
}

static void on_alarm(struct rlk_timer *timer, uint64_t now_us)
{
	struct rlk_cluster *cluster =
		(struct rlk_cluster *)((char *)timer - offsetof(struct rlk_cluster, pace));
	struct rlk_lock *last = cluster->paced_last, *lock;

	/* Who wants to ask again at once stands behind all others. */
	while ((lock = cluster->paced) != NULL) {
		rlk_pace_leave(lock);
		go(lock);
		if (lock == last || is_busy(cluster)) {
			break;
		}
	}
	if (cluster->paced != NULL) {
		look_later(cluster, now_us);
	}
}

void rlk_pace_init(struct rlk_cluster *cluster)
{
	cluster->pace.fire = on_alarm;
}
