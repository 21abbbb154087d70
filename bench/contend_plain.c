/* contend_plain.c - the waiters of one process as plain pollers on raw sockets.
 *
 * Each asks all nodes (SET NX PX), undoes an attempt without a quorum on all of
 * them, and asks again some milliseconds later: the algorithm as its paper has
 * it, with nothing around it. They share one socket to each node, but no line:
 * one waiter is one poller. */
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "floor_connect.h"
#include "floor_crowd.h"
#include "rivals.h"

#define SILENCE_MS 10000
#define NS_PER_US 1000ULL

/* Of one poller, the attempt or release under way. */
struct ballot {
	uint32_t turn;
	uint8_t open;
	uint8_t yes;
};

struct plain_rivals {
	struct rivals rivals;
	struct floor_conns conns;
	size_t quorum;
	struct floor_template acquire;
	struct floor_template release;
	struct ballot ballots[WAITERS_MAX];
};

static void ask_all(struct plain_rivals *plain, const struct floor_template *request, uint32_t who)
{
	struct ballot *ballot = &plain->ballots[who];
	struct floor_due due = {.slot = who, .turn = ++ballot->turn};
	struct floor_blanks blanks;
	size_t i;

	snprintf(blanks.digits, sizeof(blanks.digits), "%07u",
		 (plain->rivals.plan->first + who) % 10000000U);
	ballot->yes = ballot->open = 0;
	for (i = 0; i < plain->conns.count; i++) {
		ballot->open += floor_conn_ask(&plain->conns.all[i], request, &blanks, due);
	}
}

static void want(void *owner, uint32_t who)
{
	struct plain_rivals *plain = owner;

	ask_all(plain, &plain->acquire, who);
}

static void leave(void *owner, uint32_t who)
{
	struct plain_rivals *plain = owner;

	ask_all(plain, &plain->release, who);
}

/* Its attempt ends by itself; between two of them it has none. */
static void stop(void *owner, uint32_t who)
{
	struct plain_rivals *plain = owner;

	if (plain->ballots[who].open == 0) {
		alarms_set(&plain->rivals.alarms, who, UINT64_MAX);
		rivals_gave_up(&plain->rivals, who, NULL, NULL);
	}
}

/* Draw half as much more or less, so that they do not ask in step for ever. */
static void lost(struct plain_rivals *plain, uint32_t who)
{
	uint64_t plain_us = plain->rivals.plan->options->plain_ms * 1000ULL;
	uint64_t pause_us = rivals_draw(&plain->rivals, plain_us / 2, plain_us + plain_us / 2);

	ask_all(plain, &plain->release, who);
	plain->ballots[who].turn++; /* Whatever the answers are. */
	plain->ballots[who].open = 0;
	if (plain->rivals.over) {
		rivals_gave_up(&plain->rivals, who, NULL, NULL);
	} else {
		alarms_set(&plain->rivals.alarms, who, now_ns() + pause_us * NS_PER_US);
	}
}

static void answered(void *owner, struct floor_due due, bool yes)
{
	struct plain_rivals *plain = owner;
	struct ballot *ballot = &plain->ballots[due.slot];

	if (due.turn != ballot->turn || ballot->open == 0) {
		return;
	}
	ballot->open--;
	ballot->yes += yes;
	if (ballot->yes < plain->quorum && (size_t)ballot->yes + ballot->open >= plain->quorum) {
		return;
	}
	ballot->turn++;
	ballot->open = 0;
	if (plain->rivals.all[due.slot].state == RIVAL_LEAVES) {
		rivals_left(&plain->rivals, due.slot);
	} else if (ballot->yes >= plain->quorum) {
		rivals_granted(&plain->rivals, due.slot);
	} else {
		lost(plain, due.slot);
	}
}

/* ---- A process ------------------------------------------------------------------------------- */

static void run(struct plain_rivals *plain)
{
	floor_conns_set_clock(&plain->conns, plain->rivals.alarms.fd);
	rivals_begin(&plain->rivals);
	while (!rivals_are_done(&plain->rivals) || floor_conns_owed(&plain->conns) > 0) {
		floor_conns_flush(&plain->conns);
		if (!floor_conns_turn(&plain->conns, SILENCE_MS)) {
			rivals_failed(&plain->rivals, "wait", "no answer for a long time");
			break;
		}
		rivals_ring(&plain->rivals);
	}
	rivals_end(&plain->rivals);
	floor_conns_set_clock(&plain->conns, -1);
}

static void build_requests(struct plain_rivals *plain, const char *sha)
{
	const struct contend_plan *plan = plain->rivals.plan;
	char ttl[16];
	const char *acquire[] = {"SET", plan->resource, "plain:0000000", "NX", "PX", ttl};
	const char *release[] = {"EVALSHA", sha, "1", plan->resource, "plain:0000000"};

	snprintf(ttl, sizeof(ttl), "%u", plan->lab->options.ttl_ms);
	floor_template_build(&plain->acquire, acquire, 6);
	floor_template_build(&plain->release, release, 5);
}

bool contend_plain(void *shared, void *data)
{
	static struct plain_rivals plain;
	const struct contend_plan *plan = data;
	struct rivals *rivals = &plain.rivals;
	char sha[64] = "";
	bool fine;

	if (rivals_open(rivals, shared, plan) != 0) {
		return false;
	}
	rivals->owner = &plain;
	rivals->want = rivals->again = want;
	rivals->leave = leave;
	rivals->stop = stop;
	plain.quorum = nodes_quorum(plan->nodes);
	plain.conns.owner = &plain;
	plain.conns.answered = answered;
	fine = floor_conns_open(&plain.conns, plan->nodes, floor_delete_script, sha,
				rivals->own->why, WHY_MAX);
	if (fine) {
		build_requests(&plain, sha);
		run(&plain);
	}
	floor_conns_close(&plain.conns);
	rivals_close(rivals);
	return fine;
}
