/* close.c - the way out: a handshake.
 *
 * Operations end and are told; leases and debts are given back for at most a
 * node timeout; connections go; handles close; the caller is told; and the
 * memory goes with the last lock. */
#include "client.h"
#include "core/lease.h"

void rlk_client_destroy(struct redlock_client *client)
{
	size_t i;

	rlk_cluster_fini(&client->cluster);
	for (i = 0; client->link != NULL && i < client->url_count; i++) {
		rlk_url_wipe(&client->link[i].url);
	}
	rlk_wire_free(&client->links.wire);
	rlk_tls_close(&client->links.tls);
	rlk_free(client, client->link);
	rlk_free(client, client->key_format);
	rlk_free(client, client->client_name);
	rlk_free(client, client->incarnation_key);
	rlk_free(client, client);
}

void rlk_client_gone(struct redlock_client *client)
{
	if (client->gone && client->lock_count == 0) {
		rlk_client_destroy(client);
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

void rlk_client_io_closed(struct rlk_ios *ios)
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

void rlk_client_close_when_ready(struct redlock_client *client)
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
