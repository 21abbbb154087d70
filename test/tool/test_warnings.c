/* test_warnings.c - what `redlock status` warns of, on real servers that are not as they should be.
 *
 * Each test makes one thing wrong with the first server, and looks for the one line that names it;
 * the other servers are well, and nothing is said of them. */
#include "sandbox.h"
#include "servers.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES 3
#define CASE_SECONDS 120

static struct servers servers;
static char wrong[160]; /* What a warning of the first server begins with. */

static void use(const char *nodes)
{
	ck_assert_int_eq(setenv("REDLOCK_NODES", nodes, 1), 0);
}

/* The first @count servers, all of them well. */
static void use_servers(size_t count)
{
	char nodes[NODES * 64] = "";

	for (size_t i = 0; i < count; i++) {
		(void)strcat(strcat(strcat(nodes, "redis://"), servers.at[i].address), " ");
	}
	use(nodes);
}

/* The first server under another URL, then the others. */
static void use_first_as(const char *url)
{
	char nodes[NODES * 96];

	(void)snprintf(nodes, sizeof nodes, "%s redis://%s redis://%s", url, servers.at[1].address,
		       servers.at[2].address);
	use(nodes);
}

static void start_with(const struct server_options *options)
{
	servers_start(&servers, NODES, options);
	for (size_t i = 0; i < NODES; i++) {
		server_make_old(&servers.at[i]);
	}
	(void)snprintf(wrong, sizeof wrong, "warning: %s: ", servers.at[0].address);
	use_servers(NODES);
}

static void start(void)
{
	start_with(NULL);
}

static void finish(void)
{
	(void)unsetenv("LD_PRELOAD");
	servers_finish(&servers);
}

static unsigned count(const char *text, const char *what)
{
	unsigned found = 0;

	for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
		found++;
	}
	return found;
}

static const struct result *status(void)
{
	return TOOL("status", PATIENT);
}

/* One line begins with @begin, and goes on with @text; there is no other warning. */
static void expect_one(const char *begin, const char *text)
{
	const struct result *result = status();
	const char *line = strstr(result->out, begin);

	ck_assert_msg(line != NULL, "no '%s' in\n%s%s", begin, result->out, result->err);
	ck_assert_msg(strstr(line, text) != NULL, "no '%s' in\n%s", text, line);
	ck_assert_msg(count(result->out, "warning: ") == 1, "more than one in\n%s", result->out);
}

START_TEST(of_nodes_that_are_well_nothing_is_said)
{
	const struct result *result = status();

	ck_assert_int_eq(result->code, 0);
	ck_assert_msg(count(result->out, "warning") == 0, "%s", result->out);
	result = TOOL("status", "--json", PATIENT);
	ck_assert_ptr_nonnull(strstr(result->out, "\"warnings\":[]"));
	check_json(result->out);
}
END_TEST

START_TEST(a_policy_that_may_delete_locks_is_named)
{
	static const char *const policies[] = {"allkeys-lru", "volatile-ttl", "allkeys-random"};

	for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		server_do(&servers.at[0], "CONFIG SET maxmemory-policy %s", policies[i]);
		expect_one(wrong, policies[i]);
		ck_assert_int_eq(status()->code, 0);
	}
	server_do(&servers.at[0], "CONFIG SET maxmemory-policy noeviction");
	ck_assert_uint_eq(count(status()->out, "warning"), 0);
}
END_TEST

START_TEST(a_replica_is_to_be_replaced_by_a_master)
{
	server_do(&servers.at[0], "REPLICAOF 127.0.0.1 %u", servers.at[1].port);
	expect_one(wrong, "replica");
	ck_assert_int_eq(status()->code, 0);
}
END_TEST

START_TEST(a_clock_that_is_far_off_is_told_and_which_way)
{
	const char *ahead[] = {"3600", "-3600"}, *words[] = {"3600 s ahead", "3600 s behind"};

	for (size_t i = 0; i < 2; i++) {
		server_kill(&servers.at[0]);
		ck_assert_int_eq(setenv("OTHER_CLOCK_S", ahead[i], 1), 0);
		ck_assert_int_eq(setenv("LD_PRELOAD", getenv("OTHER_CLOCK"), 1), 0);
		server_start_again(&servers.at[0], false);
		ck_assert_int_eq(unsetenv("LD_PRELOAD"), 0);
		server_make_old(&servers.at[0]);
		expect_one(wrong, words[i]);
	}
}
END_TEST

START_TEST(a_node_that_does_not_vote_yet_says_until_when)
{
	server_restart_empty(&servers.at[0]);
	expect_one(wrong, "does not vote until ");
	ck_assert_int_eq(status()->code, 0);
}
END_TEST

START_TEST(two_urls_of_one_server_are_found_out)
{
	char nodes[160];

	(void)snprintf(nodes, sizeof nodes, "redis://%s redis://%s redis://[::1]:%u",
		       servers.at[0].address, servers.at[1].address, servers.at[0].port);
	use(nodes);
	expect_one("warning: ", "is the same server as ");
}
END_TEST

START_TEST(an_even_number_and_too_few_nodes_are_told)
{
	use_servers(2);
	expect_one("warning: two nodes: ", "three or five");
	use_servers(1);
	expect_one("warning: one node: ", "three or five");
}
END_TEST

START_TEST(what_is_wrong_is_in_the_json_object_too)
{
	server_do(&servers.at[0], "CONFIG SET maxmemory-policy allkeys-lru");
	const struct result *result = TOOL("status", "--json", PATIENT);

	ck_assert_ptr_nonnull(strstr(result->out, "\"warnings\":[{\"address\":\"127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(result->out, "\"eviction\":\"allkeys-lru\""));
	check_json(result->out);
}
END_TEST

/* ---- Servers of another kind ----------------------------------------------------------------- */

START_TEST(a_node_in_cluster_mode_is_told_with_slots_and_without)
{
	const struct server_options clustered = {.acl = "cluster-enabled yes"};
	struct servers other = {0};
	char url[64];

	servers_start(&other, 1, &clustered);
	start();
	(void)snprintf(url, sizeof url, "redis://%s", other.at[0].address);
	(void)snprintf(wrong, sizeof wrong, "warning: %s: ", other.at[0].address);
	use_first_as(url);
	expect_one(wrong, "cluster mode");
	server_do(&other.at[0], "CLUSTER ADDSLOTSRANGE 0 16383");
	/* It takes a moment until it serves them. */
	UNTIL(strstr(status()->out, "does not vote until ") != NULL);
	ck_assert_ptr_nonnull(strstr(status()->out, "cluster mode"));
	servers_finish(&other);
}
END_TEST

/* Each line of rights, and what cannot be seen without them. */
static const struct {
	const char *rights, *unseen;
} blind[] = {
	{"+@all -info", "cannot see whether it came back from an old copy, or is listed twice, or "
			"may delete locks: allow its user +info"},
	{"+@all -config", "cannot see whether it writes every change to disk"},
};

START_TEST(what_a_user_may_not_see_is_not_taken_for_well)
{
	char rules[160], url[96];

	(void)snprintf(rules, sizeof rules, "user few on >pw ~* &* %s", blind[_i].rights);
	start_with(&(struct server_options){.acl = rules});
	(void)snprintf(url, sizeof url, "redis://few:pw@%s", servers.at[0].address);
	use_first_as(url);
	expect_one(wrong, blind[_i].unseen);
	ck_assert_int_eq(status()->code, 0);
}
END_TEST

/* Without the guard a node needs no right to its clock. */
START_TEST(nor_is_a_clock_that_cannot_be_read)
{
	char url[96];

	start_with(&(struct server_options){.acl = "user few on >pw ~* &* +@all -time"});
	(void)snprintf(url, sizeof url, "redis://few:pw@%s", servers.at[0].address);
	use_first_as(url);
	const struct result *result = TOOL("status", "--no-restart-guard", PATIENT);

	ck_assert_msg(strstr(result->out, "cannot see its clock") != NULL, "%s", result->out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("warnings");
	TCase *ordinary = tcase_create("ordinary servers"), *other = tcase_create("others");

	tcase_set_timeout(ordinary, CASE_SECONDS);
	tcase_add_checked_fixture(ordinary, start, finish);
	tcase_add_test(ordinary, of_nodes_that_are_well_nothing_is_said);
	tcase_add_test(ordinary, a_policy_that_may_delete_locks_is_named);
	tcase_add_test(ordinary, a_replica_is_to_be_replaced_by_a_master);
	tcase_add_test(ordinary, a_clock_that_is_far_off_is_told_and_which_way);
	tcase_add_test(ordinary, a_node_that_does_not_vote_yet_says_until_when);
	tcase_add_test(ordinary, two_urls_of_one_server_are_found_out);
	tcase_add_test(ordinary, an_even_number_and_too_few_nodes_are_told);
	tcase_add_test(ordinary, what_is_wrong_is_in_the_json_object_too);
	suite_add_tcase(suite, ordinary);
	tcase_set_timeout(other, CASE_SECONDS);
	tcase_add_checked_fixture(other, NULL, finish);
	tcase_add_test(other, a_node_in_cluster_mode_is_told_with_slots_and_without);
	tcase_add_loop_test(other, what_a_user_may_not_see_is_not_taken_for_well, 0,
			    (int)(sizeof blind / sizeof blind[0]));
	tcase_add_test(other, nor_is_a_clock_that_cannot_be_read);
	suite_add_tcase(suite, other);
	return sandbox_run(suite);
}
