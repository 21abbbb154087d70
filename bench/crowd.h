/* crowd.h - contenders with many cycles in flight, and what they are asked to do. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nodes.h"
#include "run.h"

#define IN_FLIGHT_MAX 100000

/* Names of the resources; all of one length, and the contenders never meet. */
#define CROWD_NAME_FORMAT "bench:%c:%07u"
#define CROWD_NAME_MAX 24

struct crowd_plan {
	const struct nodes *nodes;
	uint32_t in_flight;
	uint32_t resources; /* As many as in_flight: each cycle has one to itself. */
	uint32_t ttl_ms;
	uint32_t node_timeout_ms;
	uint32_t hold_ms;
	bool plain_release; /* The floor does not look whether anybody waits. */
};

/* How one contender is opened, put under load and closed. open() returns NULL with the reason in
 * @why. */
struct crowd {
	const char *name;
	void *(*open)(const struct crowd_plan *plan, char *why, size_t why_len);
	void (*run)(void *self, struct run *run);
	/* Read what a run has left open. @absent nodes will not answer any more. */
	void (*drain)(void *self, struct run *run, size_t absent);
	void (*close)(void *self);
};

/* Raw sockets. A cycle is SET NX PX to all, decided at the vote that makes a quorum, and EVALSHA of
 * what the library's release does when nobody waits to all, decided likewise. Whoever wants a
 * resource that another cycle of the same process has stands in line for it. */
extern const struct crowd crowd_floor;

/* The same sockets; a cycle is a PING to all, decided at the reply that makes a quorum. */
extern const struct crowd crowd_ping;

/* The same sockets; a cycle extends what is held, by EVALSHA of compare-and-expire. */
extern const struct crowd crowd_floor_extend;

/* The library's asynchronous API. */
extern const struct crowd crowd_ours;

/* A cycle extends what is held. */
extern const struct crowd crowd_ours_extend;

/* Two locks of one client on each resource: a cycle is one release, until the other one has it. */
extern const struct crowd crowd_ours_hand;

/* The same by two processes, each with a client of its own: a cycle is two releases, there and back
 * again, and each is kept for about hold_ms before it. */
extern const struct crowd crowd_ours_pass;

#endif
