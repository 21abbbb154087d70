/* lease.h - the arithmetic of a lease; pure.
 *
 * valid_until = start + ttl - (ttl * drift + 2 ms), as in "Distributed Locks
 * with Redis": the 2 ms stand for the millisecond grain of Redis expiry and of
 * short TTLs. Every rounding makes the lease shorter, never longer. */
#ifndef RLK_LEASE_H
#define RLK_LEASE_H

#include <stdint.h>

#include "mutant.h"

/* Timers of event loops are coarse: what must not be late is done so much early. A lease that is
 * not longer than that is none. */
#define RLK_EARLY_US 2000

static inline uint64_t rlk_us(uint64_t ms)
{
	return ms > UINT64_MAX / 1000 ? UINT64_MAX : ms * 1000;
}

static inline uint64_t rlk_later(uint64_t at_us, uint64_t by_us)
{
	return by_us > UINT64_MAX - at_us ? UINT64_MAX : at_us + by_us;
}

static inline uint64_t rlk_until(uint64_t at_us, uint64_t now_us)
{
	return at_us > now_us ? at_us - now_us : 0;
}

static inline uint64_t rlk_drift_us(uint32_t ttl_ms, uint32_t drift_ppm)
{
	uint64_t scaled = (uint64_t)ttl_ms * drift_ppm; /* ms * ppm = ns. */
	return (scaled + 999) / 1000 + 2000;
}

/* Validity: counted from before the first byte left, so that every key outlives it; and shorter by
 * what the node's clock may run ahead of ours meanwhile. */
static inline uint64_t rlk_valid_until_us(uint64_t start_us, uint32_t ttl_ms, uint32_t drift_ppm)
{
	uint64_t ttl_us = rlk_us(ttl_ms);
	uint64_t drift_us = RLK_MUTANT(DRIFT_DROPPED) ? 0 : rlk_drift_us(ttl_ms, drift_ppm);
	return ttl_us > drift_us ? rlk_later(start_us, ttl_us - drift_us) : start_us;
}

/* How long a key set now can live on a node, by our clock. */
static inline uint64_t rlk_key_life_us(uint32_t ttl_ms, uint32_t drift_ppm)
{
	return rlk_later(rlk_us(ttl_ms), rlk_drift_us(ttl_ms, drift_ppm));
}

#endif
