/* test_semaphore_any.c - any operation at any moment: each callback once, and no holder too many.
 */
#include "permits.h"

#define PERMITS 2
#define USERS 6
#define CLIENTS 2
#define GRANTS 300 /* To be seen, then it is enough. */
#define CALLS 100000
#define SEEDS 4

/* What was begun; none is used again, so that a second callback shows. */
struct call {
	struct actor *actor;
	bool due;
	bool gives; /* A release: it may have been done before the handle was freed. */
};

struct actor {
	struct redlock_semaphore *semaphore;
};

static struct actor actors[USERS];
static struct redlock_client *clients[CLIENTS];
static struct call calls[CALLS];
static unsigned begun, calls_due, granted;
static uint64_t dice;

static unsigned roll(unsigned sides)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return (unsigned)(dice * UINT64_C(2685821657736338717) >> 33) % sides;
}

static void expect_no_holder_too_many(void)
{
	unsigned held = 0, slots = 0;

	for (size_t i = 0; i < USERS; i++) {
		int slot = redlock_semaphore_slot(actors[i].semaphore);

		if (slot >= 0) {
			held++;
			ck_assert_msg((slots & 1U << slot) == 0, "two have slot %d", slot);
			slots |= 1U << slot;
		}
	}
	ck_assert_uint_le(held, PERMITS);
}

static void act(struct actor *actor);

static void on_end(struct redlock_semaphore *semaphore, int status,
		   const struct redlock_report *report, void *data)
{
	struct call *call = data;
	struct actor *actor = call->actor;

	ck_assert_msg(call->due, "a callback came twice");
	ck_assert_uint_eq(report->node_count, rig.servers.count);
	call->due = false;
	calls_due--;
	if (actor->semaphore != semaphore) {
		ck_assert(status != REDLOCK_OK || call->gives); /* It was freed meanwhile. */
		return;
	}
	granted += redlock_semaphore_held(semaphore);
	expect_no_holder_too_many();
	if (roll(3) == 0) {
		act(actor);
	}
}

static void open_handle(struct actor *actor)
{
	struct redlock_semaphore_options options;

	redlock_semaphore_options_init(&options);
	options.ttl_ms = roll(4) == 0 ? 300 : 0;
	options.auto_renew = roll(2) == 0;
	ck_assert_int_eq(redlock_semaphore_new(&actor->semaphore,
					       clients[(size_t)(actor - actors) % CLIENTS], NAME,
					       strlen(NAME), PERMITS, &options),
			 REDLOCK_OK);
}

static int begin(struct actor *actor, struct call *call)
{
	static const uint64_t waits_ms[] = {0, 0, 5, 100, REDLOCK_WAIT_FOREVER};

	switch (roll(4)) {
	case 0:
		return redlock_semaphore_extend(actor->semaphore, on_end, call);
	case 1:
		call->gives = true;
		return redlock_semaphore_release(actor->semaphore, on_end, call);
	default:
		return redlock_semaphore_acquire(actor->semaphore, waits_ms[roll(5)], on_end, call);
	}
}

static void act(struct actor *actor)
{
	struct redlock_semaphore *freed = actor->semaphore;
	struct call *call;

	switch (roll(12)) {
	case 0:
		open_handle(actor);
		redlock_semaphore_free(freed);
		break;
	case 1:
	case 2:
		(void)redlock_semaphore_cancel(actor->semaphore);
		break;
	default:
		ck_assert_uint_lt(begun, CALLS);
		call = &calls[begun++];
		call->actor = actor;
		call->due = begin(actor, call) == 0;
		calls_due += call->due;
	}
}

static bool nothing_is_due(void *data)
{
	(void)data;
	return calls_due == 0;
}

/* One node of three hangs, and goes on. */
static void hang_or_go_on(void)
{
	struct server *server = &rig.servers.at[0];

	if (server->stopped) {
		server_continue(server);
	} else {
		server_stop(server);
	}
}

static void play(uint64_t seed, bool hurt)
{
	dice = seed;
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i] = rig_connected_client();
	}
	for (size_t i = 0; i < USERS; i++) {
		open_handle(&actors[i]);
	}
	while (granted < GRANTS) {
		act(&actors[roll(USERS)]);
		expect_no_holder_too_many();
		for (unsigned turns = roll(4); turns > 0; turns--) {
			loop_turn(&rig.loop);
		}
		if (roll(4) == 0) {
			loop_run_ms(&rig.loop, 1); /* Let some come to their ends. */
		}
		if (hurt && roll(100) == 0) {
			hang_or_go_on();
		}
	}
	for (size_t i = 0; i < USERS; i++) {
		redlock_semaphore_free(actors[i].semaphore);
		actors[i].semaphore = NULL;
	}
	loop_until(&rig.loop, nothing_is_due, NULL, "all callbacks have come");
	if (rig.servers.at[0].stopped) {
		hang_or_go_on();
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		close_sync(&rig.loop, clients[i]);
	}
}

START_TEST(any_handle_may_do_anything_at_any_moment)
{
	play((uint64_t)_i + 1, false);
}
END_TEST

START_TEST(the_same_while_a_node_hangs_and_goes_on)
{
	play((uint64_t)_i + 1, true);
}
END_TEST

static void rig_3_impatient(void)
{
	rig_open(3, NULL);
	rig.options.node_timeout_ms = 100;
	rig_connect();
}

int main(void)
{
	Suite *suite = suite_create("semaphore_any");
	TCase *three = rig_case(suite, "three nodes", rig_3);

	tcase_add_loop_test(three, any_handle_may_do_anything_at_any_moment, 0, SEEDS);
	tcase_add_loop_test(rig_case(suite, "impatient", rig_3_impatient),
			    the_same_while_a_node_hangs_and_goes_on, 0, SEEDS);
	return rig_run(suite);
}
