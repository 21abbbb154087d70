/* bounds.h - how many elements a reply may announce. */
#ifndef RLK_BOUNDS_H
#define RLK_BOUNDS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

/* Far above what we ask for: the longest is that of HELLO or CONFIG GET. */
#define RLK_ARRAY_MAX 1024
/* Of all arrays of one reply; it also bounds how deep one is nested. */
#define RLK_ELEMENTS_MAX 4096

/* As hiredis has it. */
#if HIREDIS_MAJOR < 1
typedef int rlk_array_len;
#else
typedef size_t rlk_array_len;
#endif

/* hiredis's way of making replies, and what we put before it. */
struct rlk_bounds {
	redisReplyObjectFunctions functions;
	redisReplyObjectFunctions unbounded;
	size_t elements; /* Announced so far. */
	bool overrun;
};

/* @bounds must outlive @reader, whose private data it takes. */
void rlk_bounds_set(struct rlk_bounds *bounds, redisReader *reader);
/* The reply is complete, and the next one begins. */
void rlk_bounds_next(struct rlk_bounds *bounds);

#endif
