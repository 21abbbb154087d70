/* semaphore.h - a counting semaphore: at most so many holders at once.
 *
 * A semaphore of N permits has N slots, and each slot is an ordinary lock: slot i
 * of NAME is the lock on the resource NAME#i, from NAME#0 on. Who has one of these
 * locks has a permit, so there are never more holders than slots. All that
 * redlock.h says of a lock and its lease holds of a permit, and these come on top:
 *
 *   Permits.  All who use one NAME give the same number of permits. Where they
 *             do not, those with fewer use the first slots only, and there are
 *             as many holders as the greatest number allows.
 *   Handle.   A handle holds one permit at most. Who wants several makes several
 *             handles: each holder is to be counted, in one process or in many.
 *   Thread.   As for locks: the loop's thread calls, and any thread may ask
 *             redlock_semaphore_held(), redlock_semaphore_validity_ms() and
 *             redlock_semaphore_slot().
 *   Results.  As for locks: non-zero and no callback, or zero and exactly one, later.
 *             Callbacks may call anything, redlock_semaphore_free() and
 *             redlock_client_close() included.
 *   Price.    A free permit costs what a lock costs. Where all are taken, each slot
 *             has to be asked: a refusal costs so many times the commands of one
 *             lock, and so does standing in line, which is done for all at once. */
#ifndef REDLOCK_SEMAPHORE_H
#define REDLOCK_SEMAPHORE_H

#include <redlock/redlock.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most permits of one semaphore. */
#define REDLOCK_PERMITS_MAX 64

struct redlock_semaphore;

/** End of an operation, or news of a permit's lease. The report is that of the slot which decided
 * it; its attempts are those of all slots that were asked. */
typedef void (*redlock_semaphore_cb)(struct redlock_semaphore *semaphore, int status,
				     const struct redlock_report *report, void *data);

/* Set up by redlock_semaphore_options_init(). Zero means the default. As redlock_lock_options, of
 * which a permit has all but the own token. */
struct redlock_semaphore_options {
	size_t size;	      /* Set by redlock_semaphore_options_init(); leave. */
	uint32_t ttl_ms;      /* Lease length. Default 0: the client's. */
	uint32_t at_risk_ms;  /* on_at_risk when less validity is left. Default 0: ttl / 3. */
	uint64_t max_hold_ms; /* Cap on one holding, renewals included. Default 0: none. */
	bool auto_renew;      /* Renew from ttl / 3 on, until release. Default false. */
	bool fence;	      /* Get a fencing token with each permit; see
			       * redlock_semaphore_fence(). Default false. */
	redlock_semaphore_cb on_at_risk; /* Renewal is late: validity_ms is left. */
	redlock_semaphore_cb on_lost;	 /* The lease is over without a release. status:
					  * REDLOCK_EEXPIRED or REDLOCK_ECLOSED. At most once
					  * for each permit. */
	void *data;			 /* For on_at_risk and on_lost. */
};

#define redlock_semaphore_options_init(options)                                                    \
	redlock_semaphore_options_init_sized((options), sizeof *(options))
REDLOCK_API void redlock_semaphore_options_init_sized(struct redlock_semaphore_options *options,
						      size_t size);

/**
 * Make a handle of the semaphore @resource, of 1 to REDLOCK_PERMITS_MAX @permits. Talks to nobody.
 * @resource is binary safe and copied, of 1 byte to 64 KiB, less three bytes for the number of a
 * slot; @options may be NULL. It takes the memory of @permits locks, and they are counted as such
 * in redlock_stats.
 *
 * Returns 0 and sets *@semaphore, or:
 *   REDLOCK_EINVAL   NULL or empty resource, one that is too long, a number of permits out of
 *                    range, slots whose keys end as helper keys of other locks do, options not
 *                    set up by redlock_semaphore_options_init(), a TTL that redlock_lock_new()
 *                    refuses
 *   REDLOCK_ECLOSED  the client is closing
 *   REDLOCK_ENOMEM   out of memory
 */
REDLOCK_API int redlock_semaphore_new(struct redlock_semaphore **semaphore,
				      struct redlock_client *client, const void *resource,
				      size_t resource_len, uint32_t permits,
				      const struct redlock_semaphore_options *options);

/** Free a handle; NULL is fine. A pending operation ends with REDLOCK_ECANCELED first (the callback
 * still comes, and must not use the handle afterwards); a permit is given back in the background,
 * without on_lost. */
REDLOCK_API void redlock_semaphore_free(struct redlock_semaphore *semaphore);

/**
 * Take a permit.
 *
 * First each slot is tried without waiting, from one that is drawn by lot on: one of them, then two
 * at a time, then four, and so on until one is granted; so the last round trip of at most seven
 * has asked them all. This is always finished, and with @wait_ms 0 it is all. Else, if all are
 * taken, it waits until @wait_ms is over, in line for every slot at once, as redlock_acquire()
 * does: whoever gives one back calls the next one. The first slot that is granted is the permit.
 * The others are cancelled, and one of them that is granted all the same is given back at once; so
 * for the moment of a round trip one permit may be missed by others, who are told that all are
 * taken.
 *
 * Returns 0 if started; otherwise @cb will never be called:
 *   REDLOCK_EINVAL   NULL semaphore or cb
 *   REDLOCK_EBUSY    a permit is held, or an operation is under way, or its callback still due
 *   REDLOCK_ECLOSED  the client is closing
 * @cb's status is 0: held for report->validity_ms; or
 *   REDLOCK_EHELD      tried once; all permits are taken
 *   REDLOCK_ETIMEDOUT  the wait is over, and all permits were found taken
 *   REDLOCK_ENOQUORUM  too few nodes could vote on one slot at least: see the report
 *   REDLOCK_EEXPIRED   one was granted by a quorum, but too slowly to be of use
 *   REDLOCK_ECANCELED  redlock_semaphore_cancel() or redlock_semaphore_free()
 *   REDLOCK_ECLOSED    redlock_client_close()
 *   REDLOCK_ENOMEM, REDLOCK_EENTROPY
 */
REDLOCK_API int redlock_semaphore_acquire(struct redlock_semaphore *semaphore, uint64_t wait_ms,
					  redlock_semaphore_cb cb, void *data);

/**
 * Renew the permit's lease for its full TTL, as redlock_extend(). A failure changes nothing: the
 * old lease stands until its end.
 *
 * Returns 0 if started; otherwise @cb will never be called:
 *   REDLOCK_EINVAL   NULL semaphore or cb
 *   REDLOCK_EEXPIRED no permit is held
 *   REDLOCK_EBUSY    an operation is under way
 *   REDLOCK_ECLOSED, REDLOCK_ENOMEM
 * @cb's status is 0, or
 *   REDLOCK_ELOST      too many nodes have another owner's key, or none
 *   REDLOCK_ENOQUORUM  too few nodes answered
 *   REDLOCK_EEXPIRED   the lease ended before a quorum had renewed it
 *   REDLOCK_ECANCELED  cancel, release or free came first
 *   REDLOCK_ECLOSED
 */
REDLOCK_API int redlock_semaphore_extend(struct redlock_semaphore *semaphore,
					 redlock_semaphore_cb cb, void *data);

/**
 * Give the permit back, as redlock_release(): redlock_semaphore_held() is false from this call on,
 * and whoever waits for the slot is called. @cb may be NULL.
 *
 * Returns 0 if started; otherwise @cb will never be called:
 *   REDLOCK_EINVAL   NULL semaphore
 *   REDLOCK_EEXPIRED no permit is held: the lease ended before (harmless)
 *   REDLOCK_EBUSY    acquire or release is under way (redlock_semaphore_cancel() first)
 *   REDLOCK_ECLOSED, REDLOCK_ENOMEM
 * @cb's status is 0, or
 *   REDLOCK_ELOST      a quorum says that the key was not ours any more
 *   REDLOCK_ENOQUORUM  too few nodes answered; the rest is settled in the background
 *   REDLOCK_ECLOSED, REDLOCK_ECANCELED (free)
 */
REDLOCK_API int redlock_semaphore_release(struct redlock_semaphore *semaphore,
					  redlock_semaphore_cb cb, void *data);

/** End a pending acquire or extend with REDLOCK_ECANCELED. Whatever the acquire may have set is
 * given back, a permit that was granted and not told yet included. Returns 0, or REDLOCK_EINVAL if
 * neither is pending. */
REDLOCK_API int redlock_semaphore_cancel(struct redlock_semaphore *semaphore);

/** Is the lease of a permit valid at this moment? Reads the clock. Any thread. False for NULL. */
REDLOCK_API bool redlock_semaphore_held(const struct redlock_semaphore *semaphore);

/** Milliseconds of validity left at this moment, 0 if none is held. Any thread. */
REDLOCK_API uint64_t redlock_semaphore_validity_ms(const struct redlock_semaphore *semaphore);

/** Which slot the permit is: 0 to permits - 1, and nobody else has the same one; -1 if none is
 * held. Any thread. */
REDLOCK_API int redlock_semaphore_slot(const struct redlock_semaphore *semaphore);

/** Owner token of the permit's lease, which is that of the lock on the slot's resource; or NULL if
 * none is held. As redlock_lock_token(). */
REDLOCK_API const char *redlock_semaphore_token(const struct redlock_semaphore *semaphore,
						size_t *len);

/** Fencing token of the permit's lease: greater than that of any earlier holder of the same slot,
 * and without meaning between slots. So a resource that is to refuse holders of the past must be
 * told slot and token, and keep the greatest token of each slot. 0 if none is held or without
 * fencing. */
REDLOCK_API uint64_t redlock_semaphore_fence(const struct redlock_semaphore *semaphore);

#ifdef __cplusplus
}
#endif
#endif
