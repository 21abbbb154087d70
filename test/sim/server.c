/* server.c - a node: keys with an owner and an end, and the commands of the protocol, with the
 * meaning that the scripts and plain commands of lib/redis/ have on a real server. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/mutant.h"
#include "judge.h"
#include "redis/wire.h"

/* A server that has been running for long. */
#define AGE_US UINT64_C(360000000000)

const char *sim_op_name(enum rlk_op op)
{
	switch (op) {
	case RLK_OP_ACQUIRE:
		return "acquire";
	case RLK_OP_EXTEND:
		return "extend";
	case RLK_OP_REPAIR:
		return "repair";
	case RLK_OP_RELEASE:
		return "release";
	case RLK_OP_REMAINING:
		return "remaining";
	case RLK_OP_ADVANCE:
		return "advance";
	case RLK_OP_JOIN:
		return "join the line for";
	case RLK_OP_INSPECT:
		break;
	}
	return "inspect";
}

static const char *answer_name(enum rlk_answer_kind kind)
{
	static const char *const names[] = {
		[RLK_YES] = "yes",
		[RLK_NO] = "no",
		[RLK_MISSING] = "there is no key",
		[RLK_FENCE_LOW] = "the fencing token is too low",
		[RLK_FENCE_HIGH] = "the fencing token is too high",
		[RLK_VALUE] = "here it is",
	};
	return kind > RLK_VALUE ? "an error" : names[kind];
}

static uint64_t clock_us(const struct sim *sim, const struct sim_server *server)
{
	return sim_clock_read(sim, &server->clock);
}

void sim_server_name_process(struct sim_server *server)
{
	snprintf(server->run_id, sizeof server->run_id, "process-%u-%u", server->index,
		 ++server->runs);
}

void sim_server_init(struct sim *sim, unsigned index)
{
	struct sim_server *server = &sim->servers[index];

	server->index = index;
	server->clock.base_us = SIM_WALL_US;
	server->up = true;
	server->dice = dice_for(sim->seed, index);
	sim_server_name_process(server);
	memcpy(server->data.incarnation, server->run_id, sizeof server->run_id);
	server->data.born_us = SIM_WALL_US - AGE_US;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static bool is_named(const struct sim_key *key, const char *name, size_t len)
{
	return key->name_len == len && memcmp(key->name, name, len) == 0;
}

static struct sim_key *find(struct sim_server *server, const char *name, size_t len)
{
	unsigned i;

	for (i = 0; i < SIM_KEYS_MAX; i++) {
		if (is_named(&server->data.keys[i], name, len)) {
			return &server->data.keys[i];
		}
	}
	return NULL;
}

struct sim_key *sim_key_find_or_make(struct sim *sim, struct sim_server *server, const char *name,
				     size_t len)
{
	struct sim_key *key = find(server, name, len);

	if (key == NULL) {
		key = find(server, "", 0);
		if (key == NULL) {
			sim_fail(sim, "too many names for a node");
		}
		memcpy(key->name, name, len);
		key->name_len = len;
	}
	return key;
}

/* Milliseconds that the key has left. To the grain, it dies early rather than late. */
uint64_t sim_server_left_ms(const struct sim *sim, const struct sim_server *server,
			    const struct sim_key *key)
{
	uint64_t now_ms = clock_us(sim, server) / 1000;
	return key->dies_ms > now_ms ? key->dies_ms - now_ms : 0;
}

bool sim_key_is(const struct sim_key *key, const char *token, size_t len)
{
	return key->token_len == len && memcmp(key->token, token, len) == 0;
}

void sim_key_set(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		 const char *token, size_t len, uint32_t ttl_ms)
{
	memcpy(key->token, token, len);
	key->token_len = len;
	key->dies_ms = clock_us(sim, server) / 1000 + ttl_ms;
}

const struct sim_key *sim_key(struct sim *sim, unsigned node, const char *resource)
{
	struct sim_server *server = &sim->servers[node];
	const struct sim_key *key = find(server, resource, strlen(resource));

	return key != NULL && sim_server_left_ms(sim, server, key) > 0 ? key : NULL;
}

unsigned sim_keys_with(struct sim *sim, const char *resource, const char *token, size_t token_len)
{
	const struct sim_key *key;
	unsigned i, n = 0;

	for (i = 0; i < sim->node_count; i++) {
		key = sim_key(sim, i, resource);
		n += key != NULL && sim_key_until_ms(key, token, token_len) > 0;
	}
	return n;
}

void sim_plant(struct sim *sim, unsigned node, const char *resource, const char *token,
	       uint32_t ttl_ms)
{
	struct sim_server *server = &sim->servers[node];

	sim_key_set(sim, server, sim_key_find_or_make(sim, server, resource, strlen(resource)),
		    token, strlen(token), ttl_ms);
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* RLK_SCRIPT_EXTEND. */
static void extend(const struct sim *sim, const struct sim_server *server, struct sim_key *key,
		   const struct sim_command *command, struct rlk_answer *answer)
{
	uint64_t left = sim_server_left_ms(sim, server, key);

	if (left == 0) {
		answer->kind = RLK_MISSING;
	} else if (!sim_key_is(key, command->token, command->token_len) &&
		   !RLK_MUTANT(EXTEND_ANY)) {
		answer->kind = RLK_NO;
	} else {
		if (left < command->ttl_ms || RLK_MUTANT(EXTEND_SHORTENS)) {
			key->dies_ms += command->ttl_ms - left;
		}
		answer->kind = RLK_YES;
	}
}

/* RLK_SCRIPT_RELEASE. */
static void release(struct sim *sim, struct sim_server *server, struct sim_key *key,
		    const struct sim_command *command, struct rlk_answer *answer)
{
	answer->kind = RLK_NO;
	if (command->ticket.seq != 0 && !RLK_MUTANT(LINE_TICKET_STAYS)) {
		sim_line_leave(key, command->token);
	}
	if (sim_server_left_ms(sim, server, key) > 0 &&
	    (sim_key_is(key, command->token, command->token_len) || RLK_MUTANT(RELEASE_ANY))) {
		answer->kind = RLK_YES;
		answer->passed = sim_line_release(sim, server, key, command);
		if (!answer->passed) {
			key->dies_ms = 0;
		}
	}
}

static void look(const struct sim *sim, const struct sim_server *server, const struct sim_key *key,
		 enum rlk_op op, struct rlk_answer *answer)
{
	uint64_t left = sim_server_left_ms(sim, server, key);

	answer->kind = RLK_VALUE;
	answer->remaining_ms = (int64_t)left;
	answer->in_line = (int32_t)key->places;
	if (op == RLK_OP_INSPECT && left > 0) {
		answer->held = true;
		answer->text = key->token; /* Lent, as a reply's text is. */
		answer->text_len = key->token_len;
	}
}

static void execute(struct sim *sim, struct sim_server *server, const struct sim_command *command,
		    struct rlk_answer *answer)
{
	struct sim_key *key;

	if (command->part_count > 0) {
		sim_several_execute(sim, server, command, answer);
		return;
	}
	key = sim_key_find_or_make(sim, server, command->name, command->name_len);
	switch (command->op) {
	case RLK_OP_ACQUIRE:
	case RLK_OP_REPAIR:
	case RLK_OP_ADVANCE:
		(command->shared ? sim_shared_set : sim_server_set)(sim, server, key, command,
								    answer);
		break;
	case RLK_OP_EXTEND:
		(command->shared ? sim_shared_extend : extend)(sim, server, key, command, answer);
		break;
	case RLK_OP_RELEASE:
		(command->shared ? sim_shared_release : release)(sim, server, key, command, answer);
		break;
	case RLK_OP_JOIN:
		sim_line_join(sim, server, key, command, answer);
		break;
	case RLK_OP_REMAINING:
	case RLK_OP_INSPECT:
		look(sim, server, key, command->op, answer);
		break;
	}
}

bool sim_server_has(const struct sim *sim, struct sim_server *server,
		    const struct sim_command *command)
{
	const struct sim_command *part;
	const struct sim_key *key;
	struct sim_command one;
	unsigned i;

	for (i = 0; i < sim_command_parts(command); i++) {
		part = sim_command_part(command, i, &one);
		key = find(server, part->name, part->name_len);
		if (key != NULL && sim_key_until_ms(key, command->token, command->token_len) >
					   clock_us(sim, server) / 1000) {
			return true;
		}
	}
	return false;
}

static void note_promise(struct sim *sim, struct sim_server *server,
			 const struct sim_command *command, enum rlk_answer_kind kind)
{
	if (command->op == RLK_OP_RELEASE) {
		sim_nodes_released(sim, server, command);
		sim_nodes_given_back(sim, server, find(server, command->name, command->name_len));
	} else if (kind == RLK_YES && rlk_is_vote(command->op)) {
		sim_nodes_voted(sim, server, command,
				sim_key_until_ms(find(server, command->name, command->name_len),
						 command->token, command->token_len));
	}
}

/* What is refused several may have given some of them back. */
static void note_all(struct sim *sim, struct sim_server *server, const struct sim_command *command,
		     enum rlk_answer_kind kind)
{
	const struct sim_command *part;
	struct sim_command one;
	unsigned i;

	for (i = 0; i < sim_command_parts(command); i++) {
		note_promise(sim, server, sim_command_part(command, i, &one), kind);
	}
	for (i = 0; i < sim_command_parts(command); i++) {
		if (kind == RLK_YES || command->part_count > 0) {
			part = sim_command_part(command, i, &one);
			sim_judge_keys(sim, part->name, part->name_len);
		}
	}
}

/* A dead key is deleted by who looks for it, and stays so if the clock is set back. */
static void bury_dead(struct sim *sim, struct sim_server *server, const struct sim_command *command)
{
	const struct sim_command *part;
	struct sim_command one;
	struct sim_key *key;
	unsigned i;

	for (i = 0; i < sim_command_parts(command); i++) {
		part = sim_command_part(command, i, &one);
		key = find(server, part->name, part->name_len);
		if (key != NULL && sim_server_left_ms(sim, server, key) == 0) {
			key->dies_ms = 0;
		}
		sim_nodes_looked(sim, server, part);
	}
}

/* RLK_SCRIPT_CHECKED, and what RLK_SCRIPT_FENCED begins with. */
static bool is_for_another(const struct sim_server *server, const struct sim_command *command)
{
	return command->checked && !RLK_MUTANT(CHANGE_UNSEEN) &&
	       (command->op == RLK_OP_ACQUIRE || command->op == RLK_OP_REPAIR ||
		command->op == RLK_OP_ADVANCE || command->op == RLK_OP_EXTEND) &&
	       (strcmp(server->run_id, command->run_id) != 0 ||
		strcmp(server->data.incarnation, command->run_id) != 0 ||
		server->data.born_us != command->born_us);
}

void sim_server_execute(struct sim *sim, struct sim_server *server,
			const struct sim_command *command, struct rlk_answer *answer)
{
	static const char changed[] = "CHANGED another server answers here";
	static const char text[] = "OOM command not allowed when used memory > 'maxmemory'.";
	bool error = dice_chance(&server->dice, server->error_percent) ||
		     (server->no_line && command->op == RLK_OP_JOIN);

	*answer = (struct rlk_answer){.kind = RLK_ERROR, .remaining_ms = -1};
	server->asked[command->op]++;
	if (is_for_another(server, command)) {
		answer->text = changed;
		answer->text_len = sizeof changed - 1;
		return;
	}
	/* A script may fail after its first write: an error does not mean that nothing was done. */
	if (!error || (!server->no_line && dice_chance(&server->dice, 50))) {
		bool had = command->op == RLK_OP_EXTEND && sim_server_has(sim, server, command);
		bury_dead(sim, server, command);
		execute(sim, server, command, answer);
		if (command->op == RLK_OP_EXTEND && answer->kind == RLK_YES && !had) {
			sim_fail(sim, "node %u lengthens what is over, or another's",
				 server->index);
		}
		sim->tally.repairs += command->op == RLK_OP_REPAIR && answer->kind == RLK_YES;
		note_all(sim, server, command, answer->kind);
	}
	if (error || answer->kind == RLK_ERROR) {
		*answer = (struct rlk_answer){
			.kind = RLK_ERROR,
			.remaining_ms = -1,
			.text = text,
			.text_len = sizeof text - 1,
		};
	}
	if (sim->trace) {
		sim_note(sim, "  node %u is asked to %s %.*s%s as %.4s: %s", server->index,
			 sim_op_name(command->op), (int)command->name_len, command->name,
			 command->part_count > 0 ? " and others" : "", command->token,
			 answer_name(answer->kind));
	}
	if (sim->trace && command->fence != 0) {
		sim_note(sim,
			 "    with fencing token %+lld us by its clock, its last one is %+lld us",
			 (long long)(command->fence - clock_us(sim, server)),
			 (long long)(sim_key_find_or_make(sim, server, command->name,
							  command->name_len)
					     ->fence -
				     clock_us(sim, server)));
	}
}

/* What may be another's copy is not complete. */
bool sim_server_durable(const struct sim *sim, const struct sim_server *server)
{
	return server->durable && !sim->config.may_change;
}

/* RLK_SCRIPT_ENROL. */
void sim_server_enrol(struct sim *sim, struct sim_server *server, uint64_t *born_us,
		      uint64_t *now_us)
{
	struct sim_data *data = &server->data;

	*now_us = clock_us(sim, server);
	if (strcmp(data->incarnation, server->run_id) != 0) {
		if (data->incarnation[0] == '\0' ||
		    (!sim_server_durable(sim, server) && !RLK_MUTANT(GUARD_STALE))) {
			data->born_us = *now_us;
		}
		memcpy(data->incarnation, server->run_id, sizeof server->run_id);
	}
	*born_us = data->born_us;
}
