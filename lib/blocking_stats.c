/* blocking_stats.c - a client's numbers, asked for from any thread. */
#include "blocking.h"

/* What is wanted, and where to; on the stack of the thread that waits. */
struct question {
	struct rlk_call call;
	struct redlock_stats *stats;
	struct redlock_node_stats *node_stats;
	size_t node, size;
	const char *label;
	char *text;
	size_t len;
};

static struct question *question_of(struct rlk_call *call)
{
	return (struct question *)((char *)call - offsetof(struct question, call));
}

static void ask_client(struct rlk_call *call)
{
	struct question *question = question_of(call);

	rlk_call_done(call, redlock_client_stats_sized(rlk_blocking_client(call->client),
						       question->stats, question->size));
}

static void ask_node(struct rlk_call *call)
{
	struct question *question = question_of(call);

	rlk_call_done(call, redlock_client_node_stats_sized(rlk_blocking_client(call->client),
							    question->node, question->node_stats,
							    question->size));
}

static void ask_text(struct rlk_call *call)
{
	struct question *question = question_of(call);

	question->len = redlock_client_stats_text(rlk_blocking_client(call->client),
						  question->label, question->text, question->size);
	rlk_call_done(call, 0);
}

int redlock_blocking_stats_sized(struct redlock_blocking *client, struct redlock_stats *stats,
				 size_t size)
{
	struct question question = {.stats = stats, .size = size};

	return client == NULL ? REDLOCK_EINVAL : rlk_call(client, &question.call, ask_client);
}

int redlock_blocking_node_stats_sized(struct redlock_blocking *client, size_t node,
				      struct redlock_node_stats *stats, size_t size)
{
	struct question question = {.node_stats = stats, .node = node, .size = size};

	return client == NULL ? REDLOCK_EINVAL : rlk_call(client, &question.call, ask_node);
}

int redlock_blocking_stats_text(struct redlock_blocking *client, const char *label, char *text,
				size_t size, size_t *len)
{
	struct question question = {.label = label, .text = text, .size = size};
	int status;

	if (client == NULL || len == NULL) {
		return REDLOCK_EINVAL;
	}
	status = rlk_call(client, &question.call, ask_text);
	*len = question.len;
	return status;
}
