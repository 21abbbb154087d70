/* resolve.h - host names to addresses, off the loop. */
#ifndef RLK_RESOLVE_H
#define RLK_RESOLVE_H

#include <redlock/redlock.h>
#include <stdbool.h>
#include <uv.h>

#define RLK_ADDRESSES_MAX 16
#define RLK_ADDRESS_MAX 64 /* Numeric, with a scope. */

struct rlk_lookup;

/* @error is NULL, or why there are no addresses. */
typedef void (*rlk_lookup_cb)(void *data, char (*addresses)[RLK_ADDRESS_MAX], unsigned count,
			      const char *error);

/* Is it an address already? */
bool rlk_is_address(const char *host);
/* Resolve @host. NULL if it cannot be started; otherwise @cb comes later, once, unless dropped. */
struct rlk_lookup *rlk_lookup_start(uv_loop_t *loop, const struct redlock_allocator *allocator,
				    const char *host, rlk_lookup_cb cb, void *data);
/* Nobody waits for it any more. It ends when the resolver does, whatever has gone by then. */
void rlk_lookup_drop(struct rlk_lookup *lookup);

#endif
