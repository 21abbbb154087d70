/* test_native_guard.c - the restart guard of nodes whose user may not run scripts. */
#include "users.h"

#include <hiredis/hiredis.h>

#define MAX_TTL_MS 1000

static void incarnation(size_t node, char *text, size_t size)
{
	redisReply *reply = server_command(&rig.servers.at[node], "GET " INCARNATION);

	(void)snprintf(text, size, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
	freeReplyObject(reply);
}

static void rig_guarded(void)
{
	rig_users();
	rig.options.guard = REDLOCK_GUARD_ON;
	rig.options.ttl_ms = rig.options.max_ttl_ms = MAX_TTL_MS;
}

START_TEST(with_and_without_scripts_a_node_is_of_the_same_age)
{
	static const char *const users[] = {"plain", "locks", "plain"};
	char first[3][128] = {{0}}, now[128];

	if (!is_native()) {
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		struct redlock_client *client = client_as(users[i]);

		rig_wait_up(client, 3); /* When it is old enough. */
		for (size_t node = 0; node < 3; node++) {
			incarnation(node, now, sizeof now);
			ck_assert_ptr_nonnull(strchr(now, ':'));
			ck_assert(i == 0 || strcmp(now, first[node]) == 0);
			(void)snprintf(first[node], sizeof first[node], "%s", now);
		}
		close_sync(&rig.loop, client);
	}
}
END_TEST

START_TEST(without_scripts_a_node_that_forgot_does_not_vote_at_once)
{
	static const char *const found[] = {NULL, "0123:1:0", "0123:1:1", "nonsense"};
	struct redlock_lock *lock;
	struct outcome outcome;
	char now[128];

	if (!is_native()) {
		return;
	}
	rig.options.max_ttl_ms = 60000;
	for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
		for (size_t node = 0; node < 3; node++) {
			server_do(&rig.servers.at[node], "DEL " INCARNATION);
			if (found[i]) {
				server_do(&rig.servers.at[node], "SET " INCARNATION " %s",
					  found[i]);
			}
		}
		rig.client = client_as("plain");
		lock = rig_lock(NAME);
		ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
		ck_assert_uint_eq(outcome_votes(&outcome, REDLOCK_VOTE_WITHHELD), 3);
		for (size_t node = 0; node < 3; node++) {
			incarnation(node, now, sizeof now);
			ck_assert(!found[i] || strcmp(now, found[i]) != 0);
			ck_assert_str_eq(now + strlen(now) - 2, ":0");
		}
		redlock_lock_free(lock);
		close_sync(&rig.loop, rig.client);
		rig.client = NULL;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("native_guard");
	TCase *guarded = rig_case(suite, "guarded", rig_guarded);

	tcase_add_test(guarded, with_and_without_scripts_a_node_is_of_the_same_age);
	tcase_add_test(guarded, without_scripts_a_node_that_forgot_does_not_vote_at_once);
	return rig_run(suite);
}
