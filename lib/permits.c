/* permits.c - from wanting a permit to having one of the slots.
 *
 *   tries ---- all taken, and time left ----> in line for all of them
 *     |                                          |
 *     `---- one is granted: the permit <---------'
 *
 * A slot is a lock, and a permit is its lease, so no counting can go wrong: not
 * here, and not on the nodes. What this file has to see to is that nothing is
 * kept but the permit, and that the slots are asked in an order that costs
 * little.
 *
 * Tries: no slot is waited for. The first one is drawn by lot, so that holders
 * spread; it alone is asked, since a permit that is free should cost no more than
 * a lock. The more have been found taken, the fewer are likely to be free among
 * the next ones, so these are asked in numbers that double: about one of them will
 * be free, if any, and a full semaphore is known to be one after log2 rounds.
 *
 * In line: for all at once, since nobody knows which one comes back first.
 * Whoever gives it back calls us.
 *
 * A slot that was left may be granted all the same, for its callback may have been
 * due: it is given back when that comes. And one that is still on its way out when
 * it is wanted again is asked as soon as it is out. */
#include "permits.h"
#include "core/lease.h"
#include "core/retry.h"

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data);

/* ---- The end --------------------------------------------------------------------------------- */

void rlk_permits_leave(struct redlock_semaphore *semaphore)
{
	unsigned i;

	for (i = 0; i < semaphore->count; i++) {
		struct rlk_permit *permit = &semaphore->permits[i];

		if (permit->state == RLK_PERMIT_ASKED && !semaphore->freed) {
			/* Too late if it has been granted: then the callback will say so. */
			(void)redlock_cancel(permit->lock);
		}
		if (permit->state == RLK_PERMIT_ASKED || permit->state == RLK_PERMIT_AWAITED) {
			permit->state = RLK_PERMIT_LEAVING;
		}
	}
	semaphore->asked = 0;
}

/* As @witness has it. */
static void over(struct redlock_semaphore *semaphore, int status, struct rlk_permit *witness)
{
	struct redlock_report report;

	semaphore->canceled = false;
	rlk_permits_leave(semaphore);
	rlk_report(witness->lock, &report);
	report.attempts = semaphore->attempts;
	report.waited_ms = rlk_until(rlk_clock_us(), semaphore->asked_us) / 1000;
	rlk_semaphore_tell(semaphore, &semaphore->acquire, status, &report);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static uint64_t left_ms(const struct redlock_semaphore *semaphore)
{
	uint64_t left_ms = rlk_until(semaphore->deadline_us, rlk_clock_us()) / 1000;

	if (semaphore->deadline_us == RLK_NEVER) {
		return REDLOCK_WAIT_FOREVER;
	}
	return left_ms > 0 ? left_ms : 1;
}

static int ask(struct rlk_permit *permit)
{
	struct redlock_semaphore *semaphore = permit->semaphore;
	int status;

	if (permit->state == RLK_PERMIT_LEAVING) {
		permit->state = RLK_PERMIT_AWAITED;
	} else {
		status = redlock_acquire(permit->lock, semaphore->in_line ? left_ms(semaphore) : 0,
					 on_acquired, permit);
		if (status != 0) {
			return status;
		}
		permit->state = RLK_PERMIT_ASKED;
		semaphore->due++;
	}
	semaphore->asked++;
	return 0;
}

/* All of those that are left, or one more than there have been. */
static int ask_more(struct redlock_semaphore *semaphore)
{
	unsigned left = semaphore->count - semaphore->tried;
	unsigned more = semaphore->tried + 1;
	int status = 0;

	more = semaphore->in_line || more > left ? left : more;
	while (status == 0 && more-- > 0) {
		unsigned at = (semaphore->first + semaphore->tried++) % semaphore->count;

		status = ask(&semaphore->permits[at]);
	}
	return status;
}

static void begin(struct redlock_semaphore *semaphore, bool in_line)
{
	semaphore->in_line = in_line;
	semaphore->tried = semaphore->asked = 0;
	semaphore->worst = 0;
	semaphore->witness = NULL;
}

int rlk_permits_seek(struct redlock_semaphore *semaphore, uint64_t wait_ms)
{
	uint64_t lot = rlk_random(&semaphore->client->cluster.random);

	semaphore->asked_us = rlk_clock_us();
	semaphore->deadline_us = wait_ms == 0 ? 0 : rlk_later(semaphore->asked_us, rlk_us(wait_ms));
	semaphore->attempts = 0;
	semaphore->first = (unsigned)(lot % semaphore->count);
	begin(semaphore, false);
	return ask_more(semaphore);
}

/* ---- Answers --------------------------------------------------------------------------------- */

static int over_status(const struct redlock_semaphore *semaphore)
{
	bool waited = semaphore->deadline_us != 0;

	return semaphore->worst == REDLOCK_EHELD && waited ? REDLOCK_ETIMEDOUT : semaphore->worst;
}

/* All that were asked have refused. */
static void go_on(struct redlock_semaphore *semaphore, struct rlk_permit *last)
{
	bool all = semaphore->tried == semaphore->count;
	int status;

	if (all && (semaphore->in_line || rlk_clock_us() >= semaphore->deadline_us)) {
		over(semaphore, over_status(semaphore), semaphore->witness);
		return;
	}
	if (all) {
		begin(semaphore, true);
	}
	status = ask_more(semaphore);
	if (status != 0) {
		over(semaphore, status, last);
	}
}

/* That one slot is taken says nothing of the others; that too few nodes vote on it is no better
 * when another is taken, and must be told. 0: no refusal, and reason enough to give up. */
static int weight_of(int status)
{
	switch (status) {
	case REDLOCK_EHELD:
	case REDLOCK_ETIMEDOUT:
		return 1;
	case REDLOCK_EEXPIRED:
		return 2;
	case REDLOCK_ENOQUORUM:
		return 3;
	default:
		return 0;
	}
}

static void refused(struct rlk_permit *permit, int status)
{
	struct redlock_semaphore *semaphore = permit->semaphore;

	permit->state = RLK_PERMIT_IDLE;
	if (weight_of(status) == 0) {
		over(semaphore, status, permit);
		return;
	}
	if (weight_of(status) > weight_of(semaphore->worst)) {
		semaphore->worst = status;
		semaphore->witness = permit;
	}
	if (semaphore->asked == 0) {
		go_on(semaphore, permit);
	}
}

static void granted(struct rlk_permit *permit)
{
	struct redlock_semaphore *semaphore = permit->semaphore;

	permit->state = RLK_PERMIT_HELD;
	atomic_store(&semaphore->held, (int)(permit - semaphore->permits));
	over(semaphore, 0, permit);
}

static void answered(struct rlk_permit *permit, int status, const struct redlock_report *report)
{
	permit->semaphore->asked--;
	permit->semaphore->attempts += report->attempts;
	if (status == 0) {
		granted(permit);
	} else {
		refused(permit, status);
	}
}

/* ---- Leaving --------------------------------------------------------------------------------- */

void rlk_permit_left(struct rlk_permit *permit)
{
	struct redlock_semaphore *semaphore = permit->semaphore;
	bool awaited = permit->state == RLK_PERMIT_AWAITED;
	int status;

	permit->state = RLK_PERMIT_IDLE;
	if (!awaited) {
		return;
	}
	semaphore->asked--;
	status = ask(permit);
	if (status != 0) {
		over(semaphore, status, permit);
	}
}

void rlk_permit_heard(struct rlk_permit *permit)
{
	struct redlock_semaphore *semaphore = permit->semaphore;

	if (semaphore->canceled) {
		over(semaphore, REDLOCK_ECANCELED, permit);
	}
	semaphore->due--;
	if (semaphore->freed && semaphore->due == 0) {
		rlk_semaphore_bury(semaphore);
	}
}

static void on_given_back(struct redlock_lock *lock, int status,
			  const struct redlock_report *report, void *data)
{
	(void)lock, (void)status, (void)report;
	rlk_permit_left(data);
	rlk_permit_heard(data);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct rlk_permit *permit = data;

	if (permit->state == RLK_PERMIT_ASKED) {
		answered(permit, status, report);
	} else if (status != 0) {
		rlk_permit_left(permit);
	} else if (redlock_release(lock, on_given_back, permit) == 0) {
		permit->semaphore->due++; /* Granted for nothing. */
	} else {
		return; /* And lost since then: that is told next, and instead of this. */
	}
	rlk_permit_heard(permit);
}
