/* spares.c - memory of requests and attempts is used again, and after a crowd given back.
 *
 * A client that has released ten thousand locks at once had fifty thousand
 * requests under way, and will hardly need them all again. So as long as there
 * are more than a few, what is to spare beyond those few is looked at every
 * second, and given back in portions. Taking and putting back is nothing more
 * than a list: all the counting is done where memory is asked for. */
#include "spares.h"

#include <limits.h>

#include "attempt.h"
#include "cluster.h"
#include "lease.h"

/* So many of each kind stay. */
#define REQUESTS_KEPT 1024
#define ATTEMPTS_KEPT 256
#define SPARES_LOOK_US 1000000
/* At most so many are given back at once; if there are more, soon again. */
#define PORTION 2048
#define SPARES_SOON_US 50000

static void look_in(struct rlk_cluster *cluster, uint64_t us)
{
	if (!cluster->spares.alarm.armed) {
		rlk_timer_set(&cluster->timers, &cluster->spares.alarm,
			      rlk_later(rlk_now(cluster), us));
	}
}

static bool is_much(const struct rlk_spares *spares)
{
	return spares->request_count > REQUESTS_KEPT || spares->attempt_count > ATTEMPTS_KEPT;
}

void *rlk_spares_grow(struct rlk_cluster *cluster, size_t size, unsigned *count)
{
	void *block = cluster->ports->alloc(cluster->world, size);

	if (block != NULL) {
		++*count;
		if (is_much(&cluster->spares)) {
			look_in(cluster, SPARES_LOOK_US);
		}
	}
	return block;
}

/* All but the first ones, which were used last, @most of them; returns how many. */
static unsigned trim_requests(struct rlk_cluster *cluster, unsigned kept, unsigned most)
{
	struct rlk_request **at = &cluster->spares.requests, *request;
	unsigned i, freed = 0;

	for (i = 0; i < kept && *at != NULL; i++) {
		at = &(*at)->next;
	}
	while ((request = *at) != NULL && freed < most) {
		*at = request->next;
		cluster->ports->free(cluster->world, request);
		freed++;
	}
	cluster->spares.request_count -= freed;
	return freed;
}

static unsigned trim_attempts(struct rlk_cluster *cluster, unsigned kept, unsigned most)
{
	struct rlk_attempt **at = &cluster->spares.attempts, *attempt;
	unsigned i, freed = 0;

	for (i = 0; i < kept && *at != NULL; i++) {
		at = &(*at)->next_spare;
	}
	while ((attempt = *at) != NULL && freed < most) {
		*at = attempt->next_spare;
		cluster->ports->free(cluster->world, attempt);
		freed++;
	}
	cluster->spares.attempt_count -= freed;
	return freed;
}

static void on_alarm(struct rlk_timer *timer, uint64_t now_us)
{
	struct rlk_cluster *cluster =
		(struct rlk_cluster *)((char *)timer - offsetof(struct rlk_cluster, spares.alarm));
	unsigned requests = trim_requests(cluster, REQUESTS_KEPT, PORTION);
	unsigned attempts = trim_attempts(cluster, ATTEMPTS_KEPT, PORTION);

	(void)now_us;
	if (is_much(&cluster->spares)) {
		look_in(cluster, requests == PORTION || attempts == PORTION ? SPARES_SOON_US
									    : SPARES_LOOK_US);
	}
}

void rlk_spares_init(struct rlk_cluster *cluster)
{
	cluster->spares.alarm.fire = on_alarm;
}

void rlk_spares_stop(struct rlk_cluster *cluster)
{
	rlk_timer_stop(&cluster->timers, &cluster->spares.alarm);
}

void rlk_spares_free(struct rlk_cluster *cluster)
{
	rlk_spares_stop(cluster);
	trim_requests(cluster, 0, UINT_MAX);
	trim_attempts(cluster, 0, UINT_MAX);
}
