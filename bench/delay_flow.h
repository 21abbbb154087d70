/* delay_flow.h - bytes on their way in one direction, each with the moment at which it goes on. */
#ifndef BENCH_DELAY_FLOW_H
#define BENCH_DELAY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delay_chunk;

/* All zero: nothing on its way. */
struct delay_flow {
	struct delay_chunk *first;
	struct delay_chunk *last;
	uint64_t delay_ns;
	uint64_t jitter_ns;
	bool ended; /* Nothing more comes in. */
	bool told;  /* And the other end knows. */
	bool full;  /* The other end takes no more for now. */
};

/** Read what there is from @fd; it may go on after the delay. At the end of the stream, or if it
 * breaks, the flow has ended. */
void delay_flow_take_in(struct delay_flow *flow, int fd, uint64_t now_ns);

/** Write to @fd what may go on. Behind the last of an ended flow goes the end of the stream. */
void delay_flow_pass_on(struct delay_flow *flow, int fd, uint64_t now_ns);

/** When there is something to write again; UINT64_MAX: not before something comes in, or there is
 * room. */
uint64_t delay_flow_due_ns(const struct delay_flow *flow);

/** Forget what is on its way. */
void delay_flow_drop(struct delay_flow *flow);

#endif
