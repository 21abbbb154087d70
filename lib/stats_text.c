/* stats_text.c - a client's numbers as Prometheus reads them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

/* As much as fits; len counts all. */
struct page {
	char *text;
	size_t size, len;
	const char *label;
};

static void put(struct page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct page *page, const char *format, ...)
{
	bool fits = page->len < page->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(fits ? page->text + page->len : NULL, fits ? page->size - page->len : 0,
		      format, args);
	va_end(args);
	page->len += n > 0 ? (size_t)n : 0;
}

/* A label's value: quotes, backslashes and newlines have to be marked. */
static void put_value(struct page *page, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			put(page, "\\n");
		} else {
			put(page, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
		}
	}
}

/* The labels of a line, which are the client's, @node's, and one more pair; each may be NULL. */
static void put_labels(struct page *page, const char *node, const char *name, const char *value)
{
	const char *pairs[][2] = {{"client", page->label}, {"node", node}, {name, value}};
	const char *before = "{";
	size_t i;

	for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		if (pairs[i][1] != NULL) {
			put(page, "%s%s=\"", before, pairs[i][0]);
			put_value(page, pairs[i][1]);
			put(page, "\"");
			before = ",";
		}
	}
	put(page, "%s", before[0] == ',' ? "} " : " ");
}

static void head(struct page *page, const char *name, const char *type, const char *help)
{
	put(page, "# HELP redlock_%s %s\n# TYPE redlock_%s %s\n", name, help, name, type);
}

static void line(struct page *page, const char *name, const char *node, const char *label,
		 const char *value, uint64_t number)
{
	put(page, "redlock_%s", name);
	put_labels(page, node, label, value);
	put(page, "%" PRIu64 "\n", number);
}

static void one(struct page *page, const char *name, const char *type, const char *help,
		uint64_t number)
{
	head(page, name, type, help);
	line(page, name, NULL, NULL, NULL, number);
}

static void put_client(struct page *page, const struct redlock_stats *stats)
{
	one(page, "attempts_total", "counter", "Votes on taking a lease.", stats->attempts);
	one(page, "grants_total", "counter", "Leases taken.", stats->grants);
	head(page, "refusals_total", "counter", "Votes lost, by reason.");
	line(page, "refusals_total", NULL, "reason", "held", stats->refused_held);
	line(page, "refusals_total", NULL, "reason", "no_quorum", stats->refused_no_quorum);
	line(page, "refusals_total", NULL, "reason", "late", stats->refused_late);
	head(page, "waits_total", "counter", "Acquires that have waited, by way.");
	line(page, "waits_total", NULL, "way", "client", stats->waits_client);
	line(page, "waits_total", NULL, "way", "line", stats->waits_line);
	line(page, "waits_total", NULL, "way", "pauses", stats->waits_pauses);
	one(page, "called_total", "counter", "Leases taken since a node called.", stats->called);
	one(page, "handed_on_total", "counter", "Leases handed on within the client.",
	    stats->handed_on);
	head(page, "renewals_total", "counter", "Extends, by outcome.");
	line(page, "renewals_total", NULL, "outcome", "ok", stats->renewals);
	line(page, "renewals_total", NULL, "outcome", "failed", stats->renewals_failed);
	one(page, "releases_total", "counter", "Leases given back.", stats->releases);
	one(page, "losses_total", "counter", "Leases that ended without being given back.",
	    stats->losses);
	one(page, "locks", "gauge", "Lock objects.", stats->locks_now);
	one(page, "locks_held", "gauge", "Leases that are valid.", stats->held_now);
	one(page, "locks_waiting", "gauge", "Acquires under way.", stats->waiting_now);
	one(page, "debts", "gauge", "Releases that a node has not confirmed.", stats->debts_now);
}

/* Numbers of all nodes that are told alike. */
static const struct {
	const char *name, *type, *help;
	size_t at;
} columns[] = {
#define COLUMN(name, type, field, help)                                                            \
	{                                                                                          \
		name, type, help, offsetof(struct redlock_node_stats, field)                       \
	}
	COLUMN("node_requests_total", "counter", requests, "Commands sent."),
	COLUMN("node_replies_total", "counter", replies, "Answers, errors included."),
	COLUMN("node_errors_total", "counter", errors, "Answers that were errors."),
	COLUMN("node_timeouts_total", "counter", timeouts, "Commands not answered in time."),
	COLUMN("node_late_replies_total", "counter", late_replies, "Answers that came too late."),
	COLUMN("node_connects_total", "counter", connects, "Connections that were of use."),
	COLUMN("node_disconnects_total", "counter", disconnects, "Connections that ended."),
	COLUMN("node_in_flight", "gauge", in_flight_now, "Commands not answered yet."),
	COLUMN("node_debts", "gauge", debts_now, "Releases that it has not confirmed."),
#undef COLUMN
};

static void put_histogram(struct page *page, const struct redlock_node_stats *node)
{
	uint64_t sum = 0;
	char edge[24];
	unsigned i;

	for (i = 0; i < REDLOCK_RTT_BUCKETS; i++) {
		sum += node->rtt[i];
		if (i == REDLOCK_RTT_BUCKETS - 1) {
			strcpy(edge, "+Inf");
		} else {
			snprintf(edge, sizeof edge, "%u.%06u", (64U << i) / 1000000,
				 (64U << i) % 1000000);
		}
		line(page, "node_rtt_seconds_bucket", node->address, "le", edge, sum);
	}
	put(page, "redlock_node_rtt_seconds_sum");
	put_labels(page, node->address, NULL, NULL);
	put(page, "%" PRIu64 ".%06" PRIu64 "\n", node->rtt_sum_us / 1000000,
	    node->rtt_sum_us % 1000000);
	line(page, "node_rtt_seconds_count", node->address, NULL, NULL, sum);
}

static void put_nodes(struct page *page, const struct redlock_client *client)
{
	size_t count = redlock_client_node_count(client), i, column;
	struct redlock_node_stats node;

	head(page, "node_up", "gauge", "1: connected, answering, and its votes count.");
	for (i = 0; i < count; i++) {
		redlock_client_node_stats(client, i, &node);
		line(page, "node_up", node.address, NULL, NULL,
		     node.state == REDLOCK_NODE_UP && node.guard_now_ms == 0);
	}
	for (column = 0; column < sizeof columns / sizeof columns[0]; column++) {
		head(page, columns[column].name, columns[column].type, columns[column].help);
		for (i = 0; i < count; i++) {
			uint64_t number;
			redlock_client_node_stats(client, i, &node);
			memcpy(&number, (const char *)&node + columns[column].at, sizeof number);
			line(page, columns[column].name, node.address, NULL, NULL, number);
		}
	}
	head(page, "node_rtt_seconds", "histogram", "From a command to its answer.");
	for (i = 0; i < count; i++) {
		redlock_client_node_stats(client, i, &node);
		put_histogram(page, &node);
	}
}

size_t redlock_client_stats_text(const struct redlock_client *client, const char *label, char *text,
				 size_t size)
{
	struct page page = {.text = text, .size = text != NULL ? size : 0, .label = label};
	struct redlock_stats stats;

	if (page.size > 0) {
		text[0] = '\0';
	}
	if (redlock_client_stats(client, &stats) == 0) {
		put_client(&page, &stats);
		put_nodes(&page, client);
	}
	return page.len;
}
