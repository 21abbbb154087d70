/* several.c - a lock for several resources: who may have one, and in which order they stand. */
#include <string.h>

#include "client.h"

_Static_assert(REDLOCK_RESOURCES_MAX == RLK_PARTS_MAX, "a name has room for them");

/* A fencing token is of one resource, and so are readers; and whether the node is still the same is
 * asked of one key. */
int rlk_several_check(const struct redlock_options *options,
		      const struct redlock_lock_options *lock_options)
{
	if (lock_options->fence || lock_options->shared) {
		return REDLOCK_EINVAL;
	}
	return options->node_may_change ? REDLOCK_EUNSUPPORTED : 0;
}

static int compare(const struct redlock_resource *a, const struct redlock_resource *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->bytes, b->bytes, len);

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* In one order, whoever names them. Returns false if one of them is there twice, or is none. */
static bool sort(struct redlock_resource *sorted, const struct redlock_resource *given,
		 size_t count)
{
	size_t i, at;

	for (i = 0; i < count; i++) {
		if (given[i].bytes == NULL) {
			return false;
		}
		for (at = i; at > 0 && compare(&given[i], &sorted[at - 1]) < 0; at--) {
			sorted[at] = sorted[at - 1];
		}
		if (at > 0 && compare(&given[i], &sorted[at - 1]) == 0) {
			return false;
		}
		sorted[at] = given[i];
	}
	return true;
}

int redlock_lock_new_all(struct redlock_lock **lock, struct redlock_client *client,
			 const struct redlock_resource *resources, size_t count,
			 const struct redlock_lock_options *options)
{
	struct redlock_resource sorted[REDLOCK_RESOURCES_MAX];

	if (resources == NULL || count == 0 || count > REDLOCK_RESOURCES_MAX ||
	    !sort(sorted, resources, count)) {
		return REDLOCK_EINVAL;
	}
	return rlk_lock_new(lock, client, sorted, count, options);
}
