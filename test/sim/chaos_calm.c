/* chaos_calm.c - all is well again: who waits is served, everything is given back, and every lock
 * can be had. */
#include "chaos.h"

/* How far the nodes' clocks are apart. One whose clock is behind refuses for as long as that a
 * fencing token which is just not too far ahead for another. */
static uint64_t spread_ms(const struct sim *sim)
{
	uint64_t least_us = UINT64_MAX, most_us = 0, clock_us;
	unsigned i;

	for (i = 0; i < sim->node_count; i++) {
		clock_us = sim_clock_read(sim, &sim->servers[i].clock);
		least_us = clock_us < least_us ? clock_us : least_us;
		most_us = clock_us > most_us ? clock_us : most_us;
	}
	return (most_us - least_us) / 1000;
}

/* ---- Who waits is served ----------------------------------------------------------------------
 */

/* Of another process, which is there. */
static bool is_waiting(const struct sim_lock *lock)
{
	return lock->pending[RLK_ACQUIRED] > 0 && lock->endless && !lock->client->closing &&
	       !lock->client->killed;
}

static unsigned waiting(const struct chaos *chaos)
{
	unsigned i, n = 0;

	for (i = 0; i < chaos->slot_count; i++) {
		n += is_waiting(chaos->slots[i].lock);
	}
	return n;
}

void chaos_calm_told(struct sim_lock *lock, enum rlk_news news, int status)
{
	struct sim *sim = lock->client->sim;

	if (news != RLK_ACQUIRED || lock->freed || lock->client->closing || lock->client->killed) {
		return;
	}
	/* What went wrong before may be told now. */
	if (lock->endless && status != 0 && status != REDLOCK_ECANCELED &&
	    status != REDLOCK_ENOMEM && status != REDLOCK_EENTROPY) {
		sim_fail(sim, "client %u gives up its endless wait for %s: %s", lock->client->index,
			 lock->resource, redlock_strerror(status));
	}
	if (status == 0) {
		sim_release(lock, false);
	}
}

/* Within how long everybody who waits has had his turn, once nobody holds on to anything: the time
 * to give up a connection and to sweep for debts; where keys may have been left behind, their TTL,
 * and that of what is stray, and the restart guard; the spread of clocks; and two seconds each. */
static uint64_t bound_us(const struct chaos *chaos)
{
	/* Debts that may be stray stay for a TTL, and count as commands that are under way. */
	bool narrow = chaos->sim->config.max_in_flight < 1000;
	uint64_t left_us = chaos->patient && !narrow ? 0 : 4000 * (uint64_t)chaos->ttl_ms;

	return 8000000 + left_us + 2000 * spread_ms(chaos->sim) + 2000000 * waiting(chaos);
}

static void serve(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	uint64_t until_us = sim->now_us + bound_us(chaos);
	unsigned i;

	chaos->serving = true;
	for (i = 0; i < chaos->slot_count; i++) {
		if (!is_waiting(chaos->slots[i].lock)) {
			sim_release(chaos->slots[i].lock, true);
		}
	}
	while (waiting(chaos) > 0) {
		if (sim->now_us > until_us || !sim_step(sim)) {
			sim_fail(sim, "%u wait for ever, though all is well and nobody holds on",
				 waiting(chaos));
		}
	}
	chaos->serving = false;
}

/* ---- What is left -----------------------------------------------------------------------------
 */

static void let_go(struct chaos *chaos)
{
	unsigned i;

	for (i = 0; i < chaos->slot_count; i++) {
		sim_cancel(chaos->slots[i].lock);
		sim_release(chaos->slots[i].lock, true);
	}
}

static void check_lock(const struct sim *sim, const struct sim_lock *lock)
{
	unsigned news;

	if (lock->client->killed) {
		return;
	}
	if (lock->core != NULL && lock->core->state != RLK_IDLE) {
		sim_fail(sim, "a lock of client %u on %s stays in state %d", lock->client->index,
			 lock->resource, (int)lock->core->state);
	}
	for (news = 0; news < RLK_NEWS_KINDS; news++) {
		if (lock->pending[news] != 0) {
			sim_fail(sim, "client %u is not told of operation %u", lock->client->index,
				 news);
		}
	}
}

static void check_client(const struct sim *sim, const struct sim_client *client)
{
	const struct rlk_node *node;
	unsigned i;

	if (client->killed) {
		return;
	}
	if (client->closing && !client->stopped) {
		sim_fail(sim, "client %u does not close", client->index);
	}
	for (i = 0; i < sim->node_count; i++) {
		node = &client->nodes[i];
		if (node->debt_count != 0 || node->in_flight != 0) {
			sim_fail(sim, "client %u has %u debts and %u requests at node %u",
				 client->index, node->debt_count, node->in_flight, i);
		}
		if (!client->closing && node->state != RLK_UP) {
			sim_fail(sim, "client %u does not come back to node %u", client->index, i);
		}
	}
}

/* A reader without a key, which nobody would see. */
static bool is_reader_left(const struct sim *sim, unsigned node)
{
	const struct sim_server *server = &sim->servers[node];
	uint64_t now_ms = sim_clock_read(sim, &server->clock) / 1000;
	unsigned i, j;

	for (i = 0; i < SIM_KEYS_MAX; i++) {
		for (j = 0; j < server->data.keys[i].reader_count; j++) {
			if (server->data.keys[i].readers[j].ends_ms > now_ms) {
				return true;
			}
		}
	}
	return false;
}

static void check_keys(const struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	unsigned i, j;

	for (i = 0; i < sim->node_count; i++) {
		if (is_reader_left(sim, i)) {
			sim_fail(sim, "a reader is left on node %u", i);
		}
		for (j = 0; j < SIM_KEYS_MAX && sim->resources[j].name[0] != '\0'; j++) {
			if (sim_key(sim, i, sim->resources[j].name) != NULL) {
				sim_fail(sim, "a key for %s is left on node %u",
					 sim->resources[j].name, i);
			}
		}
	}
}

static void check_quiet(const struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	const struct sim_lock *lock;
	const struct sim_client *client;

	for (lock = sim->locks; lock != NULL; lock = lock->next) {
		check_lock(sim, lock);
	}
	for (client = sim->clients; client != NULL; client = client->next) {
		check_client(sim, client);
	}
}

/* One after the other, each can have its lock and give it back. */
static void check_alive(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	unsigned i;
	int status;

	for (i = 0; i < chaos->slot_count; i++) {
		struct sim_lock *lock = chaos->slots[i].lock;
		status = sim_acquired(lock, 10000 + 2 * spread_ms(sim));
		if (status != 0) {
			sim_fail(sim, "client %u cannot have %s: %s", lock->client->index,
				 lock->resource, redlock_strerror(status));
		}
		/* One that may only be held for a moment can be over by now. */
		status = sim_released(lock);
		if (status != 0 && chaos->slots[i].config.max_hold_ms == 0) {
			sim_fail(sim, "client %u cannot give %s back: %s", lock->client->index,
				 lock->resource, redlock_strerror(status));
		}
		sim_run(sim, 10 * chaos->pace_us / 1000);
	}
}

static void check_memory(const struct sim_client *client)
{
	const struct rlk_request *request;
	const struct rlk_attempt *attempt;
	long spare = 0;

	for (request = client->cluster.spares.requests; request != NULL; request = request->next) {
		spare++;
	}
	for (attempt = client->cluster.spares.attempts; attempt != NULL;
	     attempt = attempt->next_spare) {
		spare++;
	}
	if (!client->gone && !client->killed && client->blocks != spare) {
		sim_fail(client->sim, "client %u has %ld blocks in use", client->index,
			 client->blocks - spare);
	}
}

void chaos_calm(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	struct sim_client *client;
	struct sim_lock *lock;

	chaos->over = true;
	chaos_heal(chaos);
	chaos_foreigner_end(chaos);
	serve(chaos);
	let_go(chaos);
	/* Longer than it takes to give up a connection, and for a sweep to come round. Where the
	 * TTL is long, keys are gone by now only if they were given back. */
	sim_run(sim, 8000000);
	check_keys(chaos);
	/* Longer than any guard, and than what may be stray can live. */
	sim_run(sim, 3000 * (uint64_t)chaos->ttl_ms);
	check_quiet(chaos);
	check_alive(chaos);
	sim_run(sim, 2000000);
	for (lock = sim->locks; lock != NULL; lock = lock->next) {
		if (!lock->freed && !lock->client->killed) {
			sim_lock_free(lock);
		}
	}
	sim_run(sim, 1000000);
	for (client = sim->clients; client != NULL; client = client->next) {
		check_memory(client);
	}
}
