/* redlock.h - a distributed lock over N independent Redis or Valkey masters.
 *
 * The asynchronous contract. A client belongs to one libuv loop; a lock belongs
 * to one client. Read this page before the functions:
 *
 *   Thread.   Every function is called on the loop's thread, except
 *             redlock_lock_held() and redlock_lock_validity_ms(), which any
 *             thread may call while the lock exists, and those that are given
 *             neither a client nor a lock, such as redlock_strerror().
 *   Results.  A function that takes a callback returns non-zero and never calls
 *             it, or returns zero and calls it exactly once: later, on the loop
 *             thread, never before the function has returned. Callbacks may call
 *             anything, redlock_lock_free() and redlock_client_close() included.
 *   Clock.    Validity is measured on CLOCK_BOOTTIME where there is one, from
 *             before the first byte left, less the drift allowance.
 *   Lease.    A lock is a lease. A process that is paused for longer than its
 *             validity no longer holds it, whatever it believes: check
 *             redlock_lock_held() right before acting, or give the fencing token
 *             to the resource and let the resource refuse an older one.
 *   Fork.     A client must not be used in a forked child.
 *   Signals.  The library installs no handler and cannot raise SIGPIPE.
 *
 * Algorithm: "Distributed Locks with Redis", redis.io/docs. */
#ifndef REDLOCK_REDLOCK_H
#define REDLOCK_REDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define REDLOCK_API __attribute__((visibility("default")))
#else
#define REDLOCK_API
#endif

#define REDLOCK_VERSION "0.1.0"

/* Most nodes of one client. */
#define REDLOCK_NODES_MAX 32

/* Most resources of one lock. */
#define REDLOCK_RESOURCES_MAX 16

/* Longest owner token, in bytes, that a caller may supply. */
#define REDLOCK_TOKEN_MAX 64

/* In place of the owner token of one: readers have the resource. See redlock_lock_options.shared.
 */
#define REDLOCK_OWNER_READERS "redlock:shared"

/* For redlock_acquire(): try until it succeeds or is cancelled. */
#define REDLOCK_WAIT_FOREVER UINT64_MAX

/* Every error: name, value, text. Values are never renumbered. */
#define REDLOCK_ERRORS(X)                                                                          \
	X(EINVAL, -1, "invalid argument")                                                          \
	X(ENOMEM, -2, "out of memory")                                                             \
	X(EBUSY, -3, "an operation on this lock is under way")                                     \
	X(EHELD, -4, "held by another owner")                                                      \
	X(ENOQUORUM, -5, "too few nodes can vote")                                                 \
	X(ETIMEDOUT, -6, "still held by another owner when the wait was over")                     \
	X(EEXPIRED, -7, "the lease ran out")                                                       \
	X(ELOST, -8, "the lease is no longer ours on a quorum of nodes")                           \
	X(ECANCELED, -9, "cancelled")                                                              \
	X(ECLOSED, -10, "the client is closed")                                                    \
	X(EUNSUPPORTED, -11, "not supported by this build or by the servers")                      \
	X(EENTROPY, -12, "no random bytes for an owner token")                                     \
	X(EFORKED, -13, "used in a child of the process that opened it")

#define REDLOCK_ERROR_ENUM(name, value, text) REDLOCK_##name = (value),
enum redlock_status { REDLOCK_OK = 0, REDLOCK_ERRORS(REDLOCK_ERROR_ENUM) };
#undef REDLOCK_ERROR_ENUM

/* An error with the reason in words, node for node; never holds a password or a token. */
struct redlock_error {
	int status;
	char text[1024];
};

struct uv_loop_s;
struct redlock_client;
struct redlock_lock;

/** Text of a status, "ok" for 0. Static; never NULL. */
REDLOCK_API const char *redlock_strerror(int status);

/** Name of a status, such as "REDLOCK_EHELD". Static; never NULL. */
REDLOCK_API const char *redlock_status_name(int status);

/** Version of the library that is running, as in REDLOCK_VERSION. */
REDLOCK_API const char *redlock_version(void);

/* ---- What a round found ---------------------------------------------------------------------- */

/* What one node did in a round. */
enum redlock_vote {
	REDLOCK_VOTE_NONE = 0,	  /* No answer when the round was decided. */
	REDLOCK_VOTE_GRANTED,	  /* Set, extended or deleted, as asked. */
	REDLOCK_VOTE_HELD,	  /* Another owner has the key there. */
	REDLOCK_VOTE_MISSING,	  /* The key is not there (extend, release). */
	REDLOCK_VOTE_ERROR,	  /* The node answered an error: see error. */
	REDLOCK_VOTE_TIMED_OUT,	  /* No answer in time; the key may be set. */
	REDLOCK_VOTE_UNREACHABLE, /* Not connected; not asked. */
	REDLOCK_VOTE_WITHHELD	  /* Restarted lately: its vote does not count yet. */
};

struct redlock_node_report {
	const char *address; /* host:port or path; no credentials. */
	enum redlock_vote vote;
	uint32_t rtt_us;      /* Time to its answer, 0 if there was none. */
	int64_t remaining_ms; /* HELD: left of the other lease. WITHHELD: left of the
			       * guard. -1: not known. */
	const char *error;    /* Text for ERROR, UNREACHABLE, WITHHELD; else "". */
};

/* How an acquire waited; the values are never renumbered. */
enum redlock_way {
	REDLOCK_WAY_NONE = 0,	/* It did not. */
	REDLOCK_WAY_CLIENT = 1, /* Behind another lock of this client. */
	REDLOCK_WAY_LINE = 2,	/* In line at the nodes: the one before calls. */
	REDLOCK_WAY_PAUSES = 3	/* Trying again after pauses: too few nodes let it stand in line,
				 * or the lock is for several resources, a reader's, or
				 * has an own token. */
};

/* Outcome of one operation. Lent for the duration of the callback. */
struct redlock_report {
	size_t node_count;
	size_t quorum;
	const struct redlock_node_report *nodes;
	uint32_t elapsed_us;  /* Of the deciding round. */
	uint32_t attempts;    /* Rounds of this operation; 0: the lease was handed from one lock
			       * of this client to the next, and no node was asked. */
	uint64_t waited_ms;   /* From the call to the decision. */
	uint64_t validity_ms; /* Left of the lease; 0 when it is not held. */
	uint64_t fence;	      /* Fencing token, 0 without fencing. */
	enum redlock_way way; /* How the acquire that was last waited, in the end. */
};

/** Name of a vote, such as "granted". Static; never NULL. */
REDLOCK_API const char *redlock_vote_name(enum redlock_vote vote);

/** Name of a way to wait, such as "line". Static; never NULL. */
REDLOCK_API const char *redlock_way_name(enum redlock_way way);

/** End of an operation, or news of a lease. */
typedef void (*redlock_lock_cb)(struct redlock_lock *lock, int status,
				const struct redlock_report *report, void *data);

/* ---- Client ---------------------------------------------------------------------------------- */

/* Memory for a client and its locks. Functions behave like their namesakes. */
struct redlock_allocator {
	void *(*calloc)(size_t count, size_t size, void *data);
	void (*free)(void *block, void *data);
	void *data;
};

/* What to believe of a node that may have forgotten grants in a restart. */
enum redlock_guard {
	REDLOCK_GUARD_ON = 0,	  /* Withhold its vote for max_ttl_ms, unless it is seen to
				   * write every change to disk (appendfsync always). */
	REDLOCK_GUARD_OFF = 1,	  /* Believe it at once. Unsafe without full persistence. */
	REDLOCK_GUARD_DURABLE = 2 /* The caller vouches that nodes lose nothing. */
};

/** One line for each decision; ends without newline. Never holds a secret. */
typedef void (*redlock_trace_cb)(struct redlock_client *client, const char *line, void *data);

/* Who logs in to a node; exists while a redlock_credentials_cb runs. */
struct redlock_credentials;

/**
 * Who are we to the node at @address (as in reports; lent for the call)? Asked at the start of each
 * log-in, and so on every reconnect: a password that has changed is told here, and nowhere else. A
 * node is logged in to once more where a lock waits in line, to be called.
 *
 * Answer by redlock_credentials_set(), before returning 0; without it the log-in has no password.
 * Anything but 0: there are none for now; then this log-in fails, the node's error says so, and it
 * is tried again after the reconnect pause. @data is options.credentials_data.
 *
 * Runs on the loop's thread, never inside a call into the library, but in the middle of its work:
 * it must not block (fetch secrets elsewhere, and have them at hand here), and may call nothing of
 * @client and its locks but redlock_lock_held() and redlock_lock_validity_ms(). It is not called
 * any more once the callback of redlock_client_close() has been.
 */
typedef int (*redlock_credentials_cb)(struct redlock_client *client, const char *address,
				      struct redlock_credentials *credentials, void *data);

/* Set up by redlock_options_init(), then changed where needed. Times in ms. */
struct redlock_options {
	size_t size;		       /* Set by redlock_options_init(); leave. */
	uint32_t ttl_ms;	       /* Lease length of locks. Default 10000. */
	uint32_t max_ttl_ms;	       /* No client of these nodes uses a longer TTL; how long a
					* restarted node is not believed. Default 60000. */
	uint32_t drift_ppm;	       /* Allowed difference of clock rates. Default 10000 (1 %). */
	uint32_t node_timeout_ms;      /* Silence for longer is no vote. Default 0: ttl / 20, at
					* least 50, at most 500. */
	uint32_t connect_timeout_ms;   /* For each address, log-in included. Default 2000. */
	uint32_t min_validity_percent; /* Of the TTL that a win must leave. Default 20. */
	uint32_t retry_min_ms;	       /* Pause between attempts: drawn from a range that */
	uint32_t retry_max_ms;	       /* grows from min to max. Defaults 5 and 250. */
	uint32_t reconnect_min_ms;     /* Pause before connecting again, growing from min */
	uint32_t reconnect_max_ms;     /* to max, with jitter. Defaults 50 and 5000. */
	uint32_t max_in_flight;	       /* Unanswered requests for each node. Default 65536. */
	enum redlock_guard guard;      /* Default REDLOCK_GUARD_ON. */
	const char *key_format;	       /* Key of a resource: one %s. Default "%s". Copied. */
	const char *client_name;       /* Shown by CLIENT LIST. Default "libredlock". Copied. */
	const struct redlock_allocator *allocator; /* Default NULL: libc. Copied. */
	redlock_trace_cb trace;			   /* Default NULL. */
	void *trace_data;
	/* For rediss:// nodes: PEM files, read by redlock_client_new() and not again. */
	const char *tls_ca_file;   /* Whom to trust. Default NULL: the system's CAs. */
	const char *tls_cert_file; /* Client certificate, then its chain; and its key, */
	const char *tls_key_file;  /* without passphrase. Both or neither. Default NULL. */
	/* Another server may come to answer at a node's address without the connection breaking,
	 * as behind a proxy: then each vote asks whether it is still the same one, by a script
	 * with INFO in it, and is slower. Not for locks with an own token. Default false. */
	bool node_may_change;
	/* Wait by asking again and again in pauses, not in line with other clients: as where the
	 * nodes' users have no right to stand in line. Default false. */
	bool wait_in_pauses;
	uint32_t hand_max; /* So often a lease goes from lock to lock within this client before
			    * others get their turn. Default 16; 0: never. */
	/* Asked for user and password at each log-in, whatever the URLs say. Default NULL: as the
	 * URLs say. */
	redlock_credentials_cb credentials;
	void *credentials_data;
};

/**
 * Answer a redlock_credentials_cb, inside of it. @user may be NULL or "": the default user. The
 * last answer counts. Both texts are copied before this returns, so that the caller may wipe
 * his own at once; the copies are overwritten as soon as the node has answered the log-in, or the
 * connection has ended, and are never logged.
 *
 * Returns 0, or
 *   REDLOCK_EINVAL   NULL credentials, a NULL or empty password, a text of 64 KiB or more
 *   REDLOCK_ENOMEM   out of memory: return it from the callback, too
 */
REDLOCK_API int redlock_credentials_set(struct redlock_credentials *credentials, const char *user,
					const char *password);

/** Fill in the defaults. A library newer than the caller's header reads the missing tail as
 * defaults; one older refuses non-zero fields that it does not know (REDLOCK_EINVAL). */
#define redlock_options_init(options) redlock_options_init_sized((options), sizeof *(options))
REDLOCK_API void redlock_options_init_sized(struct redlock_options *options, size_t size);

/**
 * Open a client for @url_count nodes and start connecting to them.
 *
 * URLs: redis://[user[:password]@]host[:port][/db], rediss://... (TLS 1.2 or
 * newer; the server's certificate must be valid, and for that host),
 * unix:///path[?db=n]; IPv6 in brackets; reserved characters percent-encoded.
 * @options may be NULL for the defaults. @urls and @options are copied. @error,
 * if not NULL, gets the reason in words. The client keeps @loop alive until it
 * is closed; names are resolved on libuv's thread pool.
 *
 * Returns 0 and sets *@client, or:
 *   REDLOCK_EINVAL        a bad URL or option, a TLS file that cannot be used, a
 *                         node listed twice, 0 or more than REDLOCK_NODES_MAX nodes
 *   REDLOCK_EUNSUPPORTED  rediss:// in a build without TLS
 *   REDLOCK_ENOMEM        out of memory
 *   REDLOCK_EENTROPY      no random bytes
 */
REDLOCK_API int redlock_client_new(struct redlock_client **client, struct uv_loop_s *loop,
				   const char *const *urls, size_t url_count,
				   const struct redlock_options *options,
				   struct redlock_error *error);

typedef void (*redlock_close_cb)(struct redlock_client *client, int status, const void *unused,
				 void *data);

/**
 * Close a client. Pending operations end with REDLOCK_ECLOSED, held leases and
 * unsettled releases are given back for at most one node timeout, then @cb runs
 * (it may be NULL) and the client is gone. Its locks are no longer held; they
 * still have to be freed, before or after.
 *
 * Returns 0, or REDLOCK_ECLOSED if it is closing already, or REDLOCK_EINVAL for NULL. */
REDLOCK_API int redlock_client_close(struct redlock_client *client, redlock_close_cb cb,
				     void *data);

/* Where a node is in its life. */
enum redlock_node_state {
	REDLOCK_NODE_DOWN = 0,	 /* Not connected; tried again after a pause. */
	REDLOCK_NODE_CONNECTING, /* Resolving, connecting, logging in. */
	REDLOCK_NODE_UP,	 /* Votes, unless guard_ms is not 0. */
	REDLOCK_NODE_SUSPECT,	 /* Silent for longer than the node timeout. */
	REDLOCK_NODE_BARRED	 /* Connected and never to vote: see error. */
};

/* What a node does not let its user see, so that nothing can be said of it. */
enum redlock_unseen {
	REDLOCK_UNSEEN_PROCESS = 1,  /* INFO server: a restart from an old copy, another URL that
				      * leads to the same server. */
	REDLOCK_UNSEEN_DISK = 2,     /* CONFIG GET: whether it writes every change to disk. */
	REDLOCK_UNSEEN_EVICTION = 4, /* INFO memory: whether it may delete locks. */
	REDLOCK_UNSEEN_CLOCK = 8     /* What the time is there. */
};

struct redlock_node_status {
	const char *address; /* host:port or path; no credentials. */
	enum redlock_node_state state;
	const char *product; /* "redis", "valkey" or "" while unknown. */
	const char *version; /* "7.0.15" or "". */
	const char *role;    /* "master", "replica" or "". */
	const char *error;   /* Why it cannot vote, or "". */
	uint32_t rtt_us;     /* Of this inspection's answer; 0 if none. */
	uint64_t guard_ms;   /* Vote withheld for this long; 0 if it counts. */
	bool durable;	     /* Seen to write every change to disk. */
	bool answered;	     /* The four below are known. */
	bool held;	     /* The resource's key is there. */
	const void *owner;   /* Its value (a secret: who knows it can release); or
			      * REDLOCK_OWNER_READERS. */
	size_t owner_len;
	int64_t remaining_ms; /* Of the key; -1: it never expires. */
	int32_t in_line;      /* So many clients stand in line for it, at most 1000; -1: nobody
			       * can, for want of rights; or it is not known. */
	/* As it was when this client logged in last. */
	const char *mode;	/* "standalone", "cluster", "sentinel" or "". */
	const char *eviction;	/* Its maxmemory-policy, such as "noeviction", or "". */
	int64_t clock_ahead_ms; /* Of its wall clock, before this machine's; see unseen. */
	unsigned same_as;	/* It is the same server as this node of the list, which counts
				 * from 1; 0: none. */
	unsigned unseen;	/* Sum of redlock_unseen; 0 while it is not connected. */
	const char *lacks; /* Rights that the node said its user lacks, since the log-in, in the
			    * words of ACL SETUSER: "+info +config|get". Or "". */
};

struct redlock_inspection {
	size_t node_count;
	size_t quorum;
	const struct redlock_node_status *nodes; /* Lent for the callback. */
};

typedef void (*redlock_inspect_cb)(struct redlock_client *client, int status,
				   const struct redlock_inspection *inspection, void *data);

/**
 * Ask every node how it is and, unless @resource is NULL, who holds @resource.
 * It tells what may be wrong with a node, and what the node's user may not see:
 * nothing that is unseen is known to be well.
 *
 * Waits for an answer at most one node timeout, and for nodes that are connecting
 * at most one connect timeout. The callback's status is 0, or REDLOCK_ECLOSED.
 *
 * Returns 0 if started; otherwise @cb will never be called:
 *   REDLOCK_EINVAL   NULL client or cb, or a resource longer than 64 KiB
 *   REDLOCK_ECLOSED  the client is closing
 *   REDLOCK_ENOMEM   out of memory
 */
REDLOCK_API int redlock_inspect(struct redlock_client *client, const void *resource,
				size_t resource_len, redlock_inspect_cb cb, void *data);

/** Number of nodes, and how many of them make a quorum (node_count / 2 + 1). */
REDLOCK_API size_t redlock_client_node_count(const struct redlock_client *client);
REDLOCK_API size_t redlock_client_quorum(const struct redlock_client *client);

/* ---- Statistics ------------------------------------------------------------------------------ */

/* Of one client since it was opened; what ends in _now is as it is at this moment. */
struct redlock_stats {
	uint64_t attempts;	    /* Votes on taking a lease that were begun. */
	uint64_t grants;	    /* Leases taken, handed-on ones included. */
	uint64_t refused_held;	    /* Votes lost: another owner has too many nodes, */
	uint64_t refused_no_quorum; /* too few nodes can vote, */
	uint64_t refused_late;	    /* or granted too slowly to be of use. */
	uint64_t waits_client;	    /* Acquires that have waited behind a lock of this client, */
	uint64_t waits_line;	    /* in line at the nodes, */
	uint64_t waits_pauses;	    /* or in pauses. */
	uint64_t called;	    /* Leases taken since a node called. */
	uint64_t handed_on;	    /* Leases that went from lock to lock of this client. */
	uint64_t renewals;	    /* Extends that a quorum agreed to, */
	uint64_t renewals_failed;   /* and others. */
	uint64_t releases;	    /* Leases given back to the nodes, */
	uint64_t losses;	    /* and those that ended without. */
	uint64_t locks_now;
	uint64_t held_now;
	uint64_t waiting_now;
	uint64_t debts_now; /* Releases that a node has not confirmed, over all nodes. */
};

/* Bucket i of a histogram counts what took less than 64 << i microseconds, and no less than the
 * bucket before; the last one everything above. */
#define REDLOCK_RTT_BUCKETS 20

/* Of one node. Each reconnection begins no new count. */
struct redlock_node_stats {
	const char *address;	       /* host:port or path; no credentials. The client's. */
	enum redlock_node_state state; /* SUSPECT: the breaker is open. */
	uint64_t requests;	       /* Commands sent to it. */
	uint64_t replies;	       /* Answers, errors included. */
	uint64_t errors;	       /* Answers that were errors. */
	uint64_t timeouts;	       /* Commands without an answer within the node timeout. */
	uint64_t late_replies;	       /* Answers that came after that. */
	uint64_t connects;	       /* Connections that got as far as to be of use, */
	uint64_t disconnects;	       /* and those that ended. */
	uint64_t in_flight_now;
	uint64_t debts_now;
	uint64_t guard_now_ms; /* Its vote is withheld for so long. */
	uint64_t rtt_sum_us;
	uint64_t rtt[REDLOCK_RTT_BUCKETS];
};

/**
 * Numbers of a client, and of one of its nodes (0...redlock_client_node_count() - 1). They cost
 * nothing but counting; looking at them goes through all locks. What a newer header knows and an
 * older library does not, is 0.
 *
 * Returns 0, or REDLOCK_EINVAL for NULL or a node that there is not. */
#define redlock_client_stats(client, stats)                                                        \
	redlock_client_stats_sized((client), (stats), sizeof *(stats))
REDLOCK_API int redlock_client_stats_sized(const struct redlock_client *client,
					   struct redlock_stats *stats, size_t size);
#define redlock_client_node_stats(client, node, stats)                                             \
	redlock_client_node_stats_sized((client), (node), (stats), sizeof *(stats))
REDLOCK_API int redlock_client_node_stats_sized(const struct redlock_client *client, size_t node,
						struct redlock_node_stats *stats, size_t size);

/**
 * All of it as text for Prometheus (exposition format 0.0.4), each line with the label
 * client="@label" (NULL: without). As snprintf(): returns the length of the whole, of which as much
 * as fits is in @text, with a NUL at the end; call it with @size 0 to ask for the length.
 */
REDLOCK_API size_t redlock_client_stats_text(const struct redlock_client *client, const char *label,
					     char *text, size_t size);

/* ---- Lock ------------------------------------------------------------------------------------ */

/* Set up by redlock_lock_options_init(). Zero means the default. */
struct redlock_lock_options {
	size_t size;		    /* Set by redlock_lock_options_init(); leave. */
	uint32_t ttl_ms;	    /* Lease length. Default 0: the client's. */
	uint32_t at_risk_ms;	    /* on_at_risk when less validity is left. Default 0: ttl / 3. */
	uint64_t max_hold_ms;	    /* Cap on one holding, renewals included. Default 0: none. */
	bool auto_renew;	    /* Renew from ttl / 3 on, until release. Default false. */
	bool fence;		    /* Get a fencing token with each lease. Default false. */
	const void *token;	    /* Own token instead of random ones. Default NULL. Copied. */
	size_t token_len;	    /* 1...REDLOCK_TOKEN_MAX bytes if token is set. */
	redlock_lock_cb on_at_risk; /* Renewal is late: validity_ms is left. */
	redlock_lock_cb on_lost;    /* The lease is over without a release. status:
				     * REDLOCK_EEXPIRED or REDLOCK_ECLOSED. At most once
				     * for each lease. */
	void *data;		    /* For on_at_risk and on_lost. */
	/* A reader: holds the lock together with other readers, but never beside a lock without
	 * this. Not with fence, nor where node_may_change is set. Default false. */
	bool shared;
};

#define redlock_lock_options_init(options)                                                         \
	redlock_lock_options_init_sized((options), sizeof *(options))
REDLOCK_API void redlock_lock_options_init_sized(struct redlock_lock_options *options, size_t size);

/**
 * Make a lock object for @resource (binary safe, 1 byte to 64 KiB, copied). Talks to nobody.
 * @options may be NULL.
 *
 * With an own token, redlock_extend() and redlock_release() also work on a lock
 * that was not acquired through this object: that is how one process goes on
 * with a lease that another one took. An own token must not be shared by two
 * parties that are to exclude each other, nor by readers.
 *
 * Readers (options->shared) take scripts on every node. While a writer, that is a lock without
 * options->shared, stands in line for the resource (see redlock_acquire()), no new reader gets it,
 * so that a stream of readers keeps no writer out for ever; a stream of writers may do so to a
 * reader. A lease of one kind does not become one of the other: who holds it as a reader and waits
 * for it as a writer waits for himself.
 *
 * Returns 0 and sets *@lock, or:
 *   REDLOCK_EINVAL   NULL or empty resource, one whose key ends in ":fence", ":line:on" or
 *                    ":readers" (these are helper keys of other locks), token too long, or
 *                    REDLOCK_OWNER_READERS, TTL of 0 or above max_ttl_ms, or too short to leave
 *                    any validity; both shared and fence
 *   REDLOCK_EUNSUPPORTED  an own token, or shared, where node_may_change is set
 *   REDLOCK_ECLOSED  the client is closing
 *   REDLOCK_ENOMEM   out of memory
 */
REDLOCK_API int redlock_lock_new(struct redlock_lock **lock, struct redlock_client *client,
				 const void *resource, size_t resource_len,
				 const struct redlock_lock_options *options);

/* One of several resources: binary safe, 1 byte to 64 KiB. */
struct redlock_resource {
	const void *bytes;
	size_t len;
};

/**
 * Make a lock object for several @resources at once, 1 to REDLOCK_RESOURCES_MAX of them, all or
 * none: who holds it excludes every lock for one of them, and every other set with one of them in
 * it. The array and what it points to are copied; the order does not matter. Talks to nobody.
 *
 * Each node looks at the keys of all resources before it sets one, in one step; extending and
 * giving back are one step, too. There is one lease, with one owner token and one end, and all
 * functions of a lock work as for one resource: "the key is ours" is then said of all of them, and
 * if one is not, that is REDLOCK_ELOST. With one resource it is redlock_lock_new().
 *
 * For more than one: there is no fencing token, since each resource has its own, nor are there
 * readers; node_may_change is not supported; and the nodes' users need the right to run scripts, or
 * the node's vote is an error that says so. Who waits does so in growing pauses, and in line only
 * behind locks of this client for the very same resources: where others stand in line for one of
 * them all the time, it may wait for long.
 *
 * Returns 0 and sets *@lock, or:
 *   REDLOCK_EINVAL   as redlock_lock_new(), of any of the resources; NULL resources, none or too
 *                    many, one that is there twice; fence or shared with more than one
 *   REDLOCK_EUNSUPPORTED  more than one, an own token, or shared, where node_may_change is set
 *   REDLOCK_ECLOSED  the client is closing
 *   REDLOCK_ENOMEM   out of memory
 */
REDLOCK_API int redlock_lock_new_all(struct redlock_lock **lock, struct redlock_client *client,
				     const struct redlock_resource *resources, size_t count,
				     const struct redlock_lock_options *options);

/** Free a lock; NULL is fine. A pending operation ends with REDLOCK_ECANCELED first (the
 * callback still comes, and must not use the lock afterwards); a lease is given back in the
 * background, without on_lost. */
REDLOCK_API void redlock_lock_free(struct redlock_lock *lock);

/**
 * Take the lock.
 *
 * Asks all nodes at once and decides at the vote that settles it. With @wait_ms 0
 * tries once (and once more if it gets some of the votes, but too few). Otherwise
 * waits until @wait_ms is over: in line at the nodes, where whoever gives the lock
 * back calls the next one; or, if too few nodes let it stand there, trying again
 * after growing jittered pauses. Either way it comes back by itself when the other
 * lease must be over. The first attempt is always finished. Each attempt has a new
 * owner token; a lost one is given back wherever it may have been granted.
 *
 * Locks of one client that wait for one resource stand in line in the client: one
 * of them waits at the nodes, the others get their turn in the order in which they
 * came. Readers stand in no line, each tries again after pauses. Who waits behind another one may
 * find the wait over before it has asked anybody; and so may one of very many that begin to wait at
 * once, for they ask by turns.
 *
 * Returns 0 if started; otherwise @cb will never be called:
 *   REDLOCK_EINVAL   NULL lock or cb
 *   REDLOCK_EBUSY    the lock is held, or an operation is under way, or its callback still due
 *   REDLOCK_ECLOSED  the client is closing
 * @cb's status is 0: held for report->validity_ms; or
 *   REDLOCK_EHELD      tried once; another owner has too many nodes
 *   REDLOCK_ETIMEDOUT  the wait is over, and the last attempt found it held
 *   REDLOCK_ENOQUORUM  too few nodes can vote: see the report
 *   REDLOCK_EEXPIRED   granted by a quorum, but too slowly to be of use
 *   REDLOCK_ECANCELED  redlock_cancel() or redlock_lock_free()
 *   REDLOCK_ECLOSED    redlock_client_close()
 *   REDLOCK_ENOMEM, REDLOCK_EENTROPY
 */
REDLOCK_API int redlock_acquire(struct redlock_lock *lock, uint64_t wait_ms, redlock_lock_cb cb,
				void *data);

/**
 * Renew the lease for its full TTL, on a quorum, inside the old validity. Never re-creates a
 * lease that is over. A failed extend changes nothing: the old lease stands until its end.
 *
 * Returns 0 if started; otherwise @cb will never be called:
 *   REDLOCK_EINVAL   NULL lock or cb
 *   REDLOCK_EEXPIRED nothing is held (and the lock has no own token)
 *   REDLOCK_EBUSY    an operation is under way
 *   REDLOCK_ECLOSED, REDLOCK_ENOMEM
 * @cb's status is 0, or
 *   REDLOCK_ELOST      too many nodes have another owner's key, or none
 *   REDLOCK_ENOQUORUM  too few nodes answered
 *   REDLOCK_EEXPIRED   the lease ended before a quorum had renewed it
 *   REDLOCK_ECANCELED  cancel, release or free came first
 *   REDLOCK_ECLOSED
 */
REDLOCK_API int redlock_extend(struct redlock_lock *lock, redlock_lock_cb cb, void *data);

/**
 * Give the lock back: compare-and-delete on all nodes, done when a quorum has
 * answered. redlock_lock_held() is false from this call on. Nodes that do not
 * answer are told again until they do or the key has expired. @cb may be NULL.
 *
 * If another lock of this client waits for the resource, the lease, unless it is a reader's, is
 * handed on to it instead (with a fencing token of its own, if it asks for one), and the status is
 * 0; after a number of times, or one TTL, it is given back all the same, so that other clients get
 * their chance.
 *
 * Returns 0 if started; otherwise @cb will never be called:
 *   REDLOCK_EINVAL   NULL lock
 *   REDLOCK_EEXPIRED nothing is held: the lease ended before (harmless)
 *   REDLOCK_EBUSY    acquire or release is under way (redlock_cancel() first)
 *   REDLOCK_ECLOSED, REDLOCK_ENOMEM
 * @cb's status is 0, or
 *   REDLOCK_ELOST      a quorum says that the key was not ours any more
 *   REDLOCK_ENOQUORUM  too few nodes answered; the rest is settled in the background
 *   REDLOCK_ECLOSED, REDLOCK_ECANCELED (free)
 */
REDLOCK_API int redlock_release(struct redlock_lock *lock, redlock_lock_cb cb, void *data);

/** End a pending acquire or extend with REDLOCK_ECANCELED. Whatever the acquire may have set is
 * given back. Returns 0, or REDLOCK_EINVAL if neither is pending. */
REDLOCK_API int redlock_cancel(struct redlock_lock *lock);

/** Is the lease valid at this moment? Reads the clock. Any thread. False for NULL. */
REDLOCK_API bool redlock_lock_held(const struct redlock_lock *lock);

/** Milliseconds of validity left at this moment, 0 if not held. Any thread. */
REDLOCK_API uint64_t redlock_lock_validity_ms(const struct redlock_lock *lock);

/** Owner token of the lease, or NULL if not held. Sets *@len if @len is not NULL. NUL-terminated;
 * lent until the next operation on the lock. Treat it as a secret. */
REDLOCK_API const char *redlock_lock_token(const struct redlock_lock *lock, size_t *len);

/** Fencing token of the lease: greater than that of any earlier lease on this resource taken with
 * fencing. 0 if not held or without fencing. Microseconds in form only; do not read it as a time.
 */
REDLOCK_API uint64_t redlock_lock_fence(const struct redlock_lock *lock);

#ifdef __cplusplus
}
#endif
#endif
