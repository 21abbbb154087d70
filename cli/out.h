/* out.h - what the tool says to people, on stderr. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__GNUC__)
#define OUT_FORMAT(text, first) __attribute__((format(printf, text, first)))
#else
#define OUT_FORMAT(text, first)
#endif

/* How talkative. Outcomes go into the JSON object instead when there is one. */
struct out_manner {
	bool quiet;
	bool json;
	int verbose;
};

void out_setup(const struct out_manner *manner);
bool out_verbose(int level);

/* "redlock: NAME: message"; NAME may be NULL. */
void out_note(const char *name, const char *format, ...) OUT_FORMAT(2, 3);
/* The same, only with -v. */
void out_detail(const char *name, const char *format, ...) OUT_FORMAT(2, 3);
/* A usage error: always said, with a pointer to the help of @verb (or NULL).
 * Returns CODE_USAGE. */
int out_usage(const char *verb, const char *format, ...) OUT_FORMAT(2, 3);

/* Bytes as text that cannot upset a terminal: \xNN for what is not printable
 * ASCII. Always terminated; cut if @size is too small. */
void out_escape(char *text, size_t size, const void *bytes, size_t length);

/* Flush stdout; false if anything written to it was lost. */
bool out_flush(void);

#endif
