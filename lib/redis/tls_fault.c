/* tls_fault.c - why TLS failed, in words that tell what to do about it.
 *
 * hiredis passes on little of it ("Success", at worst). The reasons are where
 * they arise: in the check of the certificate, and in OpenSSL's queue of errors
 * at the moment when the connection ends. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tls.h"

/* ---- Whose certificate? ---------------------------------------------------------------------- */

struct names {
	char text[96];
	size_t len;
	bool cut;
};

/* @name is the other side's, and may hold anything. */
static void add_name(struct names *names, const void *name, int len)
{
	const char *bytes = name;
	int i;

	names->cut |= len < 0 || names->len + (size_t)len + sizeof ", , ..." > sizeof names->text;
	if (names->cut) {
		return;
	}
	if (names->len > 0) {
		names->text[names->len++] = ',';
		names->text[names->len++] = ' ';
	}
	for (i = 0; i < len; i++) {
		bool plain = bytes[i] > ' ' && bytes[i] <= '~';
		names->text[names->len++] = plain ? bytes[i] : '?';
	}
}

static void add_alternative(struct names *names, const GENERAL_NAME *name)
{
	char text[INET6_ADDRSTRLEN];
	const ASN1_STRING *value;
	int type, len;

	value = GENERAL_NAME_get0_value(name, &type);
	if (type == GEN_DNS) {
		add_name(names, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
	} else if (type == GEN_IPADD) {
		len = ASN1_STRING_length(value);
		if ((len == 4 || len == 16) &&
		    inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), text,
			      sizeof text) != NULL) {
			add_name(names, text, (int)strlen(text));
		}
	}
}

/* The common name counts only where there is no other. */
static void add_common_name(struct names *names, X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID((X509_NAME *)subject, NID_commonName, -1);
	const ASN1_STRING *value;

	if (at >= 0) {
		value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
		add_name(names, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
	}
}

static void list_names(struct names *names, X509 *cert)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		add_alternative(names, sk_GENERAL_NAME_value(list, i));
	}
	GENERAL_NAMES_free(list);
	if (names->len == 0 && !names->cut) {
		add_common_name(names, cert);
	}
	snprintf(names->text + names->len, sizeof names->text - names->len, "%s%s",
		 names->cut && names->len > 0 ? ", " : "",
		 names->cut	   ? "..."
		 : names->len == 0 ? "nobody"
				   : "");
}

/* ---- Checking a certificate ------------------------------------------------------------------ */

static void note_certificate_fault(struct rlk_tls_peer *peer, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);
	const char *text = X509_verify_cert_error_string(error);
	struct names names = {.len = 0};

	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		list_names(&names, X509_STORE_CTX_get0_cert(store));
		snprintf(peer->fault, sizeof peer->fault, "certificate is for %s, not %.64s",
			 names.text, peer->host);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* Of a CA that only has the name of ours. */
		snprintf(peer->fault, sizeof peer->fault,
			 "certificate is from an unknown CA (%s): see tls_ca_file", text);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(peer->fault, sizeof peer->fault,
			 "certificate is self-signed, and not in tls_ca_file");
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(peer->fault, sizeof peer->fault, "%s", text);
		break;
	default:
		snprintf(peer->fault, sizeof peer->fault, "certificate refused: %s", text);
		break;
	}
}

static int on_certificate(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct rlk_tls_peer *peer = SSL_get_app_data(ssl);

	if (!ok && peer->fault[0] == '\0') {
		note_certificate_fault(peer, store);
	}
	return ok;
}

/* For a client certificate, and there is none that would do. */
static int on_asked(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct rlk_tls_peer *peer = SSL_get_app_data(ssl);

	(void)cert, (void)key;
	peer->asked = true;
	return 0;
}

void rlk_tls_verify(SSL_CTX *context)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_certificate);
	SSL_CTX_set_client_cert_cb(context, on_asked);
}

/* ---- The end of a connection ----------------------------------------------------------------- */

static bool is_end_of_file(unsigned long error)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
	return ERR_GET_LIB(error) == ERR_LIB_SSL &&
	       ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
	(void)error;
	return false;
#endif
}

static const char *in_words(unsigned long error)
{
	const char *reason = ERR_reason_error_string(error);

	switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
		return "no TLS on that port";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return "the server has no TLS 1.2 or newer";
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
		return "the server does not accept our certificate (tls_cert_file)";
	default:
		return reason == NULL ? "failed" : reason;
	}
}

/* hiredis's text, without its own prefix. */
static const char *plain_words(const redisAsyncContext *ac)
{
	static const char prefix[] = "SSL_connect failed: ";
	const char *text = ac->c.errstr;

	return strncmp(text, prefix, sizeof prefix - 1) == 0 ? text + sizeof prefix - 1 : text;
}

/* The first error in the queue, or 0 if there is none but of the system's, which hiredis has told.
 */
static unsigned long first_error(void)
{
	unsigned long error = ERR_peek_error();

	return ERR_GET_LIB(error) == ERR_LIB_SYS ? 0 : error;
}

/* A server that refuses us says so, and hangs up. If hiredis finds that out by writing, what was
 * said has not been read yet. */
static void read_last_words(const struct rlk_tls_peer *peer)
{
	char byte;

	if (first_error() == 0 && SSL_is_init_finished(peer->ssl)) {
		ERR_clear_error();
		(void)SSL_read(peer->ssl, &byte, 1);
	}
}

bool rlk_tls_explain(const struct rlk_tls_peer *peer, const redisAsyncContext *ac, bool logged_in,
		     char *why, size_t size)
{
	const char *words = NULL;
	unsigned long error;

	if (peer->ssl == NULL) {
		return false;
	}
	if (!logged_in) {
		read_last_words(peer);
	}
	error = first_error();
	if (peer->fault[0] != '\0') {
		words = peer->fault;
	} else if (!logged_in && peer->asked) {
		words = "the server asks for a client certificate (tls_cert_file)";
	} else if (is_end_of_file(error)) {
		words = "closed by the server";
	} else if (error != 0) {
		words = in_words(error);
	} else if (!SSL_is_init_finished(peer->ssl)) {
		words = plain_words(ac);
	}
	if (words != NULL) {
		snprintf(why, size, "%s: %s", logged_in ? "connection lost" : "TLS", words);
	}
	return words != NULL;
}

bool rlk_tls_waits(const struct rlk_tls_peer *peer, const redisAsyncContext *ac)
{
	return peer->ssl != NULL && (ac->c.flags & REDIS_CONNECTED) != 0 &&
	       !SSL_is_init_finished(peer->ssl);
}
