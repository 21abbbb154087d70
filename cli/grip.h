/* grip.h - what run holds: a lock, or one permit of several. */
#ifndef CLI_GRIP_H
#define CLI_GRIP_H

#include "outcome.h"
#include "session.h"

#include <redlock/semaphore.h>

/* News of the lease, as a redlock_lock_cb. */
typedef void (*grip_cb)(int status, const struct redlock_report *report, void *data);

struct grip {
	struct redlock_lock *lock;	     /* One of the two, */
	struct redlock_semaphore *semaphore; /* with --permits this one. */
	grip_cb on_at_risk;
	grip_cb on_lost;
	void *data; /* For both. */
};

/* Make it for @args->operands[0], renewed until it is released; the callbacks are set already. Says
 * what is wrong. 0 or an exit code. */
int grip_open(struct grip *grip, struct session *session, const struct args *args,
	      uint32_t at_risk_ms);
void grip_free(struct grip *grip);

/* As redlock_acquire() and its neighbours; the end is the outcome's. */
int grip_acquire(struct grip *grip, uint64_t wait_ms, struct outcome *outcome);
int grip_release(struct grip *grip, struct outcome *outcome);
int grip_cancel(struct grip *grip);

uint64_t grip_validity_ms(const struct grip *grip);
const char *grip_token(const struct grip *grip);
/* Which permit; -1 without --permits. */
int grip_slot(const struct grip *grip);

#endif
