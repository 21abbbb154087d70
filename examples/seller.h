/* seller.h - one worker that sells a stock until it is gone, with a lock or without. */
#ifndef EXAMPLE_SELLER_H
#define EXAMPLE_SELLER_H

#include <redlock/redlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "stock.h"

struct seller_options {
	const char *const *urls; /* Lock nodes; NULL: sell without a lock. */
	size_t url_count;
	const char *resource;
	uint32_t ttl_ms;
	unsigned think_min_ms; /* Between reading and writing, and between two sales. */
	unsigned think_max_ms;
};

struct seller {
	struct seller_options options;
	uv_loop_t *loop;
	uv_timer_t timer;
	struct stock *stock;
	struct redlock_client *client;
	struct redlock_lock *lock; /* NULL without a lock. */
	long seen;		   /* The stock when it was read. */
	uint64_t last_lock_ms;	   /* Loop time of the last successful acquire. */
	/* The tally. */
	long sales;
	long waits;	    /* Acquires that needed more than one attempt. */
	uint64_t waited_ms; /* In all acquires together. */
	long errors;	    /* Acquires and releases that ended with one. */
	long lost;	    /* Sales given up because the lease was over. */
	bool failed;	    /* Stopped before the stock was gone: see why. */
	char why[sizeof(((struct redlock_error *)0)->text)];
};

/** Start selling on @loop, which ends by itself when the seller is done. Returns 0; or -1 with the
 * reason in seller->why, and nothing is left on the loop but what uv_run() clears. */
int seller_start(struct seller *seller, uv_loop_t *loop, struct stock *stock,
		 const struct seller_options *options);

#endif
