/* quote.h - a server's words, made fit to be shown. */
#ifndef RLK_QUOTE_H
#define RLK_QUOTE_H

#include <stddef.h>

/* What must not be shown; of length 0: nothing. */
struct rlk_secret {
	const char *bytes;
	size_t len;
};

#define RLK_SECRETS_MAX 3

/* Write what is fit of @text to @out, NUL-terminated, cut to @size. */
void rlk_quote(char *out, size_t size, const char *text, size_t len,
	       const struct rlk_secret secrets[RLK_SECRETS_MAX]);

#endif
