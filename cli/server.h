/* server.h - one local server process of `redlock cluster`. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct server {
	unsigned port;
	char dir[PATH_MAX];	 /* Of its data, log and pidfile; absolute. */
	pid_t launched;		 /* Started by this process, or 0. */
	unsigned long long born; /* Of the process that was asked to end; see server.c. */
};

/* The server of @port under the cluster's directory. False if that is too long. */
bool server_init(struct server *server, const char *cluster_dir, unsigned port);

/* Its process id, or 0 if it is not running. A process counts only if the
 * pidfile names it, it is serving this port and it lives in this directory:
 * process ids are given again. */
pid_t server_pid(const struct server *server);

/* Can a server listen on its port? */
bool server_port_free(const struct server *server);

/* Start @program. Returns 0 or an errno. */
int server_launch(struct server *server, const char *program);

/* Has one that we launched ended already? */
bool server_failed(struct server *server);

/* Ask it to end; returns its process id, or 0 if it is not running. */
pid_t server_ask_to_end(struct server *server);
/* Wait until it has ended; force it if it does not. */
void server_await_end(const struct server *server, pid_t pid);

#endif
