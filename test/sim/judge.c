/* judge.c - what must hold at every moment, whatever has happened.
 *
 *   1. No two locks hold a valid lease on one resource, unless both are readers.
 *   2. A valid lease has its key on a quorum, and there it outlives the lease; nodes that have lost
 *      data lately are given the benefit of the doubt.
 *   3. The leases on a resource begin in the order of their fencing tokens.
 *   4. Every operation that was started is told once, and told what is true.
 *   5. Who loses a lease is told so before it ends.
 *
 * To look at everything after every event would cost more than all the rest. A
 * lease can only come to overlap with another when one of them changes, which
 * only the core of its client can bring about; and its keys can only come to be
 * too few when the lease changes, or a key, or a node's clock or data. At these
 * doors the judge stands. With sim->thorough he looks at everything after every
 * event, and must come to the same end. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/lease.h"
#include "judge.h"

/* The longest that a loop takes from going on to its turn, by a clock that may run fast. */
#define LAZY_US 1100

struct sim_resource *sim_resource(struct sim *sim, const char *name)
{
	unsigned i;

	for (i = 0; i < SIM_KEYS_MAX; i++) {
		if (sim->resources[i].name[0] == '\0') {
			snprintf(sim->resources[i].name, SIM_NAME_MAX, "%s", name);
		}
		if (strcmp(sim->resources[i].name, name) == 0) {
			return &sim->resources[i];
		}
	}
	sim_fail(sim, "too many names");
}

/* ---- What a lease needs ---------------------------------------------------------------------- */

static void check_fence(const struct sim_lock *lock)
{
	struct sim *sim = lock->client->sim;
	uint64_t fence = lock->core->attempt->fence, *last = &lock->about[0]->last_fence;

	if (fence == 0) {
		return;
	}
	if (fence <= *last) {
		sim_fail(sim, "client %u won %s with fencing token %" PRIu64 " after %" PRIu64,
			 lock->client->index, lock->resource, fence, *last);
	}
	sim->tally.fences++;
	*last = fence;
}

static void check_keys(const struct sim_lock *lock)
{
	struct sim *sim = lock->client->sim;
	unsigned i, n = 0;

	if (lock->core == NULL || atomic_load(&lock->core->valid_until_us) != lock->seen_until_us) {
		sim_fail(sim, "the judge has missed what became of a lease on %s", lock->resource);
	}
	if (sim->forgot || sim->loose) {
		return;
	}
	for (i = 0; i < sim->node_count; i++) {
		n += sim_nodes_have(&sim->servers[i], lock);
	}
	if (n < lock->client->cluster.quorum) {
		sim_fail(sim, "client %u holds %s as %.4s with its key on %u of %u nodes",
			 lock->client->index, lock->resource, lock->core->attempt->token, n,
			 sim->node_count);
	}
}

static bool is_over(const struct sim *sim, const struct sim_lease *lease)
{
	return lease->until_us <= sim->now_us;
}

static void check_alone(struct sim *sim, const struct sim_resource *about,
			const struct sim_lease *lease)
{
	const struct sim_lease *other;

	for (other = about->leases; other != NULL; other = other->next) {
		if (other == lease || is_over(sim, other) || (other->shared && lease->shared)) {
			continue;
		}
		sim->overlaps++;
		if (!sim->loose) {
			sim_fail(sim, "clients %d and %d both hold %s (-1: one of another library)",
				 other->lock == NULL ? -1 : (int)other->lock->client->index,
				 lease->lock == NULL ? -1 : (int)lease->lock->client->index,
				 about->name);
		}
	}
}

/* ---- What has become of the leases ----------------------------------------------------------- */

static void put_down(struct sim_resource *about, struct sim_lease *lease)
{
	if (lease->prev != NULL) {
		lease->prev->next = lease->next;
	} else {
		about->leases = lease->next;
	}
	if (lease->next != NULL) {
		lease->next->prev = lease->prev;
	}
	lease->until_us = 0;
}

static void take_up(struct sim_resource *about, struct sim_lease *lease)
{
	lease->prev = NULL;
	lease->next = about->leases;
	if (lease->next != NULL) {
		lease->next->prev = lease;
	}
	about->leases = lease;
}

static void begin(struct sim_lock *lock)
{
	struct sim *sim = lock->client->sim;
	unsigned i;

	sim->tally.grants++;
	sim->tally.sets += lock->about_count > 1;
	sim->tally.handovers +=
		lock->about[0]->last_holder != NULL && lock->about[0]->last_holder != lock;
	lock->held_since_asked = true;
	if (!sim_held(lock) && lock->core->config.max_hold_ms == 0) {
		sim_fail(sim, "client %u won %s when it was over already", lock->client->index,
			 lock->resource);
	}
	check_fence(lock);
	for (i = 0; i < lock->about_count; i++) {
		lock->about[i]->last_holder = lock;
		lock->leases[i].lock = lock;
		lock->leases[i].shared = lock->core->config.shared;
	}
	sim->tally.reads += lock->leases[0].shared;
	sim->tally.together += lock->leases[0].shared && lock->about[0]->leases != NULL;
	for (i = 0; i < lock->about_count; i++) {
		take_up(lock->about[i], &lock->leases[i]);
	}
}

static void changed(struct sim_lock *lock, uint64_t until_us)
{
	struct sim *sim = lock->client->sim;
	unsigned i;

	if (lock->seen_until_us == 0) {
		begin(lock);
		sim_rules_begun(lock, until_us);
	} else {
		sim->tally.extends += until_us > lock->seen_until_us;
	}
	sim_rules_changed(lock, until_us);
	sim_nodes_counted(lock);
	sim_nodes_believed(lock);
	lock->seen_until_us = lock->last_until_us = until_us;
	lock->last_seen_us = sim_client_now(lock->client);
	for (i = 0; i < lock->about_count; i++) {
		lock->leases[i].until_us = sim_clock_when(&lock->client->clock, until_us);
	}
	if (is_over(sim, &lock->leases[0])) {
		return;
	}
	if (lock->leases[0].until_us + 1 < sim->watch_us) {
		sim->watch_us = lock->leases[0].until_us + 1;
	}
	for (i = 0; i < lock->about_count; i++) {
		check_alone(sim, lock->about[i], &lock->leases[i]);
	}
	check_keys(lock);
}

/* Until when it believes to have the lease. */
static uint64_t believes_us(const struct sim_lock *lock)
{
	return lock->handed_over ? 0 : atomic_load(&lock->core->valid_until_us);
}

void sim_judge(struct sim_client *client)
{
	struct sim_lock *lock;
	uint64_t until_us;
	bool any = false;
	unsigned i;

	/* First those that have ended: one may have made room for another. */
	for (lock = client->locks; lock != NULL; lock = lock->next_live) {
		until_us = believes_us(lock);
		if (until_us == lock->seen_until_us) {
			continue;
		}
		any = true;
		if (until_us == 0) {
			sim_rules_ended(lock);
			for (i = 0; i < lock->about_count; i++) {
				put_down(lock->about[i], &lock->leases[i]);
			}
			lock->seen_until_us = 0;
		}
	}
	for (lock = any ? client->locks : NULL; lock != NULL; lock = lock->next_live) {
		until_us = believes_us(lock);
		if (until_us != lock->seen_until_us) {
			changed(lock, until_us);
		}
	}
}

void sim_judge_foreign(struct sim *sim, struct sim_lease *lease, const char *resource,
		       uint64_t until_us)
{
	struct sim_resource *about = sim_resource(sim, resource);

	if (lease->until_us != 0) {
		put_down(about, lease);
	}
	if (until_us <= sim->now_us) {
		return;
	}
	sim->tally.foreign++;
	sim->tally.handovers += about->last_holder != NULL && about->last_holder != lease;
	about->last_holder = lease;
	lease->until_us = until_us;
	take_up(about, lease);
	check_alone(sim, about, lease);
}

void sim_judge_keys(struct sim *sim, const char *name, size_t name_len)
{
	const struct sim_lease *lease;
	unsigned i;

	for (i = 0; i < SIM_KEYS_MAX && sim->resources[i].name[0] != '\0'; i++) {
		if (strncmp(sim->resources[i].name, name, name_len) != 0 ||
		    sim->resources[i].name[name_len] != '\0') {
			continue;
		}
		for (lease = sim->resources[i].leases; lease != NULL; lease = lease->next) {
			if (lease->lock != NULL && !is_over(sim, lease)) {
				check_keys(lease->lock);
			}
		}
	}
}

/* The alarm has had its time to end the lease. */
void sim_judge_ends(struct sim *sim)
{
	const struct sim_lease *lease;
	const struct sim_client *client;
	unsigned i;

	sim->watch_us = RLK_NEVER;
	for (i = 0; i < SIM_KEYS_MAX; i++) {
		for (lease = sim->resources[i].leases; lease != NULL; lease = lease->next) {
			if (lease->lock == NULL) {
				continue;
			}
			client = lease->lock->client;
			if (lease->until_us >= sim->now_us) {
				sim->watch_us = lease->until_us + 1 < sim->watch_us
							? lease->until_us + 1
							: sim->watch_us;
			} else if (!client->paused &&
				   client->resumed_us + LAZY_US < lease->lock->seen_until_us) {
				sim_fail(sim,
					 "client %u does not notice the end of its lease on %s",
					 client->index, lease->lock->resource);
			}
		}
	}
}

/* ---- Everything ------------------------------------------------------------------------------ */

static bool claims(const struct sim_lock *lock)
{
	return sim_held(lock) && !lock->handed_over;
}

static bool meet(const struct sim_lock *a, const struct sim_lock *b)
{
	unsigned i, j;

	for (i = 0; i < a->about_count; i++) {
		for (j = 0; j < b->about_count; j++) {
			if (a->about[i] == b->about[j]) {
				return true;
			}
		}
	}
	return false;
}

static void check_pairs(const struct sim *sim, const struct sim_lock *lock)
{
	const struct sim_lock *other;

	for (other = lock->next; other != NULL; other = other->next) {
		if (claims(other) && meet(other, lock) && !sim->loose &&
		    !(other->leases[0].shared && lock->leases[0].shared)) {
			sim_fail(sim, "clients %u and %u both hold %s, unseen",
				 other->client->index, lock->client->index, lock->resource);
		}
	}
}

void sim_judge_all(struct sim *sim)
{
	struct sim_client *client;
	const struct sim_lock *lock;

	for (client = sim->clients; client != NULL; client = client->next) {
		sim_judge(client);
	}
	for (lock = sim->locks; lock != NULL; lock = lock->next) {
		if (claims(lock)) {
			check_pairs(sim, lock);
			check_keys(lock);
		}
	}
	sim_judge_ends(sim);
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
		sim_rules_told(lock, news, status);
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
