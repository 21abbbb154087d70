/* tls.c - rediss://: our own SSL objects, handed to hiredis.
 *
 * hiredis's own TLS context does not check whose certificate it is shown, so it
 * is not used: each connection gets an SSL object that expects the host of its
 * URL, by name or by address, and there is no way to ask for less.
 *
 * hiredis writes through OpenSSL's socket BIO, and that by write(), which can
 * raise SIGPIPE. So right after redisInitiateSSL() has installed it, it is
 * replaced for writing by one that sends with MSG_NOSIGNAL; only for what
 * redisInitiateSSL() itself may write, the signal is held off and taken back.
 * The process's handlers are never touched.
 *
 * Certificates and keys are read once, when the client is opened. */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "url.h"

bool rlk_tls_wants_room(const struct rlk_tls_peer *peer)
{
	return peer->ssl != NULL && SSL_want_write(peer->ssl);
}

enum rlk_tls_said rlk_tls_say(const struct rlk_tls_peer *peer, const char *bytes, size_t len)
{
	int rv = SSL_do_handshake(peer->ssl);

	if (rv == 1) {
		rv = SSL_write(peer->ssl, bytes, (int)len);
	}
	if (rv > 0) {
		return RLK_TLS_SAID; /* Partial writes are off. */
	}
	rv = SSL_get_error(peer->ssl, rv);
	return rv == SSL_ERROR_WANT_READ || rv == SSL_ERROR_WANT_WRITE ? RLK_TLS_SAY_LATER
								       : RLK_TLS_SAY_NEVER;
}

void rlk_tls_forget_errors(void)
{
	ERR_clear_error();
}

/* ---- The socket, for writing ----------------------------------------------------------------- */

static int socket_write(BIO *bio, const char *bytes, int len)
{
	ssize_t n = send((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		BIO_set_retry_write(bio);
	}
	return (int)n;
}

static long socket_ctrl(BIO *bio, int command, long number, void *data)
{
	(void)bio, (void)number, (void)data;
	return command == BIO_CTRL_FLUSH; /* Nothing is ever kept back. */
}

static BIO_METHOD *socket_method(void)
{
	/* No BIO_get_new_index(): there are only about a hundred for a whole process. */
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "redlock socket");

	if (method != NULL) {
		BIO_meth_set_write(method, socket_write);
		BIO_meth_set_ctrl(method, socket_ctrl);
	}
	return method;
}

static void write_through(BIO *bio, SSL *ssl, int fd)
{
	BIO_set_data(bio, (void *)(intptr_t)fd);
	BIO_set_init(bio, 1);
	SSL_set0_wbio(ssl, bio);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Without this, OpenSSL would ask for the passphrase at the terminal. */
static int on_passphrase(char *out, int size, int writing, void *encrypted)
{
	(void)out, (void)size, (void)writing;
	*(bool *)encrypted = true;
	return -1;
}

struct load_fault {
	const char *option, *text;
};

/* The key comes first: then OpenSSL takes both files for themselves, and tells in the end whether
 * they fit. */
static bool load_pair(SSL_CTX *context, const struct redlock_options *options,
		      struct load_fault *fault)
{
	*fault = (struct load_fault){"tls_key_file", "no PEM private key in it"};
	if (SSL_CTX_use_PrivateKey_file(context, options->tls_key_file, SSL_FILETYPE_PEM) != 1) {
		return false;
	}
	*fault = (struct load_fault){"tls_cert_file", "no PEM certificate in it"};
	if (SSL_CTX_use_certificate_chain_file(context, options->tls_cert_file) != 1) {
		return false;
	}
	*fault = (struct load_fault){"tls_key_file", "not the key of tls_cert_file"};
	return SSL_CTX_check_private_key(context) == 1;
}

static bool load(SSL_CTX *context, const struct redlock_options *options, struct load_fault *fault)
{
	if (options->tls_ca_file == NULL) {
		SSL_CTX_set_default_verify_paths(context);
	} else if (SSL_CTX_load_verify_locations(context, options->tls_ca_file, NULL) != 1) {
		*fault = (struct load_fault){"tls_ca_file", "no PEM certificate in it"};
		return false;
	}
	return options->tls_cert_file == NULL || load_pair(context, options, fault);
}

static int load_files(SSL_CTX *context, const struct redlock_options *options, char *why,
		      size_t size)
{
	struct load_fault fault;
	bool encrypted = false, loaded;
	unsigned long error;

	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(context, on_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(context, &encrypted);
	loaded = load(context, options, &fault);
	SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
	error = ERR_peek_error();
	if (!loaded && ERR_GET_LIB(error) == ERR_LIB_SYS) {
		fault.text = strerror(ERR_GET_REASON(error));
	} else if (encrypted) {
		fault.text = "encrypted with a passphrase, which is not supported";
	}
	if (!loaded) {
		snprintf(why, size, "%s: %s", fault.option, fault.text);
	}
	ERR_clear_error();
	return loaded ? 0 : REDLOCK_EINVAL;
}

/* ---- What all connections share -------------------------------------------------------------- */

int rlk_tls_open(struct rlk_tls *tls, const struct redlock_options *options, char *why, size_t size)
{
	tls->socket = socket_method();
	tls->context = SSL_CTX_new(TLS_client_method());
	if (tls->socket == NULL || tls->context == NULL ||
	    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1) {
		ERR_clear_error();
		snprintf(why, size, "TLS: out of memory");
		return REDLOCK_ENOMEM;
	}
	SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(tls->context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	rlk_tls_verify(tls->context);
	return load_files(tls->context, options, why, size);
}

void rlk_tls_close(struct rlk_tls *tls)
{
	SSL_CTX_free(tls->context);
	BIO_meth_free(tls->socket);
	*tls = (struct rlk_tls){0};
}

/* ---- One connection -------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Let only a certificate for @host pass. Returns false if there cannot be one. */
static bool expect(SSL *ssl, const char *host)
{
	char name[RLK_HOST_MAX];
	size_t len;

	snprintf(name, sizeof name, "%s", host);
	if (strchr(name, ':') != NULL) {
		name[strcspn(name, "%")] = '\0'; /* The scope of an IPv6 address. */
	}
	len = strlen(name);
	if (len > 0 && name[len - 1] == '.') {
		name[--len] = '\0';
	}
	if (is_address(name)) {
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
	}
	/* OpenSSL would read "" as any name, and a dot in front as any name below. */
	if (len == 0 || name[0] == '.') {
		return false;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* Hand @ssl to hiredis. A SIGPIPE of this very call is for nobody. */
static int initiate(redisContext *context, SSL *ssl)
{
	const redisContextFuncs *plain = context->funcs;
	struct timespec now = {0};
	sigset_t pipe, pending, mask;
	int rv;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe, &mask);
	rv = redisInitiateSSL(context, ssl);
	if (sigismember(&pending, SIGPIPE) == 0) {
		while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR) {
		}
	}
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	/* hiredis before 1.3 leaves the functions of TLS there, and no SSL for them to work on. */
	if (rv != REDIS_OK) {
		context->funcs = plain;
	}
	return rv;
}

static bool start(struct rlk_tls_peer *peer, redisAsyncContext *ac, BIO *bio, char *why,
		  size_t size)
{
	if (peer->ssl == NULL || bio == NULL || SSL_set_app_data(peer->ssl, peer) != 1) {
		snprintf(why, size, "out of memory");
		return false;
	}
	if (!expect(peer->ssl, peer->host)) {
		snprintf(why, size, "TLS: no certificate can be for this host");
		return false;
	}
	if (initiate(&ac->c, peer->ssl) != REDIS_OK) {
		rlk_tls_explain(peer, ac, false, why, size);
		return false;
	}
	write_through(bio, peer->ssl, ac->c.fd);
	return true;
}

bool rlk_tls_start(struct rlk_tls *tls, struct rlk_tls_peer *peer, const redisAsyncContext *ac,
		   const char *host, char *why, size_t size)
{
	BIO *bio = BIO_new(tls->socket);
	bool started;

	*peer = (struct rlk_tls_peer){.ssl = SSL_new(tls->context), .host = host};
	/* Not const but for the type of the callback. */
	started = start(peer, (redisAsyncContext *)ac, bio, why, size);
	if (!started) {
		SSL_free(peer->ssl);
		BIO_free(bio);
		peer->ssl = NULL;
	}
	ERR_clear_error();
	return started;
}
