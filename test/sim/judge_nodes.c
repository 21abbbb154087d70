/* judge_nodes.c - what the nodes have promised, and what is left on them.
 *
 *   1. No vote counts of a node that had promised the resource to another for as long, whether it
 *      remembers that or not; nor of one that has forgotten lately whether it had.
 *   2. Every key on a node is somebody's: a lease's, or one that its client will give back.
 *   3. Where a client believes that it has set nothing, it has not, and will not.
 *   4. Where somebody stands in line, there is word of it.
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
	return word->until_ms != 0 && word->token_len == len &&
	       memcmp(word->token, token, len) == 0;
}

/* May a node give both at a time? */
static bool go_together(const struct sim_word *a, const struct sim_word *b)
{
	return a->shared && b->shared;
}

static struct sim_word *first_to_end(struct sim_word *words, unsigned count)
{
	struct sim_word *first = words;
	unsigned i;

	for (i = 1; i < count; i++) {
		if (words[i].until_ms < first->until_ms) {
			first = &words[i];
		}
	}
	return first;
}

/* NULL: it has none. */
static struct sim_word *word_to(struct sim_word *words, unsigned count, const char *token,
				size_t len)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		if (is_to(&words[i], token, len)) {
			return &words[i];
		}
	}
	return NULL;
}

/* The one that ends first makes room. */
static void forget(struct sim_promise *promise, const struct sim_word *word)
{
	struct sim_word *first = first_to_end(promise->forgotten, SIM_WORDS);

	if (word->until_ms > first->until_ms) {
		*first = *word;
	}
}

/* The word as it is now, for this vote: a new one, or one that it had given, or had forgotten. */
static struct sim_word renewed(struct sim_promise *promise, const struct sim_command *command,
			       unsigned run)
{
	struct sim_word word = {.shared = command->shared, .since_run = run}, *known;

	known = word_to(promise->given, SIM_READERS, command->token, command->token_len);
	if (known == NULL) {
		known = word_to(promise->forgotten, SIM_WORDS, command->token, command->token_len);
	}
	if (known != NULL) {
		word = *known;
		known->until_ms = 0; /* That one goes on. */
	}
	memcpy(word.token, command->token, command->token_len);
	word.token_len = command->token_len;
	return word;
}

/* What it had promised to others, and cannot have promised beside this, it has forgotten. */
static void take_back(struct sim_promise *promise, const struct sim_word *word, uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < SIM_READERS; i++) {
		struct sim_word *other = &promise->given[i];
		if (go_together(other, word)) {
			continue;
		}
		if (other->until_ms > now_ms) {
			forget(promise, other);
		}
		other->until_ms = 0;
	}
}

static void end_words(struct sim_word *words, unsigned count, uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		if (words[i].until_ms <= now_ms) {
			words[i].until_ms = 0;
		}
	}
}

/* What has ended by its clock is over for good, wherever the clock is set to afterwards. */
void sim_nodes_looked(struct sim *sim, struct sim_server *server, const struct sim_command *command)
{
	struct sim_promise *promise = promise_of(sim, server, command);
	uint64_t now_ms = sim_clock_read(sim, &server->clock) / 1000;

	end_words(promise->forgotten, SIM_WORDS, now_ms);
	end_words(promise->given, SIM_READERS, now_ms);
}

static uint64_t broken_until_us(const struct sim *sim, const struct sim_promise *promise,
				const struct sim_word *word, uint64_t now_ms)
{
	uint64_t until_us = 0;
	unsigned i;

	for (i = 0; i < SIM_WORDS; i++) {
		const struct sim_word *other = &promise->forgotten[i];
		uint64_t left_us = rlk_us(rlk_until(other->until_ms, now_ms));
		if (left_us != 0 && !go_together(other, word) && sim->now_us + left_us > until_us) {
			until_us = sim->now_us + left_us;
		}
	}
	return until_us;
}

void sim_nodes_voted(struct sim *sim, struct sim_server *server, const struct sim_command *command,
		     uint64_t until_ms)
{
	struct sim_promise *promise = promise_of(sim, server, command);
	uint64_t now_ms = sim_clock_read(sim, &server->clock) / 1000;
	struct sim_word word;

	word = renewed(promise, command, server->runs);
	take_back(promise, &word, now_ms);
	word.until_ms = until_ms;
	word.broken_until_us = broken_until_us(sim, promise, &word, now_ms);
	*first_to_end(promise->given, SIM_READERS) = word;
}

void sim_nodes_released(struct sim *sim, struct sim_server *server,
			const struct sim_command *command)
{
	struct sim_word *word = word_to(promise_of(sim, server, command)->given, SIM_READERS,
					command->token, command->token_len);

	if (word != NULL) {
		word->until_ms = 0;
	}
}

static void check_vote(const struct sim_lock *lock, const struct sim_resource *about, unsigned node)
{
	const struct sim_client *client = lock->client;
	struct sim *sim = client->sim;
	const struct rlk_attempt *attempt = lock->core->attempt;
	struct sim_server *server = &sim->servers[client->route[node]];
	const struct sim_word *word = word_to(server->promises[about - sim->resources].given,
					      SIM_READERS, attempt->token, attempt->token_len);

	if (word == NULL) {
		return;
	}
	/* A vote that is heard of when what was forgotten is over does no harm. */
	if (sim->now_us < word->broken_until_us) {
		sim_fail(sim, "client %u counts node %u, which had promised %s to another",
			 client->index, node, about->name);
	}
	if (server->lost_us != 0 &&
	    sim->now_us < server->lost_us + rlk_us(sim->config.max_ttl_ms) &&
	    word->since_run > server->lost_run) {
		sim_fail(sim, "client %u counts node %u, which may have promised %s", client->index,
			 node, about->name);
	}
}

static void check_counted(const struct sim_lock *lock, const struct sim_resource *about)
{
	const struct sim *sim = lock->client->sim;
	unsigned i;

	for (i = 0; i < sim->node_count; i++) {
		if ((lock->core->round.yes >> i & 1) != 0) {
			check_vote(lock, about, i);
		}
	}
}

void sim_nodes_counted(const struct sim_lock *lock)
{
	const struct sim *sim = lock->client->sim;
	unsigned i;

	if (sim->loose || !sim->config.guard || sim->config.durable) {
		return;
	}
	for (i = 0; i < lock->about_count; i++) {
		check_counted(lock, lock->about[i]);
	}
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* Does the key of that resource live as long as the lease? */
static bool has_lasting_key(const struct sim_server *server, const struct sim_lock *lock,
			    const char *resource)
{
	const struct rlk_attempt *attempt = lock->core->attempt;
	const struct sim_key *key;
	uint64_t at_us;
	unsigned i;

	for (i = 0; i < SIM_KEYS_MAX; i++) {
		key = &server->data.keys[i];
		if (key->name_len != 0 && strcmp(key->name, resource) == 0) {
			at_us = sim_clock_at(&server->clock, lock->leases[0].until_us - 1);
			return at_us / 1000 <
			       sim_key_until_ms(key, attempt->token, attempt->token_len);
		}
	}
	return false;
}

bool sim_nodes_have(const struct sim_server *server, const struct sim_lock *lock)
{
	const struct sim *sim = lock->client->sim;
	uint64_t memory_us = 2000 * (uint64_t)sim->config.max_ttl_ms;
	unsigned i;

	if (server->lost_us != 0 && server->lost_us + memory_us > sim->now_us) {
		return true;
	}
	for (i = 0; i < lock->about_count; i++) {
		if (!has_lasting_key(server, lock, lock->about[i]->name)) {
			return false;
		}
	}
	return true;
}

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

/* No bytes of a dead connection are waited for longer than what they set can live. */
static bool is_waited_for(const struct sim_conn *conn, uint32_t ttl_ms)
{
	return conn->ended_us == 0 || conn->sim->now_us < conn->ended_us + rlk_us(ttl_ms);
}

void sim_nodes_set(const struct sim_conn *conn, const struct sim_command *command)
{
	const struct sim_client *client = conn->client;
	const struct sim *sim = client->sim;

	/* A caller's own token may be another program's by now. */
	if (command->token_len == RLK_TOKEN_LEN && !client->stopped &&
	    is_waited_for(conn, command->ttl_ms) && !is_owned(client, conn->node, command->token)) {
		sim_fail(sim, "client %u has a key set on node %u, and will not give it back",
			 client->index, conn->node);
	}
}

/* As a key that it has asked for: it knows that it may be set, for as long as one can live. */
void sim_nodes_kept(struct sim *sim, const struct sim_server *server, const struct sim_place *place)
{
	const struct sim_client *client = sim_client_of(sim, place->caller);
	unsigned i;

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

void sim_nodes_given_back(const struct sim *sim, const struct sim_server *server,
			  const struct sim_key *key)
{
	uint64_t now_ms = sim_clock_read(sim, &server->clock) / 1000;

	if (key->places > 0 && key->line_dies_ms > now_ms && key->wait_dies_ms <= now_ms) {
		sim_fail(sim, "node %u forgets that somebody waits", server->index);
	}
}

static bool is_coming(const struct sim_client *client, unsigned node,
		      const struct rlk_attempt *attempt)
{
	const struct sim_conn *conn;

	for (conn = client->sim->conns; conn != NULL; conn = conn->next) {
		if (conn->client == client && conn->node == node && !conn->dead &&
		    is_waited_for(conn, attempt->longest_ms) &&
		    sim_queue_sets(&conn->to_server, attempt->token, attempt->token_len)) {
			return true;
		}
	}
	return false;
}

static bool has_key_of(struct sim *sim, unsigned node, const struct rlk_part *part,
		       const struct rlk_attempt *attempt)
{
	char name[SIM_NAME_MAX] = "";
	const struct sim_key *key;

	memcpy(name, part->bytes, part->len);
	key = sim_key(sim, node, name);
	return key != NULL && sim_key_until_ms(key, attempt->token, attempt->token_len) >
				      sim_clock_read(sim, &sim->servers[node].clock) / 1000;
}

void sim_nodes_extended(const struct sim_client *client, unsigned node,
			const struct rlk_attempt *attempt)
{
	struct sim *sim = client->sim;
	struct rlk_part part = {0};
	bool has;

	if (attempt->claims[node].state != RLK_CLAIM_NONE || attempt->token_len != RLK_TOKEN_LEN ||
	    sim->forgot || client->led_astray || sim->servers[node].lost_us != 0) {
		return;
	}
	has = is_coming(client, node, attempt);
	while (rlk_part_next(attempt->name, &part) && !has) {
		has = has_key_of(sim, node, &part, attempt);
	}
	if (has) {
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
