/* room.c - room for the bytes of a command, and nothing left of them. */
#include <string.h>

#include "secret.h"
#include "wire.h"

/* Room for any script with a name of usual length: who runs out of memory can still give back. */
#define RESERVE_BYTES 4096

void rlk_wire_wipe(struct rlk_wire *wire)
{
	rlk_wipe(wire->bytes, wire->cap);
	wire->made.known = false;
}

void rlk_wire_free(struct rlk_wire *wire)
{
	if (wire->bytes != NULL) {
		rlk_wire_wipe(wire);
		wire->allocator->free(wire->bytes, wire->allocator->data);
	}
	wire->bytes = NULL;
	wire->len = wire->cap = 0;
}

bool rlk_wire_reserve(struct rlk_wire *wire, size_t len)
{
	const struct redlock_allocator *allocator = wire->allocator;
	size_t cap = wire->cap == 0 ? RESERVE_BYTES : wire->cap;
	char *bytes;

	while (cap < len) {
		cap *= 2;
	}
	if (cap == wire->cap) {
		return true;
	}
	bytes = allocator->calloc(1, cap, allocator->data);
	if (bytes == NULL) {
		return false;
	}
	rlk_wire_free(wire);
	wire->bytes = bytes;
	wire->cap = cap;
	return true;
}
