/* plan.c - when a command has to be told and when it has to be dead; pure. */
#include "plan.h"

#define SLACK_MIN_MS 20
#define SLACK_MAX_MS 500

static uint32_t slack_ms(uint32_t ttl_ms)
{
	uint32_t slack = ttl_ms / 20;
	if (slack < SLACK_MIN_MS) {
		return SLACK_MIN_MS;
	}
	return slack < SLACK_MAX_MS ? slack : SLACK_MAX_MS;
}

uint32_t plan_grace_max_ms(uint32_t ttl_ms)
{
	return ttl_ms / 2 - slack_ms(ttl_ms);
}

void plan_make(struct plan *plan, uint32_t ttl_ms, bool grace_set, uint32_t grace_ms)
{
	plan->slack_ms = slack_ms(ttl_ms);
	plan->grace_ms = grace_set ? grace_ms : ttl_ms / 3 - plan->slack_ms;
	plan->at_risk_ms = plan->grace_ms + plan->slack_ms;
	plan->step_ms = ttl_ms / 50;
}

static uint64_t less(uint64_t value, uint64_t by)
{
	return value > by ? value - by : 0;
}

uint64_t plan_kill_at_ms(const struct plan *plan, uint64_t now_ms, uint64_t validity_ms)
{
	return now_ms + less(validity_ms, plan->slack_ms);
}

uint64_t plan_term_at_ms(const struct plan *plan, uint64_t now_ms, uint64_t validity_ms)
{
	return now_ms + less(validity_ms, plan->at_risk_ms);
}

/* The nearer the end, the closer we look: a late renewal has to be told before
 * the guardian acts. */
uint64_t plan_pause_ms(const struct plan *plan, uint64_t validity_ms)
{
	uint64_t pause = less(validity_ms, plan->at_risk_ms) / 8;
	if (pause > 250) {
		return 250;
	}
	return pause > 2 ? pause : 2;
}
