#include "seller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One acquire waits this long for its turn ... */
#define WAIT_MS 10000

/* ... and after an error the seller tries again, until there was no lock for this long. */
#define PAUSE_MS 50
#define PATIENCE_MS 30000

static void next_sale(struct seller *seller);

static unsigned think_ms(const struct seller *seller)
{
	const struct seller_options *options = &seller->options;
	unsigned spread = options->think_max_ms - options->think_min_ms + 1;

	return options->think_min_ms + (unsigned)random() % spread;
}

static void on_pause_over(uv_timer_t *timer)
{
	next_sale(timer->data);
}

/* The next customer takes a moment to come; others can have the lock meanwhile. */
static void await_customer(struct seller *seller)
{
	uv_timer_start(&seller->timer, on_pause_over, think_ms(seller), 0);
}

/* Close everything that keeps the loop alive. The lease, if there is one, is given back. */
static void finish(struct seller *seller)
{
	redlock_lock_free(seller->lock);
	seller->lock = NULL;
	if (seller->client) {
		redlock_client_close(seller->client, NULL, NULL);
		seller->client = NULL;
	}
	uv_close((uv_handle_t *)&seller->timer, NULL);
}

static void fail(struct seller *seller, const char *why)
{
	seller->failed = true;
	snprintf(seller->why, sizeof(seller->why), "%s", why);
	finish(seller);
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct seller *seller = data;

	(void)lock;
	(void)report;
	if (status != REDLOCK_OK) {
		/* The nodes that did not answer are told again in the background. */
		seller->errors++;
	}
	await_customer(seller);
}

static void give_back(struct seller *seller)
{
	if (!seller->lock) {
		await_customer(seller);
	} else if (redlock_release(seller->lock, on_released, seller) != REDLOCK_OK) {
		/* The lease had ended already: there is nothing to give back. */
		await_customer(seller);
	}
}

/* The decision is made: take one item, unless the lease ended while we were thinking. */
static void on_thought(uv_timer_t *timer)
{
	struct seller *seller = timer->data;

	/* A lease is a promise for a limited time, and this process may have been paused for
	 * longer than that. So ask right before the write. What remains is a pause between this
	 * line and the write itself: where even that must do no harm, let the stock refuse an
	 * outdated fencing token. */
	if (seller->lock && !redlock_lock_held(seller->lock)) {
		seller->lost++;
		give_back(seller);
		return;
	}
	if (seller->stock->write(seller->stock, seller->seen - 1) != 0 ||
	    seller->stock->record(seller->stock, (long)getpid(), seller->seen) != 0) {
		fail(seller, "cannot write to the stock");
		return;
	}
	seller->sales++;
	give_back(seller);
}

/* Read the stock and think. Without a lock, everybody else does the same meanwhile. */
static void begin_sale(struct seller *seller)
{
	seller->seen = seller->stock->read(seller->stock);
	if (seller->seen < 0) {
		fail(seller, "cannot read the stock");
	} else if (seller->seen == 0) {
		finish(seller);
	} else {
		uv_timer_start(&seller->timer, on_thought, think_ms(seller), 0);
	}
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct seller *seller = data;
	char why[sizeof(seller->why)];

	(void)lock;
	seller->waits += report->attempts > 1;
	seller->waited_ms += report->waited_ms;
	if (status == REDLOCK_OK) {
		seller->last_lock_ms = uv_now(seller->loop);
		begin_sale(seller);
		return;
	}
	seller->errors++;
	if (uv_now(seller->loop) - seller->last_lock_ms > PATIENCE_MS) {
		snprintf(why, sizeof(why), "no lock for %d s: %s", PATIENCE_MS / 1000,
			 redlock_strerror(status));
		fail(seller, why);
		return;
	}
	uv_timer_start(&seller->timer, on_pause_over, PAUSE_MS, 0);
}

static void next_sale(struct seller *seller)
{
	int rv;

	if (!seller->lock) {
		begin_sale(seller);
		return;
	}
	rv = redlock_acquire(seller->lock, WAIT_MS, on_acquired, seller);
	if (rv != REDLOCK_OK) {
		fail(seller, redlock_strerror(rv));
	}
}

static int open_lock(struct seller *seller)
{
	const struct seller_options *ours = &seller->options;
	struct redlock_options options;
	struct redlock_error error;
	int rv;

	redlock_options_init(&options);
	options.ttl_ms = ours->ttl_ms;
	/* A sale takes milliseconds: look again soon when somebody else has the lock. */
	options.retry_max_ms = 20;
	rv = redlock_client_new(&seller->client, seller->loop, ours->urls, ours->url_count,
				&options, &error);
	if (rv != REDLOCK_OK) {
		fail(seller, error.text);
		return -1;
	}
	rv = redlock_lock_new(&seller->lock, seller->client, ours->resource, strlen(ours->resource),
			      NULL);
	if (rv != REDLOCK_OK) {
		fail(seller, redlock_strerror(rv));
		return -1;
	}
	return 0;
}

int seller_start(struct seller *seller, uv_loop_t *loop, struct stock *stock,
		 const struct seller_options *options)
{
	*seller = (struct seller){.options = *options, .loop = loop, .stock = stock};
	uv_timer_init(loop, &seller->timer);
	seller->timer.data = seller;
	seller->last_lock_ms = uv_now(loop);
	if (options->urls && open_lock(seller) != 0) {
		return -1;
	}
	next_sale(seller);
	return seller->failed ? -1 : 0;
}
