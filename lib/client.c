/* client.c - wiring: nodes, links and locks on the caller's loop, and the way out.
 *
 * One turn does all there is to do: fire what is due, tell the news, send what
 * was queued. It runs before and after the loop polls, so that whatever a phase
 * of the loop caused leaves in one write for each node, and no callback of the
 * user ever runs inside hiredis.
 *
 * Closing is a handshake: operations end, leases and debts are given back for
 * at most a node timeout, connections go, handles close, the caller is told. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#include "core/lease.h"

#define INCARNATION "redlock:incarnation"

/* ---- Memory ---------------------------------------------------------------------------------- */

static void *libc_calloc(size_t count, size_t size, void *data)
{
	(void)data;
	return calloc(count, size);
}

static void libc_free(void *block, void *data)
{
	(void)data;
	free(block);
}

static const struct redlock_allocator libc_allocator = {libc_calloc, libc_free, NULL};

void *rlk_calloc(struct redlock_client *client, size_t size)
{
	return client->allocator.calloc(1, size, client->allocator.data);
}

void rlk_free(struct redlock_client *client, void *block)
{
	if (block != NULL) {
		client->allocator.free(block, client->allocator.data);
	}
}

static char *copy_text(struct redlock_client *client, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = rlk_calloc(client, size);

	if (copy != NULL) {
		memcpy(copy, text, size);
	}
	return copy;
}

/* Through the key format; returns the length, and writes it if @out is not NULL. */
static size_t format_key(const char *format, const void *resource, size_t len, char *out)
{
	size_t n = 0, piece;
	const char *from, *at;

	for (at = format; *at != '\0'; at++) {
		from = at;
		piece = 1;
		if (at[0] == '%') {
			at++;
			from = at[0] == 's' ? resource : at;
			piece = at[0] == 's' ? len : 1;
		}
		if (out != NULL) {
			memcpy(out + n, from, piece);
		}
		n += piece;
	}
	return n;
}

struct rlk_name *rlk_key(struct redlock_client *client, const void *resource, size_t len)
{
	size_t key_len = format_key(client->key_format, resource, len, NULL);
	struct rlk_name *name = rlk_calloc(client, sizeof *name + key_len + 1);

	if (name != NULL) {
		name->refs = 1;
		name->len = key_len;
		format_key(client->key_format, resource, len, name->bytes);
	}
	return name;
}

/* ---- Turning --------------------------------------------------------------------------------- */

static void close_when_ready(struct redlock_client *client);

static void on_timer(uv_timer_t *timer)
{
	struct redlock_client *client = timer->data;
	client->timer_us = RLK_NEVER; /* The turn that follows does the work. */
}

static void turn(struct redlock_client *client)
{
	rlk_timers_run(&client->cluster.timers, rlk_clock_us());
	rlk_cluster_deliver(&client->cluster);
	rlk_ios_flush(&client->links.ios);
	if (client->closing && !client->stopped) {
		close_when_ready(client);
	}
}

static void set_timer(struct redlock_client *client)
{
	uint64_t next_us = rlk_timers_next_us(&client->cluster.timers), left_us;

	if (client->cluster.news != NULL) {
		next_us = 0;
	}
	if (next_us == client->timer_us) {
		return;
	}
	client->timer_us = next_us;
	if (next_us == RLK_NEVER) {
		uv_timer_stop(&client->timer);
		return;
	}
	left_us = rlk_until(next_us, rlk_clock_us());
	uv_update_time(client->loop); /* The timer counts from the loop's idea of now. */
	uv_timer_start(&client->timer, on_timer, left_us / 1000 + (left_us % 1000 != 0), 0);
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct redlock_client *client = prepare->data;

	turn(client);
	if (!client->stopped) {
		set_timer(client);
	}
}

static void on_check(uv_check_t *check)
{
	turn(check->data);
}

/* ---- Closing --------------------------------------------------------------------------------- */

static void destroy(struct redlock_client *client)
{
	size_t i;

	rlk_cluster_fini(&client->cluster);
	for (i = 0; client->link != NULL && i < client->url_count; i++) {
		rlk_url_wipe(&client->link[i].url);
	}
	if (client->links.wire.bytes != NULL) {
		memset(client->links.wire.bytes, 0, client->links.wire.cap);
	}
	rlk_wire_free(&client->links.wire);
	rlk_free(client, client->link);
	rlk_free(client, client->key_format);
	rlk_free(client, client->client_name);
	rlk_free(client, client->incarnation_key);
	rlk_free(client, client);
}

void rlk_client_gone(struct redlock_client *client)
{
	if (client->gone && client->lock_count == 0) {
		destroy(client);
	}
}

static void all_closed(struct redlock_client *client)
{
	redlock_close_cb cb = client->on_close;
	void *data = client->on_close_data;

	if (client->handles > 0 || client->links.ios.open > 0 || client->gone) {
		return;
	}
	if (cb != NULL) {
		cb(client, 0, NULL, data);
	}
	client->gone = true;
	rlk_client_gone(client);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct redlock_client *client = handle->data;

	client->handles--;
	all_closed(client);
}

static void on_io_closed(struct rlk_ios *ios)
{
	struct redlock_client *client =
		(struct redlock_client *)((char *)ios - offsetof(struct redlock_client, links.ios));

	if (client->stopped) {
		all_closed(client);
	}
}

static void stop(struct redlock_client *client)
{
	client->stopped = true;
	rlk_timer_stop(&client->cluster.timers, &client->grace);
	rlk_cluster_stop(&client->cluster);
	uv_close((uv_handle_t *)&client->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&client->check, on_handle_closed);
	uv_close((uv_handle_t *)&client->timer, on_handle_closed);
}

static void close_when_ready(struct redlock_client *client)
{
	bool owed = client->grace.armed && rlk_cluster_owed(&client->cluster) > 0;
	bool untold = client->cluster.news != NULL;
	struct rlk_survey *survey;

	for (survey = client->cluster.surveys; survey != NULL; survey = survey->next) {
		untold |= !survey->told;
	}
	if (!owed && !untold) {
		stop(client);
	}
}

static void on_grace(struct rlk_timer *timer, uint64_t now_us)
{
	(void)timer, (void)now_us; /* It is not armed any more: that is all. */
}

int redlock_client_close(struct redlock_client *client, redlock_close_cb cb, void *data)
{
	if (client == NULL) {
		return REDLOCK_EINVAL;
	}
	if (client->closing) {
		return REDLOCK_ECLOSED;
	}
	client->closing = true;
	client->on_close = cb;
	client->on_close_data = data;
	rlk_cluster_close(&client->cluster);
	rlk_surveys_close(&client->cluster);
	client->grace.fire = on_grace;
	rlk_timer_set(&client->cluster.timers, &client->grace,
		      rlk_later(rlk_clock_us(), rlk_us(client->cluster.config.node_timeout_ms)));
	return 0;
}

/* ---- Opening --------------------------------------------------------------------------------- */

static struct rlk_config config_of(const struct redlock_options *options)
{
	return (struct rlk_config){
		.max_ttl_ms = options->max_ttl_ms,
		.drift_ppm = options->drift_ppm,
		.node_timeout_ms = rlk_options_node_timeout_ms(options),
		.connect_timeout_ms = options->connect_timeout_ms,
		.min_validity_percent = options->min_validity_percent,
		.retry_min_ms = options->retry_min_ms,
		.retry_max_ms = options->retry_max_ms,
		.reconnect_min_ms = options->reconnect_min_ms,
		.reconnect_max_ms = options->reconnect_max_ms,
		.max_in_flight = options->max_in_flight,
		.guard = options->guard == REDLOCK_GUARD_ON,
		.durable = options->guard == REDLOCK_GUARD_DURABLE,
	};
}

static int parse_urls(struct redlock_client *client, const char *const *urls, size_t count,
		      struct redlock_error *error)
{
	const char *bad;
	size_t i, j;

	for (i = 0; i < count; i++) {
		bad = urls[i] == NULL ? "missing" : rlk_url_parse(&client->link[i].url, urls[i]);
		if (bad != NULL) {
			return rlk_error(error, REDLOCK_EINVAL, "URL of node %zu: %s", i + 1, bad);
		}
		if (client->link[i].url.kind == RLK_URL_TLS) {
			return rlk_error(error, REDLOCK_EUNSUPPORTED,
					 "URL of node %zu: this build has no TLS (rediss://)",
					 i + 1);
		}
		for (j = 0; j < i; j++) {
			if (rlk_url_same(&client->link[i].url, &client->link[j].url)) {
				return rlk_error(error, REDLOCK_EINVAL,
						 "URL of node %zu: same server as node %zu (%s); "
						 "it would vote twice",
						 i + 1, j + 1, client->link[j].url.address);
			}
		}
	}
	return 0;
}

static bool copy_options(struct redlock_client *client)
{
	const char *format = client->options.key_format;
	size_t len;

	client->key_format = copy_text(client, format);
	client->client_name = copy_text(client, client->options.client_name);
	len = format_key(format, INCARNATION, strlen(INCARNATION), NULL);
	client->incarnation_key = rlk_calloc(client, len + 1);
	if (client->key_format == NULL || client->client_name == NULL ||
	    client->incarnation_key == NULL) {
		return false;
	}
	format_key(format, INCARNATION, strlen(INCARNATION), client->incarnation_key);
	client->options.key_format = client->key_format;
	client->options.client_name = client->client_name;
	client->options.allocator = &client->allocator;
	return true;
}

static void open_handles(struct redlock_client *client)
{
	uv_prepare_init(client->loop, &client->prepare);
	uv_check_init(client->loop, &client->check);
	uv_timer_init(client->loop, &client->timer);
	client->prepare.data = client->check.data = client->timer.data = client;
	client->handles = 3;
	client->timer_us = RLK_NEVER;
	uv_prepare_start(&client->prepare, on_prepare);
	uv_check_start(&client->check, on_check);
}

static int set_up(struct redlock_client *client, const char *const *urls, size_t count,
		  struct redlock_error *error)
{
	const struct rlk_ports *ports =
		client->options.trace != NULL ? &rlk_world_traced : &rlk_world;
	struct rlk_config config = config_of(&client->options);
	uint64_t seed = 0;
	size_t i;
	int status;

	client->link = rlk_calloc(client, count * sizeof *client->link);
	client->url_count = count;
	if (client->link == NULL || !copy_options(client)) {
		return rlk_error(error, REDLOCK_ENOMEM, "out of memory");
	}
	status = parse_urls(client, urls, count, error);
	if (status != 0) {
		return status;
	}
	if (!rlk_entropy(&seed, sizeof seed)) {
		return rlk_error(error, REDLOCK_EENTROPY, "no random bytes");
	}
	rlk_cluster_init(&client->cluster, ports, client, &config, client->nodes, (unsigned)count,
			 seed | 1);
	client->links = (struct rlk_links){
		.ios = {.loop = client->loop,
			.allocator = &client->allocator,
			.closed = on_io_closed},
		.cluster = &client->cluster,
		.allocator = &client->allocator,
		.wire = {.allocator = &client->allocator},
		.links = client->link,
		.client_name = client->client_name,
		.incarnation_key = client->incarnation_key,
	};
	for (i = 0; i < count; i++) {
		rlk_link_init(&client->link[i], &client->links, &client->nodes[i]);
	}
	return 0;
}

int redlock_client_new(struct redlock_client **out, struct uv_loop_s *loop, const char *const *urls,
		       size_t url_count, const struct redlock_options *given,
		       struct redlock_error *error)
{
	struct redlock_client *client;
	const struct redlock_allocator *allocator;
	struct redlock_options options;
	int status;

	if (out == NULL || loop == NULL || urls == NULL || url_count == 0 ||
	    url_count > REDLOCK_NODES_MAX) {
		return rlk_error(error, REDLOCK_EINVAL, "expected a loop and 1 to %d node URLs",
				 REDLOCK_NODES_MAX);
	}
	status = rlk_options_import(&options, given, error);
	if (status != 0) {
		return status;
	}
	allocator = options.allocator != NULL ? options.allocator : &libc_allocator;
	client = allocator->calloc(1, sizeof *client, allocator->data);
	if (client == NULL) {
		return rlk_error(error, REDLOCK_ENOMEM, "out of memory");
	}
	client->allocator = *allocator;
	client->options = options;
	client->loop = loop;
	status = set_up(client, urls, url_count, error);
	if (status != 0) {
		destroy(client);
		return status;
	}
	open_handles(client);
	rlk_cluster_start(&client->cluster);
	*out = client;
	return 0;
}

size_t redlock_client_node_count(const struct redlock_client *client)
{
	return client == NULL ? 0 : client->cluster.node_count;
}

size_t redlock_client_quorum(const struct redlock_client *client)
{
	return client == NULL ? 0 : client->cluster.quorum;
}
