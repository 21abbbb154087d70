/* grip.c - what run holds: a lock, or one permit of several. */
#include "grip.h"

#include "codes.h"

#include <string.h>

/* Of the name of a semaphore: see redlock_semaphore_new(). */
#define NAME_MAX_BYTES 65533

/* ---- Callbacks ------------------------------------------------------------------------------- */

static void lock_at_risk(struct redlock_lock *lock, int status, const struct redlock_report *report,
			 void *data)
{
	struct grip *grip = data;
	(void)lock;
	grip->on_at_risk(status, report, grip->data);
}

static void lock_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		      void *data)
{
	struct grip *grip = data;
	(void)lock;
	grip->on_lost(status, report, grip->data);
}

static void permit_at_risk(struct redlock_semaphore *semaphore, int status,
			   const struct redlock_report *report, void *data)
{
	struct grip *grip = data;
	(void)semaphore;
	grip->on_at_risk(status, report, grip->data);
}

static void permit_lost(struct redlock_semaphore *semaphore, int status,
			const struct redlock_report *report, void *data)
{
	struct grip *grip = data;
	(void)semaphore;
	grip->on_lost(status, report, grip->data);
}

static void permit_done(struct redlock_semaphore *semaphore, int status,
			const struct redlock_report *report, void *data)
{
	(void)semaphore;
	outcome_set(data, status, report);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static int open_lock(struct grip *grip, struct session *session, const struct args *args,
		     uint32_t at_risk_ms)
{
	struct redlock_lock_options options;
	redlock_lock_options_init(&options);
	options.ttl_ms = args->ttl_ms;
	options.at_risk_ms = at_risk_ms;
	options.auto_renew = true;
	options.fence = args->fence;
	options.shared = args->shared;
	options.on_at_risk = lock_at_risk;
	options.on_lost = lock_lost;
	options.data = grip;
	return session_lock(session, args, &options, &grip->lock);
}

/* Says why there is no semaphore. 0 or an exit code. */
static int refused(const struct args *args, int status)
{
	const char *name = args->operands[0];
	if (status == REDLOCK_EINVAL && strlen(name) > NAME_MAX_BYTES) {
		return out_usage(args->verb->name,
				 "NAME: longer than 64 KiB, less three bytes for --permits");
	}
	if (status == REDLOCK_EINVAL) {
		return out_usage(args->verb->name, "--ttl: %u ms leaves no validity", args->ttl_ms);
	}
	if (status != 0) {
		out_note(name, "%s", redlock_strerror(status));
		return CODE_SYSTEM;
	}
	return 0;
}

static int open_semaphore(struct grip *grip, struct session *session, const struct args *args,
			  uint32_t at_risk_ms)
{
	const char *name = args->operands[0];
	struct redlock_semaphore_options options;
	redlock_semaphore_options_init(&options);
	options.ttl_ms = args->ttl_ms;
	options.at_risk_ms = at_risk_ms;
	options.auto_renew = true;
	options.fence = args->fence;
	options.on_at_risk = permit_at_risk;
	options.on_lost = permit_lost;
	options.data = grip;
	int status = redlock_semaphore_new(&grip->semaphore, session->client, name, strlen(name),
					   args->permits, &options);
	return refused(args, status);
}

int grip_open(struct grip *grip, struct session *session, const struct args *args,
	      uint32_t at_risk_ms)
{
	return (args->permits > 0 ? open_semaphore : open_lock)(grip, session, args, at_risk_ms);
}

void grip_free(struct grip *grip)
{
	redlock_lock_free(grip->lock);
	redlock_semaphore_free(grip->semaphore);
}

/* ---- Operations ------------------------------------------------------------------------------ */

int grip_acquire(struct grip *grip, uint64_t wait_ms, struct outcome *outcome)
{
	return grip->lock != NULL
		       ? redlock_acquire(grip->lock, wait_ms, outcome_on_done, outcome)
		       : redlock_semaphore_acquire(grip->semaphore, wait_ms, permit_done, outcome);
}

int grip_release(struct grip *grip, struct outcome *outcome)
{
	return grip->lock != NULL
		       ? redlock_release(grip->lock, outcome_on_done, outcome)
		       : redlock_semaphore_release(grip->semaphore, permit_done, outcome);
}

int grip_cancel(struct grip *grip)
{
	return grip->lock != NULL ? redlock_cancel(grip->lock)
				  : redlock_semaphore_cancel(grip->semaphore);
}

uint64_t grip_validity_ms(const struct grip *grip)
{
	return grip->lock != NULL ? redlock_lock_validity_ms(grip->lock)
				  : redlock_semaphore_validity_ms(grip->semaphore);
}

const char *grip_token(const struct grip *grip)
{
	return grip->lock != NULL ? redlock_lock_token(grip->lock, NULL)
				  : redlock_semaphore_token(grip->semaphore, NULL);
}

int grip_slot(const struct grip *grip)
{
	return redlock_semaphore_slot(grip->semaphore);
}
