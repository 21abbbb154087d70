/* semaphore.c - the public functions of a semaphore, and the life of its handle. */
#include "permits.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX_MAX 3 /* "#63" */

/* ---- News ------------------------------------------------------------------------------------ */

void rlk_semaphore_tell(struct redlock_semaphore *semaphore, struct rlk_permit_call *call,
			int status, const struct redlock_report *report)
{
	struct rlk_permit_call told = *call;

	call->cb = NULL; /* First: the callback may begin the next one. */
	if (told.cb != NULL) {
		told.cb(semaphore, status, report, told.data);
	}
}

/* It may come again. */
static void tell_news(struct redlock_semaphore *semaphore, const struct rlk_permit_call *call,
		      int status, const struct redlock_report *report)
{
	struct rlk_permit_call told = *call;

	rlk_semaphore_tell(semaphore, &told, status, report);
}

static void on_at_risk(struct redlock_lock *lock, int status, const struct redlock_report *report,
		       void *data)
{
	struct rlk_permit *permit = data;

	(void)lock;
	if (permit->state == RLK_PERMIT_HELD) {
		permit->semaphore->due++; /* This one. */
		tell_news(permit->semaphore, &permit->semaphore->at_risk, status, report);
		rlk_permit_heard(permit);
	}
}

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct rlk_permit *permit = data;
	struct redlock_semaphore *semaphore = permit->semaphore;

	(void)lock;
	if (permit->state == RLK_PERMIT_HELD) {
		semaphore->due++; /* This one. */
		permit->state = RLK_PERMIT_IDLE;
		atomic_store(&semaphore->held, -1);
		tell_news(semaphore, &semaphore->lost, status, report);
	} else {
		rlk_permit_left(permit); /* It was to be given back. */
	}
	rlk_permit_heard(permit);
}

static void on_extended(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct rlk_permit *permit = data;

	(void)lock;
	rlk_semaphore_tell(permit->semaphore, &permit->semaphore->extend, status, report);
	rlk_permit_heard(permit);
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct rlk_permit *permit = data;

	(void)lock;
	rlk_permit_left(permit);
	permit->semaphore->releasing = false;
	rlk_semaphore_tell(permit->semaphore, &permit->semaphore->release, status, report);
	rlk_permit_heard(permit);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void free_locks(struct redlock_semaphore *semaphore)
{
	unsigned i;

	for (i = 0; i < semaphore->count; i++) {
		redlock_lock_free(semaphore->permits[i].lock);
	}
}

void rlk_semaphore_bury(struct redlock_semaphore *semaphore)
{
	struct redlock_allocator allocator = semaphore->allocator;

	/* The client may be gone with its last lock. */
	allocator.free(semaphore, allocator.data);
}

static struct redlock_lock_options options_of(const struct redlock_semaphore_options *given)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.ttl_ms = given->ttl_ms;
	options.at_risk_ms = given->at_risk_ms;
	options.max_hold_ms = given->max_hold_ms;
	options.auto_renew = given->auto_renew;
	options.fence = given->fence;
	options.on_at_risk = on_at_risk;
	options.on_lost = on_lost;
	return options;
}

/* @name has room for the suffix. */
static int make_locks(struct redlock_semaphore *semaphore, char *name, size_t len,
		      const struct redlock_semaphore_options *given)
{
	struct redlock_lock_options options = options_of(given);
	int status = 0;
	unsigned i;

	for (i = 0; i < semaphore->count && status == 0; i++) {
		struct rlk_permit *permit = &semaphore->permits[i];
		int more = snprintf(name + len, SUFFIX_MAX + 1, "#%u", i);

		permit->semaphore = semaphore;
		options.data = permit;
		status = redlock_lock_new(&permit->lock, semaphore->client, name,
					  len + (size_t)more, &options);
	}
	return status;
}

static int make(struct redlock_semaphore **out, struct redlock_client *client, char *name,
		size_t len, unsigned permits, const struct redlock_semaphore_options *options)
{
	struct redlock_semaphore *semaphore =
		rlk_calloc(client, sizeof *semaphore + permits * sizeof *semaphore->permits);
	int status;

	if (semaphore == NULL) {
		return REDLOCK_ENOMEM;
	}
	semaphore->client = client;
	semaphore->allocator = client->allocator;
	semaphore->count = permits;
	semaphore->at_risk = (struct rlk_permit_call){options->on_at_risk, options->data};
	semaphore->lost = (struct rlk_permit_call){options->on_lost, options->data};
	atomic_init(&semaphore->held, -1);
	status = make_locks(semaphore, name, len, options);
	if (status != 0) {
		free_locks(semaphore);
		rlk_semaphore_bury(semaphore);
		return status;
	}
	*out = semaphore;
	return 0;
}

int redlock_semaphore_new(struct redlock_semaphore **out, struct redlock_client *client,
			  const void *resource, size_t resource_len, uint32_t permits,
			  const struct redlock_semaphore_options *given)
{
	struct redlock_semaphore_options options;
	char *name;
	int status;

	if (out == NULL || client == NULL || resource == NULL || resource_len == 0 ||
	    resource_len > RLK_RESOURCE_MAX - SUFFIX_MAX || permits == 0 ||
	    permits > REDLOCK_PERMITS_MAX) {
		return REDLOCK_EINVAL;
	}
	status = rlk_semaphore_options_import(&options, given);
	if (status != 0) {
		return status;
	}
	if (client->closing) {
		return REDLOCK_ECLOSED;
	}
	name = rlk_calloc(client, resource_len + SUFFIX_MAX + 1);
	if (name == NULL) {
		return REDLOCK_ENOMEM;
	}
	memcpy(name, resource, resource_len);
	status = make(out, client, name, resource_len, permits, &options);
	rlk_free(client, name);
	return status;
}

void redlock_semaphore_free(struct redlock_semaphore *semaphore)
{
	if (semaphore == NULL) {
		return;
	}
	assert(!semaphore->freed);
	semaphore->freed = true;
	semaphore->canceled = semaphore->acquire.cb != NULL;
	rlk_permits_leave(semaphore);
	free_locks(semaphore);
	if (semaphore->due == 0) {
		rlk_semaphore_bury(semaphore);
	}
}

/* ---- Operations ------------------------------------------------------------------------------ */

/* NULL: none is held. */
static struct redlock_lock *lock_of(const struct redlock_semaphore *semaphore)
{
	int held = semaphore == NULL ? -1 : atomic_load(&semaphore->held);

	return held < 0 ? NULL : semaphore->permits[held].lock;
}

static struct rlk_permit *permit_of(struct redlock_semaphore *semaphore)
{
	int held = atomic_load(&semaphore->held);

	return held < 0 ? NULL : &semaphore->permits[held];
}

/* Why not, where no permit is held. */
static int why_none(const struct redlock_semaphore *semaphore)
{
	if (semaphore->client->closing) {
		return REDLOCK_ECLOSED;
	}
	return semaphore->acquire.cb != NULL || semaphore->releasing ? REDLOCK_EBUSY
								     : REDLOCK_EEXPIRED;
}

int redlock_semaphore_acquire(struct redlock_semaphore *semaphore, uint64_t wait_ms,
			      redlock_semaphore_cb cb, void *data)
{
	int status;

	if (semaphore == NULL || cb == NULL) {
		return REDLOCK_EINVAL;
	}
	if (semaphore->client->closing) {
		return REDLOCK_ECLOSED;
	}
	if (lock_of(semaphore) != NULL || semaphore->acquire.cb != NULL ||
	    semaphore->extend.cb != NULL || semaphore->releasing) {
		return REDLOCK_EBUSY;
	}
	status = rlk_permits_seek(semaphore, wait_ms);
	if (status == 0) {
		semaphore->acquire = (struct rlk_permit_call){cb, data};
	}
	return status;
}

int redlock_semaphore_extend(struct redlock_semaphore *semaphore, redlock_semaphore_cb cb,
			     void *data)
{
	struct rlk_permit *permit;
	int status;

	if (semaphore == NULL || cb == NULL) {
		return REDLOCK_EINVAL;
	}
	permit = permit_of(semaphore);
	status = permit == NULL ? why_none(semaphore)
				: redlock_extend(permit->lock, on_extended, permit);
	if (status == 0) {
		semaphore->extend = (struct rlk_permit_call){cb, data};
		semaphore->due++;
	}
	return status;
}

int redlock_semaphore_release(struct redlock_semaphore *semaphore, redlock_semaphore_cb cb,
			      void *data)
{
	struct rlk_permit *permit;
	int status;

	if (semaphore == NULL) {
		return REDLOCK_EINVAL;
	}
	permit = permit_of(semaphore);
	status = permit == NULL ? why_none(semaphore)
				: redlock_release(permit->lock, on_released, permit);
	if (status == 0) {
		atomic_store(&semaphore->held, -1);
		permit->state = RLK_PERMIT_LEAVING;
		semaphore->releasing = true;
		semaphore->release = (struct rlk_permit_call){cb, data};
		semaphore->due++;
	}
	return status;
}

int redlock_semaphore_cancel(struct redlock_semaphore *semaphore)
{
	if (semaphore == NULL) {
		return REDLOCK_EINVAL;
	}
	if (semaphore->acquire.cb == NULL) {
		return redlock_cancel(lock_of(semaphore));
	}
	if (semaphore->canceled) {
		return REDLOCK_EINVAL;
	}
	rlk_permits_leave(semaphore);
	semaphore->canceled = true;
	return 0;
}

/* ---- Questions ------------------------------------------------------------------------------- */

bool redlock_semaphore_held(const struct redlock_semaphore *semaphore)
{
	return redlock_lock_held(lock_of(semaphore));
}

uint64_t redlock_semaphore_validity_ms(const struct redlock_semaphore *semaphore)
{
	return redlock_lock_validity_ms(lock_of(semaphore));
}

int redlock_semaphore_slot(const struct redlock_semaphore *semaphore)
{
	int held = semaphore == NULL ? -1 : atomic_load(&semaphore->held);

	return held >= 0 && redlock_lock_held(semaphore->permits[held].lock) ? held : -1;
}

const char *redlock_semaphore_token(const struct redlock_semaphore *semaphore, size_t *len)
{
	return redlock_lock_token(lock_of(semaphore), len);
}

uint64_t redlock_semaphore_fence(const struct redlock_semaphore *semaphore)
{
	return redlock_lock_fence(lock_of(semaphore));
}
