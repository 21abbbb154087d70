/* flow.h - bytes on their way through the proxy, in one direction of one connection. */
#ifndef REDLOCK_TEST_FLOW_H
#define REDLOCK_TEST_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#define NO_FD (-1)

struct chunk;

/* All zero: an empty flow. */
struct flow {
	struct chunk *first, *last; /* Oldest first. */
	bool ended;		    /* Nothing more comes from its source. */
	bool told;		    /* Its target has been told so. */
};

/* Bytes that may be sent in @delay_ms; copied. */
void flow_push(struct flow *flow, const char *bytes, size_t len, unsigned delay_ms);
/* Send to @fd all that is due and fits; to NO_FD: drop it. A broken target ends the flow. */
void flow_send(struct flow *flow, int fd);
/* Nothing comes any more, and what there was is lost. */
void flow_end(struct flow *flow);
size_t flow_pending(const struct flow *flow);

#endif
