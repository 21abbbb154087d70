/* debts.h - keys that a node may hold for us and must give up. */
#ifndef RLK_DEBTS_H
#define RLK_DEBTS_H

#include "attempt.h"

/* Owe a release to @node, and ask for it now if it is connected. @round is passed on to heard().
 * Returns false if it could not be asked now: it will be, after reconnecting. */
bool rlk_debt_owe(struct rlk_node *node, struct rlk_claim *debt, uint32_t round, uint64_t now_us);
/* The node answered the release: @done, or with an error. */
void rlk_debt_answered(struct rlk_node *node, struct rlk_claim *debt, bool done);
/* The connection is gone, and with it the answers. */
void rlk_debts_broken(struct rlk_node *node);
/* Connected again: ask for all of them. */
void rlk_debts_up(struct rlk_node *node, uint64_t now_us);
/* Time has passed: drop the dead ones, ask again for the rest. */
void rlk_debts_sweep(struct rlk_node *node, uint64_t now_us);
/* Drop them all. */
void rlk_debts_forget(struct rlk_node *node);

#endif
