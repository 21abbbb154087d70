/* faulty.h - an allocator for clients under test that counts, and fails when it is told to. */
#ifndef REDLOCK_TEST_FAULTY_H
#define REDLOCK_TEST_FAULTY_H

#include <redlock/redlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTY_NEVER UINT64_MAX

/* Fails the allocation number @fail_at; with @for_good also all that follow. */
struct faulty {
	uint64_t asked, fail_at;
	bool for_good, failed;
	size_t in_use; /* Blocks. */
};

struct redlock_allocator faulty_allocator(struct faulty *faulty);
/* Fail the one after @skip more from now on, and perhaps all after it. */
void faulty_break(struct faulty *faulty, uint64_t skip, bool for_good);
/* Fail no more. Returns whether it failed since faulty_break(). */
bool faulty_mend(struct faulty *faulty);

#endif
