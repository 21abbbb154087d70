#include "ours.h"

#include <redlock/redlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SETTLE_PAUSE_MS 20

struct ours {
	uv_loop_t loop;
	uv_timer_t pause;
	struct redlock_client *client;
	struct redlock_lock *lock;
	const char *resource;
	struct block *block;
	uint64_t start_ns; /* Of the operation under way. */
	size_t unsettled;
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
		uv_stop(&ours->loop);
		return;
	}
	ours->start_ns = now_ns();
	rv = redlock_acquire(ours->lock, 0, on_acquired, ours);
	if (rv != REDLOCK_OK) {
		block_failed(ours->block, "acquire", redlock_status_name(rv), 0);
		uv_stop(&ours->loop);
	}
}

void ours_measure(struct ours *ours, const struct plan *plan, struct block *block)
{
	ours->block = block;
	block_begin(block, plan);
	acquire(ours);
	uv_run(&ours->loop, UV_RUN_DEFAULT);
}

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	struct ours *ours = data;
	size_t i;

	(void)client;
	ours->unsettled = 0;
	for (i = 0; status == REDLOCK_OK && i < inspection->node_count; i++) {
		const struct redlock_node_status *node = &inspection->nodes[i];

		ours->unsettled += node->state != REDLOCK_NODE_UP || !node->answered || node->held;
	}
	uv_stop(&ours->loop);
}

static void on_pause_over(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

size_t ours_settle(struct ours *ours, uint64_t patience_ms)
{
	uint64_t until_ns = now_ns() + patience_ms * 1000000;

	for (;;) {
		ours->unsettled = SIZE_MAX;
		if (redlock_inspect(ours->client, ours->resource, strlen(ours->resource),
				    on_inspected, ours) == REDLOCK_OK) {
			uv_run(&ours->loop, UV_RUN_DEFAULT);
		}
		if (ours->unsettled == 0 || now_ns() >= until_ns) {
			return ours->unsettled;
		}
		uv_timer_start(&ours->pause, on_pause_over, SETTLE_PAUSE_MS, 0);
		uv_run(&ours->loop, UV_RUN_DEFAULT);
	}
}

static int open_client(struct ours *ours, const struct nodes *nodes, uint32_t ttl_ms,
		       struct redlock_error *error)
{
	struct redlock_options options;
	const char *urls[NODES_MAX];
	size_t i;

	for (i = 0; i < nodes->count; i++) {
		urls[i] = nodes->all[i].url;
	}
	redlock_options_init(&options);
	options.ttl_ms = ttl_ms;
	if (options.max_ttl_ms < ttl_ms) {
		options.max_ttl_ms = ttl_ms;
	}
	/* The servers are minutes old and keep nothing on disk: without this they would not be
	 * believed until max_ttl_ms had passed. */
	options.guard = REDLOCK_GUARD_OFF;
	return redlock_client_new(&ours->client, &ours->loop, urls, nodes->count, &options, error);
}

struct ours *ours_open(const struct nodes *nodes, const char *resource, uint32_t ttl_ms, char *why,
		       size_t why_len)
{
	struct ours *ours = calloc(1, sizeof(*ours));
	struct redlock_error error = {0};
	int rv;

	if (!ours || uv_loop_init(&ours->loop) != 0) {
		snprintf(why, why_len, "out of memory");
		free(ours);
		return NULL;
	}
	ours->resource = resource;
	uv_timer_init(&ours->loop, &ours->pause);
	rv = open_client(ours, nodes, ttl_ms, &error);
	if (rv == REDLOCK_OK) {
		rv = redlock_lock_new(&ours->lock, ours->client, resource, strlen(resource), NULL);
	}
	if (rv != REDLOCK_OK) {
		snprintf(why, why_len, "%s", error.text[0] ? error.text : redlock_strerror(rv));
		ours_close(ours);
		return NULL;
	}
	return ours;
}

void ours_close(struct ours *ours)
{
	redlock_lock_free(ours->lock);
	if (ours->client) {
		redlock_client_close(ours->client, NULL, NULL);
	}
	uv_close((uv_handle_t *)&ours->pause, NULL);
	uv_run(&ours->loop, UV_RUN_DEFAULT);
	uv_loop_close(&ours->loop);
	free(ours);
}
