/* stranger.h - somebody else, who holds resources and does nothing with them. */
#ifndef BENCH_STRANGER_H
#define BENCH_STRANGER_H

#include <stdbool.h>
#include <stdint.h>

#include "nodes.h"

struct stranger;

/** Connect. Returns NULL with the reason in @why. */
struct stranger *stranger_open(const struct nodes *nodes, char *why, size_t why_len);

/** Set the keys of @count resources of a family, on all nodes, for @ttl_ms. False: not all. */
bool stranger_hold(struct stranger *stranger, char family, uint32_t count, uint32_t ttl_ms);

/** Delete them. */
bool stranger_let_go(struct stranger *stranger, char family, uint32_t count);

void stranger_close(struct stranger *stranger);

#endif
