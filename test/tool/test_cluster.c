/* test_cluster.c - the verb cluster: servers that come, stay and go. */
#include "stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What all tests here share: a directory that the stage cleans up. */
struct place {
	const char *dir;
	unsigned port;
	char port_text[16];
};

static struct place place(unsigned nodes)
{
	struct place here = {.dir = stage_path("other"), .port = stage_ports(nodes)};
	snprintf(here.port_text, sizeof here.port_text, "%u", here.port);
	return here;
}

static pid_t pid_of(const struct place *here, unsigned node)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%u/redis.pid", here->dir, here->port + node);
	return (pid_t)file_number(path);
}

static const struct result *start(const struct place *here, const char *nodes)
{
	return TOOL("cluster", "start", "--dir", here->dir, "--port", here->port_text, "--nodes",
		    nodes);
}

static const struct result *stop(const struct place *here)
{
	return TOOL("cluster", "stop", "--dir", here->dir);
}

START_TEST(start_prints_one_line_for_eval)
{
	struct place here = place(3);
	char expected[256];
	snprintf(expected, sizeof expected,
		 "REDLOCK_NODES=redis://127.0.0.1:%u,redis://127.0.0.1:%u,redis://127.0.0.1:%u\n",
		 here.port, here.port + 1, here.port + 2);
	const struct result *result = start(&here, "3");
	ck_assert_msg(result->code == 0, "%s", result->err);
	ck_assert_str_eq(result->out, expected);
	ck_assert_str_eq(result->err, "");
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(its_line_serves_a_shell)
{
	struct place here = place(1);
	struct tool shell = program_start(
		(const char *const[]){
			"sh", "-c",
			"eval \"$(\"$REDLOCK_TOOL\" cluster start --dir \"$0\" --port $1 "
			"--nodes 1)\"; export REDLOCK_NODES; "
			"\"$REDLOCK_TOOL\" run -n a -- echo locked",
			here.dir, here.port_text, NULL},
		NULL);
	const struct result *result = tool_wait(&shell);
	ck_assert_msg(result->code == 0, "%s", result->err);
	ck_assert_str_eq(result->out, "locked\n");
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(starting_twice_is_starting_once)
{
	struct place here = place(3);
	ck_assert_int_eq(start(&here, "3")->code, 0);
	pid_t first = pid_of(&here, 0);
	pid_t second = pid_of(&here, 1);
	ck_assert_int_eq(start(&here, "3")->code, 0);
	ck_assert_int_eq(pid_of(&here, 0), first);
	ck_assert_int_eq(pid_of(&here, 1), second);
	kill(second, SIGKILL);
	UNTIL(!process_lives(second));
	ck_assert_int_eq(start(&here, "3")->code, 0);
	ck_assert_int_eq(pid_of(&here, 0), first);
	ck_assert_int_ne(pid_of(&here, 1), second);
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(stop_ends_them_and_waits)
{
	struct place here = place(3);
	pid_t pids[3];
	ck_assert_int_eq(start(&here, "3")->code, 0);
	for (unsigned i = 0; i < 3; i++) {
		pids[i] = pid_of(&here, i);
		ck_assert(process_lives(pids[i]));
	}
	kill(pids[1], SIGSTOP);
	ck_assert_int_eq(stop(&here)->code, 0);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert(!process_lives(pids[i]));
	}
	ck_assert_int_eq(stop(&here)->code, 0);
	ck_assert_int_eq(TOOL("cluster", "stop", "--dir", "/nowhere/at/all")->code, 0);
}
END_TEST

/* A server that takes its time to end once its pidfile is gone, and has its port until then. */
static const char *slow_server(void)
{
	static const char script[] =
		"#!/bin/sh\n"
		"[ \"$1\" != --port ] || exec sh \"$0\" \"127.0.0.1:$2\" \"$@\"\n"
		"shift\n"
		"cd \"$6\" && echo $$ >\"$8\"\n"
		"trap 'rm \"$8\"; sleep 0.5; kill $server; wait $server; exit' TERM\n"
		"$(command -v redis-server || command -v valkey-server) \"$@\" --pidfile '' &\n"
		"server=$!\n"
		"wait\n";
	const char *path = stage_path("slow-server");
	FILE *file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(script, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
	return path;
}

START_TEST(stop_waits_for_one_whose_pidfile_is_gone)
{
	struct place here = place(1);
	const struct result *result =
		TOOL("cluster", "start", "--dir", here.dir, "--port", here.port_text, "--nodes",
		     "1", "--server", slow_server());
	ck_assert_msg(result->code == 0, "%s", result->err);
	pid_t pid = pid_of(&here, 0);
	ck_assert(process_lives(pid));
	ck_assert_int_eq(stop(&here)->code, 0);
	ck_assert(!process_lives(pid));
	ck_assert_int_eq(start(&here, "1")->code, 0);
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(data_outlives_a_restart)
{
	struct place here = place(1);
	ck_assert_int_eq(start(&here, "1")->code, 0);
	stage_ask(here.port, "SET kept value");
	ck_assert_int_eq(stop(&here)->code, 0);
	ck_assert_int_eq(start(&here, "1")->code, 0);
	ck_assert_str_eq(stage_ask(here.port, "EXISTS kept"), ":1");
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(lost_data_are_told_and_their_votes_withheld)
{
	struct place here = place(1);
	char command[256];
	ck_assert_int_eq(start(&here, "1")->code, 0);
	ck_assert_int_eq(stop(&here)->code, 0);
	snprintf(command, sizeof command, "rm -r \"%s/%u\"/appendonly*", here.dir, here.port);
	struct tool shell = program_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	ck_assert_int_eq(tool_wait(&shell)->code, 0);
	const struct result *result = start(&here, "1");
	ck_assert_int_eq(result->code, 0);
	ck_assert_ptr_nonnull(strstr(result->err, "0 of 1 servers may vote now"));
	ck_assert_ptr_eq(last_line(result->out), result->out);
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(they_listen_on_loopback_only)
{
	struct place here = place(1);
	ck_assert_int_eq(start(&here, "1")->code, 0);
	char command[128];
	snprintf(command, sizeof command, "ss -ltnH 'sport = :%u' | awk '{print $4}'", here.port);
	struct tool ss = program_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	const struct result *result = tool_wait(&ss);
	if (result->out[0] != '\0') {
		ck_assert_int_eq(strncmp(result->out, "127.0.0.1:", 10), 0);
		ck_assert_ptr_eq(last_line(result->out), result->out);
	}
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

static int occupy(unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

START_TEST(a_taken_port_is_refused_and_nothing_is_left_running)
{
	struct place here = place(3);
	char said[64];
	int fd = occupy(here.port + 2);
	const struct result *result = start(&here, "3");
	ck_assert_int_eq(result->code, 69);
	ck_assert_str_eq(result->out, "");
	snprintf(said, sizeof said, "port %u is taken", here.port + 2);
	ck_assert_ptr_nonnull(strstr(result->err, said));
	close(fd);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(pid_of(&here, i), 0);
		close(occupy(here.port + i));
	}
}
END_TEST

START_TEST(a_program_that_is_no_server_is_told)
{
	struct place here = place(5);
	const struct result *result = TOOL("cluster", "start", "--dir", here.dir, "--port",
					   here.port_text, "--server", "/no/such/server");
	ck_assert_int_eq(result->code, 69);
	ck_assert_ptr_nonnull(strstr(result->err, "cannot start /no/such/server"));
	result = TOOL("cluster", "start", "--dir", here.dir, "--port", here.port_text, "--server",
		      "false");
	ck_assert_int_eq(result->code, 69);
	ck_assert_ptr_nonnull(strstr(result->err, "ended: see"));
}
END_TEST

/* A process that merely has the number that a pidfile names. */
START_TEST(stop_spares_what_is_not_its_own)
{
	struct place here = place(1);
	char command[512];
	ck_assert_int_eq(start(&here, "1")->code, 0);
	pid_t server = pid_of(&here, 0);
	ck_assert_int_eq(stop(&here)->code, 0);
	ck_assert(!process_lives(server));
	struct tool other = program_start((const char *const[]){"sleep", "60", NULL}, NULL);
	snprintf(command, sizeof command, "echo %d >\"%s/%u/redis.pid\"", (int)other.pid, here.dir,
		 here.port);
	struct tool shell = program_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	ck_assert_int_eq(tool_wait(&shell)->code, 0);
	ck_assert_int_eq(stop(&here)->code, 0);
	ck_assert(process_lives(other.pid));
	ck_assert_int_eq(start(&here, "1")->code, 0);
	ck_assert(process_lives(other.pid));
	ck_assert_int_eq(stop(&here)->code, 0);
	kill(other.pid, SIGKILL);
	tool_wait(&other);
}
END_TEST

START_TEST(a_directory_of_somebody_else_is_refused)
{
	struct place here = place(1);
	const char *open = stage_path("open");
	const char *link = stage_path("link");
	ck_assert_int_eq(mkdir(open, 0700), 0);
	ck_assert_int_eq(chmod(open, 0777), 0);
	ck_assert_int_eq(symlink(open, link), 0);
	const char *const dirs[] = {open, link, "/dev/null", "/nowhere/at/all"};
	for (size_t i = 0; i < 4; i++) {
		const struct result *result = TOOL("cluster", "start", "--dir", dirs[i], "--port",
						   here.port_text, "--nodes", "1");
		ck_assert_msg(result->code == 69, "%s: %d", dirs[i], result->code);
		ck_assert_str_eq(result->out, "");
	}
}
END_TEST

START_TEST(status_lists_them)
{
	struct place here = place(3);
	char said[64];
	ck_assert_int_eq(
		TOOL("cluster", "status", "--dir", here.dir, "--port", here.port_text)->code, 69);
	ck_assert_int_eq(start(&here, "3")->code, 0);
	const struct result *result = TOOL("cluster", "status", "--dir", here.dir, "--port",
					   here.port_text, "--nodes", "3");
	ck_assert_int_eq(result->code, 0);
	snprintf(said, sizeof said, "127.0.0.1:%u  %d", here.port + 1, (int)pid_of(&here, 1));
	ck_assert_ptr_nonnull(strstr(result->out, said));
	kill(pid_of(&here, 1), SIGKILL);
	kill(pid_of(&here, 2), SIGKILL);
	UNTIL(!process_lives(pid_of(&here, 1)) && !process_lives(pid_of(&here, 2)));
	result = TOOL("cluster", "status", "--json", "--dir", here.dir, "--port", here.port_text,
		      "--nodes", "3");
	ck_assert_int_eq(result->code, 69);
	ck_assert_ptr_nonnull(strstr(result->out, "\"pid\":0"));
	check_json(result->out);
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(nodes_come_from_options_before_a_file_before_the_environment)
{
	struct place here = place(3);
	char url[3][64];
	char command[512];
	const char *file = stage_path("nodes");
	ck_assert_int_eq(start(&here, "3")->code, 0);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(url[i], sizeof url[i], "redis://127.0.0.1:%u", here.port + i);
	}
	snprintf(command, sizeof command, "printf '# comment\\n\\n  %s  \\n' >\"%s\"", url[1],
		 file);
	struct tool shell = program_start((const char *const[]){"sh", "-c", command, NULL}, NULL);
	ck_assert_int_eq(tool_wait(&shell)->code, 0);
	setenv("REDLOCK_NODES", url[2], 1);
	const struct result *result = TOOL("status", "--node", url[0], "--nodes-file", file);
	ck_assert_ptr_nonnull(strstr(result->out, url[0] + 8));
	ck_assert_ptr_nonnull(strstr(result->out, "1 of 1 nodes can vote"));
	result = TOOL("status", "--nodes-file", file);
	ck_assert_ptr_nonnull(strstr(result->out, url[1] + 8));
	ck_assert_ptr_nonnull(strstr(result->out, "1 of 1 nodes can vote"));
	result = TOOL("status");
	ck_assert_ptr_nonnull(strstr(result->out, url[2] + 8));
	result = TOOL("--node", url[0], "status", "--node", url[1]);
	ck_assert_ptr_nonnull(strstr(result->out, "2 of 2 nodes can vote"));
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

START_TEST(a_password_is_used_and_never_shown)
{
	struct place here = place(1);
	char url[128];
	char path[64];
	ck_assert_int_eq(start(&here, "1")->code, 0);
	stage_ask(here.port, "CONFIG SET requirepass hunter2");
	snprintf(url, sizeof url, "redis://:hunter2@127.0.0.1:%u", here.port);
	const char *mark = stage_path("secret");
	struct tool tool = TOOL_START("run", "-vv", "--node", url, "secret", "--", "sh", "-c",
				      "echo $$ >\"$0\"; exec sleep 60", mark);
	UNTIL(file_number(mark) != 0);
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)tool.pid);
	FILE *file = fopen(path, "re");
	char words[1024];
	size_t length = fread(words, 1, sizeof words, file);
	fclose(file);
	ck_assert_ptr_null(memmem(words, length, "hunter2", 7));
	kill(tool.pid, SIGTERM);
	const struct result *result = tool_wait(&tool);
	ck_assert_int_eq(result->code, 143);
	ck_assert_ptr_null(strstr(result->err, "hunter2"));
	snprintf(url, sizeof url, "redis://:hunter3@127.0.0.1:%u", here.port);
	result = TOOL("status", "-vv", "--json", "--node", url, "a");
	ck_assert_int_eq(result->code, 69);
	ck_assert_ptr_null(strstr(result->out, "hunter"));
	ck_assert_ptr_null(strstr(result->err, "hunter"));
	ck_assert_int_eq(stop(&here)->code, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool cluster");
	TCase *tests = tcase_create("cluster");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, start_prints_one_line_for_eval);
	tcase_add_test(tests, its_line_serves_a_shell);
	tcase_add_test(tests, starting_twice_is_starting_once);
	tcase_add_test(tests, stop_ends_them_and_waits);
	tcase_add_test(tests, stop_waits_for_one_whose_pidfile_is_gone);
	tcase_add_test(tests, data_outlives_a_restart);
	tcase_add_test(tests, lost_data_are_told_and_their_votes_withheld);
	tcase_add_test(tests, they_listen_on_loopback_only);
	tcase_add_test(tests, a_taken_port_is_refused_and_nothing_is_left_running);
	tcase_add_test(tests, a_program_that_is_no_server_is_told);
	tcase_add_test(tests, stop_spares_what_is_not_its_own);
	tcase_add_test(tests, a_directory_of_somebody_else_is_refused);
	tcase_add_test(tests, status_lists_them);
	tcase_add_test(tests, nodes_come_from_options_before_a_file_before_the_environment);
	tcase_add_test(tests, a_password_is_used_and_never_shown);
	suite_add_tcase(suite, tests);
	return stage_run_bare(suite);
}
