/* take.c - from wanting the lease to having it.
 *
 *   ACQUIRING --- k grants in time ---> held
 *      |  ^
 *      |  `--- pause over -----------.
 *      `--- lost: give back -----> PAUSING ---> deadline: told why
 *
 * Safety rests on these:
 *   1. The clock is read before the first byte leaves; time in flight is
 *      charged to us.
 *   2. A win needs k grants and enough validity left by the clock as it is
 *      after the deciding answer.
 *   3. One attempt, one token. A lost attempt is abandoned: its keys are given
 *      back on every node that did not clearly refuse them. */
#include <inttypes.h>
#include <string.h>

#include "lease.h"
#include "lock_parts.h"

static void begin(struct rlk_lock *lock);

static void leave_probe(struct rlk_lock *lock)
{
	if (lock->probe != NULL) {
		rlk_attempt_leave(lock->probe);
		lock->probe = NULL;
	}
}

/* The operation is over, one way or the other. */
void rlk_lock_take_over(struct rlk_lock *lock, int status)
{
	leave_probe(lock);
	if (lock->attempt != NULL && status != 0) {
		rlk_attempt_abandon(lock->attempt);
		lock->attempt = NULL;
	}
	if (status != 0) {
		lock->state = RLK_IDLE;
		rlk_timer_stop(&lock->cluster->timers, &lock->alarm);
	}
	lock->decided_us = rlk_now(lock->cluster);
	rlk_lock_news(lock, RLK_ACQUIRED, status);
}

/* ---- Between attempts ------------------------------------------------------------------------ */

/* When enough of the nodes that refused will be free again, if they said so. */
static uint64_t free_again_us(const struct rlk_lock *lock)
{
	int64_t remaining_ms[RLK_NODES_MAX], swap;
	unsigned i, j, known = 0, yes = 0;

	for (i = 0; i < lock->cluster->node_count; i++) {
		if ((lock->round.yes & (UINT32_C(1) << i)) != 0) {
			yes++;
		} else if (lock->ballots[i].vote == REDLOCK_VOTE_HELD &&
			   lock->ballots[i].remaining_ms >= 0) {
			remaining_ms[known++] = lock->ballots[i].remaining_ms;
		}
	}
	if (yes >= lock->cluster->quorum || known < lock->cluster->quorum - yes) {
		return RLK_NEVER;
	}
	for (i = 1; i < known; i++) {
		for (j = i; j > 0 && remaining_ms[j] < remaining_ms[j - 1]; j--) {
			swap = remaining_ms[j];
			remaining_ms[j] = remaining_ms[j - 1];
			remaining_ms[j - 1] = swap;
		}
	}
	return rlk_us((uint64_t)remaining_ms[lock->cluster->quorum - yes - 1] + 1);
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
	lock->ballots[node].remaining_ms = answer->remaining_ms;
	free_us = free_again_us(lock);
	now_us = rlk_now(lock->cluster);
	if (free_us != RLK_NEVER && rlk_later(now_us, free_us) < lock->alarm.at_us) {
		rlk_timer_set(&lock->cluster->timers, &lock->alarm, rlk_later(now_us, free_us));
	}
}

static void ask_remaining(struct rlk_lock *lock)
{
	unsigned i;

	if (lock->round.no == 0) {
		return;
	}
	lock->probe = rlk_attempt_new(lock->cluster, lock->name, lock->config.ttl_ms);
	if (lock->probe == NULL) {
		return; /* Then the pause is a guess. */
	}
	lock->probe->owner = lock;
	lock->probe->heard = heard_remaining;
	for (i = 0; i < lock->cluster->node_count; i++) {
		if ((lock->round.no & (UINT32_C(1) << i)) != 0) {
			rlk_attempt_ask(lock->probe, i, RLK_OP_REMAINING, 0);
		}
	}
}

static void pause(struct rlk_lock *lock, uint64_t now_us)
{
	uint64_t pause_us = rlk_retry_pause_us(&lock->retry, &lock->cluster->random);
	uint64_t until_us = rlk_later(now_us, pause_us);

	lock->state = RLK_PAUSING;
	lock->paused = true;
	lock->hurried = 0;
	rlk_timer_set(&lock->cluster->timers, &lock->alarm,
		      until_us < lock->deadline_us ? until_us : lock->deadline_us);
	ask_remaining(lock);
}

static int over_status(const struct rlk_lock *lock, int status)
{
	return status == REDLOCK_EHELD && lock->deadline_us != 0 ? REDLOCK_ETIMEDOUT : status;
}

/* The attempt is lost: undo it, then try again or say why not. */
static void lose(struct rlk_lock *lock, int status)
{
	uint64_t now_us = rlk_now(lock->cluster);

	rlk_trace(lock->cluster, "attempt %" PRIu32 " lost: %s", lock->attempts,
		  redlock_strerror(status));
	if (lock->attempt != NULL) {
		rlk_attempt_abandon(lock->attempt);
		lock->attempt = NULL;
	}
	lock->last_status = status;
	if (now_us >= lock->deadline_us) {
		rlk_lock_take_over(lock, over_status(lock, status));
		return;
	}
	pause(lock, now_us);
}

/* ---- An attempt ------------------------------------------------------------------------------ */

static void win(struct rlk_lock *lock)
{
	const struct rlk_config *config = &lock->cluster->config;
	uint64_t now_us = rlk_now(lock->cluster); /* Fresh: after the deciding answer. */
	uint64_t valid_us =
		rlk_valid_until_us(lock->round.start_us, lock->config.ttl_ms, config->drift_ppm);
	uint64_t least_us = rlk_us(lock->config.ttl_ms) / 100 * config->min_validity_percent;

	if (lock->config.max_hold_ms != 0) {
		uint64_t most_us =
			rlk_later(lock->round.start_us, rlk_us(lock->config.max_hold_ms));
		valid_us = most_us < valid_us ? most_us : valid_us;
		least_us = 0; /* The caller asked for this little. */
	}
	if (rlk_later(now_us, least_us > RLK_EARLY_US ? least_us : RLK_EARLY_US) >= valid_us) {
		lose(lock, REDLOCK_EEXPIRED);
		return;
	}
	if (lock->attempt->fence > lock->cluster->last_fence) {
		lock->cluster->last_fence = lock->attempt->fence;
	}
	atomic_store(&lock->valid_until_us, valid_us);
	rlk_lock_hold(lock, now_us);
	rlk_lock_take_over(lock, 0);
}

static void decide(struct rlk_lock *lock)
{
	switch (lock->round.verdict) {
	case RLK_VOTING:
		break;
	case RLK_WON:
		win(lock);
		break;
	case RLK_REFUSED:
		if (rlk_fence_is_open(lock) || rlk_round_is_open(&lock->round)) {
			break; /* The answers to come, or their absence, will settle it. */
		}
		if (rlk_fence_mend(lock)) {
			rlk_attempt_abandon(lock->attempt);
			lock->attempt = NULL;
			begin(lock);
		} else {
			lose(lock, rlk_round_reason(&lock->round) == RLK_REFUSED
					   ? REDLOCK_EHELD
					   : REDLOCK_ENOQUORUM);
		}
		break;
	case RLK_NO_QUORUM:
		lose(lock, REDLOCK_ENOQUORUM);
		break;
	}
}

void rlk_lock_heard_acquire(struct rlk_lock *lock, unsigned node, const struct rlk_request *request,
			    const struct rlk_answer *answer)
{
	switch (answer->kind) {
	case RLK_YES:
		lock->attempt->claims[node].counted = true;
		rlk_lock_ballot(lock, node, RLK_BALLOT_YES, REDLOCK_VOTE_GRANTED, request);
		break;
	case RLK_NO:
		lock->ballots[node].remaining_ms = answer->remaining_ms;
		rlk_lock_ballot(lock, node, RLK_BALLOT_NO, REDLOCK_VOTE_HELD, request);
		break;
	case RLK_FENCE_LOW:
	case RLK_FENCE_HIGH:
		rlk_fence_refused(lock, node, request, answer);
		break;
	default:
		rlk_lock_no_answer(lock, node, answer->kind, request);
		break;
	}
	decide(lock);
}

static int equip(struct rlk_lock *lock)
{
	struct rlk_cluster *cluster = lock->cluster;

	lock->attempt = rlk_lock_attempt(lock);
	if (lock->attempt == NULL) {
		return REDLOCK_ENOMEM;
	}
	if (lock->config.token_len == 0) {
		if (!cluster->ports->token(cluster->world, lock->attempt->token)) {
			return REDLOCK_EENTROPY;
		}
		lock->attempt->token_len = RLK_TOKEN_LEN;
	}
	lock->attempt->fence = lock->config.fence ? rlk_fence_propose(cluster) : 0;
	return 0;
}

static void ask_all(struct rlk_lock *lock)
{
	enum rlk_answer_kind taken;
	unsigned i;

	for (i = 0; i < lock->cluster->node_count; i++) {
		taken = rlk_lock_in_debt(lock, i)
				? RLK_FULL
				: rlk_attempt_ask(lock->attempt, i, RLK_OP_ACQUIRE,
						  lock->round.serial);
		if (taken != RLK_YES) {
			rlk_lock_no_answer(lock, i, taken, NULL);
		}
	}
}

/* The first attempt is always finished, with what it hurries to do again; later ones end with the
 * wait. */
static bool ends_with_wait(const struct rlk_lock *lock)
{
	return lock->deadline_us != 0 && lock->paused;
}

/* The attempt cannot win any more after this. */
static uint64_t latest_us(const struct rlk_lock *lock)
{
	const struct rlk_config *config = &lock->cluster->config;
	uint64_t valid_us =
		rlk_valid_until_us(lock->round.start_us, lock->config.ttl_ms, config->drift_ppm);
	bool cut = ends_with_wait(lock) && lock->deadline_us < valid_us;

	return cut ? lock->deadline_us
		   : valid_us - rlk_us(lock->config.ttl_ms) / 100 * config->min_validity_percent;
}

static void begin(struct rlk_lock *lock)
{
	int status;

	leave_probe(lock);
	lock->attempts++;
	lock->state = RLK_ACQUIRING;
	status = equip(lock);
	if (status != 0) {
		rlk_lock_take_over(lock, status);
		return;
	}
	rlk_lock_open_round(lock);
	rlk_timer_set(&lock->cluster->timers, &lock->alarm, latest_us(lock));
	ask_all(lock);
	decide(lock);
}

void rlk_lock_take_alarm(struct rlk_lock *lock, uint64_t now_us)
{
	if (lock->state == RLK_ACQUIRING) {
		/* An attempt that is cut short found out nothing: the one before did. */
		lose(lock, ends_with_wait(lock) && now_us >= lock->deadline_us ? lock->last_status
									       : REDLOCK_ENOQUORUM);
	} else if (now_us >= lock->deadline_us) {
		rlk_lock_take_over(lock, over_status(lock, lock->last_status));
	} else {
		begin(lock);
	}
}

int rlk_lock_acquire(struct rlk_lock *lock, uint64_t wait_ms)
{
	if (lock->cluster->closing) {
		return REDLOCK_ECLOSED;
	}
	if (lock->state != RLK_IDLE || rlk_lock_untold(lock, RLK_ACQUIRED)) {
		return REDLOCK_EBUSY;
	}
	lock->asked_us = rlk_now(lock->cluster);
	lock->deadline_us = wait_ms == 0 ? 0 : rlk_later(lock->asked_us, rlk_us(wait_ms));
	lock->attempts = lock->hurried = 0;
	lock->paused = false;
	rlk_retry_reset(&lock->retry);
	begin(lock);
	return 0;
}
