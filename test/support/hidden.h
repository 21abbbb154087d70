/* hidden.h - a password that this process knows only in disguise, and a search for it in all of its
 * memory.
 *
 * So whatever is found was left there by who was given the password. Servers know it by its digest.
 */
#ifndef REDLOCK_TEST_HIDDEN_H
#define REDLOCK_TEST_HIDDEN_H

#include <stddef.h>

#define HIDDEN_LEN 33
#define HIDDEN_SHA256 "8bf58b63e570a1db39f3621363cd9cf51223419e8ab816a72ef44c5e499fe658"

/* Write it, NUL-terminated, to @out of HIDDEN_LEN + 1 bytes; or overwrite that. */
void hidden_reveal(char *out);
void hidden_cover(char *out, size_t size);
/* At how many places of our memory does it end? */
size_t hidden_count(void);

#endif
