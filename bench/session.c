#include "session.h"

#include <stdio.h>
#include <string.h>

#include "block.h"

#define SETTLE_PAUSE_MS 20

void session_options(struct redlock_options *options, uint32_t ttl_ms)
{
	redlock_options_init(options);
	options->ttl_ms = ttl_ms;
	if (options->max_ttl_ms < ttl_ms) {
		options->max_ttl_ms = ttl_ms;
	}
	options->guard = REDLOCK_GUARD_OFF;
}

int session_open(struct session *session, const struct nodes *nodes,
		 const struct redlock_options *options, char *why, size_t why_len)
{
	struct redlock_error error = {0};
	const char *urls[NODES_MAX];
	size_t i;
	int rv;

	session->client = NULL;
	if (uv_loop_init(&session->loop) != 0) {
		snprintf(why, why_len, "out of memory");
		return -1;
	}
	uv_timer_init(&session->loop, &session->pause);
	for (i = 0; i < nodes->count; i++) {
		urls[i] = nodes->all[i].url;
	}
	rv = redlock_client_new(&session->client, &session->loop, urls, nodes->count, options,
				&error);
	if (rv != REDLOCK_OK) {
		snprintf(why, why_len, "%s", error.text[0] ? error.text : redlock_strerror(rv));
		session_close(session);
		return -1;
	}
	return 0;
}

int session_open_crowd(struct session *session, const struct crowd_plan *plan, char *why,
		       size_t why_len)
{
	struct redlock_options options;

	session_options(&options, plan->ttl_ms);
	options.node_timeout_ms = plan->node_timeout_ms;
	/* Beside the cycles in flight, what a slow node has still to answer of earlier ones. */
	options.max_in_flight = 16 * plan->in_flight + 65536;
	return session_open(session, plan->nodes, &options, why, why_len);
}

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	struct session *session = data;
	size_t i;

	(void)client;
	session->unsettled = 0;
	for (i = 0; status == REDLOCK_OK && i < inspection->node_count; i++) {
		const struct redlock_node_status *node = &inspection->nodes[i];

		session->unsettled += node->state != REDLOCK_NODE_UP || node->rtt_us == 0 ||
				      (node->answered && node->held);
	}
	uv_stop(&session->loop);
}

static void on_pause_over(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

void session_pass(struct session *session, uint64_t ms)
{
	uv_update_time(&session->loop);
	uv_timer_start(&session->pause, on_pause_over, ms, 0);
	uv_run(&session->loop, UV_RUN_DEFAULT);
}

static size_t settle(struct session *session, const char *resource, size_t absent,
		     uint64_t patience_ms)
{
	uint64_t until_ns = now_ns() + patience_ms * 1000000;
	size_t len = resource ? strlen(resource) : 0;

	for (;;) {
		session->unsettled = SIZE_MAX;
		if (redlock_inspect(session->client, resource, len, on_inspected, session) ==
		    REDLOCK_OK) {
			uv_run(&session->loop, UV_RUN_DEFAULT);
		}
		if (session->unsettled <= absent) {
			return 0;
		}
		if (now_ns() >= until_ns) {
			return session->unsettled;
		}
		session_pass(session, SETTLE_PAUSE_MS);
	}
}

size_t session_settle(struct session *session, const char *resource, uint64_t patience_ms)
{
	return settle(session, resource, 0, patience_ms);
}

size_t session_settle_without(struct session *session, size_t absent, uint64_t patience_ms)
{
	return settle(session, NULL, absent, patience_ms);
}

void session_close(struct session *session)
{
	if (session->client) {
		redlock_client_close(session->client, NULL, NULL);
	}
	uv_close((uv_handle_t *)&session->pause, NULL);
	uv_run(&session->loop, UV_RUN_DEFAULT);
	uv_loop_close(&session->loop);
}
