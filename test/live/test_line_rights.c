/* test_line_rights.c - who has the right to stand in line, and what becomes of the others. */
#include "line.h"

#include <hiredis/hiredis.h>
#include <stdio.h>

#define PASSWORD "hunter2"
#define KEYS " resetkeys ~orders:* ~redlock:incarnation resetchannels -@all "
/* As docs/operations.md has them. */
#define TO_LOCK "+set +get +del +pttl +pexpire +time +eval +evalsha +info +config|get "
#define TO_WAIT "&redlock:wake:* +subscribe +publish +zadd +zrem +zrank +zrange +zpopmin +psetex "
/* What becomes free without a call is found in a pause of this client, or when the key dies. */
#define PAUSE_MS 200
#define SHORT_TTL_MS 2000

static struct redlock_client *others[2];
static struct waiter waiters[3];

static struct redlock_client *client_as(const char *user)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://%s:" PASSWORD "@%s", user,
			       rig.servers.at[i].address);
	}
	return rig_connected_client();
}

static void rig_users(void)
{
	rig_open(3, &(struct server_options){
			    .acl = "user default off\n"
				   "user locks on >" PASSWORD KEYS TO_LOCK "\n"
				   "user waits on >" PASSWORD KEYS TO_LOCK TO_WAIT "\n"
				   "user tried on >" PASSWORD KEYS TO_LOCK TO_WAIT "\n"
				   "user dumb on >" PASSWORD " ~* resetchannels +@all"});
	rig.options.retry_max_ms = PAUSE_MS;
}

static void hold(struct waiter *waiter, struct redlock_client *client)
{
	start_waiting(waiter, client, 0);
	expect_won(waiter);
}

static void leave(void)
{
	for (size_t i = 0; i < 3; i++) {
		line_leave(&waiters[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		close_sync(&rig.loop, others[i]);
	}
	rig_until_gone(NAME);
	line_expect_mortal();
}

/* Whatever a user may not do is noted, be it in a script. The tests' own PING does not count. */
static void expect_refusals(bool some)
{
	size_t count = 0;

	for (size_t i = 0; i < rig.servers.count; i++) {
		redisReply *reply = server_command(&rig.servers.at[i], "ACL LOG");

		for (size_t j = 0; j < reply->elements; j++) {
			const char *what = reply->element[j]->element[7]->str;

			count += strcmp(what, "ping") != 0;
			ck_assert_msg(some || strcmp(what, "ping") == 0, "refused: %s", what);
		}
		freeReplyObject(reply);
	}
	ck_assert(!some || count > 0);
}

START_TEST(the_rights_of_the_paper_are_enough_to_stand_in_line)
{
	long long sets;

	rig.client = client_as("waits");
	others[0] = client_as("waits");
	others[1] = client_as("waits");
	hold(&waiters[0], rig.client);
	line_join(&waiters[1], others[0]);
	loop_run_ms(&rig.loop, 200);
	line_join(&waiters[2], others[1]);
	sets = line_calls("set");
	rig_release(waiters[0].lock);
	expect_won(&waiters[1]);
	rig_release(waiters[1].lock);
	expect_won(&waiters[2]);
	ck_assert_int_eq(line_calls("set"), sets);
	rig_release(waiters[2].lock);
	line_wait(0);
	expect_refusals(false);
	leave();
}
END_TEST

START_TEST(who_may_not_stand_in_line_waits_in_pauses)
{
	rig.client = client_as("waits");
	others[0] = client_as("locks");
	others[1] = client_as("locks");
	hold(&waiters[0], rig.client);
	start_waiting(&waiters[1], others[0], REDLOCK_WAIT_FOREVER);
	expect_still_waiting(&waiters[1], 1000);
	line_wait(0);
	ck_assert_uint_eq(line_ears(), 0);
	rig_release(waiters[0].lock);
	expect_won(&waiters[1]);
	ck_assert_uint_ge(waiters[1].outcome.report.attempts, 3);
	rig_release(waiters[1].lock);
	start_waiting(&waiters[2], others[1], 0);
	expect_won(&waiters[2]);
	rig_release(waiters[2].lock);
	leave();
}
END_TEST

/* Nobody is called by him, nor harmed: whoever is in line comes when his lease would have been
 * over. */
static void expect_release_by(const char *user)
{
	rig.options.ttl_ms = SHORT_TTL_MS;
	rig.client = client_as(user);
	others[0] = client_as("waits");
	others[1] = client_as("waits");
	hold(&waiters[0], rig.client);
	line_join(&waiters[1], others[0]);
	line_join(&waiters[2], others[1]);
	rig_release(waiters[0].lock);
	expect_won(&waiters[1]);
	ck_assert_uint_eq(waiters[2].outcome.calls, 0);
	rig_release(waiters[1].lock);
	expect_won(&waiters[2]);
	rig_release(waiters[2].lock);
	line_wait(0);
	leave();
}

START_TEST(who_has_no_right_to_call_deletes_the_key)
{
	expect_release_by("locks");
}
END_TEST

START_TEST(who_has_every_right_but_to_channels_deletes_the_key)
{
	expect_release_by("dumb");
}
END_TEST

/* Without one of the rights the others are of little use, and do no harm. */
static const char *const rights[] = {
	"-subscribe", "-publish", "-zadd",   "-zrem",	      "-zrank",
	"-zrange",    "-zpopmin", "-psetex", "resetchannels",
};

static bool someone_has_it(void *data)
{
	(void)data;
	return redlock_lock_held(waiters[1].lock) || redlock_lock_held(waiters[2].lock);
}

START_TEST(who_lacks_one_right_still_gets_the_lock_and_gives_it_back)
{
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER tried %s", rights[_i]);
	}
	rig.options.ttl_ms = SHORT_TTL_MS;
	rig.client = client_as("waits");
	others[0] = client_as("tried");
	others[1] = client_as("waits");
	hold(&waiters[0], rig.client);
	start_waiting(&waiters[1], others[0], REDLOCK_WAIT_FOREVER);
	expect_still_waiting(&waiters[1], 500);
	line_join(&waiters[2], others[1]);
	rig_release(waiters[0].lock);
	for (size_t served = 0; served < 2; served++) {
		loop_until(&rig.loop, someone_has_it, NULL, "one of them has it");
		rig_release(waiters[redlock_lock_held(waiters[1].lock) ? 1 : 2].lock);
	}
	expect_refusals(true); /* So it is not there for nothing. */
	leave();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("line and rights");
	TCase *users = rig_case(suite, "users", rig_users);

	tcase_add_test(users, the_rights_of_the_paper_are_enough_to_stand_in_line);
	tcase_add_test(users, who_may_not_stand_in_line_waits_in_pauses);
	tcase_add_test(users, who_has_no_right_to_call_deletes_the_key);
	tcase_add_test(users, who_has_every_right_but_to_channels_deletes_the_key);
	tcase_add_loop_test(users, who_lacks_one_right_still_gets_the_lock_and_gives_it_back, 0,
			    (int)(sizeof rights / sizeof rights[0]));
	return rig_run(suite);
}
