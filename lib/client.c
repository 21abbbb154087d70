/* client.c - wiring: nodes, links and locks on the caller's loop.
 *
 * One turn does all there is to do: tell the news, send what was queued. It runs before and after
 * the loop polls, so that whatever a phase of the loop caused leaves in one write for each node,
 * and no callback of the user ever runs inside hiredis. */
#include "client.h"

#include <string.h>

#include "core/lease.h"

#define INCARNATION "redlock:incarnation"

/* ---- Turning --------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
	struct redlock_client *client = timer->data;
	client->timer_us = RLK_NEVER; /* The turn that follows does the work. */
}

/* Returns whether callbacks were made. */
static bool turn(struct redlock_client *client)
{
	bool told;

	told = rlk_cluster_deliver(&client->cluster);
	rlk_ios_flush(&client->links.ios);
	if (client->closing && !client->stopped) {
		rlk_client_close_when_ready(client);
	}
	return told;
}

static void set_timer(struct redlock_client *client, bool at_once)
{
	uint64_t next_us = rlk_timers_next_us(&client->cluster.timers), left_us;

	if (at_once || client->cluster.news != NULL) {
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
	bool told = turn(client);

	if (!client->stopped) {
		/* Who turns the loop once to get a callback has got it: do not sleep on it. */
		set_timer(client, told);
	}
}

/* Deadlines come after the answers that were waiting: a loop that was kept busy for long must not
 * take its own delay for the silence of all nodes. */
static void on_check(uv_check_t *check)
{
	struct redlock_client *client = check->data;

	rlk_timers_run(&client->cluster.timers, rlk_clock_us());
	turn(client);
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
		.pace = options->max_in_flight < RLK_PACE_MOST ? options->max_in_flight
							       : RLK_PACE_MOST,
		.hand_max = options->hand_max,
		.in_pauses = options->wait_in_pauses,
		.guard = options->guard == REDLOCK_GUARD_ON,
		.durable = options->guard == REDLOCK_GUARD_DURABLE,
		.may_change = options->node_may_change,
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
		if (client->link[i].url.kind == RLK_URL_TLS && !RLK_TLS_BUILT) {
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

/* The files are not looked at unless a node needs them. */
static int open_tls(struct redlock_client *client, struct redlock_error *error)
{
	char why[sizeof error->text];
	bool wanted = false;
	size_t i;
	int status;

	for (i = 0; i < client->url_count; i++) {
		wanted |= client->link[i].url.kind == RLK_URL_TLS;
	}
	if (!wanted) {
		return 0;
	}
	status = rlk_tls_open(&client->links.tls, &client->options, why, sizeof why);
	/* The caller's, and read. */
	client->options.tls_ca_file = NULL;
	client->options.tls_cert_file = client->options.tls_key_file = NULL;
	return status == 0 ? 0 : rlk_error(error, status, "%s", why);
}

static bool copy_options(struct redlock_client *client)
{
	const char *format = client->options.key_format;
	size_t len;

	client->key_format = rlk_copy_text(client, format);
	client->client_name = rlk_copy_text(client, client->options.client_name);
	len = rlk_format_key(format, INCARNATION, strlen(INCARNATION), NULL);
	client->incarnation_key = rlk_calloc(client, len + 1);
	if (client->key_format == NULL || client->client_name == NULL ||
	    client->incarnation_key == NULL) {
		return false;
	}
	rlk_format_key(format, INCARNATION, strlen(INCARNATION), client->incarnation_key);
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
			.closed = rlk_client_io_closed},
		.cluster = &client->cluster,
		.allocator = &client->allocator,
		.wire = {.allocator = &client->allocator},
		.links = client->link,
		.credentials = {.ask = client->options.credentials,
				.data = client->options.credentials_data,
				.client = client,
				.allocator = &client->allocator},
		.client_name = client->client_name,
		.incarnation_key = client->incarnation_key,
	};
	for (i = 0; i < count; i++) {
		rlk_link_init(&client->link[i], &client->links, &client->nodes[i]);
	}
	return open_tls(client, error);
}

int redlock_client_new(struct redlock_client **out, struct uv_loop_s *loop, const char *const *urls,
		       size_t url_count, const struct redlock_options *given,
		       struct redlock_error *error)
{
	struct redlock_client *client;
	const struct redlock_allocator *allocator;
	struct redlock_options options;
	int status;

	if (out == NULL || loop == NULL) {
		return rlk_error(error, REDLOCK_EINVAL,
				 "expected a place for the client, and a loop");
	}
	if (urls == NULL || url_count == 0 || url_count > REDLOCK_NODES_MAX) {
		return rlk_error(error, REDLOCK_EINVAL, "expected 1 to %d node URLs",
				 REDLOCK_NODES_MAX);
	}
	status = rlk_options_import(&options, given, error);
	if (status != 0) {
		return status;
	}
	allocator = options.allocator != NULL ? options.allocator : &rlk_libc_allocator;
	client = allocator->calloc(1, sizeof *client, allocator->data);
	if (client == NULL) {
		return rlk_error(error, REDLOCK_ENOMEM, "out of memory");
	}
	client->allocator = *allocator;
	client->options = options;
	client->loop = loop;
	status = set_up(client, urls, url_count, error);
	if (status != 0) {
		rlk_client_destroy(client);
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
