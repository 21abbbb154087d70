/* blocking.h - the same lock for programs without an event loop: call, and wait.
 *
 * A client here has a thread of its own, which does all the talking and renews
 * leases. Read redlock.h for what a lease is and what it cannot do; options and
 * errors are the same, and these come on top:
 *
 *   Thread.   Any thread may call anything, at any time, with two exceptions: when
 *             redlock_blocking_close() has returned 0, the client is gone (its mutexes
 *             say REDLOCK_ECLOSED and that they are not held, until they are freed);
 *             and nothing comes after redlock_mutex_free().
 *   Mutex.    One holder or waiter at a time: threads that want one resource
 *             make a mutex each, and get their turn in the order in which they ask.
 *   Callback. on_at_risk and on_lost run on the client's thread. They must not
 *             block; of this page they may call redlock_mutex_held(),
 *             redlock_mutex_validity_ms(), redlock_mutex_fence(), redlock_mutex_cancel()
 *             and redlock_mutex_free(); what would have to wait says REDLOCK_EBUSY.
 *   Fork.     In a forked child nothing is held, and calls return REDLOCK_EFORKED;
 *             open a client of its own there. The parent's is not disturbed.
 *   Signals.  The client's thread takes none; a wait is not cut short by one, nor by
 *             pthread_cancel(): redlock_mutex_cancel() ends it. */
#ifndef REDLOCK_BLOCKING_H
#define REDLOCK_BLOCKING_H

#include <redlock/redlock.h>

#ifdef __cplusplus
extern "C" {
#endif

struct redlock_blocking;
struct redlock_mutex;

/**
 * Open a client, and start its thread. Does not wait for connections: a first
 * redlock_mutex_lock() does. Arguments as for redlock_client_new(); all are copied.
 *
 * Returns 0 and sets *@client, or:
 *   REDLOCK_EINVAL, REDLOCK_EUNSUPPORTED, REDLOCK_EENTROPY  as redlock_client_new()
 *   REDLOCK_ENOMEM  out of memory, or no thread to be had
 */
REDLOCK_API int redlock_blocking_open(struct redlock_blocking **client, const char *const *urls,
				      size_t url_count, const struct redlock_options *options,
				      struct redlock_error *error);

/**
 * Close a client: calls of other threads end with REDLOCK_ECLOSED, what is held
 * is given back, for at most one node timeout; then its thread is gone, as soon as
 * the system has answered a look-up of a name that is under way. Its
 * mutexes are not held any more; they have to be freed, before or after. NULL is
 * fine.
 *
 * Returns 0, or:
 *   REDLOCK_ECLOSED  another thread is closing it
 *   REDLOCK_EBUSY    in a callback
 *   REDLOCK_EFORKED  in a forked child; its memory there is lost
 */
REDLOCK_API int redlock_blocking_close(struct redlock_blocking *client);

/**
 * Statistics; see redlock_client_stats(), redlock_client_node_stats() and
 * redlock_client_stats_text(). The address of a node is the client's.
 *
 * Return 0, or REDLOCK_EINVAL, REDLOCK_ECLOSED, REDLOCK_EBUSY (in a callback), REDLOCK_EFORKED; the
 * text's function sets *@len to the length of the whole.
 */
#define redlock_blocking_stats(client, stats)                                                      \
	redlock_blocking_stats_sized((client), (stats), sizeof *(stats))
REDLOCK_API int redlock_blocking_stats_sized(struct redlock_blocking *client,
					     struct redlock_stats *stats, size_t size);
#define redlock_blocking_node_stats(client, node, stats)                                           \
	redlock_blocking_node_stats_sized((client), (node), (stats), sizeof *(stats))
REDLOCK_API int redlock_blocking_node_stats_sized(struct redlock_blocking *client, size_t node,
						  struct redlock_node_stats *stats, size_t size);
REDLOCK_API int redlock_blocking_stats_text(struct redlock_blocking *client, const char *label,
					    char *text, size_t size, size_t *len);

/**
 * Make a mutex for @resource. Arguments and errors as for redlock_lock_new(), and
 *   REDLOCK_EBUSY    in a callback
 *   REDLOCK_EFORKED  in a forked child
 */
REDLOCK_API int redlock_mutex_new(struct redlock_mutex **mutex, struct redlock_blocking *client,
				  const void *resource, size_t resource_len,
				  const struct redlock_lock_options *options);

/**
 * Make a mutex for several @resources at once, all or none. Arguments and errors as for
 * redlock_lock_new_all(), and
 *   REDLOCK_EBUSY    in a callback
 *   REDLOCK_EFORKED  in a forked child
 */
REDLOCK_API int redlock_mutex_new_all(struct redlock_mutex **mutex, struct redlock_blocking *client,
				      const struct redlock_resource *resources, size_t count,
				      const struct redlock_lock_options *options);

/** Free a mutex that no other thread uses; NULL is fine. What is held is given back in the
 * background. */
REDLOCK_API void redlock_mutex_free(struct redlock_mutex *mutex);

/**
 * Take the lock, and wait for it for at most @wait_ms: 0 tries once,
 * REDLOCK_WAIT_FOREVER is as it says. @error, if not NULL, gets the reason in
 * words, with what each node that did not grant it has to say.
 *
 * The lease ends by itself after its TTL unless it is renewed (auto_renew), so
 * ask redlock_mutex_held() right before what it guards.
 *
 * Returns 0: held for redlock_mutex_validity_ms(); or what redlock_acquire() returns
 * and its callback is told:
 *   REDLOCK_EINVAL     NULL mutex
 *   REDLOCK_EBUSY      it is held, or another thread waits with this mutex; or in a callback
 *   REDLOCK_EHELD      tried once; another owner has too many nodes
 *   REDLOCK_ETIMEDOUT  the wait is over, and the last attempt found it held
 *   REDLOCK_ENOQUORUM  too few nodes can vote
 *   REDLOCK_EEXPIRED   granted by a quorum, but too slowly to be of use
 *   REDLOCK_ECANCELED  redlock_mutex_cancel()
 *   REDLOCK_ECLOSED    redlock_blocking_close()
 *   REDLOCK_EFORKED    in a forked child
 *   REDLOCK_ENOMEM, REDLOCK_EENTROPY
 */
REDLOCK_API int redlock_mutex_lock(struct redlock_mutex *mutex, uint64_t wait_ms,
				   struct redlock_error *error);

/**
 * Renew the lease for its full TTL. A failure changes nothing: the old lease
 * stands until its end.
 *
 * Returns 0, or as redlock_extend() and its callback:
 *   REDLOCK_EINVAL, REDLOCK_EEXPIRED, REDLOCK_EBUSY, REDLOCK_ELOST, REDLOCK_ENOQUORUM,
 *   REDLOCK_ECANCELED, REDLOCK_ECLOSED, REDLOCK_ENOMEM; and REDLOCK_EFORKED
 */
REDLOCK_API int redlock_mutex_extend(struct redlock_mutex *mutex, struct redlock_error *error);

/**
 * Give the lock back, and wait until a quorum has heard of it.
 *
 * Returns 0, or as redlock_release() and its callback:
 *   REDLOCK_EINVAL, REDLOCK_EEXPIRED, REDLOCK_EBUSY, REDLOCK_ELOST, REDLOCK_ENOQUORUM,
 *   REDLOCK_ECLOSED, REDLOCK_ENOMEM; and REDLOCK_EFORKED. It is not held any more in any case but
 *   REDLOCK_EINVAL and REDLOCK_EBUSY.
 */
REDLOCK_API int redlock_mutex_unlock(struct redlock_mutex *mutex, struct redlock_error *error);

/** End another thread's redlock_mutex_lock() or redlock_mutex_extend() with REDLOCK_ECANCELED.
 * Does nothing to one that has not begun: who cannot know whether it has calls again, in pauses,
 * until the other thread is back.
 * Returns 0, or REDLOCK_EINVAL if there is none, REDLOCK_ECLOSED, REDLOCK_EFORKED. */
REDLOCK_API int redlock_mutex_cancel(struct redlock_mutex *mutex);

/** Is the lease valid at this moment? Reads the clock, asks nobody. False for NULL. */
REDLOCK_API bool redlock_mutex_held(const struct redlock_mutex *mutex);

/** Milliseconds of validity left at this moment, 0 if not held. */
REDLOCK_API uint64_t redlock_mutex_validity_ms(const struct redlock_mutex *mutex);

/** Fencing token of the lease; 0 if not held or without fencing. See redlock_lock_fence(). */
REDLOCK_API uint64_t redlock_mutex_fence(const struct redlock_mutex *mutex);

#ifdef __cplusplus
}
#endif
#endif
