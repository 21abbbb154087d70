/* plan.h - when a command has to be told and when it has to be dead; pure.
 *
 *   |---------------- validity ----------------|
 *   |   renewals from ttl / 3 on    |  grace | slack |
 *                                  TERM     KILL    over
 *
 * The slack is for what lies between our clock and the death of the last
 * process: timers that fire late, a scheduler with more to do, dying itself. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* Below this there is no time to stop a command before the lease is over. */
#define PLAN_TTL_MIN_MS 100

struct plan {
	uint32_t slack_ms;
	uint32_t grace_ms;
	uint32_t at_risk_ms; /* grace + slack: TERM when no more than this is left. */
	uint32_t step_ms;    /* Tell the guardian of a renewal that gained this much. */
};

/* Longest grace that leaves half of the TTL for renewals. */
uint32_t plan_grace_max_ms(uint32_t ttl_ms);

/* @grace_ms must not be above that; the default is a third of the TTL. */
void plan_make(struct plan *plan, uint32_t ttl_ms, bool grace_set, uint32_t grace_ms);

/* The moments of a lease with this much validity left now. */
uint64_t plan_kill_at_ms(const struct plan *plan, uint64_t now_ms, uint64_t validity_ms);
uint64_t plan_term_at_ms(const struct plan *plan, uint64_t now_ms, uint64_t validity_ms);

/* Pause until the lease should be looked at again. */
uint64_t plan_pause_ms(const struct plan *plan, uint64_t validity_ms);

#endif
