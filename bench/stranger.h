/* stranger.h - somebody else, in a process of his own, who holds resources and does nothing with
 * them. */
#ifndef BENCH_STRANGER_H
#define BENCH_STRANGER_H

#include <stdbool.h>
#include <stdint.h>

#include "nodes.h"

struct stranger;

/** Start him, and wait until the keys of @count resources of a family are set on all nodes. He lets
 * nobody else have them: each third of @ttl_ms he makes them live for so long again. Returns NULL
 * with the reason in @why. */
struct stranger *stranger_start(const struct nodes *nodes, char family, uint32_t count,
				uint32_t ttl_ms, char *why, size_t why_len);

/** He deletes them, and is gone. */
void stranger_stop(struct stranger *stranger);

#endif
