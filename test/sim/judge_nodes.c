/* judge_nodes.c - what the nodes have promised, and what is left on them.
 *
 *   1. No vote counts of a node that had promised the resource to another for as long, whether it
 *      remembers that or not; nor of one that has forgotten lately whether it had.
 *   2. Every key on a node is somebody's: a lease's, or one that its client will give back.
 *   3. Where a client believes that it has set nothing, it has not, and will not.
 *
 * The first is what the restart guard is for. Broken, it seldom does harm at
 * once: so the judge keeps a memory for each node that no crash erases. */
#include <string.h>

#include "core/attempt.h"
#include "core/lease.h"
#include "judge.h"
#include "message.h"

/* ---- Promises -------------------------------------------------------------------------------- */

static struct sim_promise *promise_of(struct sim *sim, struct sim_server *server,
				      const struct sim_command *command)
{
	char name[SIM_NAME_MAX] = "";

	memcpy(name, command->name, command->name_len);
	return &server->promises[sim_resource(sim, name) - sim->resources];
}

static bool is_to(const struct sim_word *word, const char *token, size_t len)
{
	return word->token_len == len && memcmp(word->token, token, len) == 0;
}

/* The one that ends first makes room. */
static void forget(struct sim_promise *promise, const struct sim_word *word)
{
	struct sim_word *first = &promise->forgotten[0];
	unsigned i;

	for (i = 1; i < SIM_WORDS; i++) {
		if (promise->forgotten[i].until_ms < first->until_ms) {
			first = &promise->forgotten[i];
		}
	}
	if (word->until_ms > first->until_ms) {
		*first = *word;
	}
}

/* What it forgot was to the same one as the vote: that one may go on. */
static bool recall(struct sim_promise *promise, const char *token, size_t len)
{
	unsigned i;

	for (i = 0; i < SIM_WORDS; i++) {
		struct sim_word *word = &promise->forgotten[i];
		if (word->until_ms != 0 && is_to(word, token, len)) {
			promise->given = *word;
			word->until_ms = 0;
			return true;
		}
	}
	return false;
}

static void give(struct sim_promise *promise, const struct sim_command *command, unsigned run,
		 uint64_t now_ms)
{
	struct sim_word last = promise->given;

	if (is_to(&last, command->token, command->token_len)) {
		if (last.until_ms <= now_ms) {
			promise->given.since_run = run;
		}
		return;
	}
	if (!recall(promise, command->token, command->token_len)) {
		memcpy(promise->given.token, command->token, command->token_len);
		promise->given.token_len = command->token_len;
		promise->given.since_run = run;
	}
	if (last.until_ms > now_ms) {
		forget(promise, &last);
	}
}

/* Over for good, wherever its clock is set to. */
static void end_forgotten(struct sim_promise *promise, uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < SIM_WORDS; i++) {
		if (promise->forgotten[i].until_ms <= now_ms) {
			promise->forgotten[i].until_ms = 0;
		}
	}
}

/* So is the last one, when its key is found dead and another's is set. */
static void end_promises(struct sim_promise *promise, uint64_t now_ms)
{
	end_forgotten(promise, now_ms);
	if (promise->given.until_ms <= now_ms) {
		promise->given.until_ms = 0;
	}
}

void sim_nodes_voted(struct sim *sim, struct sim_server *server, const struct sim_command *command,
		     uint64_t until_ms)
{
	struct sim_promise *promise = promise_of(sim, server, command);
	uint64_t now_ms = sim_clock_read(sim, &server->clock) / 1000;
	unsigned i;

	end_forgotten(promise, now_ms);
	give(promise, command, server->runs, now_ms);
	promise->given.until_ms = until_ms;
	promise->broken = false;
	for (i = 0; i < SIM_WORDS; i++) {
		promise->broken |= promise->forgotten[i].until_ms != 0;
	}
}

void sim_nodes_released(struct sim *sim, struct sim_server *server,
			const struct sim_command *command)
{
	struct sim_promise *promise = promise_of(sim, server, command);

	if (is_to(&promise->given, command->token, command->token_len)) {
		promise->given.until_ms = 0;
	}
}

void sim_nodes_counted(const struct sim_lock *lock)
{
	const struct sim_client *client = lock->client;
	const struct sim *sim = client->sim;
	const struct rlk_attempt *attempt = lock->core->attempt;
	const struct sim_promise *promise;
	const struct sim_server *server;
	uint64_t ttl_us = rlk_us(sim->config.max_ttl_ms);
	unsigned i;

	if (sim->loose || !sim->config.guard || sim->config.durable) {
		return;
	}
	for (i = 0; i < sim->node_count; i++) {
		promise = &sim->servers[client->route[i]].promises[lock->about - sim->resources];
		if ((lock->core->round.yes >> i & 1) == 0 ||
		    !is_to(&promise->given, attempt->token, attempt->token_len)) {
			continue;
		}
		if (promise->broken) {
			sim_fail(sim, "client %u counts node %u, which had promised %s to another",
				 client->index, i, lock->resource);
		}
		server = &sim->servers[client->route[i]];
		if (server->lost_us != 0 && sim->now_us < server->lost_us + ttl_us &&
		    promise->given.since_run > server->lost_run) {
			sim_fail(sim, "client %u counts node %u, which may have promised %s",
				 client->index, i, lock->resource);
		}
	}
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static bool is_attempts(const struct rlk_attempt *attempt, const char *token)
{
	return attempt->token_len == RLK_TOKEN_LEN &&
	       memcmp(attempt->token, token, RLK_TOKEN_LEN) == 0;
}

static bool is_owned(const struct sim_client *client, unsigned node, const char *token)
{
	const struct sim_lock *lock;
	const struct rlk_claim *debt;

	for (debt = client->nodes[node].debts; debt != NULL; debt = debt->next) {
		if (is_attempts(rlk_attempt_of(&client->nodes[node], debt), token)) {
			return true;
		}
	}
	for (lock = client->locks; lock != NULL; lock = lock->next_live) {
		const struct rlk_attempt *attempt = lock->core->attempt;
		if (attempt != NULL && is_attempts(attempt, token) &&
		    attempt->claims[node].state != RLK_CLAIM_NONE) {
			return true;
		}
	}
	return false;
}

void sim_nodes_set(const struct sim_conn *conn, const struct sim_command *command)
{
	const struct sim_client *client = conn->client;
	const struct sim *sim = client->sim;
	uint64_t late_us = conn->ended_us == 0 ? 0 : sim->now_us - conn->ended_us;

	/* A caller's own token may be another program's by now; and no bytes of a dead connection
	 * are waited for longer than what they set can live. */
	if (command->token_len == RLK_TOKEN_LEN && !client->stopped &&
	    late_us < rlk_us(command->ttl_ms) && !is_owned(client, conn->node, command->token)) {
		sim_fail(sim, "client %u has a key set on node %u, and will not give it back",
			 client->index, conn->node);
	}
}

static struct sim_client *client_of(const struct sim *sim, unsigned index)
{
	struct sim_client *client = sim->clients;

	while (client != NULL && client->index != index) {
		client = client->next;
	}
	return client;
}

/* As a key that it has asked for: it knows that it may be set, for as long as one can live. */
void sim_nodes_kept(struct sim *sim, struct sim_server *server, const struct sim_place *place,
		    const struct sim_command *command)
{
	const struct sim_client *client = client_of(sim, place->caller);
	unsigned i;

	end_promises(promise_of(sim, server, command), sim_clock_read(sim, &server->clock) / 1000);
	if (client == NULL || client->stopped || place->stray || sim->forgot ||
	    server->lost_us != 0 || client->led_astray ||
	    sim->now_us >= place->joined_us + rlk_us(place->ttl_ms)) {
		return;
	}
	for (i = 0; i < sim->node_count; i++) {
		if (client->route[i] == server->index && is_owned(client, i, place->token)) {
			return;
		}
	}
	sim_fail(sim, "node %u keeps a key for client %u, which does not want it any more",
		 server->index, place->caller);
}

static bool is_coming(const struct sim_client *client, unsigned node,
		      const struct rlk_attempt *attempt)
{
	const struct sim_conn *conn;

	for (conn = client->sim->conns; conn != NULL; conn = conn->next) {
		if (conn->client == client && conn->node == node && !conn->dead &&
		    sim_queue_sets(&conn->to_server, attempt->token, attempt->token_len)) {
			return true;
		}
	}
	return false;
}

void sim_nodes_extended(const struct sim_client *client, unsigned node,
			const struct rlk_attempt *attempt)
{
	struct sim *sim = client->sim;
	const struct sim_key *key;

	if (attempt->claims[node].state != RLK_CLAIM_NONE || attempt->token_len != RLK_TOKEN_LEN ||
	    sim->forgot || client->led_astray || sim->servers[node].lost_us != 0) {
		return;
	}
	key = sim_key(sim, node, attempt->name->bytes);
	if ((key != NULL && is_attempts(attempt, key->token)) || is_coming(client, node, attempt)) {
		sim_fail(sim, "client %u does not know that it has, or will have, a key on node %u",
			 client->index, node);
	}
}

void sim_nodes_believed(const struct sim_lock *lock)
{
	const struct rlk_attempt *attempt = lock->core->attempt;
	unsigned i;

	for (i = 0; attempt != NULL && i < lock->client->sim->node_count; i++) {
		sim_nodes_extended(lock->client, i, attempt);
	}
}
