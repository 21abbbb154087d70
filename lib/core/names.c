/* names.c - find the one record of a resource by its name.
 *
 * Locks that want the same resource share it, and through it they find each
 * other. A table that cannot grow for want of memory goes on with longer
 * chains, so finding never fails. */
#include "names.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "cluster.h"

/* FNV-1a, from a start that nobody outside knows. */
static uint64_t hash_of(const struct rlk_cluster *cluster, const struct rlk_name *name)
{
	uint64_t hash = cluster->names_seed;
	size_t i;

	for (i = 0; i < name->len; i++) {
		hash = (hash ^ (unsigned char)name->bytes[i]) * UINT64_C(0x100000001b3);
	}
	return hash ^ (hash >> 32);
}

static struct rlk_name **bucket_of(struct rlk_names *names, uint64_t hash)
{
	return names->buckets != NULL ? &names->buckets[hash & names->mask]
				      : &names->few[hash % RLK_NAMES_FEW];
}

static void move_to(struct rlk_names *names, struct rlk_name **from, size_t count)
{
	struct rlk_name *name, *next, **bucket;
	size_t i;

	for (i = 0; i < count; i++) {
		for (name = from[i]; name != NULL; name = next) {
			next = name->next;
			bucket = bucket_of(names, name->hash);
			name->next = *bucket;
			*bucket = name;
		}
	}
}

static void grow(struct rlk_cluster *cluster)
{
	struct rlk_names *names = &cluster->names;
	struct rlk_name **old = names->buckets;
	size_t old_count = old != NULL ? names->mask + 1 : RLK_NAMES_FEW;
	struct rlk_name **buckets =
		cluster->ports->alloc(cluster->world, 4 * old_count * sizeof *buckets);

	if (buckets == NULL) {
		return; /* Longer chains, then. */
	}
	names->buckets = buckets;
	names->mask = 4 * old_count - 1;
	move_to(names, old != NULL ? old : names->few, old_count);
	if (old != NULL) {
		cluster->ports->free(cluster->world, old);
	}
}

static bool is_same(const struct rlk_name *a, const struct rlk_name *b)
{
	return a->hash == b->hash && a->several == b->several && a->len == b->len &&
	       memcmp(a->bytes, b->bytes, a->len) == 0;
}

struct rlk_name *rlk_name_intern(struct rlk_cluster *cluster, struct rlk_name *name)
{
	struct rlk_names *names = &cluster->names;
	struct rlk_name **bucket, *known;

	name->hash = hash_of(cluster, name);
	bucket = bucket_of(names, name->hash);
	for (known = *bucket; known != NULL; known = known->next) {
		if (is_same(known, name)) {
			rlk_name_hold(known);
			rlk_name_drop(cluster, name);
			return known;
		}
	}
	if (names->count > (names->buckets != NULL ? names->mask : RLK_NAMES_FEW)) {
		grow(cluster);
		bucket = bucket_of(names, name->hash);
	}
	name->listed = true;
	name->next = *bucket;
	*bucket = name;
	names->count++;
	return name;
}

struct rlk_name *rlk_name_next(struct rlk_cluster *cluster, uint32_t hash, struct rlk_name *after)
{
	/* Buckets go by the last digits. */
	struct rlk_name *name = after != NULL ? after->next : *bucket_of(&cluster->names, hash);

	while (name != NULL && (uint32_t)name->hash != hash) {
		name = name->next;
	}
	return name;
}

struct rlk_name *rlk_name_hold(struct rlk_name *name)
{
	name->refs++;
	return name;
}

static void unlist(struct rlk_names *names, const struct rlk_name *name)
{
	struct rlk_name **at = bucket_of(names, name->hash);

	while (*at != name) {
		at = &(*at)->next;
	}
	*at = name->next;
	names->count--;
}

void rlk_name_drop(struct rlk_cluster *cluster, struct rlk_name *name)
{
	if (--name->refs > 0) {
		return;
	}
	if (name->listed) {
		unlist(&cluster->names, name);
	}
	cluster->ports->free(cluster->world, name);
}

void rlk_names_free(struct rlk_cluster *cluster)
{
	assert(cluster->names.count == 0);
	if (cluster->names.buckets != NULL) {
		cluster->ports->free(cluster->world, cluster->names.buckets);
	}
}
