/* quote.c - an error text is the server's, and may be anything.
 *
 * Servers repeat the arguments of a command that they do not know, and so would
 * show a password or an owner token to whoever reads a report. What they repeat
 * is left out, and a secret that is found elsewhere is starred. Bytes that are
 * not printable ASCII could end a line of a log, or colour a terminal. */
#define _GNU_SOURCE /* memmem */
#include "quote.h"

#include <string.h>

static size_t before_arguments(const char *text, size_t len)
{
	static const char head[] = ", with args beginning with";
	const char *at = memmem(text, len, head, sizeof head - 1);

	return at == NULL ? len : (size_t)(at - text);
}

/* The length of the secret that is at @text, or 0. */
static size_t secret_at(const char *text, size_t len, const struct rlk_secret *secrets)
{
	size_t i, longest = 0;

	for (i = 0; i < RLK_SECRETS_MAX; i++) {
		size_t n = secrets[i].len;
		if (n > longest && n <= len && memcmp(text, secrets[i].bytes, n) == 0) {
			longest = n;
		}
	}
	return longest;
}

static void put(char *out, size_t size, size_t *n, char c)
{
	if (*n + 1 < size) {
		out[(*n)++] = c;
	}
}

void rlk_quote(char *out, size_t size, const char *text, size_t len,
	       const struct rlk_secret secrets[RLK_SECRETS_MAX])
{
	static const char nothing[] = "an error without a text";
	static const struct rlk_secret none[RLK_SECRETS_MAX];
	size_t i = 0, n = 0, secret;

	if (len == 0) {
		text = nothing;
		len = sizeof nothing - 1;
		secrets = none;
	}
	len = before_arguments(text, len);
	while (i < len) {
		secret = secret_at(text + i, len - i, secrets);
		if (secret > 0) {
			put(out, size, &n, '*');
			put(out, size, &n, '*');
			put(out, size, &n, '*');
			i += secret;
		} else {
			put(out, size, &n, text[i] < ' ' || text[i] > '~' ? '?' : text[i]);
			i++;
		}
	}
	out[n] = '\0';
}
