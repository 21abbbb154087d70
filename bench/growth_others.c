/* growth_others.c - as many locks wait for what a stranger holds, in a client that does nothing
 * else.
 *
 * He follows the same protocol, and keeps what he has: so whoever waits stands in line at the
 * nodes, and comes back once in each of his leases. */
#include "growth_play.h"
#include "stranger.h"

/* How long he takes them for, whatever the locks of our own have. */
#define OTHERS_TTL_MS 30000
/* They are in line when nobody has asked anything for so long. */
#define STILL_MS 200
/* So much longer than other blocks do all of them wait, and nothing else is done. */
#define WINDOWS 10

/* Run the loop until nothing is asked any more. False: it goes on and on. */
static bool stand_still(struct growth *growth, struct reading *now)
{
	uint64_t commands = UINT64_MAX;
	uint64_t passed_ms;

	for (passed_ms = 0; passed_ms < 5 * GROWTH_PATIENCE_MS; passed_ms += STILL_MS) {
		session_pass(&growth->session, STILL_MS);
		meter_end(&growth->meter, now);
		if (now->commands == commands) {
			return true;
		}
		commands = now->commands;
	}
	return false;
}

/* Each of them, to each node. */
static double commands_each(const struct growth *growth, const struct reading *now)
{
	return (double)(now->commands - growth->since.commands) / growth->count /
	       (double)growth->lab->nodes.count;
}

static void line_up(struct growth *growth)
{
	struct reading now;
	bool still;

	growth_weigh(growth);
	if (herd_open(&growth->waiters, &growth->session, GROWTH_OTHERS, growth->count) !=
	    REDLOCK_OK) {
		growth->waiters.errors++;
		return;
	}
	meter_begin(&growth->meter, &growth->since);
	herd_wait(&growth->waiters);
	still = stand_still(growth, &now);
	growth->values[GROWTH_WAIT_BEGIN] = growth_spent_us(growth, &now, growth->count);
	growth->values[GROWTH_WAIT_BEGIN_COMMANDS] = commands_each(growth, &now);
	growth->waiters.errors += !still;
}

static void just_wait(struct growth *growth)
{
	double seconds = WINDOWS * (double)growth->lab->options.duration_ns / 1e9;
	struct reading now;

	meter_begin(&growth->meter, &growth->since);
	session_pass(&growth->session, (uint64_t)(seconds * 1000));
	meter_end(&growth->meter, &now);
	growth->values[GROWTH_WAIT_HEAP] = growth_heap_each(growth);
	growth->values[GROWTH_WAIT_CPU] = growth_spent_us(growth, &now, seconds) / 1e4;
	growth->values[GROWTH_WAIT_SERVER_CPU] =
		(double)(now.server_ns - growth->since.server_ns) / 1e7 / seconds;
	growth->values[GROWTH_WAIT_COMMANDS] = commands_each(growth, &now) / seconds;
}

static int wait_for_stranger(struct growth *growth, char *why)
{
	int rv;

	if (growth_open_client(growth, why) != 0) {
		return REDLOCK_ENOQUORUM;
	}
	rv = herd_open(&growth->probes, &growth->session, 'p', HERD_IN_FLIGHT);
	if (rv == REDLOCK_OK) {
		line_up(growth);
		just_wait(growth);
		growth_probe(growth, GROWTH_WAIT);
	}
	/* None of those who wait can have got it. */
	growth->errors += growth->probes.errors + growth->waiters.errors + growth->waiters.ended;
	herd_close(&growth->waiters);
	herd_close(&growth->probes);
	session_close(&growth->session);
	return rv;
}

int growth_with_others(struct growth *growth, char *why)
{
	struct stranger *stranger = stranger_start(&growth->lab->nodes, GROWTH_OTHERS,
						   growth->count, OTHERS_TTL_MS, why, WHY_MAX);
	int rv;

	if (!stranger) {
		return REDLOCK_ENOQUORUM;
	}
	rv = wait_for_stranger(growth, why);
	stranger_stop(stranger);
	return rv;
}
