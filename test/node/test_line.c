/* test_line.c - servers that say anything to who stands in line: two good nodes give it the lock
 * all the same, and what the third one says is no vote. */
#include <stdio.h>
#include <string.h>

#include "company.h"
#include "rows.h"

#define NOT_NOW "*2\r\n:0\r\n$9\r\n30000 0 0\r\n"

static const struct {
	const char *name;
	struct fake_cue cue;
} ways[] = {
	{"no right", {.at = AT_JOIN, .say.head = "-NOPERM no permissions to run 'zadd'\r\n"}},
	{"an error that repeats the command", {.at = AT_JOIN, .manner = PARROT}},
	{"a script that is not there", {.at = AT_JOIN, .say.head = "-NOSCRIPT No\r\n"}},
	{"the turn, each time", {.at = AT_JOIN, .say.head = "*2\r\n:1\r\n$0\r\n\r\n"}},
	{"the turn, and something more", {.at = AT_JOIN, .say.head = "*2\r\n:1\r\n$1\r\nx\r\n"}},
	{"a place of no end", {.at = AT_JOIN, .say.head = "*2\r\n:0\r\n$6\r\n-1 0 0\r\n"}},
	{"a place behind many",
	 {.at = AT_JOIN, .say.head = "*2\r\n:0\r\n$20\r\n9000000000000000 9 0\r\n"}},
	{"a place behind all",
	 {.at = AT_JOIN, .say.head = "*2\r\n:0\r\n$20\r\n1 9007199254740991 0\r\n"}},
	{"a place that is no number", {.at = AT_JOIN, .say.head = "*2\r\n:0\r\n$5\r\na b c\r\n"}},
	{"half a place", {.at = AT_JOIN, .say.head = "*2\r\n:0\r\n$5\r\n9000 \r\n"}},
	{"a number", {.at = AT_JOIN, .say.head = ":1\r\n"}},
	{"a status", {.at = AT_JOIN, .say.head = "+OK\r\n"}},
	{"nil", {.at = AT_JOIN, .say.head = "$-1\r\n"}},
	{"a huge array", {.at = AT_JOIN, .say.head = "*2000000000\r\n"}},
	{"garbage", {.at = AT_JOIN, .say.head = "HTTP/1.1 400 Bad Request\r\n"}},
	{"two places", {.at = AT_JOIN, .manner = TWICE}},
	{"silence", {.at = AT_JOIN, .then = HANG}},
	{"the end", {.at = AT_JOIN, .then = HANG_UP}},
	{"a reset", {.at = AT_JOIN, .then = BREAK_OFF}},
	{"a refusal of its own call", {.at = AT_CONFIRM, .say.head = "*2\r\n:0\r\n$1\r\n0\r\n"}},
	{"a fencing token that is too low",
	 {.at = AT_CONFIRM, .say.head = "*2\r\n:-1\r\n$16\r\n1800000000000000\r\n"}},
	{"a place instead of a vote", {.at = AT_CONFIRM, .say.head = NOT_NOW}},
	{"an error to what confirms", {.at = AT_CONFIRM, .manner = PARROT}},
	{"a number to what confirms", {.at = AT_CONFIRM, .say.head = ":1\r\n"}},
	{"two votes", {.at = AT_CONFIRM, .manner = TWICE}},
	{"silence to what confirms", {.at = AT_CONFIRM, .then = HANG}},
	{"the end before the vote", {.at = AT_CONFIRM, .then = HANG_UP}},
	{"the end after the vote", {.at = AT_CONFIRM, .does_it = true, .then = HANG_UP}},
	{"nobody is let listen", {.at = AT_SUBSCRIBE, .say.head = "-NOPERM no\r\n"}},
	{"nobody is told that he listens", {.at = AT_SUBSCRIBE, .then = HANG}},
};

static bool is_voted_for(enum fake_at at, enum redlock_vote vote)
{
	return at == AT_CONFIRM && vote == REDLOCK_VOTE_GRANTED;
}

START_TEST(one_node_that_says_anything_keeps_nobody_out_of_the_others)
{
	const struct fake_cue *cue = &ways[_i].cue;
	struct redlock_lock *lock;
	struct outcome outcome = {0};

	rig.options.node_timeout_ms = 300;
	company_open(2, 1, cue);
	rig_wait_up(client, 3);
	rig_stranger_for(0, NAME, 60000);
	rig_stranger_for(1, NAME, 60000);
	lock = rig_lock_of(client, NAME);
	ck_assert_int_eq(redlock_acquire(lock, REDLOCK_WAIT_FOREVER, outcome_take, &outcome),
			 REDLOCK_OK);
	loop_run_ms(&rig.loop, 100);
	ck_assert_uint_eq(outcome.calls, 0);
	server_do(&rig.servers.at[0], "DEL %s", NAME);
	server_do(&rig.servers.at[1], "DEL %s", NAME);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_msg(outcome.status == REDLOCK_OK, "%s: %s", ways[_i].name,
		      redlock_status_name(outcome.status));
	ck_assert_msg(cue->manner == TWICE || cue->does_it ||
			      !is_voted_for(cue->at, outcome.nodes[2].vote),
		      "%s: it counted", ways[_i].name);
	ck_assert_ptr_null(strstr(outcome.errors[2], PASSWORD));
	ck_assert_uint_eq(redlock_lock_fence(lock), 0);
	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_until_gone(NAME);
	rig_until_gone(NAME ":line");
	redlock_lock_free(lock);
	meeting_never_said(PASSWORD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node line");
	TCase *tcase = tcase_create("line");

	tcase_set_timeout(tcase, RIG_CASE_SECONDS);
	tcase_add_checked_fixture(tcase, meeting_open, company_close);
	tcase_add_loop_test(tcase, one_node_that_says_anything_keeps_nobody_out_of_the_others, 0,
			    (int)COUNT(ways));
	suite_add_tcase(suite, tcase);
	return rig_run(suite);
}
