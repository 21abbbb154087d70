/* nodes.h - the five masters of docker-compose.yml, seen from outside the library: where they are,
 * what they hold, and how to hurt them. */
#ifndef REDLOCK_TEST_NODES_H
#define REDLOCK_TEST_NODES_H

#include <stdbool.h>
#include <stddef.h>

#define NODES 5

enum fault {
	STOP,	    /* The server ends in good order, and is gone. */
	KILL,	    /* It dies on the spot. */
	START,	    /* After STOP and KILL. */
	RESTART,    /* STOP and START. */
	PAUSE,	    /* It is frozen: connections stand, nothing answers. */
	UNPAUSE,    /* It goes on, and reads what was sent meanwhile. */
	DISCONNECT, /* Its network is gone; the server runs. */
	RECONNECT
};

/* Learn where the nodes are; false if there is no such cluster on this machine. */
bool nodes_find(void);
/* The NODES of them, as redlock_client_new() takes them. */
const char *const *nodes_urls(void);

/* Do this to a node; false if Docker refuses. Takes as long as it takes. */
bool node_fault(size_t node, enum fault fault);
/* Make good whatever was done to any node, and wait until all answer; false if one does not. Asks
 * nothing of the test that went wrong. */
bool nodes_restore(void);

/* PTTL of @key: -2 if it is not there, -1 if it never expires. Fails the test if the node does not
 * answer. */
long long node_pttl(size_t node, const char *key);
/* Is @value what @key holds there? */
bool node_has(size_t node, const char *key, const char *value);

#endif
