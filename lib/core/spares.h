/* spares.h - requests and attempts that wait to be used again, and when they are too many. */
#ifndef RLK_SPARES_H
#define RLK_SPARES_H

#include <stddef.h>

#include "timers.h"

struct rlk_attempt;
struct rlk_cluster;
struct rlk_request;

struct rlk_spares {
	struct rlk_request *requests;
	struct rlk_attempt *attempts;
	unsigned request_count, attempt_count; /* Those in use, too. */
	struct rlk_timer alarm;
};

/* There is none to spare: zeroed memory for one more, or NULL. @count: of its kind. */
void *rlk_spares_grow(struct rlk_cluster *cluster, size_t size, unsigned *count);
void rlk_spares_init(struct rlk_cluster *cluster);
/* No more of them will be given back by and by: rlk_spares_free() does it. */
void rlk_spares_stop(struct rlk_cluster *cluster);
void rlk_spares_free(struct rlk_cluster *cluster);

#endif
