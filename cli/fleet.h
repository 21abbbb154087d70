/* fleet.h - the servers of one `redlock cluster`, and the directory they share. */
#ifndef CLI_FLEET_H
#define CLI_FLEET_H

#include "args.h"
#include "server.h"

#define FLEET_PORT 7301
#define FLEET_NODES 5

struct fleet {
	char dir[PATH_MAX];
	struct server servers[REDLOCK_NODES_MAX];
	size_t count;
	int lock_fd; /* Held while servers are started or stopped. */
};

/* The servers that --dir, --port and --nodes speak of. Each says what is wrong
 * and returns 0 or an exit code. _named: ports given or by default; _found:
 * those that have been started in the directory before, unless ports are given. */
int fleet_named(struct fleet *fleet, const struct args *args);
int fleet_found(struct fleet *fleet, const struct args *args);

/* Make the directory, ours alone, and lock it against others. 0 or an exit code. */
int fleet_claim(struct fleet *fleet);
void fleet_unclaim(struct fleet *fleet);

/* Their URLs as --node options. */
void fleet_urls(const struct fleet *fleet, struct nodes *nodes);

/* Stop those that run; returns how many that were. */
size_t fleet_stop(struct fleet *fleet);

#endif
