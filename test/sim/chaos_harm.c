/* chaos_harm.c - what trouble does, to a client or to a node. */
#include "chaos_harm.h"

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

void chaos_harm_client(struct chaos_fault *fault)
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
	case CHAOS_DEAF:
		sim_deafen(fault->client, fault->node);
		break;
	case CHAOS_LIES:
		sim_ear_lie(fault->client, fault->node, dice);
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

void chaos_harm_node(struct chaos_fault *fault)
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
