/* floor_raw.h - the floor: what the same round costs with nothing around it.
 *
 * One thread, one epoll, one plain socket to each node, requests built before
 * the clock starts, one send() to each node, decided at the answer that makes a
 * quorum. No timers, no validity, no owner token of its own for each attempt,
 * no library. A lock cannot be quicker than this on the same machine. */
#ifndef BENCH_FLOOR_RAW_H
#define BENCH_FLOOR_RAW_H

#include <stddef.h>
#include <stdint.h>

#include "block.h"
#include "nodes.h"

struct floor;

/** Connect to all nodes and build the requests. Returns NULL with the reason in @why. */
struct floor *floor_open(const struct nodes *nodes, const char *resource, uint32_t ttl_ms,
			 char *why, size_t why_len);

/** Run one block. */
void floor_measure(struct floor *floor, const struct plan *plan, struct block *block);

/** Read the answers that are still due, for at most @patience_ms. Returns the number of nodes that
 * still owe some. */
size_t floor_drain(struct floor *floor, int patience_ms);

/** "redis 7.0.15", as the first node says. */
const char *floor_server_version(const struct floor *floor);

void floor_close(struct floor *floor);

#endif
