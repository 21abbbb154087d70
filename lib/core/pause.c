/* pause.c - between two attempts, for who does not stand in line: as long as the pauses have grown,
 * or until the other lease is over, whichever comes first. */
#include "lease.h"
#include "lock_parts.h"
#include "mutant.h"
#include "parts.h"
#include "sort.h"

void rlk_lock_leave_probe(struct rlk_lock *lock)
{
	if (lock->probe != NULL) {
		rlk_attempt_leave(lock->probe);
		lock->probe = NULL;
	}
}

/* When enough of the nodes that refused will be free again, if they said so. */
uint64_t rlk_lock_free_again_us(const struct rlk_lock *lock)
{
	uint64_t remaining_ms[RLK_NODES_MAX];
	unsigned i, known = 0, yes = 0;

	for (i = 0; i < lock->cluster->node_count; i++) {
		if ((lock->round.yes & (UINT32_C(1) << i)) != 0) {
			yes++;
		} else if (lock->ballots[i].vote == REDLOCK_VOTE_HELD &&
			   lock->ballots[i].remaining_ms >= 0) {
			remaining_ms[known++] = (uint64_t)lock->ballots[i].remaining_ms;
		}
	}
	if (lock->led && known == 1) { /* It alone was asked, and has the word. */
		return remaining_ms[0] == 0 ? RLK_NEVER : rlk_us(remaining_ms[0] + 1);
	}
	if (yes >= lock->cluster->quorum || known < lock->cluster->quorum - yes) {
		return RLK_NEVER;
	}
	rlk_sort(remaining_ms, known);
	if (remaining_ms[lock->cluster->quorum - yes - 1] == 0) {
		/* Free already, for whoever refused us has given back what he had. Keep to the
		 * pause: contenders that refused each other would come back in step, for ever. */
		return RLK_NEVER;
	}
	return rlk_us(remaining_ms[lock->cluster->quorum - yes - 1] + 1);
}

/* Waiting longer than the other lease lasts would be wasted. */
static void heard_remaining(void *owner, unsigned node, const struct rlk_request *request,
			    const struct rlk_answer *answer)
{
	struct rlk_lock *lock = owner;
	uint64_t free_us, now_us;

	(void)request;
	if (lock->state != RLK_PAUSING || answer->kind != RLK_VALUE || answer->remaining_ms < 0) {
		return;
	}
	rlk_lock_note_remaining(lock, node, answer->remaining_ms);
	free_us = rlk_lock_free_again_us(lock);
	now_us = rlk_now(lock->cluster);
	if (free_us != RLK_NEVER && rlk_later(now_us, free_us) < lock->alarm.at_us) {
		rlk_timer_set(&lock->cluster->timers, &lock->alarm, rlk_later(now_us, free_us));
	}
}

static void ask_remaining(struct rlk_lock *lock)
{
	uint64_t now_us;
	unsigned i;

	if (lock->round.no == 0) {
		return;
	}
	lock->probe = rlk_attempt_new(lock->cluster, lock->name, lock->config.ttl_ms, NULL, 0);
	if (lock->probe == NULL) {
		return; /* Then the pause is a guess. */
	}
	lock->probe->owner = lock;
	lock->probe->heard = heard_remaining;
	now_us = rlk_now(lock->cluster);
	for (i = 0; i < lock->cluster->node_count; i++) {
		if ((lock->round.no & (UINT32_C(1) << i)) != 0) {
			rlk_attempt_ask(lock->probe, i, RLK_OP_REMAINING, 0, now_us);
		}
	}
}

uint64_t rlk_lock_pause_us(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;
	uint64_t pause_us = rlk_pause_us(rlk_us(cluster->config.retry_min_ms),
					 rlk_us(cluster->config.retry_max_ms), lock->failures,
					 &cluster->random);

	lock->failures = (uint8_t)(lock->failures + (lock->failures < UINT8_MAX));
	return pause_us;
}

/* Who refuses a reader tells how long it will, and who refuses several when all of them are free;
 * anybody else has to ask. */
static bool is_told(const struct rlk_lock *lock)
{
	return lock->config.shared || rlk_is_several(lock->name);
}

void rlk_lock_pause(struct rlk_lock *lock, uint64_t now_us)
{
	uint64_t pause_us = rlk_lock_pause_us(lock);
	uint64_t free_us = is_told(lock) ? rlk_lock_free_again_us(lock) : RLK_NEVER;
	uint64_t until_us = rlk_later(now_us, pause_us < free_us ? pause_us : free_us);

	lock->state = RLK_PAUSING;
	lock->way = REDLOCK_WAY_PAUSES;
	lock->paused = true;
	lock->hurried = 0;
	rlk_timer_set(&lock->cluster->timers, &lock->alarm,
		      until_us < lock->deadline_us || RLK_MUTANT(WAIT_ENDLESS) ? until_us
									       : lock->deadline_us);
	if (!is_told(lock)) {
		ask_remaining(lock);
	}
}
