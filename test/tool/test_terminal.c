/* test_terminal.c - run at a terminal: reading it, Ctrl-C, Ctrl-Z, the background.
 *
 * The test is the terminal's user; a shell with job control stands in between. */
#include "stage.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int user_fd;
static char screen[65536];
static size_t screen_length;

static void look(void)
{
	struct pollfd polled = {.fd = user_fd, .events = POLLIN};
	while (poll(&polled, 1, 2) > 0 && screen_length + 1 < sizeof screen) {
		ssize_t got =
			read(user_fd, screen + screen_length, sizeof screen - 1 - screen_length);
		if (got <= 0) {
			return;
		}
		screen_length += (size_t)got;
		screen[screen_length] = '\0';
	}
}

/* Wait for some text, and forget what came before its end. */
static void expect(const char *text)
{
	uint64_t until_ms = now_ms() + PATIENCE_MS;
	char *found;
	look();
	while ((found = strstr(screen, text)) == NULL) {
		ck_assert_msg(now_ms() < until_ms, "'%s' never came; seen: %s", text, screen);
		look();
	}
	found += strlen(text);
	screen_length -= (size_t)(found - screen);
	memmove(screen, found, screen_length + 1);
}

static void type(const char *text)
{
	ck_assert_int_eq(write(user_fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* A session of its own whose terminal we are the other end of. The shell's
 * prompt is silent: what it prints is asked for. */
static void log_in(void)
{
	user_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(user_fd, 0);
	ck_assert_int_eq(grantpt(user_fd), 0);
	ck_assert_int_eq(unlockpt(user_fd), 0);
	const char *name = ptsname(user_fd);
	pid_t shell = fork();
	if (shell == 0) {
		setsid();
		int fd = open(name, O_RDWR);
		struct termios mode;
		tcgetattr(fd, &mode);
		mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
		tcsetattr(fd, TCSANOW, &mode);
		ioctl(fd, TIOCSCTTY, 0);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		setenv("PS1", "", 1);
		execlp("bash", "bash", "--noprofile", "--norc", "--noediting", "-i", (char *)NULL);
		_exit(125);
	}
	screen_length = 0;
	screen[0] = '\0';
	type("export R=$REDLOCK_TOOL; PS1=; echo rea''dy\n");
	expect("ready");
}

START_TEST(a_command_that_reads_the_terminal_gets_it)
{
	log_in();
	type("$R run tty -- sh -c 'echo as''k; read x; echo got-$x'; echo code-$?\n");
	expect("ask");
	type("answer\n");
	expect("got-answer");
	expect("code-0");
	type("read y; echo shell-$y\n");
	sleep_ms(50);
	type("again\n");
	expect("shell-again");
}
END_TEST

START_TEST(a_command_that_sets_the_terminal_gets_it)
{
	log_in();
	type("$R run tty -- sh -c 'stty -icanon min 1; echo se''t; dd bs=1 count=1 2>/dev/null; "
	     "stty icanon'; echo code-$?\n");
	expect("set");
	type("k");
	expect("k");
	expect("code-0");
}
END_TEST

START_TEST(ctrl_c_ends_a_command_in_the_background_of_the_terminal)
{
	log_in();
	type("$R run tty -- sh -c 'echo ru''n; exec sleep 60'; echo code-$?\n");
	expect("run");
	type("\003");
	expect("code-130");
	type("$R run -n tty -- echo fr''ee\n");
	expect("free");
}
END_TEST

START_TEST(ctrl_c_ends_a_command_that_has_the_terminal)
{
	log_in();
	type("$R run tty -- sh -c 'echo ru''n; read x; echo no'; echo code-$?\n");
	expect("run");
	sleep_ms(200);
	type("\003");
	expect("code-130");
}
END_TEST

START_TEST(ctrl_c_ends_the_wait)
{
	log_in();
	const char *mark = stage_path("waiter");
	char line[512];
	type("$R run tty -- sh -c 'echo he''ld; exec sleep 60' &\n");
	expect("held");
	snprintf(line, sizeof line,
		 "sh -c 'echo $$ >%s; exec $R run tty -- echo no'; echo code-$?\n", mark);
	type(line);
	UNTIL(file_number(mark) != 0 && tool_listens((pid_t)file_number(mark)));
	type("\003");
	expect("code-130");
	type("kill %1; wait; echo do''ne\n");
	expect("done");
}
END_TEST

START_TEST(ctrl_z_stops_the_job_and_fg_goes_on)
{
	log_in();
	const char *mark = stage_path("woken");
	char line[512];
	snprintf(line, sizeof line,
		 "$R run --ttl 60s tty -- sh -c 'echo ru''n; until test -e %s; do sleep 0.05; "
		 "done; echo wo''ke; exit 4'\n",
		 mark);
	type(line);
	expect("run");
	type("\032");
	expect("Stopped");
	snprintf(line, sizeof line, "touch %s; fg >/dev/null; echo code-$?\n", mark);
	type(line);
	expect("woke");
	expect("code-4");
}
END_TEST

START_TEST(ctrl_z_stops_a_job_whose_command_has_the_terminal)
{
	log_in();
	type("$R run --ttl 60s tty -- sh -c 'echo ru''n; read x; echo got-$x'\n");
	expect("run");
	sleep_ms(200);
	type("\032");
	expect("Stopped");
	type("echo sti''ll\n");
	expect("still");
	type("fg >/dev/null; echo code-$?\n");
	sleep_ms(300);
	type("later\n");
	expect("got-later");
	expect("code-0");
}
END_TEST

START_TEST(a_stop_past_the_lease_ends_the_command)
{
	log_in();
	type("$R run --ttl 2s tty -- sh -c 'echo ru''n; sleep 60'\n");
	expect("run");
	type("\032");
	expect("Stopped");
	sleep_ms(2200);
	type("fg >/dev/null; echo code-$?\n");
	expect("code-79");
}
END_TEST

START_TEST(a_job_in_the_background_runs_without_the_terminal)
{
	log_in();
	type("$R run tty -- sh -c 'echo ou''t; exit 3' & wait $!; echo code-$?\n");
	expect("out");
	expect("code-3");
}
END_TEST

START_TEST(a_job_in_the_background_that_reads_stops)
{
	log_in();
	type("$R run --ttl 60s tty -- sh -c 'read x; echo got-$x' &\n");
	type("while ! jobs | grep -q Stopped; do sleep 0.1; done; echo st''op\n");
	expect("stop");
	type("fg >/dev/null; echo code-$?\n");
	sleep_ms(300);
	type("fore\n");
	expect("got-fore");
	expect("code-0");
}
END_TEST

START_TEST(a_script_has_the_terminal_back_afterwards)
{
	log_in();
	type("sh -c '$R run tty -- sh -c \"read x; echo got-\\$x\"; read y; echo then-$y'\n");
	sleep_ms(300);
	type("one\n");
	expect("got-one");
	type("two\n");
	expect("then-two");
}
END_TEST

START_TEST(a_pipe_keeps_the_terminal_for_its_reader)
{
	log_in();
	type("$R run tty -- echo piped | sh -c 'read x; read y </dev/tty; echo $x-$y'\n");
	sleep_ms(300);
	type("typed\n");
	expect("piped-typed");
}
END_TEST

START_TEST(a_closed_terminal_ends_all)
{
	log_in();
	const char *mark = stage_path("hangup");
	char line[512];
	snprintf(line, sizeof line, "exec $R run tty -- sh -c 'echo $$ >%s; sleep 60'\n", mark);
	type(line);
	UNTIL(file_number(mark) != 0);
	pid_t pid = (pid_t)file_number(mark);
	close(user_fd);
	UNTIL(!process_lives(pid));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool terminal");
	TCase *tests = tcase_create("terminal");
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, stage_thaw, NULL);
	tcase_add_test(tests, a_command_that_reads_the_terminal_gets_it);
	tcase_add_test(tests, a_command_that_sets_the_terminal_gets_it);
	tcase_add_test(tests, ctrl_c_ends_a_command_in_the_background_of_the_terminal);
	tcase_add_test(tests, ctrl_c_ends_a_command_that_has_the_terminal);
	tcase_add_test(tests, ctrl_c_ends_the_wait);
	tcase_add_test(tests, ctrl_z_stops_the_job_and_fg_goes_on);
	tcase_add_test(tests, ctrl_z_stops_a_job_whose_command_has_the_terminal);
	tcase_add_test(tests, a_stop_past_the_lease_ends_the_command);
	tcase_add_test(tests, a_job_in_the_background_runs_without_the_terminal);
	tcase_add_test(tests, a_job_in_the_background_that_reads_stops);
	tcase_add_test(tests, a_script_has_the_terminal_back_afterwards);
	tcase_add_test(tests, a_pipe_keeps_the_terminal_for_its_reader);
	tcase_add_test(tests, a_closed_terminal_ends_all);
	suite_add_tcase(suite, tests);
	return stage_run(suite);
}
