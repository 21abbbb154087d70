/* names.h - one record for each resource, or set of them, that a lock of this client is for. */
#ifndef RLK_NAMES_H
#define RLK_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct rlk_cluster;
struct rlk_name;

#define RLK_NAMES_FEW 16

/* A hash table, chained through the records. */
struct rlk_names {
	struct rlk_name **buckets; /* NULL: the few. */
	size_t mask, count;
	struct rlk_name *few[RLK_NAMES_FEW];
};

/* The record of this resource: one that is known, and then @name is let go of, or @name itself.
 * Takes over the reference to @name. */
struct rlk_name *rlk_name_intern(struct rlk_cluster *cluster, struct rlk_name *name);
/* The next record after @after (NULL: the first) whose hash ends in @hash, or NULL. */
struct rlk_name *rlk_name_next(struct rlk_cluster *cluster, uint32_t hash, struct rlk_name *after);
struct rlk_name *rlk_name_hold(struct rlk_name *name);
void rlk_name_drop(struct rlk_cluster *cluster, struct rlk_name *name);
/* Every name must be gone. */
void rlk_names_free(struct rlk_cluster *cluster);

#endif
