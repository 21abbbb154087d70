/* world.c - time: one event after the other. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* ---- Clocks ---------------------------------------------------------------------------------- */

uint64_t sim_clock_when(const struct sim_clock *clock, uint64_t reading_us)
{
	uint64_t passed_us, at_us;

	if (reading_us <= clock->base_us) {
		return SIM_START_US;
	}
	passed_us = reading_us - clock->base_us;
	if (passed_us > UINT64_C(1) << 42) { /* Weeks: never, for our purposes. */
		return RLK_NEVER;
	}
	at_us = SIM_START_US + passed_us * 1000000 / (uint64_t)(1000000 + clock->ppm);
	while (sim_clock_at(clock, at_us) < reading_us) {
		at_us++;
	}
	while (at_us > SIM_START_US && sim_clock_at(clock, at_us - 1) >= reading_us) {
		at_us--;
	}
	return at_us;
}

/* ---- Events: a binary heap, first come first served among equals ------------------------------
 */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->serial < b->serial);
}

void sim_at(struct sim *sim, uint64_t at_us, sim_event_fn *run, void *data)
{
	struct sim_event event = {at_us < sim->now_us ? sim->now_us : at_us, sim->serial++, run,
				  data};
	size_t i;

	if (at_us == RLK_NEVER) {
		return;
	}
	if (sim->count == sim->room) {
		sim->room = sim->room == 0 ? 256 : sim->room * 2;
		sim->events = realloc(sim->events, sim->room * sizeof *sim->events);
		if (sim->events == NULL) {
			abort();
		}
	}
	for (i = sim->count++; i > 0 && before(&event, &sim->events[(i - 1) / 2]);
	     i = (i - 1) / 2) {
		sim->events[i] = sim->events[(i - 1) / 2];
	}
	sim->events[i] = event;
}

static struct sim_event take_first(struct sim *sim)
{
	struct sim_event first = sim->events[0], last = sim->events[--sim->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < sim->count) {
		if (child + 1 < sim->count &&
		    before(&sim->events[child + 1], &sim->events[child])) {
			child++;
		}
		if (!before(&sim->events[child], &last)) {
			break;
		}
		sim->events[i] = sim->events[child];
		i = child;
	}
	sim->events[i] = last;
	return first;
}

bool sim_step(struct sim *sim)
{
	struct sim_event event;

	if (sim->count == 0) {
		return false;
	}
	event = take_first(sim);
	sim->now_us = event.at_us;
	if (++sim->event_count > 1000000) {
		sim_fail(sim, "a million events: something turns in circles");
	}
	if (sim->now_us >= sim->watch_us) {
		sim_judge_ends(sim);
	}
	event.run(sim, event.data);
	if (sim->thorough) {
		sim_judge_all(sim);
	}
	return true;
}

void sim_run(struct sim *sim, uint64_t us)
{
	uint64_t until_us = sim->now_us + us;

	while (sim->count > 0 && sim->events[0].at_us <= until_us) {
		sim_step(sim);
	}
	sim->now_us = until_us;
	sim_judge_all(sim);
}

uint64_t sim_elapsed_us(const struct sim *sim)
{
	return sim->now_us - SIM_START_US;
}

/* ---- Words ----------------------------------------------------------------------------------- */

/* Not through Check: its assertions write to a file each time, and cost more than all the rest. */
void *sim_alloc(size_t size)
{
	void *block = calloc(1, size);

	if (block == NULL) {
		abort();
	}
	return block;
}

void sim_note(const struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->trace) {
		return;
	}
	fprintf(stderr, "[%10.3f] ", (double)sim_elapsed_us(sim) / 1000);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void sim_fail(const struct sim *sim, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (sim->failed != NULL) {
		sim->failed(sim, format, text);
	}
	ck_abort_msg("%s at %.3f ms: %s", sim->label, (double)sim_elapsed_us(sim) / 1000, text);
	abort(); /* Not reached. */
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

struct sim *sim_new(unsigned nodes, uint64_t seed)
{
	struct sim *sim = sim_alloc(sizeof *sim);
	unsigned i;

	sim->trace = getenv("SIM_TRACE") != NULL;
	sim->now_us = SIM_START_US;
	sim->seed = seed;
	sim->watch_us = RLK_NEVER;
	sim->node_count = nodes;
	sim->latency_us = 1000;
	sim->config = (struct rlk_config){
		.max_ttl_ms = 60000,
		.drift_ppm = 10000,
		.node_timeout_ms = 500,
		.connect_timeout_ms = 2000,
		.min_validity_percent = 20,
		.retry_min_ms = 5,
		.retry_max_ms = 250,
		.reconnect_min_ms = 50,
		.reconnect_max_ms = 5000,
		.max_in_flight = 65536,
		.pace = RLK_PACE_MOST,
		.hand_max = 16,
		.guard = true,
	};
	snprintf(sim->label, sizeof sim->label, "seed %" PRIu64, seed);
	for (i = 0; i < nodes; i++) {
		sim_server_init(sim, i);
	}
	return sim;
}

static void close_all(struct sim *sim)
{
	struct sim_client *client;
	struct sim_lock *lock;

	for (client = sim->clients; client != NULL; client = client->next) {
		sim_client_resume(client);
		if (!client->closing) {
			sim_client_close(client);
		}
	}
	sim_run(sim, 1000000 + 1000 * (uint64_t)sim->config.node_timeout_ms);
	for (lock = sim->locks; lock != NULL; lock = lock->next) {
		if (!lock->freed) {
			sim_lock_free(lock);
		}
	}
	for (client = sim->clients; client != NULL; client = client->next) {
		sim_client_finish(client);
		if (!client->gone) {
			sim_fail(sim, "client %u is closed and does not go", client->index);
		}
	}
}

static void check_told(const struct sim *sim, const struct sim_lock *lock)
{
	unsigned news;

	for (news = 0; news < RLK_NEWS_KINDS; news++) {
		if (lock->pending[news] != 0) {
			sim_fail(sim, "operation %u of a lock on %s was never told", news,
				 lock->resource);
		}
	}
}

void sim_end(struct sim *sim)
{
	struct sim_client *client;
	struct sim_lock *lock;

	close_all(sim);
	if (sim->surveys != 0) {
		sim_fail(sim, "%u surveys do not end", sim->surveys);
	}
	sim_conns_free(sim);
	while ((lock = sim->locks) != NULL) {
		sim->locks = lock->next;
		check_told(sim, lock);
		free(lock);
	}
	while ((client = sim->clients) != NULL) {
		sim->clients = client->next;
		free(client);
	}
	free(sim->events);
	free(sim);
}
