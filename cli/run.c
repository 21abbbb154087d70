/* run.c - the verb run: a command that runs under the lock, and only under it. */
#include "run.h"

#include "clock.h"
#include "codes.h"
#include "terminal.h"
#include "verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int watched_signals[] = {SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT, SIGUSR1,
				      SIGUSR2, SIGTSTP, SIGCONT, 0};

static int check(struct args *args)
{
	if (args->shell_command != NULL && args->operand_count > 1) {
		return out_usage("run", "-c: takes the place of COMMAND, give only one of them");
	}
	if (args->shell_command == NULL && args->operand_count < 2) {
		return out_usage("run", "missing: expected NAME COMMAND [ARG...], or -c");
	}
	if (args->fence && args->also_count > 0) {
		return out_usage("run", "--fence and --also: a fencing token is of one name");
	}
	if (args->shared && args->fence) {
		return out_usage("run", "--shared, --fence: not both");
	}
	if (args->shared && args->permits > 0) {
		return out_usage("run", "--shared, --permits: not both");
	}
	if (args->shared && args->also_count > 0) {
		return out_usage("run", "--shared and --also: only one of them");
	}
	if (args->permits > 0 && args->also_count > 0) {
		return out_usage("run", "--permits and --also: only one of them");
	}
	if (args->ttl_ms < PLAN_TTL_MIN_MS) {
		return out_usage("run",
				 "--ttl: expected at least %d ms, less leaves no time to "
				 "stop the command",
				 PLAN_TTL_MIN_MS);
	}
	if (args->kill_after_set && args->kill_after_ms > plan_grace_max_ms(args->ttl_ms)) {
		return out_usage("run",
				 "--kill-after: expected at most %u ms with a TTL of %u ms (half "
				 "of it is for renewals)",
				 plan_grace_max_ms(args->ttl_ms), args->ttl_ms);
	}
	return 0;
}

static void choose_command(struct run *run)
{
	struct args *args = run->args;
	struct command *command = &run->command;
	plan_make(&run->plan, args->ttl_ms, args->kill_after_set, args->kill_after_ms);
	command->argv = args->operands + 1;
	if (args->shell_command != NULL) {
		run->shell_argv[0] = "/bin/sh";
		run->shell_argv[1] = "-c";
		run->shell_argv[2] = args->shell_command;
		command->argv = (char *const *)run->shell_argv;
	}
	command->lock_name = run->name;
	command->ttl_ms = args->ttl_ms;
	command->grace_ms = run->plan.grace_ms;
	command->terminal = terminal_open();
	command->tool_group = getpgrp();
	sigprocmask(SIG_SETMASK, NULL, &command->signals);
}

static int open_grip(struct run *run)
{
	run->grip.on_at_risk = run_on_at_risk;
	run->grip.on_lost = run_on_lost;
	run->grip.data = run;
	return grip_open(&run->grip, &run->session, run->args, run->plan.at_risk_ms);
}

static int watch(struct run *run)
{
	uv_loop_t *loop = &run->session.loop;
	uv_timer_init(loop, &run->timer);
	run->timer.data = run;
	exporter_start(&run->exporter, loop, run->session.client, run->name, run->args->stats);
	int error = ward_watch(&run->ward, loop, run_on_news, run);
	if (error == 0) {
		error = signals_watch(&run->signals, loop, watched_signals, run_on_signal, run);
	}
	if (error != 0) {
		out_note(run->name, "%s", uv_strerror(error));
		return CODE_SYSTEM;
	}
	return 0;
}

static void unwatch(struct run *run)
{
	uv_close((uv_handle_t *)&run->timer, NULL);
	exporter_stop(&run->exporter, run->stopped_for_lease);
	ward_unwatch(&run->ward);
	signals_close(&run->signals);
}

static bool acquire(struct run *run)
{
	int status = grip_acquire(&run->grip, args_wait_ms(run->args), &run->outcome);
	if (status != 0) {
		outcome_set(&run->outcome, status, NULL);
	}
	session_run(&run->session, &run->outcome.done);
	return run->outcome.status == 0;
}

static void release(struct run *run)
{
	struct outcome released = {0};
	if (grip_release(&run->grip, &released) != 0) {
		return;
	}
	session_run(&run->session, &released.done);
	if (released.status == REDLOCK_ELOST) {
		out_note(run->name, "was not ours any more when it was given back");
	}
}

static int command_code(int status)
{
	return WIFSIGNALED(status) ? CODE_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static int exit_code(const struct run *run)
{
	if (run->refusal != 0) {
		return run->refusal == ENOENT ? CODE_NOT_FOUND : CODE_CANNOT_RUN;
	}
	if (run->guardian_died || run->stopped_for_lease) {
		return CODE_LOST;
	}
	if (run->finished) {
		return command_code(run->status);
	}
	if (run->signum != 0) {
		return CODE_SIGNAL + run->signum;
	}
	return outcome_acquire_code(&run->outcome, run->args->held_code);
}

static void describe(const struct run *run, char *text, size_t size)
{
	if (run->refusal != 0) {
		char shown[200];
		const char *program = run->command.argv[0];
		out_escape(shown, sizeof shown, program, strlen(program));
		snprintf(text, size, "cannot run '%s': %s", shown, strerror(run->refusal));
	} else if (run->guardian_died) {
		snprintf(text, size, "the guardian process was killed, command stopped");
	} else if (run->stopped_for_lease) {
		snprintf(text, size, "lock lost, command stopped");
	} else if (run->finished) {
		snprintf(text, size, "command ended");
	} else if (run->signum != 0) {
		snprintf(text, size, "ended by signal %d before the command was started",
			 run->signum);
	} else {
		outcome_describe(&run->outcome, text, size);
	}
}

static void print_json(const struct run *run, int code, const char *message)
{
	struct json json;
	json_begin(&json, stderr);
	json_string(&json, "event", "run");
	json_string(&json, "name", run->name);
	json_uint(&json, "ttl_ms", run->args->ttl_ms);
	json_uint(&json, "held_ms", run->held_ms);
	if (run->fence != 0) {
		json_uint(&json, "fence", run->fence);
	}
	if (run->slot >= 0) {
		json_int(&json, "slot", run->slot);
	}
	if (run->finished && WIFSIGNALED(run->status)) {
		json_int(&json, "command_signal", WTERMSIG(run->status));
	} else if (run->finished) {
		json_int(&json, "command_exit", WEXITSTATUS(run->status));
	}
	outcome_json(&json, &run->outcome, code, message);
	json_end(&json);
}

/* After everything was given back. */
static int report(struct run *run)
{
	char message[512];
	int code = exit_code(run);
	describe(run, message, sizeof message);
	outcome_explain(&run->outcome, run->name);
	if (run->finished && !run->stopped_for_lease) {
		out_detail(run->name, "%s with exit code %d", message, code);
	} else {
		out_note(run->name, "%s", message);
	}
	if (run->args->manner.json) {
		print_json(run, code, message);
	}
	return code;
}

static int under_lock(struct run *run)
{
	int code = open_grip(run);
	if (code != 0) {
		return code;
	}
	code = watch(run);
	if (code == 0 && acquire(run)) {
		run->fence = run->outcome.fence;
		run->slot = grip_slot(&run->grip);
		run_hold(run);
		release(run);
	}
	unwatch(run);
	grip_free(&run->grip);
	return code;
}

int verb_run(struct args *args)
{
	struct run run = {.args = args, .slot = -1};
	int code = check(args);
	if (code == 0) {
		code = args_find_nodes(args);
	}
	if (code != 0) {
		return code;
	}
	run.name = args->operands[0];
	choose_command(&run);
	int error = ward_fork(&run.ward, &run.command);
	if (error != 0) {
		out_note(run.name, "cannot start a process: %s", strerror(error));
		return CODE_SYSTEM;
	}
	code = session_open(&run.session, args);
	if (code == 0) {
		code = under_lock(&run);
		session_close(&run.session);
	}
	ward_dismiss(&run.ward);
	return code != 0 ? code : report(&run);
}
