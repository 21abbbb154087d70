/* server_line.c - who stands in line for a key, and who is next: the part that the scripts release
 * and join share, as lib/redis/script.c has it. */
#include <string.h>

#include "core/line.h"
#include "core/mutant.h"
#include "judge.h"
#include "redis/wire.h"

static uint64_t clock_ms(const struct sim *sim, const struct sim_server *server)
{
	return sim_clock_read(sim, &server->clock) / 1000;
}

static void remove_at(struct sim_key *key, unsigned place)
{
	memmove(&key->line[place], &key->line[place + 1],
		(key->places - place - 1) * sizeof key->line[0]);
	key->places--;
}

static unsigned find(const struct sim_key *key, const char *token)
{
	unsigned i;

	for (i = 0; i < key->places; i++) {
		if (memcmp(key->line[i].token, token, RLK_TOKEN_LEN) == 0) {
			break;
		}
	}
	return i;
}

void sim_line_leave(struct sim_key *key, const char *token)
{
	unsigned place = find(key, token);

	if (place < key->places) {
		remove_at(key, place);
	}
}

static bool comes_before(const struct sim_place *a, const struct sim_place *b)
{
	return a->ticket.since_us != b->ticket.since_us
		       ? a->ticket.since_us < b->ticket.since_us
		       : memcmp(a->token, b->token, RLK_TOKEN_LEN) < 0;
}

static void add(const struct sim *sim, struct sim_key *key, const struct sim_command *command)
{
	struct sim_place place = {
		.caller = command->caller,
		.name = command->hash,
		.ticket = command->ticket,
		.joined_us = sim->now_us,
		.ttl_ms = command->ttl_ms,
		.stray = command->stray,
	};
	unsigned i;

	memcpy(place.token, command->token, RLK_TOKEN_LEN);
	sim_line_leave(key, command->token);
	if (key->places == SIM_PLACES) {
		remove_at(key, 0); /* Of somebody long gone, as a rule. */
	}
	for (i = key->places++; i > 0 && comes_before(&place, &key->line[i - 1]); i--) {
		key->line[i] = key->line[i - 1];
	}
	key->line[i] = place;
}

/* PUBLISH. */
static bool call(struct sim *sim, const struct sim_server *server, const struct sim_place *place,
		 const struct rlk_call *what)
{
	struct rlk_call words = *what;

	words.name = place->name;
	words.seq = place->ticket.seq;
	return sim_ear_call(sim, server->index, place->caller, &words);
}

static void forget_if_over(const struct sim *sim, const struct sim_server *server,
			   struct sim_key *key)
{
	if (key->line_dies_ms <= clock_ms(sim, server)) {
		key->places = 0;
	}
}

bool sim_line_pass(struct sim *sim, struct sim_server *server, struct sim_key *key,
		   const struct sim_command *command)
{
	struct sim_place first;
	unsigned i;

	forget_if_over(sim, server, key);
	while (key->places > 0) {
		bool own;
		first = key->line[0];
		remove_at(key, 0);
		own = command->op == RLK_OP_JOIN &&
		      memcmp(first.token, command->token, RLK_TOKEN_LEN) == 0;
		if (!own && !call(sim, server, &first, &(struct rlk_call){.yours = true})) {
			continue;
		}
		memcpy(key->token, first.token, RLK_TOKEN_LEN);
		key->token_len = RLK_TOKEN_LEN;
		key->dies_ms = clock_ms(sim, server) + first.ticket.keep_ms;
		sim_note(sim, "  node %u keeps %.*s for client %u as %.4s", server->index,
			 (int)key->name_len, key->name, first.caller, first.token);
		sim_nodes_kept(sim, server, &first);
		for (i = 0; i < key->places && i < 2; i++) {
			call(sim, server, &key->line[i],
			     &(struct rlk_call){.in_ms = (i + 1) * first.ticket.keep_ms});
		}
		return true;
	}
	return false;
}

bool sim_line_is_ahead(struct sim *sim, const struct sim_server *server, struct sim_key *key,
		       uint64_t left_ms)
{
	struct rlk_call look = {.in_ms = left_ms > 0 ? (uint32_t)left_ms : 1};

	forget_if_over(sim, server, key);
	while (key->places > 0) {
		if (call(sim, server, &key->line[0], &look) || RLK_MUTANT(SHARED_DEAD_AHEAD)) {
			return true;
		}
		remove_at(key, 0);
	}
	return false;
}

/* For as long as the line. */
static void still_waited_for(struct sim_key *key)
{
	key->wait_dies_ms = key->places > 0 ? key->line_dies_ms : 0;
}

bool sim_line_release(struct sim *sim, struct sim_server *server, struct sim_key *key,
		      const struct sim_command *command)
{
	bool waited = key->wait_dies_ms > clock_ms(sim, server), passed;

	key->wait_dies_ms = 0;
	if (!waited) {
		return false;
	}
	passed = sim_line_pass(sim, server, key, command);
	if (!RLK_MUTANT(LINE_FORGOTTEN)) {
		still_waited_for(key);
	}
	return passed;
}

static bool is_foreign(const struct sim_key *key)
{
	size_t i;

	for (i = 0; i < key->token_len; i++) {
		if (strchr(RLK_TOKEN_LETTERS, key->token[i]) == NULL) {
			return true;
		}
	}
	return key->token_len != RLK_TOKEN_LEN;
}

/* RLK_SCRIPT_JOIN. */
void sim_line_join(struct sim *sim, struct sim_server *server, struct sim_key *key,
		   const struct sim_command *command, struct rlk_answer *answer)
{
	uint64_t left, dies_ms, had_ms;

	forget_if_over(sim, server, key);
	had_ms = key->places == 0 ? 0 : key->line_dies_ms;
	add(sim, key, command);
	if (sim_server_left_ms(sim, server, key) == 0 || RLK_MUTANT(LINE_PASS_HELD)) {
		key->line_dies_ms = UINT64_MAX; /* For as long as this script takes. */
		sim_line_pass(sim, server, key, command);
	}
	left = sim_server_left_ms(sim, server, key);
	dies_ms = clock_ms(sim, server) + left + RLK_LINE_LIFE_MS;
	key->line_dies_ms = dies_ms > had_ms ? dies_ms : had_ms;
	still_waited_for(key);
	if (left > 0 && sim_server_has(sim, server, command)) {
		sim_line_leave(key, command->token);
		answer->kind = RLK_YES;
		return;
	}
	answer->kind = RLK_NO;
	answer->remaining_ms = (int64_t)left;
	answer->rank = find(key, command->token);
	answer->foreign = is_foreign(key) && !sim_key_is_shared(key);
}
