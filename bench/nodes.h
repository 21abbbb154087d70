/* nodes.h - the addresses that both contenders talk to. */
#ifndef BENCH_NODES_H
#define BENCH_NODES_H

#include <stddef.h>
#include <stdint.h>

#define NODES_MAX 32

struct node_address {
	char host[128];
	char port[8];
	char url[160];
};

struct nodes {
	size_t count;
	struct node_address all[NODES_MAX];
};

/** Add redis://host[:port]. Returns 0, or -1 for anything else: the floor speaks no AUTH, no TLS
 * and no SELECT, so the library must not either. */
int nodes_add_url(struct nodes *nodes, const char *url);

/** Add every URL of a list separated by commas or spaces. Returns 0 or -1. */
int nodes_add_list(struct nodes *nodes, const char *list);

/** Add 127.0.0.1:@port. Returns 0, or -1 if there are too many. */
int nodes_add_local(struct nodes *nodes, uint16_t port);

/** Number of votes that decide. */
size_t nodes_quorum(const struct nodes *nodes);

#endif
