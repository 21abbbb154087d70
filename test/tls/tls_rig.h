/* tls_rig.h - servers with TLS, certificates made for the run, a loop and a client.
 *
 * Each server also has a plain port, and the unix socket by which the tests
 * themselves ask it. */
#ifndef REDLOCK_TEST_TLS_RIG_H
#define REDLOCK_TEST_TLS_RIG_H

#include "loop.h"
#include "servers.h"

#include <check.h>
#include <redlock/redlock.h>

#define TLS_NODES_MAX 5

struct tls_node {
	struct servers servers; /* Of one. */
	unsigned port;		/* With TLS. */
	char config[1024];
	char url[256];
};

struct tls_rig {
	uv_loop_t loop;
	size_t count;
	struct tls_node nodes[TLS_NODES_MAX];
	struct redlock_options options; /* Of clients opened from now on: they trust the CA. */
	struct redlock_client *client;	/* Closed by tls_close(). */
};

extern struct tls_rig tls;

/* The path of a file that make_certs.sh has made: "ca.crt". */
const char *tls_file(const char *name);

/* Servers that show certificate @cert, and the loop. @more: lines for their configuration. */
void tls_open(size_t count, const char *cert, const char *more);
void tls_close(void);

/* Let the URLs lead to the TLS ports on @host. */
void tls_use_host(const char *host);
/* Open a client for the URLs, or fail with the status and the text. */
int tls_try_client(struct redlock_error *error);
/* Open tls.client. */
void tls_open_client(void);
/* Wait until @count of its nodes are up. */
void tls_wait_up(size_t count);
/* Both. */
void tls_connect(size_t count);

/* Wait until node 0 says why it cannot vote; lent until the next call. */
const char *tls_node_error(void);
/* Open tls.client; node 0 must be refused with @words, and not be locked. */
void tls_expect_refused(const char *words);
/* Acquire, extend and release a lock on tls.client. */
void tls_expect_works(void);
struct redlock_lock *tls_lock(const void *name, size_t len);

TCase *tls_case(Suite *suite, const char *name);
/* Run a suite with certificates in a sandbox; for main() to return. */
int tls_run(Suite *suite);

#endif
