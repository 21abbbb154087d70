/* news.c - callbacks, one at a time, when nothing else is on the stack.
 *
 * The core never calls its user from the middle of a decision: it notes the
 * news, and the driver has it delivered once the event is dealt with. So a
 * callback may do anything to any lock, free this one included. */
#include <assert.h>
#include <string.h>

#include "lock_parts.h"
#include "mutant.h"

void rlk_lock_news(struct rlk_lock *lock, enum rlk_news news, int status)
{
	struct rlk_cluster *cluster = lock->cluster;

	lock->news = (uint8_t)(lock->news | 1U << news);
	lock->status[news] = (int8_t)status;
	if (lock->in_news) {
		return;
	}
	lock->in_news = true;
	lock->next_news = NULL;
	if (cluster->news_tail != NULL) {
		cluster->news_tail->next_news = lock;
	} else {
		cluster->news = lock;
	}
	cluster->news_tail = lock;
}

bool rlk_lock_untold(const struct rlk_lock *lock, enum rlk_news news)
{
	return ((lock->news | lock->telling) & (1U << news)) != 0;
}

static void unlist(struct rlk_lock *lock)
{
	if (lock->prev != NULL) {
		lock->prev->next = lock->next;
	} else {
		lock->cluster->locks = lock->next;
	}
	if (lock->next != NULL) {
		lock->next->prev = lock->prev;
	}
}

static void bury(struct rlk_lock *lock)
{
	rlk_timer_stop(&lock->cluster->timers, &lock->alarm);
	unlist(lock);
	rlk_name_drop(lock->cluster, lock->name);
	memset(lock->ballots + lock->cluster->node_count, 0, lock->config.token_len);
	lock->user->gone(lock);
}

/* Returns whether there was anything to tell. */
static bool tell_all(struct rlk_lock *lock)
{
	int8_t status[RLK_NEWS_KINDS];
	bool told = lock->news != 0;
	unsigned news;

	/* Callbacks may cause more: that is for the next time. */
	lock->telling = lock->news;
	lock->news = RLK_MUTANT(TOLD_TWICE) ? lock->telling : 0;
	memcpy(status, lock->status, sizeof status);
	for (news = 0; news < RLK_NEWS_KINDS; news++) {
		if ((lock->telling & (1U << news)) == 0) {
			continue;
		}
		lock->telling = (uint8_t)(lock->telling & ~(1U << news));
		if (lock->freed && (news == RLK_AT_RISK || news == RLK_LOST) &&
		    !RLK_MUTANT(TOLD_AFTER_FREE)) {
			continue; /* Who has let go of a lease needs no news of it. */
		}
		if (lock->freed && status[news] == 0 && news != RLK_RELEASED) {
			status[news] = REDLOCK_ECANCELED; /* It is not so any more. */
		}
		lock->user->tell(lock, (enum rlk_news)news, status[news]);
	}
	return told;
}

bool rlk_cluster_deliver(struct rlk_cluster *cluster)
{
	struct rlk_lock *lock, *last = cluster->news_tail;
	bool told = false;

	/* Not until the list is empty: a callback that tries again at once, and
	 * fails at once, must not keep the loop from turning. */
	while ((lock = cluster->news) != NULL) {
		cluster->news = lock->next_news;
		if (cluster->news == NULL) {
			cluster->news_tail = NULL;
		}
		lock->in_news = false;
		lock->delivering = true;
		told |= tell_all(lock);
		lock->delivering = false;
		if (lock->freed && !lock->in_news) {
			bury(lock);
		}
		if (lock == last) {
			break;
		}
	}
	return told;
}

void rlk_lock_free(struct rlk_lock *lock)
{
	assert(!lock->freed);
	rlk_lock_end(lock, REDLOCK_ECANCELED);
	lock->freed = true;
	if (!lock->in_news && !lock->delivering) {
		bury(lock);
	}
}

void rlk_cluster_close(struct rlk_cluster *cluster)
{
	struct rlk_lock *lock;

	cluster->closing = true;
	for (lock = cluster->locks; lock != NULL; lock = lock->next) {
		rlk_lock_end(lock, REDLOCK_ECLOSED);
	}
}
