/* test_rights.c - the rights of docs/operations.md are enough for all that there is to do, and each
 * that is missing is named. */
#include "line.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY "lock:" NAME
#define TEXT_MAX 512

/* ---- The paper ------------------------------------------------------------------------------- */

/* What the paper says behind @start of a line, to its end. */
static void read_paper(const char *start, char out[TEXT_MAX])
{
	FILE *paper = fopen(OPERATIONS_MD, "r");
	char line[TEXT_MAX];

	ck_assert_ptr_nonnull(paper);
	out[0] = '\0';
	while (!out[0] && fgets(line, sizeof line, paper)) {
		if (strncmp(line, start, strlen(start)) == 0) {
			(void)snprintf(out, TEXT_MAX, "%.*s",
				       (int)strcspn(line, "\n") - (int)strlen(start),
				       line + strlen(start));
		}
	}
	(void)fclose(paper);
	ck_assert_msg(out[0], "%s does not say '%s'", OPERATIONS_MD, start);
}

static void rig_paper(void)
{
	static char acl[4 * TEXT_MAX];
	char to_lock[TEXT_MAX], to_wait[TEXT_MAX], to_read[TEXT_MAX];

	read_paper("ACL SETUSER lock on ", to_lock);
	read_paper("ACL SETUSER lock &", to_wait);
	read_paper("ACL SETUSER lock +", to_read);
	(void)snprintf(acl, sizeof acl, "user default off\nuser lock on %s &%s +%s +ping\n",
		       to_lock, to_wait, to_read);
	rig_open(3, &(struct server_options){.acl = acl});
	rig.options.key_format = "lock:%s";
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://lock:PASSWORD@%s",
			       rig.servers.at[i].address);
	}
}

static void forbid(const char *right)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		server_do(&rig.servers.at[i], "ACL SETUSER lock %s", right);
	}
}

/* ---- What nodes say -------------------------------------------------------------------------- */

struct look {
	bool done, answered;
	int32_t in_line;
	char lacks[128], error[256];
	enum redlock_node_state state;
};

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	const struct redlock_node_status *node = &inspection->nodes[1];
	struct look *look = data;

	(void)client;
	ck_assert_int_eq(status, REDLOCK_OK);
	look->answered = node->answered;
	look->in_line = node->in_line;
	look->state = node->state;
	(void)snprintf(look->lacks, sizeof look->lacks, "%s", node->lacks);
	(void)snprintf(look->error, sizeof look->error, "%s", node->error);
	look->done = true;
}

static struct look look_at(const char *resource)
{
	struct look look = {0};

	ck_assert_int_eq(
		redlock_inspect(rig.client, resource, strlen(resource), on_inspected, &look),
		REDLOCK_OK);
	loop_wait(&rig.loop, &look.done);
	return look;
}

/* At all of them; the tests' own PING does not count. */
static void expect_no_refusal(void)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		redisReply *log = server_command(&rig.servers.at[i], "ACL LOG");

		for (size_t j = 0; j < log->elements; j++) {
			const char *what = log->element[j]->element[7]->str;

			ck_assert_msg(strcmp(what, "ping") == 0, "refused: %s", what);
		}
		freeReplyObject(log);
	}
}

/* ---- Enough ---------------------------------------------------------------------------------- */

static struct redlock_lock *fenced_lock(struct redlock_client *client)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.fence = true;
	return rig_lock_with(client, NAME, &options);
}

static void wait_in_line(struct redlock_lock *holder, struct redlock_client *other)
{
	struct redlock_lock *waiter = fenced_lock(other);
	struct outcome outcome = {0};

	ck_assert_int_eq(acquire_sync(&rig.loop, waiter, 0, NULL), REDLOCK_EHELD);
	ck_assert_int_eq(redlock_acquire(waiter, REDLOCK_WAIT_FOREVER, outcome_take, &outcome),
			 REDLOCK_OK);
	loop_run_ms(&rig.loop, 500);
	ck_assert_int_eq(look_at(NAME).in_line, 1);
	ck_assert_int_eq(redlock_release(holder, NULL, NULL), REDLOCK_OK);
	loop_wait_for(&rig.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	ck_assert_int_eq(outcome.report.way, REDLOCK_WAY_LINE);
	rig_release(waiter);
	redlock_lock_free(waiter);
}

static void read_beside(struct redlock_client *other)
{
	struct redlock_lock_options options;
	struct redlock_lock *first, *second;

	redlock_lock_options_init(&options);
	options.shared = true;
	first = rig_lock_with(rig.client, NAME, &options);
	second = rig_lock_with(other, NAME, &options);
	rig_acquire(first);
	rig_acquire(second);
	ck_assert_int_eq(extend_sync(&rig.loop, first, NULL), REDLOCK_OK);
	rig_release(second);
	rig_release(first);
	redlock_lock_free(first);
	redlock_lock_free(second);
}

/* With the restart guard: the nodes are as good as new, and long enough. */
START_TEST(the_rights_of_the_paper_are_enough_for_all_there_is_to_do)
{
	struct redlock_client *other;
	struct redlock_lock *lock;
	struct look look;

	rig.options.guard = REDLOCK_GUARD_ON;
	rig.options.ttl_ms = rig.options.max_ttl_ms = 5000;
	rig_connect();
	other = rig_connected_client();
	lock = fenced_lock(rig.client);
	rig_acquire(lock);
	ck_assert_uint_gt(redlock_lock_fence(lock), 0);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	look = look_at(NAME);
	ck_assert(look.answered);
	ck_assert_str_eq(look.lacks, "");
	wait_in_line(lock, other);
	redlock_lock_free(lock);
	lock = rig_lock(NAME);
	for (size_t i = 0; i < 2; i++) { /* With the text of each script, and by its digest. */
		rig_acquire(lock);
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_release(lock);
	}
	redlock_lock_free(lock);
	read_beside(other);
	close_sync(&rig.loop, other);
	rig_until_gone(KEY);
	expect_no_refusal();
}
END_TEST

/* ---- Not enough ------------------------------------------------------------------------------ */

/* Each right that an operation uses, and where its lack is told. */
static const struct {
	const char *change, *named;
	enum { ACQUIRE, EXTEND, RELEASE } in;
} lacking[] = {
	{"-set", "+set", ACQUIRE},   {"-get", "+get", EXTEND},	{"-pttl", "+pttl", EXTEND},
	{"-eval", "+eval", EXTEND},  {"-del", "+del", RELEASE}, {"resetkeys", "~", ACQUIRE},
	{"resetkeys", "~", RELEASE},
};

static void expect_named(const struct outcome *outcome, const char *right)
{
	char words[64];
	size_t named = 0;

	(void)snprintf(words, sizeof words, "lacks the right %s", right);
	for (size_t i = 0; i < 3; i++) {
		const char *error = outcome->errors[i];

		if (!error[0]) {
			continue; /* The others had settled it. */
		}
		ck_assert_msg(strncmp(error, "lacks the right ", 16) == 0 && strstr(error, right),
			      "%s", error);
		named++;
	}
	ck_assert_uint_ge(named, 2);
}

START_TEST(a_right_that_is_missing_is_named)
{
	struct redlock_lock *lock;
	struct outcome outcome;

	rig_connect();
	lock = rig_lock(NAME);
	if (lacking[_i].in != ACQUIRE) {
		rig_acquire(lock);
	}
	forbid(lacking[_i].change);
	if (lacking[_i].in == ACQUIRE) {
		ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, &outcome), REDLOCK_ENOQUORUM);
	} else if (lacking[_i].in == EXTEND) {
		ck_assert_int_eq(extend_sync(&rig.loop, lock, &outcome), REDLOCK_ENOQUORUM);
	} else {
		ck_assert_int_eq(release_sync(&rig.loop, lock, &outcome), REDLOCK_ENOQUORUM);
	}
	expect_named(&outcome, lacking[_i].named);
	for (size_t i = 0; i < 3; i++) {
		server_do(&rig.servers.at[i], "DEL " KEY);
	}
	redlock_lock_free(lock);
}
END_TEST

/* It goes on without these: and that is told, too. */
START_TEST(what_a_log_in_goes_on_without_is_named)
{
	struct look look;

	forbid("-info");
	forbid("-config|get");
	rig_connect();
	look = look_at(NAME);
	ck_assert_int_eq(look.state, REDLOCK_NODE_UP);
	ck_assert_str_eq(look.lacks, "+info +config|get");
}
END_TEST

/* The script that finds out since when a node has been remembering. */
static const struct {
	const char *change, *named;
} enrolling[] = {{"-eval", "+eval"}, {"-time", "+time"}, {"-get", "+get"}, {"resetkeys", "~"}};

START_TEST(what_the_restart_guard_lacks_is_named)
{
	struct look look;
	char words[64];

	rig.options.guard = REDLOCK_GUARD_ON;
	forbid(enrolling[_i].change);
	if (_i == 0 && server_sets_if_equal(&rig.servers.at[0])) {
		forbid("-time"); /* Else it does without scripts. */
	}
	rig.client = rig_client();
	do {
		look = look_at(NAME);
	} while (look.state != REDLOCK_NODE_BARRED);
	(void)snprintf(words, sizeof words, ": lacks the right %s: ", enrolling[_i].named);
	ck_assert_msg(strstr(look.error, words), "%s", look.error);
}
END_TEST

static bool lacks(void *right)
{
	return strstr(look_at(NAME).lacks, right) != NULL;
}

static const char *const to_wait[][2] = {
	{"-subscribe", "+subscribe"}, {"resetchannels", "&redlock:wake:*"}, {"-zadd", "+zadd"}};

START_TEST(what_waiting_in_line_lacks_is_named)
{
	static struct waiter waiter;
	char right[32];

	(void)snprintf(right, sizeof right, "%s", to_wait[_i][1]);
	forbid(to_wait[_i][0]);
	for (size_t i = 0; i < 3; i++) {
		rig_stranger_for(i, KEY, 8000);
	}
	rig_connect();
	start_waiting(&waiter, rig.client, REDLOCK_WAIT_FOREVER);
	loop_until(&rig.loop, lacks, right, "the right is named");
	ck_assert_int_eq(redlock_cancel(waiter.lock), 0);
	loop_wait_for(&rig.loop, &waiter.outcome);
	redlock_lock_free(waiter.lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rights");
	TCase *paper = rig_case(suite, "paper", rig_paper);

	tcase_add_test(paper, the_rights_of_the_paper_are_enough_for_all_there_is_to_do);
	tcase_add_loop_test(paper, a_right_that_is_missing_is_named, 0,
			    (int)(sizeof lacking / sizeof lacking[0]));
	tcase_add_test(paper, what_a_log_in_goes_on_without_is_named);
	tcase_add_loop_test(paper, what_the_restart_guard_lacks_is_named, 0,
			    (int)(sizeof enrolling / sizeof enrolling[0]));
	tcase_add_loop_test(paper, what_waiting_in_line_lacks_is_named, 0,
			    (int)(sizeof to_wait / sizeof to_wait[0]));
	return rig_run(suite);
}
