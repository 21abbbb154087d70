/* servers.h - local servers that the benchmark starts, hangs and ends itself.
 *
 * They keep nothing on disk, and they die with the benchmark however it ends:
 * by exit, by a signal, or killed (where the kernel can tell a child). */
#ifndef BENCH_SERVERS_H
#define BENCH_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVERS_MAX 32

struct server {
	pid_t pid;
	uint16_t port;
	bool hung;
};

struct servers {
	size_t count;
	struct server all[SERVERS_MAX];
};

/** Start @count servers on free loopback ports from @first_port upwards, and wait until each
 * answers. There is one set of servers in a process. Returns 0, or -1 with the reason in @why. */
int servers_start(struct servers *servers, size_t count, uint16_t first_port, char *why,
		  size_t why_len);

/** Stop a server with SIGSTOP; returns when it has stopped. */
void servers_hang(struct servers *servers, size_t index);

/** Let a hung server go on. */
void servers_resume(struct servers *servers, size_t index);

/** Start a server anew, on the port that it had, whether or not it is still there; it has forgotten
 * everything. Returns 0, or -1 with the reason in @why. */
int servers_restart(struct servers *servers, size_t index, char *why, size_t why_len);

/** End all servers and wait for them. */
void servers_end(struct servers *servers);

#endif
