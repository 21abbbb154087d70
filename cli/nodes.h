/* nodes.h - which servers to ask: from options, a file or the environment. */
#ifndef CLI_NODES_H
#define CLI_NODES_H

#include <redlock/redlock.h>

#include <stddef.h>

struct nodes {
	char *urls[REDLOCK_NODES_MAX];
	size_t count;
};

/* Add the URLs of a list separated by commas or blanks. Each returns NULL, or
 * what is wrong, in words that never quote a URL: it may hold a password. */
const char *nodes_add(struct nodes *nodes, const char *list);
const char *nodes_add_file(struct nodes *nodes, const char *path);

/* Blot out what may be a password in a list of URLs. Done to the program's own
 * arguments once they are copied, so that `ps` does not go on showing it. */
void nodes_blot(char *list);

void nodes_clear(struct nodes *nodes);

#endif
