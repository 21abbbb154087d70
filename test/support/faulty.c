/* faulty.c - see its header. */
#include "faulty.h"

#include <stdlib.h>

static void *faulty_calloc(size_t count, size_t size, void *data)
{
	struct faulty *faulty = data;
	uint64_t number = faulty->asked++;
	void *block = NULL;

	if (number == faulty->fail_at || (faulty->for_good && number > faulty->fail_at)) {
		faulty->failed = true;
	} else {
		block = calloc(count, size);
	}
	faulty->in_use += block != NULL;
	return block;
}

static void faulty_free(void *block, void *data)
{
	struct faulty *faulty = data;

	faulty->in_use -= block != NULL;
	free(block);
}

struct redlock_allocator faulty_allocator(struct faulty *faulty)
{
	return (struct redlock_allocator){faulty_calloc, faulty_free, faulty};
}

void faulty_break(struct faulty *faulty, uint64_t skip, bool for_good)
{
	faulty->fail_at = faulty->asked + skip;
	faulty->for_good = for_good;
	faulty->failed = false;
}

bool faulty_mend(struct faulty *faulty)
{
	faulty->fail_at = FAULTY_NEVER;
	faulty->for_good = false;
	return faulty->failed;
}
