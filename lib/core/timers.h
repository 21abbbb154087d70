/* timers.h - moments to come, soonest first; an intrusive pairing heap. */
#ifndef RLK_TIMERS_H
#define RLK_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

struct rlk_timer {
	struct rlk_timer *child, *sibling, *back; /* back: left sibling or parent. */
	uint64_t at_us;
	bool armed;
	void (*fire)(struct rlk_timer *timer, uint64_t now_us);
};

struct rlk_timers {
	struct rlk_timer *root;
};

/* Arm, or move if armed. */
void rlk_timer_set(struct rlk_timers *timers, struct rlk_timer *timer, uint64_t at_us);
void rlk_timer_stop(struct rlk_timers *timers, struct rlk_timer *timer);
/* Soonest moment, or RLK_NEVER. */
uint64_t rlk_timers_next_us(const struct rlk_timers *timers);
/* Fire all that are due; a timer may re-arm itself for later, or stop others. */
void rlk_timers_run(struct rlk_timers *timers, uint64_t now_us);

#endif
