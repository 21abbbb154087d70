/* inspect.c - redlock_inspect(): a survey of the nodes, told in the caller's terms. */
#include "client.h"
#include "core/lease.h"

struct inspection {
	struct redlock_client *client;
	redlock_inspect_cb cb;
	void *data;
	struct rlk_survey survey; /* Last: it ends in an array. */
};

static struct inspection *inspection_of(struct rlk_survey *survey)
{
	return (struct inspection *)((char *)survey - offsetof(struct inspection, survey));
}

enum redlock_node_state rlk_node_state_of(const struct rlk_node *node)
{
	switch (node->state) {
	case RLK_DOWN:
		return REDLOCK_NODE_DOWN;
	case RLK_CONNECTING:
		/* Known to be bad unless this is its first connection. */
		return node->fresh ? REDLOCK_NODE_CONNECTING : REDLOCK_NODE_DOWN;
	case RLK_UP:
		break;
	}
	if (node->barred) {
		return REDLOCK_NODE_BARRED;
	}
	return node->suspect ? REDLOCK_NODE_SUSPECT : REDLOCK_NODE_UP;
}

static const char *error_of(const struct rlk_node *node)
{
	switch (rlk_node_state_of(node)) {
	case REDLOCK_NODE_DOWN:
		return node->error[0] != '\0' ? node->error : "not connected";
	case REDLOCK_NODE_CONNECTING:
		return "still connecting";
	case REDLOCK_NODE_SUSPECT:
		return "no answer in time";
	case REDLOCK_NODE_BARRED:
		return node->error;
	case REDLOCK_NODE_UP:
		break;
	}
	return "";
}

/* What can be seen of its wall clock, from this machine's. */
static int64_t clock_ahead_ms(const struct redlock_client *client, const struct rlk_node *node)
{
	/* Both clocks go on alike, so it is as it was at log-in. */
	uint64_t there_us = rlk_clock_us() + node->clock_ahead_us;

	return (int64_t)(there_us - client->cluster.ports->wall_us(client->cluster.world)) / 1000;
}

/* Only a node that has logged in has said what it does not tell. */
static unsigned unseen_of(const struct rlk_link *link, const struct rlk_node *node)
{
	unsigned unseen = 0;

	if (node->state != RLK_UP) {
		return 0;
	}
	unseen |= link->login.run_id[0] == '\0' ? REDLOCK_UNSEEN_PROCESS : 0;
	unseen |= !link->login.sees_config ? REDLOCK_UNSEEN_DISK : 0;
	unseen |= link->eviction[0] == '\0' ? REDLOCK_UNSEEN_EVICTION : 0;
	unseen |= !node->tells_time ? REDLOCK_UNSEEN_CLOCK : 0;
	return unseen;
}

static void fill(const struct inspection *inspection, unsigned i,
		 struct redlock_node_status *status)
{
	const struct redlock_client *client = inspection->client;
	const struct rlk_finding *finding = &inspection->survey.findings[i];
	const struct rlk_node *node = &client->nodes[i];
	uint64_t guard_us = rlk_until(node->guard_until_us, rlk_clock_us());

	*status = (struct redlock_node_status){
		.address = client->link[i].url.address,
		.state = rlk_node_state_of(node),
		.product = client->link[i].product,
		.version = client->link[i].version,
		.role = client->link[i].role,
		.error = error_of(node),
		.rtt_us = finding->rtt_us,
		.guard_ms = guard_us / 1000 + (guard_us % 1000 != 0),
		.durable = node->durable,
		.answered = finding->answered && inspection->survey.name != NULL,
		.held = finding->held,
		.owner = finding->held ? finding->owner : NULL,
		.owner_len =
			finding->owner_len < RLK_OWNER_MAX ? finding->owner_len : RLK_OWNER_MAX,
		.remaining_ms = finding->held ? finding->remaining_ms : -1,
		.lacks = client->link[i].lacks,
		.in_line = finding->answered && inspection->survey.name != NULL ? finding->in_line
										: -1,
		.mode = client->link[i].mode,
		.eviction = client->link[i].eviction,
		.clock_ahead_ms = node->tells_time ? clock_ahead_ms(client, node) : 0,
		.same_as = node->twin ? node->twin_of + 1 : 0,
		.unseen = unseen_of(&client->link[i], node),
	};
}

static void done(struct rlk_survey *survey, bool closed)
{
	struct inspection *inspection = inspection_of(survey);
	struct redlock_client *client = inspection->client;
	struct redlock_inspection result = {
		.node_count = client->cluster.node_count,
		.quorum = client->cluster.quorum,
		.nodes = client->node_statuses,
	};
	unsigned i;

	for (i = 0; i < client->cluster.node_count; i++) {
		fill(inspection, i, &client->node_statuses[i]);
	}
	inspection->cb(client, closed ? REDLOCK_ECLOSED : 0, &result, inspection->data);
}

static void gone(struct rlk_survey *survey)
{
	struct inspection *inspection = inspection_of(survey);
	rlk_free(inspection->client, inspection);
}

int redlock_inspect(struct redlock_client *client, const void *resource, size_t resource_len,
		    redlock_inspect_cb cb, void *data)
{
	struct inspection *inspection;
	struct rlk_name *name = NULL;

	if (client == NULL || cb == NULL ||
	    (resource != NULL && (resource_len == 0 || resource_len > RLK_RESOURCE_MAX))) {
		return REDLOCK_EINVAL;
	}
	if (client->closing) {
		return REDLOCK_ECLOSED;
	}
	inspection = rlk_calloc(client, offsetof(struct inspection, survey) +
						rlk_survey_size(client->cluster.node_count));
	if (resource != NULL && inspection != NULL) {
		name = rlk_key(client, resource, resource_len);
	}
	if (inspection == NULL || (resource != NULL && name == NULL)) {
		rlk_free(client, inspection);
		return REDLOCK_ENOMEM;
	}
	inspection->client = client;
	inspection->cb = cb;
	inspection->data = data;
	inspection->survey.done = done;
	inspection->survey.gone = gone;
	rlk_survey_start(&inspection->survey, &client->cluster, name);
	return 0;
}
