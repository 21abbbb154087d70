/* process.c - a part of a live test that runs in a process of its own. */
#include "process.h"

#include "rig.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void process_start(struct process *process, void (*work)(int to))
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	process->pid = fork();
	ck_assert_int_ge(process->pid, 0);
	if (process->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)close(ends[0]);
		ck_assert_int_eq(uv_loop_init(&rig.loop), 0);
		work(ends[1]);
		_exit(0);
	}
	(void)close(ends[1]);
	process->from = ends[0];
	ck_assert_int_eq(fcntl(process->from, F_SETFL, O_NONBLOCK), 0);
}

void process_say(int to, char byte)
{
	ck_assert_int_eq(write(to, &byte, 1), 1);
}

struct expected {
	int from;
	char byte;
};

static bool has_said(void *data)
{
	const struct expected *expected = data;
	char byte = 0;

	return read(expected->from, &byte, 1) == 1 && byte == expected->byte;
}

void process_wait_said(const struct process *process, char byte)
{
	struct expected expected = {process->from, byte};

	loop_until(&rig.loop, has_said, &expected, "the other process has come so far");
}

static bool has_ended(void *data)
{
	struct process *process = data;
	int status;

	if (waitpid(process->pid, &status, WNOHANG) != process->pid) {
		return false;
	}
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the process failed: %x",
		      (unsigned)status);
	return true;
}

void process_wait_ended(struct process *process)
{
	loop_until(&rig.loop, has_ended, process, "the other process has ended");
	(void)close(process->from);
}

void process_kill(struct process *process)
{
	ck_assert_int_eq(kill(process->pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(process->pid, NULL, 0), process->pid);
	(void)close(process->from);
}

void process_stop(const struct process *process)
{
	int status;

	ck_assert_int_eq(kill(process->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(process->pid, &status, WUNTRACED), process->pid);
	ck_assert(WIFSTOPPED(status));
}
