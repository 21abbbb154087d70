/* options.c - defaults, and what a caller's options must be.
 *
 * The structs carry their size, so that they can grow at the tail: what an
 * older caller does not have is a default, what a newer one asks for and we do
 * not know is an error, unless it is zero. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "core/lease.h"

#define TTL_MS_MAX 86400000 /* A day: then it is no lease any more. */

_Static_assert(offsetof(struct redlock_options, ttl_ms) == sizeof(size_t), "append only");
_Static_assert(offsetof(struct redlock_lock_options, ttl_ms) == sizeof(size_t), "append only");
_Static_assert(offsetof(struct redlock_semaphore_options, ttl_ms) == sizeof(size_t), "append only");

int rlk_error(struct redlock_error *error, int status, const char *format, ...)
{
	va_list args;

	if (error != NULL) {
		error->status = status;
		va_start(args, format);
		vsnprintf(error->text, sizeof error->text, format, args);
		va_end(args);
	}
	return status;
}

static const struct redlock_options defaults = {
	.ttl_ms = 10000,
	.max_ttl_ms = 60000,
	.drift_ppm = 10000,
	.connect_timeout_ms = 2000,
	.min_validity_percent = 20,
	.retry_min_ms = 5,
	.retry_max_ms = 250,
	.reconnect_min_ms = 50,
	.reconnect_max_ms = 5000,
	.max_in_flight = 65536,
	.guard = REDLOCK_GUARD_ON,
	.key_format = "%s",
	.client_name = "libredlock",
	.hand_max = 16,
};

void redlock_options_init_sized(struct redlock_options *options, size_t size)
{
	size_t known = size < sizeof defaults ? size : sizeof defaults;

	memset(options, 0, size);
	memcpy(options, &defaults, known);
	options->size = size;
}

void redlock_lock_options_init_sized(struct redlock_lock_options *options, size_t size)
{
	memset(options, 0, size);
	options->size = size;
}

void redlock_semaphore_options_init_sized(struct redlock_semaphore_options *options, size_t size)
{
	memset(options, 0, size);
	options->size = size;
}

/* Copy what we know of @given. Returns false if it asks for what we do not know. */
static bool import(void *to, size_t to_size, const void *given, size_t given_size)
{
	const unsigned char *bytes = given;
	size_t i;

	/* No version's struct ends where a pointer does not: one would be torn. */
	if (given_size < sizeof(size_t) || given_size % sizeof(void *) != 0) {
		return false;
	}
	for (i = to_size; i < given_size; i++) {
		if (bytes[i] != 0) {
			return false;
		}
	}
	memcpy(to, given, given_size < to_size ? given_size : to_size);
	return true;
}

uint32_t rlk_options_node_timeout_ms(const struct redlock_options *options)
{
	uint32_t timeout_ms = options->ttl_ms / 20;

	if (options->node_timeout_ms != 0) {
		return options->node_timeout_ms;
	}
	if (timeout_ms < 50) {
		return 50;
	}
	return timeout_ms > 500 ? 500 : timeout_ms;
}

/* Can a lease of this length be won at all? */
static bool leaves_validity(const struct redlock_options *options, uint32_t ttl_ms)
{
	uint64_t least_us = rlk_us(ttl_ms) / 100 * options->min_validity_percent;

	return rlk_valid_until_us(0, ttl_ms, options->drift_ppm) >
	       (least_us > RLK_EARLY_US ? least_us : RLK_EARLY_US);
}

/* Exactly one %s, and %% for a percent sign. */
static bool good_format(const char *format)
{
	unsigned places = 0;

	for (; *format != '\0'; format++) {
		if (*format != '%') {
			continue;
		}
		format++;
		if (*format == 's') {
			places++;
		} else if (*format != '%') {
			return false;
		}
	}
	return places == 1;
}

static bool good_name(const char *name)
{
	if (*name == '\0') {
		return false;
	}
	for (; *name != '\0'; name++) {
		if (*name <= ' ' || *name > '~') {
			return false;
		}
	}
	return true;
}

static const char *find_bad_text(const struct redlock_options *options)
{
	if (options->key_format == NULL || !good_format(options->key_format)) {
		return "key_format: expected exactly one %s (and %% for a percent sign)";
	}
	if (strlen(options->key_format) > 1024) {
		return "key_format: too long";
	}
	if (options->client_name == NULL || !good_name(options->client_name)) {
		return "client_name: expected printable characters without spaces";
	}
	if (options->allocator != NULL &&
	    (options->allocator->calloc == NULL || options->allocator->free == NULL)) {
		return "allocator: calloc and free are both needed";
	}
	if ((options->tls_cert_file == NULL) != (options->tls_key_file == NULL)) {
		return "tls_cert_file, tls_key_file: one needs the other";
	}
	return NULL;
}

static const char *find_bad(const struct redlock_options *options)
{
	if (options->max_ttl_ms == 0 || options->max_ttl_ms > TTL_MS_MAX) {
		return "max_ttl_ms: expected 1 to 86400000";
	}
	if (options->ttl_ms == 0 || options->ttl_ms > options->max_ttl_ms) {
		return "ttl_ms: expected 1 to max_ttl_ms";
	}
	if (options->drift_ppm > 500000) {
		return "drift_ppm: expected at most 500000";
	}
	if (options->min_validity_percent > 99) {
		return "min_validity_percent: expected at most 99";
	}
	if (!leaves_validity(options, options->ttl_ms)) {
		return "ttl_ms: too short: drift and min_validity_percent leave nothing of it";
	}
	if (options->retry_min_ms == 0 || options->retry_min_ms > options->retry_max_ms) {
		return "retry_min_ms: expected 1 to retry_max_ms";
	}
	if (options->reconnect_min_ms == 0 ||
	    options->reconnect_min_ms > options->reconnect_max_ms) {
		return "reconnect_min_ms: expected 1 to reconnect_max_ms";
	}
	if (options->connect_timeout_ms == 0) {
		return "connect_timeout_ms: expected at least 1";
	}
	if (options->max_in_flight == 0) {
		return "max_in_flight: expected at least 1";
	}
	if ((unsigned)options->guard > REDLOCK_GUARD_DURABLE) {
		return "guard: expected a REDLOCK_GUARD_ value";
	}
	return find_bad_text(options);
}

int rlk_options_import(struct redlock_options *options, const struct redlock_options *given,
		       struct redlock_error *error)
{
	const char *bad;

	*options = defaults;
	if (given != NULL && !import(options, sizeof *options, given, given->size)) {
		return rlk_error(
			error, REDLOCK_EINVAL,
			"options: not set up by redlock_options_init(), or for a newer library");
	}
	bad = find_bad(options);
	if (bad != NULL) {
		return rlk_error(error, REDLOCK_EINVAL, "%s", bad);
	}
	return 0;
}

/* Whoever had this for an owner token would be taken for readers. */
static bool is_marker(const void *token, size_t len)
{
	return len == sizeof REDLOCK_OWNER_READERS - 1 &&
	       memcmp(token, REDLOCK_OWNER_READERS, len) == 0;
}

int rlk_lock_options_import(struct redlock_lock_options *options,
			    const struct redlock_lock_options *given)
{
	memset(options, 0, sizeof *options);
	if (given != NULL && !import(options, sizeof *options, given, given->size)) {
		return REDLOCK_EINVAL;
	}
	if (options->token != NULL &&
	    (options->token_len == 0 || options->token_len > REDLOCK_TOKEN_MAX ||
	     is_marker(options->token, options->token_len))) {
		return REDLOCK_EINVAL;
	}
	/* Fencing tokens tell one holder from the next. */
	if (options->shared && options->fence) {
		return REDLOCK_EINVAL;
	}
	return 0;
}

int rlk_semaphore_options_import(struct redlock_semaphore_options *options,
				 const struct redlock_semaphore_options *given)
{
	memset(options, 0, sizeof *options);
	return given == NULL || import(options, sizeof *options, given, given->size)
		       ? 0
		       : REDLOCK_EINVAL;
}

int rlk_lock_ttl_check(const struct redlock_options *options, uint32_t ttl_ms)
{
	return ttl_ms > 0 && ttl_ms <= options->max_ttl_ms && leaves_validity(options, ttl_ms)
		       ? 0
		       : REDLOCK_EINVAL;
}
