/* debts.c - nothing is left behind.
 *
 * A lost attempt releases its key on every node but those that clearly refused
 * it: "timed out" is never read as "not set". The release follows the SET on
 * the same connection, so the server's own order guarantees that it comes
 * second, however late both are.
 *
 * If that connection breaks first, the order is gone: the release goes out on
 * the next connection, but bytes of the dead one may be executed after it (a
 * stopped server reads them when it goes on). Such a debt is stray: asked for
 * again, at growing intervals, until the key would have died by itself. */
#include "debts.h"

#include "cluster.h"
#include "lease.h"
#include "mutant.h"

#define SWEEP_MIN_US 20000
#define SWEEP_MAX_US 1000000

static void unlink_debt(struct rlk_node *node, struct rlk_claim *debt)
{
	if (debt->prev != NULL) {
		debt->prev->next = debt->next;
	} else {
		node->debts = debt->next;
	}
	if (debt->next != NULL) {
		debt->next->prev = debt->prev;
	}
	debt->prev = debt->next = NULL;
	node->debt_count--;
}

static void settle(struct rlk_node *node, struct rlk_claim *debt)
{
	unlink_debt(node, debt);
	debt->owed = false;
	debt->stray = false;
	rlk_attempt_settled(node, debt);
}

/* Debts: a release is asked for until it is answered, or the key has died. */
static void sweep_later(struct rlk_node *node, uint64_t now_us)
{
	if (node->sweep_us != RLK_NEVER || RLK_MUTANT(DEBT_ONCE)) {
		return;
	}
	node->sweep_us = rlk_later(now_us, node->sweep_pause_us);
	node->sweep_pause_us *= 2;
	if (node->sweep_pause_us > SWEEP_MAX_US) {
		node->sweep_pause_us = SWEEP_MAX_US;
	}
	rlk_node_wake_by(node, node->sweep_us);
}

static bool ask(struct rlk_node *node, struct rlk_claim *debt, uint32_t round, uint64_t now_us)
{
	if (debt->asking) {
		return true;
	}
	if (rlk_node_ask(node, &rlk_attempt_of(node, debt)->asker, RLK_OP_RELEASE, round, now_us) !=
	    RLK_YES) {
		if (node->state == RLK_UP) { /* Else rlk_debts_up() will ask. */
			sweep_later(node, now_us);
		}
		return false;
	}
	debt->asking = true;
	return true;
}

bool rlk_debt_owe(struct rlk_node *node, struct rlk_claim *debt, uint32_t round, uint64_t now_us)
{
	debt->owed = true;
	debt->asking = false;
	debt->dies_us = RLK_NEVER;
	debt->prev = NULL;
	debt->next = node->debts;
	if (node->debts != NULL) {
		node->debts->prev = debt;
	}
	node->debts = debt;
	node->debt_count++;
	return ask(node, debt, round, now_us);
}

/* When a key that was, or may yet be, set by now is gone at the latest. */
static uint64_t dies_us(const struct rlk_node *node, const struct rlk_claim *debt, uint64_t now_us)
{
	uint64_t life_us = rlk_key_life_us(rlk_attempt_of(node, debt)->longest_ms,
					   node->cluster->config.drift_ppm);

	return rlk_later(now_us, RLK_MUTANT(DEBT_CUT_SHORT) ? life_us / 2 : life_us);
}

void rlk_debt_answered(struct rlk_node *node, struct rlk_claim *debt, bool done)
{
	uint64_t now_us;

	debt->asking = false;
	/* Debts: what a dead connection may still set is not settled by an answer of another. */
	if (done && (!debt->stray || RLK_MUTANT(STRAY_SETTLED))) {
		settle(node, debt);
		return;
	}
	now_us = rlk_now(node->cluster);
	if (debt->dies_us == RLK_NEVER) {
		debt->dies_us = dies_us(node, debt, now_us);
	}
	sweep_later(node, now_us);
}

void rlk_debts_broken(struct rlk_node *node)
{
	struct rlk_claim *debt;

	for (debt = node->debts; debt != NULL; debt = debt->next) {
		/* A release of the dead connection may come late as well: it must not
		 * find a later attempt under the same token. */
		if (debt->asking && rlk_attempt_of(node, debt)->own_token &&
		    !RLK_MUTANT(OWN_TOKEN_LATE)) {
			debt->stray = true;
			debt->dies_us = RLK_NEVER;
		}
		debt->asking = false;
	}
	node->sweep_us = RLK_NEVER;
}

void rlk_debts_up(struct rlk_node *node, uint64_t now_us)
{
	struct rlk_claim *debt;

	node->sweep_pause_us = SWEEP_MIN_US;
	for (debt = node->debts; debt != NULL; debt = debt->next) {
		/* Later connections carry releases only: they lengthen nothing. */
		if (debt->dies_us == RLK_NEVER) {
			debt->dies_us = dies_us(node, debt, now_us);
		}
	}
	/* Debts: the next connection asks again for what the last one left unanswered. */
	if (!RLK_MUTANT(DEBT_FORGOTTEN)) {
		rlk_debts_sweep(node, now_us);
	}
}

void rlk_debts_sweep(struct rlk_node *node, uint64_t now_us)
{
	struct rlk_claim *debt, *next;

	node->sweep_us = RLK_NEVER;
	for (debt = node->debts; debt != NULL; debt = next) {
		next = debt->next;
		if (debt->dies_us <= now_us) {
			if (!debt->asking) {
				settle(node, debt);
			}
		} else {
			ask(node, debt, 0, now_us);
		}
	}
}

void rlk_debts_forget(struct rlk_node *node)
{
	while (node->debts != NULL) {
		node->debts->asking = false;
		settle(node, node->debts);
	}
}
