/* tls.h - TLS under a hiredis context, with a certificate that must be for the URL's host. */
#ifndef RLK_TLS_H
#define RLK_TLS_H

#include <hiredis/async.h>
#include <redlock/redlock.h>

#include "../core/node.h"

/* What all TLS connections of a client share; all zero while there is none. */
struct rlk_tls {
	struct ssl_ctx_st *context;
	struct bio_method_st *socket;
};

/* The TLS side of one connection; all zero for a plain one. */
struct rlk_tls_peer {
	struct ssl_st *ssl; /* Ends with its hiredis context, and not before. */
	const char *host;   /* As in the URL. */
	bool asked;	    /* It wants a client certificate, and we have none for it. */
	char fault[RLK_NODE_ERROR_MAX]; /* Why its certificate is refused, or "". */
};

enum rlk_tls_said { RLK_TLS_SAID, RLK_TLS_SAY_LATER, RLK_TLS_SAY_NEVER };

#ifdef RLK_HAVE_TLS

#define RLK_TLS_BUILT true

/* Read the files of @options. Returns a status, and for an error the reason in @why; then
 * rlk_tls_close() what there is. */
int rlk_tls_open(struct rlk_tls *tls, const struct redlock_options *options, char *why,
		 size_t size);
void rlk_tls_close(struct rlk_tls *tls);
/* Begin the handshake: in the connect callback of @ac. @peer and @host must outlive it. Returns
 * false and the reason in @why if it has failed already; then end @ac as after any failure. */
bool rlk_tls_start(struct rlk_tls *tls, struct rlk_tls_peer *peer, const redisAsyncContext *ac,
		   const char *host, char *why, size_t size);
/* Go on with the handshake, and then write all of these bytes, or none yet: then call again, with
 * them first, whenever the socket can be used. */
enum rlk_tls_said rlk_tls_say(const struct rlk_tls_peer *peer, const char *bytes, size_t len);
/* Did the last thing done wait for room in the socket? */
bool rlk_tls_wants_room(const struct rlk_tls_peer *peer);
/* OpenSSL keeps errors by thread, and takes an old one for a new one: call before and after any
 * work of hiredis on a TLS connection. */
void rlk_tls_forget_errors(void);

/* tls_fault.c */

/* In the disconnect callback of @ac: what TLS has to say to its end. False: nothing. */
bool rlk_tls_explain(const struct rlk_tls_peer *peer, const redisAsyncContext *ac, bool logged_in,
		     char *why, size_t size);
/* Is @ac connected, but still waiting for the other end of the handshake? */
bool rlk_tls_waits(const struct rlk_tls_peer *peer, const redisAsyncContext *ac);
/* Have certificates verified, and faults noted in the peer that is a connection's app data. */
void rlk_tls_verify(struct ssl_ctx_st *context);

#else

/* No connection is a TLS one: see parse_urls() in client.c. */
#define RLK_TLS_BUILT false

static inline int rlk_tls_open(struct rlk_tls *tls, const struct redlock_options *options,
			       char *why, size_t size)
{
	(void)tls, (void)options, (void)why, (void)size;
	return REDLOCK_EUNSUPPORTED;
}

static inline void rlk_tls_close(struct rlk_tls *tls)
{
	(void)tls;
}

static inline bool rlk_tls_start(struct rlk_tls *tls, struct rlk_tls_peer *peer,
				 const redisAsyncContext *ac, const char *host, char *why,
				 size_t size)
{
	(void)tls, (void)peer, (void)ac, (void)host, (void)why, (void)size;
	return false;
}

static inline enum rlk_tls_said rlk_tls_say(const struct rlk_tls_peer *peer, const char *bytes,
					    size_t len)
{
	(void)peer, (void)bytes, (void)len;
	return RLK_TLS_SAY_NEVER;
}

static inline bool rlk_tls_wants_room(const struct rlk_tls_peer *peer)
{
	(void)peer;
	return false;
}

static inline void rlk_tls_forget_errors(void)
{
}

static inline bool rlk_tls_explain(const struct rlk_tls_peer *peer, const redisAsyncContext *ac,
				   bool logged_in, char *why, size_t size)
{
	(void)peer, (void)ac, (void)logged_in, (void)why, (void)size;
	return false;
}

static inline bool rlk_tls_waits(const struct rlk_tls_peer *peer, const redisAsyncContext *ac)
{
	(void)peer, (void)ac;
	return false;
}

#endif
#endif
