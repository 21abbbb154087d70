/* meter.h - what work costs beside time: processor time of client and servers, memory, commands and
 * system calls.
 *
 * The processor time of our own servers is the kernel's account, that of others is what they say
 * themselves (INFO cpu), which is coarser. */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nodes.h"
#include "servers.h"

/* Connections of its own to all nodes, so that nothing of it is in the way of what is measured. */
struct meter {
	size_t count;
	int witness[NODES_MAX]; /* -1: left out. */
	const struct servers *servers;
};

/* Everything up to now; differences of two are of interest. */
struct reading {
	uint64_t cpu_ns; /* Of this process. */
	uint64_t user_us;
	uint64_t system_us;
	uint64_t server_ns; /* Of all servers; only if has_server_ns. */
	uint64_t commands;  /* That clients sent, to all nodes. */
	uint64_t syscalls;
	bool has_server_ns;
	bool has_commands;
};

/** Returns 0, or -1 with the reason in @why. @servers is empty for nodes that are not our own. */
int meter_open(struct meter *meter, const struct nodes *nodes, const struct servers *servers,
	       char *why, size_t why_len);
void meter_close(struct meter *meter);

/** Ask this node nothing more, because it will not answer, and leave it out of every account. */
void meter_leave_out(struct meter *meter, size_t index);

/** Before and after what is measured: asking the servers is outside it on both sides. */
void meter_begin(const struct meter *meter, struct reading *reading);
void meter_end(const struct meter *meter, struct reading *reading);

/** Resident memory of this process that is its own, in bytes; 0 if not known. */
uint64_t meter_rss_bytes(void);

/** Commands in the text of INFO commandstats, without those that only scripts call here, and
 * without INFO, which the meter asks itself. */
uint64_t meter_count_commands(const char *stats);

/** Processor time in the text of INFO cpu, in nanoseconds: of all threads, without children. 0 if
 * it is not there. */
uint64_t meter_cpu_ns(const char *info);

#endif
