/* judge_rules.c - what each client has to keep to, whether it does harm this time or not.
 *
 *   1. A wait ends when it was to end, and a lease that is won has enough left.
 *   2. A lease ends when its time is over or its holder lets go of it, and not before; it does not
 *      come to life again, nor last longer than it may be held.
 *   3. Who loses a lease was warned, once.
 *   4. Only who holds a lease gives its key back to a node; nothing is asked for that has been
 *      given back already.
 *   5. Nobody asks a node for its vote that may have forgotten another.
 *   6. A lease passes from lock to lock of one client neither often nor long, and a reader's not at
 *      all. */
#include <inttypes.h>
#include <string.h>

#include "core/attempt.h"
#include "core/lease.h"
#include "judge.h"

#define HANDS_MAX 16

void sim_rules_asked(struct sim_lock *lock, uint64_t wait_ms)
{
	/* The first attempt is finished, and made again for its fencing token, in any case. */
	uint64_t slack_us = rlk_us(5 * (uint64_t)lock->core->config.ttl_ms + 20);

	lock->rules.told_by_us =
		rlk_later(rlk_later(sim_client_now(lock->client), rlk_us(wait_ms)), slack_us);
}

void sim_rules_turn(const struct sim_client *client)
{
	const struct sim_lock *lock;
	uint64_t now_us = sim_client_now(client);

	for (lock = client->locks; lock != NULL; lock = lock->next_live) {
		if (lock->pending[RLK_ACQUIRED] > 0 && now_us > lock->rules.told_by_us &&
		    now_us > client->resumed_us + 20000) {
			sim_fail(client->sim, "client %u waits for %s for longer than it wanted to",
				 client->index, lock->resource);
		}
	}
}

/* ---- Leases ---------------------------------------------------------------------------------- */

static void check_enough(const struct sim_lock *lock, uint64_t until_us)
{
	const struct sim_client *client = lock->client;
	const struct rlk_lock_config *config = &lock->core->config;
	uint64_t least_us =
		rlk_us(config->ttl_ms) / 100 * client->cluster.config.min_validity_percent;

	if (config->max_hold_ms == 0 && lock->pending[RLK_ACQUIRED] > 0 &&
	    sim_client_now(client) + least_us > until_us) {
		sim_fail(client->sim, "client %u won %s with too little left of it", client->index,
			 lock->resource);
	}
}

/* The same token as the last holder's: the lease was handed on. */
static void check_hand(const struct sim_lock *lock, struct sim_chain *chain)
{
	const struct sim_client *client = lock->client;
	const struct sim *sim = client->sim;
	const struct rlk_attempt *attempt = lock->core->attempt;
	/* Measured by a clock of the client's, and perhaps put to the vote. */
	uint64_t most_us = rlk_us(lock->core->config.ttl_ms) / 4 * (lock->core->round.yes ? 9 : 5);

	if (chain->token_len != attempt->token_len ||
	    memcmp(chain->token, attempt->token, attempt->token_len) != 0) {
		memcpy(chain->token, attempt->token, attempt->token_len);
		chain->token_len = attempt->token_len;
		chain->hands = 0;
		chain->since_us = sim->now_us;
		return;
	}
	if (attempt->token_len != RLK_TOKEN_LEN) {
		return;
	}
	if (lock->leases[0].shared) {
		sim_fail(sim, "client %u hands a reader's lease on %s on", client->index,
			 lock->resource);
	}
	if (sim->now_us >= chain->until_us) {
		sim_fail(sim, "client %u goes on with a lease on %s that is over", client->index,
			 lock->resource);
	}
	if (++chain->hands > HANDS_MAX || sim->now_us > chain->since_us + most_us) {
		sim_fail(sim, "client %u keeps %s to itself: %u hands", client->index,
			 lock->resource, chain->hands);
	}
}

void sim_rules_begun(struct sim_lock *lock, uint64_t until_us)
{
	unsigned i;

	lock->rules.let_go = false;
	lock->rules.begun_us = sim_client_now(lock->client);
	check_enough(lock, until_us);
	for (i = 0; i < lock->about_count; i++) {
		check_hand(lock, &lock->about[i]->chain);
	}
}

void sim_rules_changed(struct sim_lock *lock, uint64_t until_us)
{
	const struct sim_client *client = lock->client;
	uint64_t most_ms = lock->core->config.max_hold_ms;
	unsigned i;

	if (lock->seen_until_us != 0 && sim_client_now(client) >= lock->seen_until_us) {
		sim_fail(client->sim, "client %u renews a lease on %s that is over", client->index,
			 lock->resource);
	}
	if (most_ms != 0 && until_us > lock->rules.begun_us + rlk_us(most_ms)) {
		sim_fail(client->sim, "client %u holds %s for longer than it may", client->index,
			 lock->resource);
	}
	for (i = 0; i < lock->about_count; i++) {
		lock->about[i]->chain.until_us = sim_clock_when(&client->clock, until_us);
	}
}

void sim_rules_let_go(struct sim_lock *lock)
{
	lock->rules.let_go = true;
}

void sim_rules_ended(const struct sim_lock *lock)
{
	const struct sim_client *client = lock->client;

	if (!lock->rules.let_go && !client->closing &&
	    sim_client_now(client) + RLK_EARLY_US < lock->seen_until_us) {
		sim_fail(client->sim, "client %u throws a lease on %s away that is still valid",
			 client->index, lock->resource);
	}
}

/* ---- Warnings -------------------------------------------------------------------------------- */

void sim_rules_told(struct sim_lock *lock, enum rlk_news news, int status)
{
	const struct sim_client *client = lock->client;
	uint64_t until_us = lock->last_until_us, warn_us;

	if (news == RLK_AT_RISK) {
		if (lock->rules.warned_of_us == until_us) {
			sim_fail(client->sim, "client %u is warned twice of one end",
				 client->index);
		}
		lock->rules.warned_of_us = until_us;
	}
	if (news != RLK_LOST || status != REDLOCK_EEXPIRED ||
	    lock->rules.warned_of_us == until_us) {
		return;
	}
	warn_us = rlk_until(until_us, rlk_us(lock->core->config.at_risk_ms) + RLK_EARLY_US);
	if (lock->core->config.at_risk_ms != 0 && rlk_later(lock->last_seen_us, 3000) < warn_us &&
	    rlk_later(client->resumed_us, 3000) < warn_us) {
		sim_fail(client->sim, "client %u loses %s without a warning", client->index,
			 lock->resource);
	}
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* Who may have forgotten grants is old enough for all of them to be over. */
static void check_age(const struct sim_client *client, unsigned node, enum rlk_op op)
{
	const struct rlk_config *config = &client->cluster.config;
	const struct sim_conn *conn = client->links[node].conn;
	const struct sim_server *server = &client->sim->servers[conn->server];
	uint64_t age_us = sim_clock_read(client->sim, &server->clock) - conn->born_us;

	if (op == RLK_OP_ACQUIRE && config->guard && !config->durable && !server->was_set &&
	    age_us < rlk_key_life_us(config->max_ttl_ms, config->drift_ppm)) {
		sim_fail(client->sim, "client %u asks node %u for its vote, which is too young",
			 client->index, node);
	}
}

void sim_rules_sent(const struct sim_client *client, unsigned node,
		    const struct rlk_request *request, const struct rlk_command *command)
{
	const struct rlk_attempt *attempt = (const struct rlk_attempt *)request->asker;
	const struct rlk_lock *owner;

	if (command->op == RLK_OP_EXTEND) {
		sim_nodes_extended(client, node, attempt);
	}
	if (command->op != RLK_OP_ACQUIRE && command->op != RLK_OP_REPAIR) {
		return;
	}
	if (command->undone) {
		sim_fail(client->sim, "client %u asks node %u for what it has given back",
			 client->index, node);
	}
	check_age(client, node, command->op);
	owner = attempt->owner;
	if (command->op == RLK_OP_REPAIR &&
	    sim_client_now(client) >= atomic_load(&owner->valid_until_us)) {
		sim_fail(client->sim, "client %u repairs what it does not hold on node %u",
			 client->index, node);
	}
}
