/* judge.c - what must hold at every moment, whatever has happened.
 *
 *   1. No two locks hold a valid lease on one resource.
 *   2. As long as no node has lost data, a valid lease has its key on a quorum.
 *   3. The leases on a resource begin in the order of their fencing tokens.
 *   4. Every operation that was started is told once, and told what is true.
 *   5. Who loses a lease is told so before it ends. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/lease.h"
#include "sim.h"

/* ---- Leases ---------------------------------------------------------------------------------- */

static uint64_t *last_fence(struct sim *sim, const char *resource)
{
	unsigned i;

	for (i = 0; i < SIM_KEYS_MAX; i++) {
		if (sim->fences[i].resource[0] == '\0') {
			snprintf(sim->fences[i].resource, SIM_NAME_MAX, "%s", resource);
		}
		if (strcmp(sim->fences[i].resource, resource) == 0) {
			return &sim->fences[i].last;
		}
	}
	sim_fail(sim, "too many names");
}

static void check_fence(const struct sim_lock *lock)
{
	struct sim *sim = lock->client->sim;
	uint64_t fence = lock->core->attempt->fence, *last = last_fence(sim, lock->resource);

	if (fence == 0) {
		return;
	}
	if (fence <= *last) {
		sim_fail(sim, "client %u won %s with fencing token %" PRIu64 " after %" PRIu64,
			 lock->client->index, lock->resource, fence, *last);
	}
	*last = fence;
}

static void begin(struct sim_lock *lock)
{
	lock->client->sim->leases++;
	lock->held_since_asked = true;
	if (!sim_held(lock) && lock->core->config.max_hold_ms == 0) {
		sim_fail(lock->client->sim, "client %u won %s when it was over already",
			 lock->client->index, lock->resource);
	}
	check_fence(lock);
}

/* The alarm has had its time to end the lease. */
static void check_over(const struct sim_lock *lock, uint64_t until_us)
{
	const struct sim_client *client = lock->client;

	if (!client->paused && until_us != 0 && sim_client_now(client) > until_us + 1000 &&
	    client->resumed_us + 1000 < until_us && lock->last_seen_us < until_us) {
		sim_fail(client->sim, "client %u does not notice the end of its lease on %s",
			 client->index, lock->resource);
	}
}

static void check_keys(const struct sim_lock *lock)
{
	struct sim *sim = lock->client->sim;
	const struct rlk_attempt *attempt = lock->core->attempt;
	unsigned n = sim_keys_with(sim, lock->resource, attempt->token, attempt->token_len);

	if (!sim->forgot && n < lock->client->cluster.quorum) {
		sim_fail(sim, "client %u holds %s as %.4s with its key on %u of %u nodes",
			 lock->client->index, lock->resource, attempt->token, n, sim->node_count);
	}
}

static void look(struct sim_lock *lock)
{
	uint64_t until_us = atomic_load(&lock->core->valid_until_us);

	if (until_us != 0 && lock->seen_until_us == 0) {
		begin(lock);
	}
	if (until_us != 0 && until_us != lock->seen_until_us) {
		lock->last_until_us = until_us;
		lock->last_seen_us = sim_client_now(lock->client);
	}
	lock->seen_until_us = until_us;
	check_over(lock, until_us);
}

static void check_pair(struct sim *sim, const struct sim_lock *a, const struct sim_lock *b)
{
	if (strcmp(a->resource, b->resource) != 0) {
		return;
	}
	sim->overlaps++;
	if (!sim->loose) {
		sim_fail(sim, "clients %u and %u both hold %s", b->client->index, a->client->index,
			 a->resource);
	}
}

void sim_judge(struct sim *sim)
{
	struct sim_lock *lock;
	const struct sim_lock *holders[64];
	unsigned i, n = 0;

	for (lock = sim->locks; lock != NULL; lock = lock->next) {
		if (lock->core == NULL) {
			continue;
		}
		look(lock);
		if (!sim_held(lock)) {
			continue;
		}
		for (i = 0; i < n; i++) {
			check_pair(sim, holders[i], lock);
		}
		if (!sim->loose) {
			check_keys(lock);
		}
		if (n == 64) {
			sim_fail(sim, "too many holders");
		}
		holders[n++] = lock;
	}
}

/* ---- News ------------------------------------------------------------------------------------ */

static void check_in_time(const struct sim_lock *lock)
{
	const struct sim_client *client = lock->client;

	/* A holding that may only last for a moment can be over when it is won. */
	if (sim_client_now(client) > lock->last_until_us &&
	    rlk_later(lock->last_seen_us, 3000) < lock->last_until_us &&
	    rlk_later(client->resumed_us, 3000) < lock->last_until_us) {
		sim_fail(client->sim, "client %u is told too late that it lost %s", client->index,
			 lock->resource);
	}
}

void sim_judge_told(struct sim_lock *lock, enum rlk_news news, int status)
{
	struct sim *sim = lock->client->sim;

	if (news == RLK_LOST || news == RLK_AT_RISK) {
		if (lock->freed) {
			sim_fail(sim, "news of a lease that was let go of");
		}
		if (news == RLK_LOST && status == REDLOCK_EEXPIRED) {
			check_in_time(lock);
		}
		return;
	}
	if (lock->pending[news] == 0) {
		sim_fail(sim, "client %u is told of operation %d that it did not start",
			 lock->client->index, (int)news);
	}
	lock->pending[news]--;
	if (news == RLK_ACQUIRED && status == 0 && !lock->held_since_asked) {
		sim_fail(sim, "client %u is told that it has %s, which it has not",
			 lock->client->index, lock->resource);
	}
}
