/* holder.c - who holds a resource, judged from what the nodes say; pure. */
#include "holder.h"

#include <inttypes.h>
#include <stdlib.h>

static size_t count_owned(const struct survey *survey, size_t owner)
{
	size_t count = 0;
	for (size_t i = 0; i < survey->node_count; i++) {
		count += survey->nodes[i].held && survey->nodes[i].owner == owner;
	}
	return count;
}

/* The owner with the most nodes is the one that most nodes' number names. */
static size_t find_leading(const struct survey *survey, size_t *nodes)
{
	size_t leading = 0;
	*nodes = 0;
	for (size_t i = 0; i < survey->node_count; i++) {
		size_t count = survey->nodes[i].held ? count_owned(survey, i) : 0;
		if (count > *nodes) {
			*nodes = count;
			leading = i;
		}
	}
	return leading;
}

/* Longest first; a key without end is longer than any. */
static int compare_ms(const void *a, const void *b)
{
	uint64_t left = (uint64_t) * (const int64_t *)a;
	uint64_t right = (uint64_t) * (const int64_t *)b;
	return (left < right) - (left > right);
}

/* The lease is over when its quorum-th longest key is. */
static int64_t quorum_left_ms(const struct survey *survey, size_t owner)
{
	int64_t left[REDLOCK_NODES_MAX];
	size_t count = 0;
	for (size_t i = 0; i < survey->node_count; i++) {
		if (survey->nodes[i].held && survey->nodes[i].owner == owner) {
			left[count++] = survey->nodes[i].remaining_ms;
		}
	}
	if (count < survey->quorum) {
		return -1;
	}
	qsort(left, count, sizeof *left, compare_ms);
	return left[survey->quorum - 1];
}

static void describe_held(struct holder *holder, const struct survey *survey)
{
	char left[48] = "without end";
	if (holder->remaining_ms >= 0) {
		snprintf(left, sizeof left, "%.1f s left", (double)holder->remaining_ms / 1000);
	}
	snprintf(holder->text, sizeof holder->text, "held by %s on %zu of %zu nodes, %s",
		 holder->owner, holder->nodes, survey->node_count, left);
}

static void describe(struct holder *holder, const struct survey *survey, size_t answers)
{
	char *text = holder->text;
	size_t size = sizeof holder->text;
	switch (holder->state) {
	case HOLDER_HELD:
		describe_held(holder, survey);
		break;
	case HOLDER_UNKNOWN:
		snprintf(text, size, "no quorum: %zu of %zu nodes answered, %zu needed", answers,
			 survey->node_count, survey->quorum);
		break;
	case HOLDER_SPLIT:
		snprintf(text, size, "held by nobody, but not free: %s has %zu of %zu nodes",
			 holder->owner, holder->nodes, survey->node_count);
		break;
	case HOLDER_FREE:
		if (holder->owner != NULL) {
			snprintf(text, size, "free (%s on %zu of %zu nodes)", holder->owner,
				 holder->nodes, survey->node_count);
		} else {
			snprintf(text, size, "free");
		}
		break;
	}
}

void holder_find(struct holder *holder, const struct survey *survey)
{
	size_t answers = 0;
	size_t empty = 0;
	*holder = (struct holder){.remaining_ms = -1};
	size_t leading = find_leading(survey, &holder->nodes);
	for (size_t i = 0; i < survey->node_count; i++) {
		answers += survey->nodes[i].answered;
		empty += survey->nodes[i].answered && !survey->nodes[i].held;
	}
	if (holder->nodes > 0) {
		holder->owner = survey->nodes[leading].owner_shown;
	}
	if (holder->nodes >= survey->quorum) {
		holder->state = HOLDER_HELD;
		holder->remaining_ms = quorum_left_ms(survey, leading);
	} else if (empty >= survey->quorum) {
		holder->state = HOLDER_FREE;
	} else {
		holder->state = answers >= survey->quorum ? HOLDER_SPLIT : HOLDER_UNKNOWN;
	}
	describe(holder, survey, answers);
}

const char *holder_state_name(enum holder_state state)
{
	static const char *const names[] = {"free", "held", "split", "unknown"};
	return names[state];
}
