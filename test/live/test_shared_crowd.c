/* test_shared_crowd.c - many readers and a few writers who want one resource all the time, and a
 * judge who sees them all: never a writer with anybody else. */
#include "rig.h"

#include <string.h>

#define NAME "library"
#define CLIENTS 4
#define READERS 6 /* Of each client. */
#define USERS (CLIENTS * READERS + CLIENTS)
#define DEADLINE_MS 120000

struct user {
	struct redlock_lock *lock;
	bool writes, inside;
	unsigned grants;
	uv_timer_t stay;
};

static struct crowd {
	struct redlock_client *clients[CLIENTS];
	struct user users[USERS];
	unsigned writers, readers; /* Inside. */
	unsigned together;	   /* So many readers at most. */
	unsigned reads, writes, losses, troubles;
	unsigned wanted_reads, wanted_writes;
	bool over;
} crowd;

static void leave(struct user *user)
{
	user->inside = false;
	crowd.writers -= user->writes;
	crowd.readers -= !user->writes;
}

static void want(struct user *user);

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	(void)lock, (void)report;
	crowd.troubles += status != REDLOCK_OK;
	want(data);
}

static void on_stayed(uv_timer_t *timer)
{
	struct user *user = timer->data;

	if (!user->inside) {
		return; /* Lost meanwhile. */
	}
	leave(user);
	ck_assert_int_eq(redlock_release(user->lock, on_released, user), REDLOCK_OK);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct user *user = data;

	(void)report;
	if (status != REDLOCK_OK) {
		crowd.troubles++;
		want(user);
		return;
	}
	ck_assert(redlock_lock_held(lock));
	user->inside = true;
	crowd.writers += user->writes;
	crowd.readers += !user->writes;
	ck_assert_msg(crowd.writers == 0 || (crowd.writers == 1 && crowd.readers == 0),
		      "%u writers and %u readers inside", crowd.writers, crowd.readers);
	crowd.together = crowd.readers > crowd.together ? crowd.readers : crowd.together;
	crowd.reads += !user->writes;
	crowd.writes += user->writes;
	user->grants++;
	uv_timer_start(&user->stay, on_stayed, user->writes ? 1 : 3, 0);
}

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct user *user = data;

	(void)lock, (void)status, (void)report;
	crowd.losses++;
	if (user->inside) {
		leave(user);
		want(user);
	}
}

/* In a pause of its own, since what fails may fail at once. */
static void on_wanted(uv_timer_t *timer)
{
	struct user *user = timer->data;

	if (!crowd.over) {
		ck_assert_int_eq(
			redlock_acquire(user->lock, REDLOCK_WAIT_FOREVER, on_acquired, user),
			REDLOCK_OK);
	}
}

static void want(struct user *user)
{
	/* Writers come one after the other, but not all the time: they go before readers. */
	uv_timer_start(&user->stay, on_wanted, user->writes ? 100 : 0, 0);
}

static void user_start(struct user *user, struct redlock_client *client, bool writes)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.shared = user->writes = false;
	options.shared = !writes;
	options.auto_renew = true;
	options.on_lost = on_lost;
	options.data = user;
	user->writes = writes;
	user->lock = rig_lock_with(client, NAME, &options);
	uv_timer_init(&rig.loop, &user->stay);
	user->stay.data = user;
	want(user);
}

static void crowd_start(unsigned writers_each)
{
	unsigned i, j, n = 0;

	for (i = 0; i < CLIENTS; i++) {
		crowd.clients[i] = rig_connected_client();
		for (j = 0; j < READERS; j++) {
			user_start(&crowd.users[n++], crowd.clients[i], false);
		}
		for (j = 0; j < writers_each; j++) {
			user_start(&crowd.users[n++], crowd.clients[i], true);
		}
	}
}

static bool is_enough(void *data)
{
	(void)data;
	return crowd.reads >= crowd.wanted_reads && crowd.writes >= crowd.wanted_writes;
}

/* A deadline of its own: a crowd takes longer than one lock. */
static void until_enough(unsigned reads, unsigned writes)
{
	uint64_t end_ms = loop_clock_ms() + DEADLINE_MS;

	crowd.wanted_reads = crowd.reads + reads;
	crowd.wanted_writes = crowd.writes + writes;
	while (!is_enough(NULL)) {
		ck_assert_msg(loop_clock_ms() < end_ms, "%u reads and %u writes, no more",
			      crowd.reads, crowd.writes);
		loop_run_ms(&rig.loop, 20);
	}
}

static void crowd_end(void)
{
	unsigned i;

	crowd.over = true;
	for (i = 0; i < USERS; i++) {
		if (crowd.users[i].lock != NULL) {
			redlock_lock_free(crowd.users[i].lock);
			uv_close((uv_handle_t *)&crowd.users[i].stay, NULL);
		}
	}
	for (i = 0; i < CLIENTS; i++) {
		close_sync(&rig.loop, crowd.clients[i]);
	}
	ck_assert_uint_gt(crowd.together, 1);
}

START_TEST(no_writer_is_inside_with_anybody)
{
	crowd_start(1);
	until_enough(400, 60);
	crowd_end();
	ck_assert_uint_eq(crowd.losses, 0);
}
END_TEST

START_TEST(nor_when_nodes_forget_their_scripts_and_are_started_again)
{
	unsigned i;

	crowd_start(1);
	for (i = 0; i < 5; i++) {
		until_enough(40, 5);
		server_do(&rig.servers.at[(i + 1) % 5], "SCRIPT FLUSH");
		server_kill(&rig.servers.at[i]);
		until_enough(40, 5);
		server_start_again(&rig.servers.at[i], true);
	}
	until_enough(40, 5);
	rig_wait_up(rig.client, 5);
	crowd_end();
}
END_TEST

START_TEST(a_stream_of_readers_keeps_no_writer_out)
{
	struct user *writer = &crowd.users[USERS - 1];

	crowd_start(0);
	until_enough(200, 0);
	user_start(writer, rig.client, true);
	until_enough(0, 3);
	crowd.over = true;
	crowd_end();
	ck_assert_uint_ge(writer->grants, 3);
}
END_TEST

static void durable_5(void)
{
	rig_open(5, &(struct server_options){.durable = true});
	rig.options.guard = REDLOCK_GUARD_ON;
	rig_connect();
}

int main(void)
{
	Suite *suite = suite_create("shared crowd");
	TCase *five = rig_case(suite, "five nodes", rig_5);
	TCase *durable = rig_case(suite, "five nodes that keep their data", durable_5);

	tcase_set_timeout(five, 2 * DEADLINE_MS / 1000);
	tcase_set_timeout(durable, 4 * DEADLINE_MS / 1000);
	tcase_add_test(five, no_writer_is_inside_with_anybody);
	tcase_add_test(five, a_stream_of_readers_keeps_no_writer_out);
	tcase_add_test(durable, nor_when_nodes_forget_their_scripts_and_are_started_again);
	return rig_run(suite);
}
