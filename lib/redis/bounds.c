/* bounds.c - an array is made as large as its header says, before anything of it has come.
 *
 * A dozen bytes, "*2000000000", would have hiredis take 16 GB, and look through
 * all of it to free it again. Here a reply that announces more than any that we
 * ask for has is one that there is no memory for, which ends the connection. */
#include "bounds.h"

static void *create_array(const redisReadTask *task, rlk_array_len len)
{
	struct rlk_bounds *bounds = task->privdata;

	if (len > RLK_ARRAY_MAX || (size_t)len > RLK_ELEMENTS_MAX - bounds->elements) {
		bounds->overrun = true;
		return NULL;
	}
	bounds->elements += (size_t)len;
	return bounds->unbounded.createArray(task, len);
}

void rlk_bounds_set(struct rlk_bounds *bounds, redisReader *reader)
{
	*bounds = (struct rlk_bounds){.functions = *reader->fn, .unbounded = *reader->fn};
	bounds->functions.createArray = create_array;
	reader->fn = &bounds->functions;
	reader->privdata = bounds;
}

void rlk_bounds_next(struct rlk_bounds *bounds)
{
	bounds->elements = 0;
}
