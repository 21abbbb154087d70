/* chaos_trouble.c - what goes wrong, and when it is well again. */
#include <stdlib.h>

#include "chaos.h"

struct fault {
	struct chaos *chaos;
	enum chaos_trouble kind;
	unsigned node;
	struct sim_client *client;
	struct sim_dice dice;
};

static struct sim_client *any_client(struct chaos *chaos, struct sim_dice *dice)
{
	return chaos->clients[dice_between(dice, 0, chaos->client_count - 1)];
}

static enum sim_memory any_memory(struct sim_dice *dice)
{
	return dice_chance(dice, 50)   ? SIM_FORGETS_ALL
	       : dice_chance(dice, 50) ? SIM_FORGETS_SOME
				       : SIM_KEEPS_ALL;
}

static void crash(struct sim *sim, unsigned node, struct sim_dice *dice)
{
	enum sim_memory memory = any_memory(dice);

	if (sim->servers[node].durable) {
		memory = SIM_KEEPS_ALL;
	}
	sim_stop(sim, node, memory, dice_chance(dice, 30));
}

static void break_all(struct chaos *chaos, unsigned node)
{
	unsigned i;

	for (i = 0; i < chaos->client_count; i++) {
		sim_break(chaos->clients[i], node);
	}
}

static void storm(struct chaos *chaos, unsigned node, struct sim_client *client,
		  struct sim_dice *dice)
{
	unsigned i;

	if (dice_chance(dice, 50)) {
		break_all(chaos, node);
		return;
	}
	for (i = 0; i < chaos->sim->node_count; i++) {
		sim_break(client, i);
	}
}

/* A laptop is closed: when it is opened, its connections are gone. */
static void suspend(struct sim_client *client)
{
	unsigned i;

	sim_client_pause(client);
	for (i = 0; i < client->sim->node_count; i++) {
		sim_break(client, i);
	}
}

/* May somebody go on with its tokens? Not if commands are on their way that would hit him. */
static bool owes_nothing(const struct sim_client *client)
{
	unsigned i;

	for (i = 0; i < client->sim->node_count; i++) {
		if (client->nodes[i].in_flight > 0 || client->nodes[i].debt_count > 0) {
			return false;
		}
	}
	return true;
}

static void kill(struct chaos *chaos, struct sim_client *client, struct sim_dice *dice)
{
	bool same_tokens = dice_chance(dice, 60) && owes_nothing(client);
	struct sim_lock *lock;
	unsigned i;

	if (chaos->sim->client_count >= CHAOS_CLIENTS_MAX + 3) {
		return;
	}
	for (i = 0; chaos->clients[i] != client; i++) {
	}
	sim_client_kill(client);
	for (lock = client->locks; lock != NULL && same_tokens; lock = lock->next_live) {
		lock->handed_over = lock->core->config.token_len > 0;
		lock->rules.let_go |= lock->handed_over;
	}
	sim_judge(client);
	chaos_replace_client(chaos, i, same_tokens, dice);
}

/* Within the margin: what the clocks' rates leave of the allowance for drift, and once in the life
 * of any lease. Not back where a node may forget its fencing tokens: it would take its clock, less
 * than it was, for what it has granted at most. */
static void set_clock(struct chaos *chaos, unsigned node, struct sim_dice *dice)
{
	struct sim *sim = chaos->sim;
	uint64_t most_us = (uint64_t)chaos->ttl_ms * 3 / 4 * sim->config.drift_ppm / 2000;
	bool back = dice_chance(dice, 50) && (chaos->durable || !chaos->fenced);
	int64_t by_us = (int64_t)(dice_chance(dice, 50) ? most_us : dice_between(dice, 0, most_us));

	if (chaos->clock_set_us[node] + 3000 * (uint64_t)chaos->ttl_ms > sim->now_us) {
		return;
	}
	chaos->clock_set_us[node] = sim->now_us;
	sim_set_clock(sim, node, back ? -by_us : by_us);
}

static void strike_client(struct fault *fault)
{
	struct chaos *chaos = fault->chaos;
	struct sim_dice *dice = &fault->dice;

	switch (fault->kind) {
	case CHAOS_BREAK:
		sim_break(fault->client, fault->node);
		break;
	case CHAOS_STORM:
		storm(chaos, fault->node, fault->client, dice);
		break;
	case CHAOS_CUT:
		sim_cut(fault->client, fault->node, dice_between(dice, 0, chaos->pace_us));
		break;
	case CHAOS_SILENCE:
		sim_silence(fault->client, fault->node,
			    dice_chance(dice, 50) ? SIM_TO_SERVER : SIM_TO_CLIENT,
			    dice_between(dice, 0, chaos->pace_us));
		break;
	case CHAOS_CLIENT_PAUSE:
		sim_client_pause(fault->client);
		break;
	case CHAOS_SUSPEND:
		suspend(fault->client);
		break;
	case CHAOS_KILL:
		kill(chaos, fault->client, dice);
		break;
	case CHAOS_WALL_CLOCK:
		fault->client->wall.base_us = chaos_wall_us(dice);
		break;
	case CHAOS_NO_MEMORY:
		fault->client->fail_percent = 20;
		break;
	case CHAOS_NO_ENTROPY:
		fault->client->no_entropy = true;
		break;
	case CHAOS_TWIN:
		fault->client->led_astray = true;
		fault->client->route[fault->node] =
			(unsigned)dice_between(dice, 0, chaos->sim->node_count - 1);
		sim_break(fault->client, fault->node);
		break;
	default:
		break;
	}
}

static void strike_node(struct fault *fault)
{
	struct chaos *chaos = fault->chaos;
	struct sim *sim = chaos->sim;

	switch (fault->kind) {
	case CHAOS_CRASH:
		if (sim->servers[fault->node].up) {
			crash(sim, fault->node, &fault->dice);
		}
		break;
	case CHAOS_SAVE:
		sim_save(sim, fault->node);
		break;
	case CHAOS_NODE_PAUSE:
		sim_pause(sim, fault->node);
		break;
	case CHAOS_NODE_CLOCK:
		set_clock(chaos, fault->node, &fault->dice);
		break;
	case CHAOS_SLOW:
		sim->slow_percent = 10;
		sim->slow_us = chaos->pace_us;
		break;
	case CHAOS_ERRORS:
		sim->servers[fault->node].error_percent = 30;
		break;
	case CHAOS_BARRED:
		sim->servers[fault->node].barred = "is a replica, not a master";
		break_all(chaos, fault->node);
		break;
	case CHAOS_TAKE_OVER:
		if (sim->servers[fault->node].up) {
			sim_take_over(sim, fault->node, any_memory(&fault->dice));
		}
		break;
	default:
		break;
	}
}

static void strike(struct fault *fault)
{
	static const char *const names[] = {
#define CHAOS_TEXT(name, text) text,
		CHAOS_TROUBLES(CHAOS_TEXT)};

	sim_note(fault->chaos->sim, "trouble: %s (node %u, client %u)", names[fault->kind],
		 fault->node, fault->client->index);
	fault->chaos->struck[fault->kind]++;
	strike_client(fault);
	strike_node(fault);
}

static void mend_node(struct sim *sim, unsigned node)
{
	if (!sim->servers[node].up) {
		sim_start(sim, node);
	}
	if (sim->servers[node].paused) {
		sim_resume(sim, node);
	}
	sim->servers[node].error_percent = 0;
	sim->servers[node].barred = NULL;
}

static void mend_route(struct sim_client *client, unsigned node)
{
	if (client->route[node] != node) {
		client->route[node] = node;
		sim_break(client, node);
	}
}

static void mend_client(struct sim_client *client)
{
	client->fail_percent = 0;
	client->no_entropy = false;
	sim_client_resume(client);
}

static void on_mend(struct sim *sim, void *data)
{
	struct fault *fault = data;

	switch (fault->kind) {
	case CHAOS_CRASH:
	case CHAOS_NODE_PAUSE:
	case CHAOS_ERRORS:
	case CHAOS_BARRED:
		mend_node(sim, fault->node);
		break;
	case CHAOS_TWIN:
		mend_route(fault->client, fault->node);
		break;
	case CHAOS_CLIENT_PAUSE:
	case CHAOS_SUSPEND:
	case CHAOS_NO_MEMORY:
	case CHAOS_NO_ENTROPY:
		mend_client(fault->client);
		break;
	case CHAOS_SLOW:
		sim->slow_percent = 0;
		break;
	default:
		break;
	}
	free(fault);
}

static unsigned any_kind(const struct chaos *chaos, struct sim_dice *dice)
{
	unsigned kinds = chaos->trouble & ((1U << CHAOS_TROUBLE_KINDS) - 1);
	unsigned count = (unsigned)__builtin_popcount(kinds);
	unsigned chosen = count == 0 ? 0 : (unsigned)dice_between(dice, 0, count - 1), kind;

	for (kind = 0; kind < CHAOS_TROUBLE_KINDS; kind++) {
		if ((kinds >> kind & 1) != 0 && chosen-- == 0) {
			break;
		}
	}
	return kind;
}

static struct fault *draw_fault(struct chaos *chaos, struct sim_dice *dice)
{
	unsigned kind = any_kind(chaos, dice);
	struct fault *fault;

	if (kind == CHAOS_TROUBLE_KINDS) {
		return NULL;
	}
	fault = sim_alloc(sizeof *fault);
	fault->chaos = chaos;
	fault->kind = (enum chaos_trouble)kind;
	fault->node = (unsigned)dice_between(dice, 0, chaos->sim->node_count - 1);
	fault->client = any_client(chaos, dice);
	fault->dice = *dice;
	return fault;
}

static void on_strike(struct sim *sim, void *data)
{
	struct fault *fault = data;
	struct chaos *chaos = fault->chaos;
	struct sim_dice *dice = &fault->dice;
	uint64_t most_us = dice_chance(dice, 50)  ? chaos->pace_us / 10
			   : dice_chance(dice, 4) ? 2500000
						  : chaos->pace_us * 3 / 2;
	uint64_t least_us = 0;

	if (chaos->over || fault->client->killed || fault->client->closing) {
		free(fault);
		return;
	}
	strike(fault);
	if (fault->kind == CHAOS_SUSPEND || fault->kind == CHAOS_CLIENT_PAUSE) {
		least_us = dice_chance(dice, 40) ? chaos->pace_us : 0; /* For a lease to end. */
	}
	sim_at(sim, sim->now_us + least_us + dice_between(dice, 0, most_us), on_mend, fault);
}

void chaos_trouble_soon(struct chaos *chaos, struct sim_client *client, struct sim_dice *dice)
{
	struct sim *sim = chaos->sim;
	struct fault *fault = draw_fault(chaos, dice);
	uint64_t most_us = 4 * sim->latency_us + sim->jitter_us;
	unsigned breaks = (chaos->trouble >> CHAOS_BREAK & 1) * 60;

	if (fault != NULL) {
		/* Rather broken: then nobody knows what was done. */
		fault->kind = dice_chance(dice, breaks) ? CHAOS_BREAK : fault->kind;
		fault->client = client;
		sim_at(sim, sim->now_us + dice_between(dice, 0, most_us), on_strike, fault);
	}
}

static void on_fate(struct sim *sim, void *data)
{
	struct chaos_fate *fate = data;
	struct chaos *chaos = fate->chaos;
	struct fault *fault;
	struct sim_dice dice;

	if (chaos->over) {
		return;
	}
	if (chaos_decide(chaos, fate->actor, fate->strikes, &dice)) {
		fault = draw_fault(chaos, &dice);
		if (fault != NULL) {
			on_strike(sim, fault);
		}
	}
	fate->strikes++;
	chaos_next(chaos, fate->actor, fate->strikes, chaos_moment_us(chaos, &dice), on_fate, fate);
}

void chaos_trouble_start(struct chaos *chaos)
{
	for (unsigned i = 0; i < CHAOS_FATES; i++) {
		chaos->fates[i] = (struct chaos_fate){.chaos = chaos, .actor = CHAOS_FATE + i};
		chaos_next(chaos, CHAOS_FATE + i, 0, chaos_moment_us(chaos, &chaos->dice), on_fate,
			   &chaos->fates[i]);
	}
}

void chaos_heal(struct chaos *chaos)
{
	struct sim *sim = chaos->sim;
	struct sim_client *client;
	struct sim_conn *conn;

	for (unsigned i = 0; i < sim->node_count; i++) {
		mend_node(sim, i);
	}
	for (conn = sim->conns; conn != NULL; conn = conn->next) {
		if (conn->dead && !conn->detached) { /* As TCP's keepalive would find out. */
			sim_conn_break(conn);
		}
	}
	sim->slow_percent = 0;
	sim->jitter_us = sim->lazy_us = 0;
	for (client = sim->clients; client != NULL; client = client->next) {
		mend_client(client);
		for (unsigned i = 0; i < sim->node_count; i++) {
			client->cut_until_us[i][SIM_TO_SERVER] = 0;
			client->cut_until_us[i][SIM_TO_CLIENT] = 0;
			mend_route(client, i);
			client->to_us[i] = client->from_us[i] = 100; /* Below any timeout. */
		}
	}
}
