/* stock.h - the goods that the workers of oversell.c sell.
 *
 * A number that several processes read and write, with nothing to keep them
 * apart: that is the lock's job. Beside it a ledger, to which every sale is
 * appended in one step, so that it is true whatever happened to the number. */
#ifndef EXAMPLE_STOCK_H
#define EXAMPLE_STOCK_H

#include <stddef.h>
#include <stdio.h>

struct stock {
	/* All return -1 when the stock cannot be reached. */
	int (*fill)(struct stock *stock, long count); /* Sets the number, empties the ledger. */
	long (*read)(struct stock *stock);
	int (*write)(struct stock *stock, long left);
	int (*record)(struct stock *stock, long pid, long item);
	long (*sold)(struct stock *stock);		     /* Sales in the ledger. */
	int (*print_ledger)(struct stock *stock, FILE *out); /* "pid item" lines. */
	void (*close)(struct stock *stock);
};

/** Open file:PATH or redis://HOST:PORT. Returns NULL with the reason in @why. */
struct stock *stock_open(const char *where, char *why, size_t why_len);

/* The two kinds. */
struct stock *stock_open_file(const char *path, char *why, size_t why_len);
struct stock *stock_open_redis(const char *address, char *why, size_t why_len);

#endif
