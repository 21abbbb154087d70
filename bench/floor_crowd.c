/* floor_crowd.c - the floor with many cycles in flight: nothing but requests, votes and lines. */
#include "floor_crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrival_clock.h"
#include "block.h"
#include "crowd.h"
#include "floor_connect.h"

#define TOKEN "00112233445566778899aabbccddeeff"
#define NONE UINT32_MAX

/* No answer at all for this long: what is open counts as failed. */
#define SILENCE_MS 10000

enum floor_kind { FLOOR_CYCLES, FLOOR_PINGS, FLOOR_EXTENDS };

/* One who takes and gives back, again and again. */
struct slot {
	uint64_t due_ns;  /* Since when the cycle counts. */
	uint64_t step_ns; /* Since when its release counts. */
	uint32_t turn;
	uint32_t resource;
	uint32_t next; /* In a line, or among the idle ones. */
	uint8_t open;  /* Asked and not yet answered. */
	uint8_t yes;
	bool releasing;
	bool won;
};

/* Who has it, and who waits for it. */
struct line {
	bool taken;
	uint32_t first;
	uint32_t last;
	struct floor_blanks blanks;
};

struct floor_crowd {
	struct floor_conns conns;
	size_t quorum;
	enum floor_kind kind;
	struct floor_template acquire;
	struct floor_template release;
	uint32_t idle;
	uint64_t random;
	struct slot *slots;
	struct line *lines;
	struct run *run;
};

static void fill_up(struct floor_crowd *crowd);
static void finish(struct floor_crowd *crowd, uint32_t slot);

/* ---- A round --------------------------------------------------------------------------------- */

static bool undecided(const struct floor_crowd *crowd, const struct slot *slot)
{
	return slot->yes < crowd->quorum && (size_t)slot->yes + slot->open >= crowd->quorum;
}

static void ask_all(struct floor_crowd *crowd, uint32_t which, bool releasing)
{
	struct slot *slot = &crowd->slots[which];
	const struct floor_template *request = releasing ? &crowd->release : &crowd->acquire;
	struct floor_due due = {.slot = which, .turn = ++slot->turn};
	size_t i;

	slot->yes = slot->open = 0;
	slot->releasing = releasing;
	if (request->token_at > 0 && !releasing) {
		floor_draw_token(&crowd->random, crowd->lines[slot->resource].blanks.token);
	}
	for (i = 0; i < crowd->conns.count; i++) {
		slot->open += floor_conn_ask(&crowd->conns.all[i], request,
					     &crowd->lines[slot->resource].blanks, due);
	}
	if (!undecided(crowd, slot)) {
		run_failed(crowd->run, releasing ? "release" : "acquire", "connections broke",
			   true);
		crowd->run->over = true; /* It would be so for ever. */
		finish(crowd, which);
	}
}

static void decided(struct floor_crowd *crowd, uint32_t which, bool yes)
{
	struct slot *slot = &crowd->slots[which];
	uint64_t now = now_ns();

	if (!slot->releasing) {
		slot->won = yes;
		if (yes) {
			run_granted(crowd->run, now - slot->due_ns);
		} else {
			run_failed(crowd->run, "acquire", "no quorum granted", false);
		}
		if (crowd->kind == FLOOR_CYCLES) {
			slot->step_ns = now;
			ask_all(crowd, which, true);
			return;
		}
	} else if (slot->won && !yes) {
		run_failed(crowd->run, "release", "no quorum deleted", false);
		slot->won = false;
	}
	if (slot->won) {
		run_finished(crowd->run, now - slot->step_ns, now - slot->due_ns);
	} else {
		crowd->run->finished++;
	}
	finish(crowd, which);
}

static void answered(void *owner, struct floor_due due, bool yes)
{
	struct floor_crowd *crowd = owner;
	struct slot *slot = &crowd->slots[due.slot];

	if (due.turn != slot->turn) {
		return; /* It has gone on without this one. */
	}
	slot->open--;
	slot->yes += yes;
	if (!undecided(crowd, slot)) {
		slot->turn++;
		decided(crowd, due.slot, slot->yes >= crowd->quorum);
	}
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void begin(struct floor_crowd *crowd, uint32_t which, uint64_t due_ns)
{
	struct slot *slot = &crowd->slots[which];
	struct line *line = &crowd->lines[slot->resource];

	slot->due_ns = slot->step_ns = due_ns;
	slot->next = NONE;
	if (!line->taken) {
		line->taken = true;
		ask_all(crowd, which, false);
		return;
	}
	if (line->first == NONE) {
		line->first = which;
	} else {
		crowd->slots[line->last].next = which;
	}
	line->last = which;
}

static void finish(struct floor_crowd *crowd, uint32_t which)
{
	struct line *line = &crowd->lines[crowd->slots[which].resource];
	uint32_t next = line->first;

	crowd->slots[which].next = crowd->idle;
	crowd->idle = which;
	line->taken = next != NONE;
	if (next != NONE) {
		line->first = crowd->slots[next].next;
		ask_all(crowd, next, false);
	}
	fill_up(crowd);
}

static void fill_up(struct floor_crowd *crowd)
{
	uint64_t due_ns;
	uint32_t which;

	while ((which = crowd->idle) != NONE && run_next(crowd->run, &due_ns)) {
		crowd->idle = crowd->slots[which].next;
		begin(crowd, which, due_ns);
	}
}

/* ---- A run ----------------------------------------------------------------------------------- */

static bool turn(struct floor_crowd *crowd, struct run *run)
{
	floor_conns_flush(&crowd->conns);
	if (!floor_conns_turn(&crowd->conns, SILENCE_MS)) {
		run_failed(run, "wait", "no answer for a long time", false);
		return false;
	}
	return true;
}

/* A connection that is broken owes nothing. */
static void drain(void *self, struct run *run, size_t absent)
{
	struct floor_crowd *crowd = self;

	(void)absent;
	while (floor_conns_owed(&crowd->conns) > 0 && turn(crowd, run)) {
	}
}

static void run_crowd(void *self, struct run *run)
{
	struct floor_crowd *crowd = self;
	int clock = -1;

	crowd->run = run;
	run_begin(run);
	if (run->rate > 0) {
		clock = arrival_clock_open(run_interval_ns(run));
		floor_conns_set_clock(&crowd->conns, clock);
	}
	fill_up(crowd);
	while (!run_is_done(run) && turn(crowd, run)) {
		fill_up(crowd);
	}
	if (!run->leave_open) {
		drain(crowd, run, 0);
	}
	run_end(run);
	floor_conns_set_clock(&crowd->conns, -1);
	arrival_clock_close(clock);
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* The one step of a PING, and of extending, is in the place of acquire. */
static void build_requests(struct floor_crowd *crowd, uint32_t ttl_ms, const char *sha)
{
	char name[CROWD_NAME_MAX];
	char ttl[16];
	const char *acquire[] = {"SET", name, TOKEN, "NX", "PX", ttl};
	const char *extend[] = {"EVALSHA", sha, "1", name, TOKEN, ttl};
	const char *release[] = {"EVALSHA", sha, "1", name, TOKEN};
	static const char *const ping[] = {"PING"};

	snprintf(name, sizeof(name), CROWD_NAME_FORMAT, crowd->kind == FLOOR_EXTENDS ? 'e' : 'f',
		 0U);
	snprintf(ttl, sizeof(ttl), "%u", ttl_ms);
	if (crowd->kind == FLOOR_PINGS) {
		floor_template_build(&crowd->acquire, ping, 1);
	} else if (crowd->kind == FLOOR_EXTENDS) {
		floor_template_build(&crowd->acquire, extend, 6);
	} else {
		floor_template_build(&crowd->acquire, acquire, 6);
	}
	floor_template_build(&crowd->release, release, 5);
	if (crowd->kind == FLOOR_CYCLES) {
		floor_template_leave_token(&crowd->acquire, TOKEN);
		floor_template_leave_token(&crowd->release, TOKEN);
	}
}

/* What is to be extended is there, whatever was before. */
static bool set_keys(struct floor_crowd *crowd, const struct crowd_plan *plan)
{
	const struct floor_due nobody = {.turn = UINT32_MAX};
	struct floor_template request = {0};
	char name[CROWD_NAME_MAX];
	char ttl[16];
	const char *set[] = {"SET", name, TOKEN, "PX", ttl};
	uint32_t i;
	size_t node;

	snprintf(name, sizeof(name), CROWD_NAME_FORMAT, 'e', 0U);
	snprintf(ttl, sizeof(ttl), "%u", plan->ttl_ms);
	floor_template_build(&request, set, 5);
	for (i = 0; i < plan->resources; i++) {
		for (node = 0; node < crowd->conns.count; node++) {
			floor_conn_ask(&crowd->conns.all[node], &request, &crowd->lines[i].blanks,
				       nobody);
		}
	}
	floor_conns_flush(&crowd->conns);
	while (floor_conns_owed(&crowd->conns) > 0) {
		if (!floor_conns_turn(&crowd->conns, SILENCE_MS)) {
			return false;
		}
	}
	return true;
}

static bool make_room(struct floor_crowd *crowd, const struct crowd_plan *plan)
{
	uint32_t i;

	crowd->slots = calloc(plan->in_flight, sizeof(*crowd->slots));
	crowd->lines = calloc(plan->resources, sizeof(*crowd->lines));
	if (!crowd->slots || !crowd->lines) {
		return false;
	}
	for (i = 0; i < plan->in_flight; i++) {
		crowd->slots[i].resource = i % plan->resources;
		crowd->slots[i].next = i + 1 < plan->in_flight ? i + 1 : NONE;
	}
	for (i = 0; i < plan->resources; i++) {
		crowd->lines[i].first = NONE;
		snprintf(crowd->lines[i].blanks.digits, FLOOR_DIGITS + 1, "%07u", i % 10000000U);
	}
	return true;
}

static void close_crowd(void *self)
{
	struct floor_crowd *crowd = self;

	floor_conns_close(&crowd->conns);
	free(crowd->slots);
	free(crowd->lines);
	free(crowd);
}

static bool prepare(struct floor_crowd *crowd, const struct crowd_plan *plan, char *why,
		    size_t why_len)
{
	const char *script = crowd->kind == FLOOR_EXTENDS ? floor_extend_script
			     : plan->plain_release	  ? floor_delete_script
							  : floor_release_script;
	char sha[64] = "";

	if (!floor_conns_open(&crowd->conns, plan->nodes, script, sha, why, why_len)) {
		return false;
	}
	if (!make_room(crowd, plan)) {
		snprintf(why, why_len, "out of memory");
		return false;
	}
	build_requests(crowd, plan->ttl_ms, sha);
	if (crowd->kind == FLOOR_EXTENDS && !set_keys(crowd, plan)) {
		snprintf(why, why_len, "the floor cannot set its keys");
		return false;
	}
	return true;
}

static void *open_crowd(const struct crowd_plan *plan, enum floor_kind kind, char *why,
			size_t why_len)
{
	struct floor_crowd *crowd = calloc(1, sizeof(*crowd));

	if (!crowd) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	crowd->kind = kind;
	crowd->random = now_ns();
	crowd->quorum = nodes_quorum(plan->nodes);
	crowd->conns.owner = crowd;
	crowd->conns.answered = answered;
	if (!prepare(crowd, plan, why, why_len)) {
		close_crowd(crowd);
		return NULL;
	}
	return crowd;
}

static void *open_floor(const struct crowd_plan *plan, char *why, size_t why_len)
{
	return open_crowd(plan, FLOOR_CYCLES, why, why_len);
}

/* Nobody stands in line for a PING, or to extend. */
static void *open_alone(const struct crowd_plan *plan, enum floor_kind kind, char *why,
			size_t why_len)
{
	struct crowd_plan alone = *plan;

	alone.resources = plan->in_flight;
	return open_crowd(&alone, kind, why, why_len);
}

static void *open_ping(const struct crowd_plan *plan, char *why, size_t why_len)
{
	return open_alone(plan, FLOOR_PINGS, why, why_len);
}

static void *open_extend(const struct crowd_plan *plan, char *why, size_t why_len)
{
	return open_alone(plan, FLOOR_EXTENDS, why, why_len);
}

const struct crowd crowd_floor = {"floor", open_floor, run_crowd, drain, close_crowd};
const struct crowd crowd_ping = {"ping", open_ping, run_crowd, drain, close_crowd};
const struct crowd crowd_floor_extend = {"floor", open_extend, run_crowd, drain, close_crowd};
