/* test_guardian.c - run: a command never goes on without the lock. */
#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A command with a child and a grandchild in its group, which all append their
 * process ids to a file, deaf to TERM if asked for. */
#define FAMILY                                                                                     \
	"trap \"$2\" TERM; echo $$ >>\"$1\"; sh -c '"                                              \
	"trap \"$2\" TERM; echo $$ >>\"$1\"; sh -c '\\''"                                          \
	"trap \"$2\" TERM; echo $$ >>\"$1\"; while :; do sleep 0.05; done"                         \
	"'\\'' x \"$1\" \"$2\" & while :; do sleep 0.05; done"                                     \
	"' x \"$1\" \"$2\" & while :; do sleep 0.05; done"

#define FAMILY_SIZE 3

/* A lease that has to end, and must not before the command is there: its nodes have to answer in a
 * twentieth of it, and there is a third of it for a renewal. */
#define BRIEF "3s"

struct family {
	struct tool tool;
	pid_t members[FAMILY_SIZE];
};

static unsigned read_members(const char *path, pid_t *members)
{
	unsigned count = 0;
	int number;
	char end;
	FILE *file = fopen(path, "re");
	while (file != NULL && count < FAMILY_SIZE && fscanf(file, "%d%c", &number, &end) == 2) {
		members[count++] = number;
	}
	if (file != NULL) {
		fclose(file);
	}
	return count;
}

static struct family family_start(const char *name, const char *ttl, bool deaf)
{
	struct family family;
	const char *path = stage_path("family.%s", name);
	family.tool = TOOL_START("run", "--ttl", ttl, name, "--", "sh", "-c", FAMILY, "x", path,
				 deaf ? "" : "exit 0");
	UNTIL(read_members(path, family.members) == FAMILY_SIZE);
	return family;
}

static unsigned family_living(const struct family *family)
{
	unsigned living = 0;
	for (unsigned i = 0; i < FAMILY_SIZE; i++) {
		living += process_lives(family->members[i]);
	}
	return living;
}

static pid_t parent_of(pid_t pid)
{
	char path[64];
	int parent = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (file != NULL) {
		ck_assert_int_eq(fscanf(file, "%*d (%*[^)]) %*c %d", &parent), 1);
		fclose(file);
	}
	return parent;
}

/* Freeze three of five servers, and watch until the command is dead. */
static void lose_quorum(const char *name, bool deaf)
{
	struct family family = family_start(name, BRIEF, deaf);
	stage_freeze(0);
	stage_freeze(1);
	stage_freeze(2);
	UNTIL(family_living(&family) == 0);
	const struct result *result = tool_wait(&family.tool);
	ck_assert_msg(result->code == 79, "%d: %s", result->code, result->err);
	ck_assert_ptr_nonnull(strstr(result->err, "lock lost, command stopped"));
}

START_TEST(a_command_is_ended_when_its_lease_cannot_be_renewed)
{
	lose_quorum("risk", false);
}
END_TEST

START_TEST(a_command_that_ignores_term_is_killed)
{
	lose_quorum("deaf", true);
}
END_TEST

/* The command writes down until when it lived; the tool, when its lease began.
 * With no renewal possible, validity ends within one TTL of the last one. */
START_TEST(the_command_is_dead_before_validity_ends)
{
	const char *beat = stage_path("beat");
	struct tool tool = TOOL_START("run", "--ttl", "2s", "validity", "--", "sh", "-c",
				      "trap '' TERM; while :; do date +%s%3N >\"$0.new\"; "
				      "mv \"$0.new\" \"$0\"; done",
				      beat);
	UNTIL(file_exists(beat));
	stage_freeze(0);
	stage_freeze(1);
	stage_freeze(2);
	/* No renewal succeeds from here on: the newest began before this moment. */
	struct tool date = program_start((const char *const[]){"date", "+%s%3N", NULL}, NULL);
	long frozen_ms = atol(tool_wait(&date)->out);
	ck_assert_int_eq(tool_wait(&tool)->code, 79);
	ck_assert_int_lt(file_number(beat), frozen_ms + 2000 - 20 - 2);
}
END_TEST

START_TEST(nothing_survives_a_tool_that_is_killed)
{
	struct family family = family_start("shot", "30s", true);
	kill(family.tool.pid, SIGKILL);
	UNTIL(family_living(&family) == 0);
	ck_assert_int_eq(tool_wait(&family.tool)->signum, SIGKILL);
}
END_TEST

START_TEST(nothing_survives_a_guardian_that_is_killed)
{
	struct family family = family_start("unguarded", "30s", true);
	pid_t guardian = parent_of(family.members[0]);
	ck_assert_int_eq(parent_of(guardian), family.tool.pid);
	kill(guardian, SIGKILL);
	const struct result *result = tool_wait(&family.tool);
	ck_assert_int_eq(result->code, 79);
	ck_assert_uint_eq(family_living(&family), 0);
	ck_assert_uint_eq(stage_count_key("unguarded"), 0);
}
END_TEST

START_TEST(a_guardian_that_is_frozen_is_woken_in_time)
{
	struct family family = family_start("drowsy", BRIEF, true);
	kill(parent_of(family.members[0]), SIGSTOP);
	stage_freeze(0);
	stage_freeze(1);
	stage_freeze(2);
	UNTIL(family_living(&family) == 0);
	ck_assert_int_eq(tool_wait(&family.tool)->code, 79);
}
END_TEST

START_TEST(the_command_dies_when_tool_and_guardian_are_both_killed)
{
	struct family family = family_start("alone", "30s", true);
	pid_t guardian = parent_of(family.members[0]);
	/* Stopped, the tool cannot step in before it is killed. */
	kill(family.tool.pid, SIGSTOP);
	kill(guardian, SIGKILL);
	kill(family.tool.pid, SIGKILL);
	tool_wait(&family.tool);
	UNTIL(!process_lives(family.members[0]));
	/* Those behind it had only the guardian: no one is left to see to them. */
	kill(-family.members[0], SIGKILL);
}
END_TEST

START_TEST(a_guardian_that_is_killed_early_ends_the_wait)
{
	char command[128];
	struct family family = family_start("early", "30s", false);
	struct tool waiter = TOOL_START("run", "early", "--", "true");
	UNTIL(tool_listens(waiter.pid));
	snprintf(command, sizeof command, "ps -o pid= --ppid %d", (int)waiter.pid);
	struct tool ps = program_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	pid_t guardian = atoi(tool_wait(&ps)->out);
	ck_assert_int_gt(guardian, 1);
	kill(guardian, SIGKILL);
	const struct result *result = tool_wait(&waiter);
	ck_assert_int_eq(result->code, 79);
	ck_assert_ptr_nonnull(strstr(result->err, "guardian"));
	kill(family.tool.pid, SIGTERM);
	tool_wait(&family.tool);
	ck_assert_uint_eq(stage_count_key("early"), 0);
}
END_TEST

START_TEST(a_command_is_asked_to_end_before_it_is_killed)
{
	const char *mark = stage_path("asked");
	struct tool tool = TOOL_START("run", "--ttl", "3s", "asked", "--", "sh", "-c",
				      "trap 'echo 15 >\"$0\"; exit 0' TERM; echo 1 >\"$0\"; "
				      "while :; do sleep 0.02; done",
				      mark);
	UNTIL(file_number(mark) == 1);
	stage_freeze(0);
	stage_freeze(1);
	stage_freeze(2);
	ck_assert_int_eq(tool_wait(&tool)->code, 79);
	ck_assert_int_eq(file_number(mark), 15);
}
END_TEST

START_TEST(the_guardian_is_deaf_to_signals)
{
	static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT, SIGUSR1,
				      SIGUSR2, SIGPIPE, SIGALRM, SIGTSTP};
	struct family family = family_start("stoic", "30s", false);
	pid_t guardian = parent_of(family.members[0]);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		kill(guardian, signals[i]);
	}
	sleep_ms(100);
	ck_assert(process_lives(guardian));
	ck_assert_uint_eq(family_living(&family), FAMILY_SIZE);
	kill(family.tool.pid, SIGTERM);
	ck_assert_int_eq(tool_wait(&family.tool)->code, 0);
	ck_assert(!process_lives(guardian));
}
END_TEST

START_TEST(a_tool_that_is_frozen_has_its_command_ended_in_time)
{
	struct family family = family_start("frozen", BRIEF, true);
	kill(family.tool.pid, SIGSTOP);
	UNTIL(family_living(&family) == 0);
	kill(family.tool.pid, SIGCONT);
	const struct result *result = tool_wait(&family.tool);
	ck_assert_msg(result->code == 79, "%d: %s", result->code, result->err);
}
END_TEST

START_TEST(a_short_stop_does_no_harm)
{
	struct family family = family_start("nap", "30s", false);
	kill(family.tool.pid, SIGTSTP);
	sleep_ms(300);
	ck_assert(!tool_ended(&family.tool));
	kill(family.tool.pid, SIGCONT);
	sleep_ms(100);
	ck_assert_uint_eq(family_living(&family), FAMILY_SIZE);
	kill(family.tool.pid, SIGTERM);
	ck_assert_int_eq(tool_wait(&family.tool)->code, 0);
}
END_TEST

START_TEST(a_long_stop_ends_the_command)
{
	struct family family = family_start("sleep", BRIEF, false);
	kill(family.tool.pid, SIGTSTP);
	UNTIL(family_living(&family) == 0);
	kill(family.tool.pid, SIGCONT);
	ck_assert_int_eq(tool_wait(&family.tool)->code, 79);
}
END_TEST

START_TEST(what_the_command_leaves_behind_ends_before_the_lock)
{
	const char *path = stage_path("left");
	struct tool tool = TOOL_START("run", "--kill-after", "300ms", "left", "--", "sh", "-c",
				      "sh -c 'trap \"\" TERM; echo $$ >\"$0\"; while :; do sleep "
				      "0.05; done' \"$0\" & while ! test -s \"$0\"; do sleep 0.01; "
				      "done; exit 6",
				      path);
	UNTIL(file_number(path) != 0);
	pid_t left = (pid_t)file_number(path);
	while (process_lives(left)) {
		/* Looked at before the process is: it must outlive that. */
		unsigned keys = stage_count_key("left");
		ck_assert(keys >= 3 || !process_lives(left));
		sleep_ms(5);
	}
	ck_assert_int_eq(tool_wait(&tool)->code, 6);
	ck_assert_uint_eq(stage_count_key("left"), 0);
}
END_TEST

START_TEST(a_polite_leftover_gets_term)
{
	const char *path = stage_path("polite");
	struct tool tool =
		TOOL_START("run", "polite", "--", "sh", "-c",
			   "sh -c 'trap \"echo 15 >\\\"$0\\\"; exit\" TERM; echo 1 >\"$0\"; "
			   "while :; do sleep 0.05; done' \"$0\" & while ! test -s \"$0\"; "
			   "do sleep 0.01; done",
			   path);
	ck_assert_int_eq(tool_wait(&tool)->code, 0);
	ck_assert_int_eq(file_number(path), 15);
}
END_TEST

/* ls sees its own descriptors: 0, 1, 2, the directory, and what it inherited. */
START_TEST(the_command_inherits_no_descriptor_of_ours)
{
	struct tool plain = program_start((const char *const[]){"ls", "/proc/self/fd", NULL}, NULL);
	char *before = strdup(tool_wait(&plain)->out);
	const struct result *result = TOOL("run", "fds", "--", "ls", "/proc/self/fd");
	ck_assert_str_eq(result->out, before);
	free(before);
}
END_TEST

START_TEST(orphans_are_reaped_while_the_command_runs)
{
	const char *path = stage_path("orphans");
	struct tool tool = TOOL_START("run", "orphans", "--", "sh", "-c",
				      "for i in 1 2 3 4 5; do (true &); done; echo $$ >\"$0\"; "
				      "while :; do sleep 0.05; done",
				      path);
	UNTIL(file_number(path) != 0);
	pid_t guardian = parent_of((pid_t)file_number(path));
	char command[128];
	snprintf(command, sizeof command, "ps -o stat= --ppid %d,%d | grep -c Z", (int)guardian,
		 (int)tool.pid);
	bool clean = false;
	for (unsigned i = 0; i < 200 && !clean; i++) {
		struct tool ps =
			program_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
		clean = atoi(tool_wait(&ps)->out) == 0;
	}
	ck_assert(clean);
	kill(tool.pid, SIGTERM);
	tool_wait(&tool);
}
END_TEST

/* Killed before, while and after the command is started. */
START_TEST(a_kill_at_any_moment_leaves_nothing)
{
	char name[16];
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "moment%u", i);
		struct tool tool = TOOL_START("run", name, "--", "sh", "-c",
					      "echo $$ >\"$0\"; while :; do sleep 0.05; done",
					      stage_path("%s", name));
		usleep(i * 300);
		kill(tool.pid, SIGKILL);
		tool_wait(&tool);
	}
	/* A command that is there in spite of it has said so by then. */
	sleep_ms(300);
	for (unsigned i = 0; i < 60; i++) {
		pid_t pid = (pid_t)file_number(stage_path("moment%u", i));
		UNTIL(pid == 0 || !process_lives(pid));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool guardian");
	TCase *tests = tcase_create("guardian");
	tcase_set_timeout(tests, 180);
	tcase_add_checked_fixture(tests, stage_thaw, stage_thaw);
	tcase_add_test(tests, a_command_is_ended_when_its_lease_cannot_be_renewed);
	tcase_add_test(tests, a_command_that_ignores_term_is_killed);
	tcase_add_test(tests, the_command_is_dead_before_validity_ends);
	tcase_add_test(tests, nothing_survives_a_tool_that_is_killed);
	tcase_add_test(tests, nothing_survives_a_guardian_that_is_killed);
	tcase_add_test(tests, a_guardian_that_is_frozen_is_woken_in_time);
	tcase_add_test(tests, the_command_dies_when_tool_and_guardian_are_both_killed);
	tcase_add_test(tests, a_guardian_that_is_killed_early_ends_the_wait);
	tcase_add_test(tests, a_command_is_asked_to_end_before_it_is_killed);
	tcase_add_test(tests, the_guardian_is_deaf_to_signals);
	tcase_add_test(tests, a_tool_that_is_frozen_has_its_command_ended_in_time);
	tcase_add_test(tests, a_short_stop_does_no_harm);
	tcase_add_test(tests, a_long_stop_ends_the_command);
	tcase_add_test(tests, what_the_command_leaves_behind_ends_before_the_lock);
	tcase_add_test(tests, a_polite_leftover_gets_term);
	tcase_add_test(tests, the_command_inherits_no_descriptor_of_ours);
	tcase_add_test(tests, orphans_are_reaped_while_the_command_runs);
	tcase_add_test(tests, a_kill_at_any_moment_leaves_nothing);
	suite_add_tcase(suite, tests);
	return stage_run(suite);
}
