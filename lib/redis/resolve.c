/* resolve.c - getaddrinfo() on libuv's thread pool.
 *
 * hiredis would resolve inside the connect call and stop the whole loop for as
 * long as DNS takes, so it is only ever given numbers. A running lookup cannot
 * be cancelled: it is dropped, and outlives whoever asked. */
#include "resolve.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

struct rlk_lookup {
	uv_getaddrinfo_t request;
	struct redlock_allocator allocator; /* A copy: it may outlive the client. */
	rlk_lookup_cb cb;
	void *data;
};

bool rlk_is_address(const char *host)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *list = NULL;

	if (getaddrinfo(host, NULL, &hints, &list) != 0) {
		return false;
	}
	freeaddrinfo(list);
	return true;
}

static unsigned list_addresses(const struct addrinfo *list, char (*addresses)[RLK_ADDRESS_MAX])
{
	unsigned count = 0;

	for (; list != NULL && count < RLK_ADDRESSES_MAX; list = list->ai_next) {
		if (getnameinfo(list->ai_addr, list->ai_addrlen, addresses[count], RLK_ADDRESS_MAX,
				NULL, 0, NI_NUMERICHOST) == 0) {
			count++;
		}
	}
	return count;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct rlk_lookup *lookup = request->data;
	char addresses[RLK_ADDRESSES_MAX][RLK_ADDRESS_MAX];
	unsigned count = status == 0 ? list_addresses(list, addresses) : 0;

	uv_freeaddrinfo(list);
	if (lookup->cb != NULL) {
		lookup->cb(lookup->data, addresses, count,
			   status != 0	? uv_strerror(status)
			   : count == 0 ? "no address"
					: NULL);
	}
	lookup->allocator.free(lookup, lookup->allocator.data);
}

struct rlk_lookup *rlk_lookup_start(uv_loop_t *loop, const struct redlock_allocator *allocator,
				    const char *host, rlk_lookup_cb cb, void *data)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct rlk_lookup *lookup = allocator->calloc(1, sizeof *lookup, allocator->data);

	if (lookup == NULL) {
		return NULL;
	}
	lookup->allocator = *allocator;
	lookup->cb = cb;
	lookup->data = data;
	lookup->request.data = lookup;
	if (uv_getaddrinfo(loop, &lookup->request, on_resolved, host, NULL, &hints) != 0) {
		allocator->free(lookup, allocator->data);
		return NULL;
	}
	return lookup;
}

void rlk_lookup_drop(struct rlk_lookup *lookup)
{
	lookup->cb = NULL;
}
