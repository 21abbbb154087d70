/* warnings.c - what is wrong with nodes that are up, as far as it can be seen from here.
 *
 * A node that is down, or may never vote, says so itself, in its line of the table. Here is what
 * looks well and is not; what cannot be seen is said, too, lest it be taken for well. */
#include "warnings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Clocks that are this much apart are set by nobody. */
#define CLOCK_FAR_MS 5000

static void add(struct warnings *warnings, const char *address, const char *format, ...)
	OUT_FORMAT(3, 4);

static void add(struct warnings *warnings, const char *address, const char *format, ...)
{
	va_list list;
	if (warnings->count == WARNINGS_MAX) {
		return;
	}
	struct warning *warning = &warnings->at[warnings->count++];
	warning->address = address;
	va_start(list, format);
	vsnprintf(warning->text, sizeof warning->text, format, list);
	va_end(list);
}

static void look_at_number(struct warnings *warnings, const struct survey *survey)
{
	size_t count = survey->node_count;
	size_t spare = count - survey->quorum;
	if (count <= 2) {
		add(warnings, "",
		    "%s: nobody gets a lock while %s is down; use three or five nodes",
		    count == 1 ? "one node" : "two nodes", count == 1 ? "it" : "either");
	} else if (count % 2 == 0) {
		add(warnings, "",
		    "%zu nodes can do without %zu of them, no more than %zu could: use an odd "
		    "number",
		    count, spare, count - 1);
	}
}

static bool tells_time(const struct survey_node *node)
{
	return survey_is_connected(node) && !(node->unseen & REDLOCK_UNSEEN_CLOCK);
}

/* How far ahead the clock in the middle is; which of two is wrong, nobody knows. */
static int64_t middle_clock_ms(const struct survey *survey)
{
	int64_t clocks[REDLOCK_NODES_MAX];
	size_t count = 0;
	for (size_t i = 0; i < survey->node_count; i++) {
		int64_t ms = survey->nodes[i].clock_ahead_ms;
		if (!tells_time(&survey->nodes[i])) {
			continue;
		}
		size_t at = count++;
		for (; at > 0 && clocks[at - 1] > ms; at--) {
			clocks[at] = clocks[at - 1];
		}
		clocks[at] = ms;
	}
	return count == 0 ? 0 : clocks[(count - 1) / 2];
}

static void look_at_clock(struct warnings *warnings, const struct survey *survey,
			  const struct survey_node *node)
{
	int64_t off_ms = tells_time(node) ? node->clock_ahead_ms - middle_clock_ms(survey) : 0;
	int64_t far_ms = off_ms < 0 ? -off_ms : off_ms;
	if (far_ms >= CLOCK_FAR_MS) {
		add(warnings, node->address,
		    "its clock is %.0f s %s the others': let NTP slew it; a step ends leases "
		    "early, or late",
		    (double)far_ms / 1000, off_ms < 0 ? "behind" : "ahead of");
	}
}

static void look_at_guard(struct warnings *warnings, const struct survey_node *node)
{
	if (node->guard_ms == 0 || node->state == REDLOCK_NODE_BARRED) {
		return;
	}
	char when[32] = "?";
	time_t until = time(NULL) + (time_t)((node->guard_ms + 999) / 1000);
	struct tm parts;
	if (localtime_r(&until, &parts) != NULL) {
		strftime(when, sizeof when, "%H:%M:%S", &parts);
	}
	add(warnings, node->address,
	    "does not vote until %s (%.1f s): it is new, or restarted and may have forgotten "
	    "leases; wait",
	    when, (double)node->guard_ms / 1000);
}

static void look_at_role(struct warnings *warnings, const struct survey *survey,
			 const struct survey_node *node)
{
	if (strcmp(node->role, "replica") == 0) {
		add(warnings, node->address,
		    "is a replica, which never votes: list a master instead");
	}
	if (node->same_as > 0 && node->same_as <= survey->node_count) {
		add(warnings, node->address,
		    "is the same server as %s, and has no vote of its own: list each server once",
		    survey->nodes[node->same_as - 1].address);
	}
}

/* One that serves no slots ends our log-in, but has told this before. */
static void look_at_mode(struct warnings *warnings, const struct survey_node *node)
{
	if (strcmp(node->mode, "cluster") == 0) {
		add(warnings, node->address,
		    "runs in cluster mode: use masters that share nothing (cluster-enabled no)");
	}
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void look_at_eviction(struct warnings *warnings, const struct survey_node *node)
{
	/* Locks have an end: that makes them prey for volatile-*, too. */
	if (starts_with(node->eviction, "allkeys-") || starts_with(node->eviction, "volatile-")) {
		add(warnings, node->address,
		    "maxmemory-policy %s may delete locks: CONFIG SET maxmemory-policy noeviction",
		    node->eviction);
	}
}

static void look_at_rights(struct warnings *warnings, const struct survey_node *node)
{
	bool process = node->unseen & REDLOCK_UNSEEN_PROCESS;
	bool eviction = node->unseen & REDLOCK_UNSEEN_EVICTION;
	if (process || eviction) {
		add(warnings, node->address, "cannot see whether it %s%s%s: allow its user +info",
		    process ? "came back from an old copy, or is listed twice" : "",
		    process && eviction ? ", or " : "", eviction ? "may delete locks" : "");
	}
	if (node->unseen & REDLOCK_UNSEEN_DISK) {
		add(warnings, node->address,
		    "cannot see whether it writes every change to disk, so it does not vote for a "
		    "while after a restart: allow its user +config|get");
	}
	if ((node->unseen & REDLOCK_UNSEEN_CLOCK) && node->state != REDLOCK_NODE_BARRED) {
		add(warnings, node->address,
		    "cannot see its clock: allow its user +time and +eval");
	}
}

void warnings_find(struct warnings *warnings, const struct survey *survey)
{
	warnings->count = 0;
	look_at_number(warnings, survey);
	for (size_t i = 0; i < survey->node_count; i++) {
		const struct survey_node *node = &survey->nodes[i];
		look_at_mode(warnings, node);
		if (!survey_is_connected(node)) {
			continue;
		}
		look_at_role(warnings, survey, node);
		look_at_guard(warnings, node);
		look_at_eviction(warnings, node);
		look_at_clock(warnings, survey, node);
		look_at_rights(warnings, node);
	}
}
