/* ours.h - the library's asynchronous API under the clock: call to callback. */
#ifndef BENCH_OURS_H
#define BENCH_OURS_H

#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "nodes.h"

struct ours;

/** Open a client and a lock; waits for nothing. Returns NULL with the reason in @why. */
struct ours *ours_open(const struct nodes *nodes, const char *resource, uint32_t ttl_ms, char *why,
		       size_t why_len);

/** Run the loop until all nodes vote and none of them has the key, for at most @patience_ms.
 * Returns the number of nodes of which that is not true. */
size_t ours_settle(struct ours *ours, uint64_t patience_ms);

/** Run one block. */
void ours_measure(struct ours *ours, const struct plan *plan, struct block *block);

/** Close the client and run the loop until it is gone. */
void ours_close(struct ours *ours);

#endif
