#include "ours.h"

#include <redlock/redlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "session.h"

struct ours {
	struct session session;
	struct redlock_lock *lock;
	const char *resource;
	struct block *block;
	uint64_t start_ns; /* Of the operation under way. */
};

static void acquire(struct ours *ours);

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	uint64_t end_ns = now_ns();
	struct ours *ours = data;
	uint64_t took_ns = end_ns - ours->start_ns;

	(void)lock;
	(void)report;
	if (status == REDLOCK_OK) {
		block_released(ours->block, took_ns);
	} else {
		block_failed(ours->block, "release", redlock_status_name(status), took_ns);
	}
	acquire(ours);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	uint64_t end_ns = now_ns();
	struct ours *ours = data;
	uint64_t took_ns = end_ns - ours->start_ns;
	int rv;

	(void)report;
	if (status != REDLOCK_OK) {
		block_failed(ours->block, "acquire", redlock_status_name(status), took_ns);
		acquire(ours);
		return;
	}
	block_granted(ours->block, took_ns);
	ours->start_ns = now_ns();
	rv = redlock_release(lock, on_released, ours);
	if (rv != REDLOCK_OK) {
		block_failed(ours->block, "release", redlock_status_name(rv), 0);
		acquire(ours);
	}
}

/* Start the next cycle, or end the block. */
static void acquire(struct ours *ours)
{
	int rv;

	if (!block_next(ours->block)) {
		uv_stop(&ours->session.loop);
		return;
	}
	ours->start_ns = now_ns();
	rv = redlock_acquire(ours->lock, 0, on_acquired, ours);
	if (rv != REDLOCK_OK) {
		block_failed(ours->block, "acquire", redlock_status_name(rv), 0);
		uv_stop(&ours->session.loop);
	}
}

void ours_measure(struct ours *ours, const struct plan *plan, struct block *block)
{
	ours->block = block;
	block_begin(block, plan);
	acquire(ours);
	uv_run(&ours->session.loop, UV_RUN_DEFAULT);
}

size_t ours_settle(struct ours *ours, uint64_t patience_ms)
{
	return session_settle(&ours->session, ours->resource, patience_ms);
}

struct ours *ours_open(const struct nodes *nodes, const char *resource, uint32_t ttl_ms, char *why,
		       size_t why_len)
{
	struct ours *ours = calloc(1, sizeof(*ours));
	struct redlock_options options;
	int rv;

	if (!ours) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	ours->resource = resource;
	session_options(&options, ttl_ms);
	if (session_open(&ours->session, nodes, &options, why, why_len) != 0) {
		free(ours);
		return NULL;
	}
	rv = redlock_lock_new(&ours->lock, ours->session.client, resource, strlen(resource), NULL);
	if (rv != REDLOCK_OK) {
		snprintf(why, why_len, "%s", redlock_strerror(rv));
		ours_close(ours);
		return NULL;
	}
	return ours;
}

void ours_close(struct ours *ours)
{
	redlock_lock_free(ours->lock);
	session_close(&ours->session);
	free(ours);
}
