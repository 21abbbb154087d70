/* timers.c - a pairing heap: arming is O(1), so that arming a deadline for each
 * round costs nothing next to sending it; no memory of its own.
 *
 * "The Pairing Heap: A New Form of Self-Adjusting Heap", Fredman et al., 1986. */
#include "timers.h"

#include <stddef.h>

#include "ports.h"

static struct rlk_timer *meld(struct rlk_timer *a, struct rlk_timer *b)
{
	struct rlk_timer *swap;

	if (a == NULL) {
		return b;
	}
	if (b == NULL) {
		return a;
	}
	if (b->at_us < a->at_us) {
		swap = a;
		a = b;
		b = swap;
	}
	b->sibling = a->child;
	if (b->sibling != NULL) {
		b->sibling->back = b;
	}
	b->back = a;
	a->child = b;
	a->sibling = NULL;
	a->back = NULL;
	return a;
}

/* Meld a list of siblings in pairs, then the pairs from the last to the first. */
static struct rlk_timer *meld_siblings(struct rlk_timer *first)
{
	struct rlk_timer *pairs = NULL, *a, *b, *rest, *heap = NULL;

	for (; first != NULL; first = rest) {
		a = first;
		b = a->sibling;
		rest = b == NULL ? NULL : b->sibling;
		a->sibling = a->back = NULL;
		if (b != NULL) {
			b->sibling = b->back = NULL;
		}
		a = meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	for (; pairs != NULL; pairs = rest) {
		rest = pairs->sibling;
		pairs->sibling = NULL;
		heap = meld(heap, pairs);
	}
	return heap;
}

void rlk_timer_stop(struct rlk_timers *timers, struct rlk_timer *timer)
{
	struct rlk_timer *rest;

	if (!timer->armed) {
		return;
	}
	timer->armed = false;
	rest = meld_siblings(timer->child);
	timer->child = NULL;
	if (timers->root == timer) {
		timers->root = rest;
	} else {
		if (timer->back->child == timer) {
			timer->back->child = timer->sibling;
		} else {
			timer->back->sibling = timer->sibling;
		}
		if (timer->sibling != NULL) {
			timer->sibling->back = timer->back;
		}
		timers->root = meld(timers->root, rest);
	}
	timer->sibling = timer->back = NULL;
}

void rlk_timer_set(struct rlk_timers *timers, struct rlk_timer *timer, uint64_t at_us)
{
	if (timer->armed && timer->at_us == at_us) {
		return;
	}
	rlk_timer_stop(timers, timer);
	timer->at_us = at_us;
	timer->armed = true;
	timers->root = meld(timers->root, timer);
}

uint64_t rlk_timers_next_us(const struct rlk_timers *timers)
{
	return timers->root == NULL ? RLK_NEVER : timers->root->at_us;
}

void rlk_timers_run(struct rlk_timers *timers, uint64_t now_us)
{
	while (timers->root != NULL && timers->root->at_us <= now_us) {
		struct rlk_timer *timer = timers->root;
		rlk_timer_stop(timers, timer);
		timer->fire(timer, now_us);
	}
}
