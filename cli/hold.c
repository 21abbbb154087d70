/* hold.c - the time between the win of the lock and its release, for run.
 *
 * The library renews the lease; here the guardian is told of it, news of the
 * command come in, and signals go to the command. */
#include "run.h"

#include "clock.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void look(struct run *run);

static void on_look(uv_timer_t *timer)
{
	look(timer->data);
}

static void arm(struct run *run, uv_timer_cb cb, uint64_t pause_ms)
{
	/* Timers count from the loop's last look at the clock. */
	uv_update_time(&run->session.loop);
	uv_timer_start(&run->timer, cb, pause_ms, 0);
}

static void end(struct run *run)
{
	run->over = true;
	run->hold_over = true;
	uv_timer_stop(&run->timer);
}

static void order_times(struct run *run, struct order *order, uint64_t now_ms, uint64_t validity_ms)
{
	order->term_at_ms = plan_term_at_ms(&run->plan, now_ms, validity_ms);
	order->kill_at_ms = plan_kill_at_ms(&run->plan, now_ms, validity_ms);
	run->told_ms = order->kill_at_ms;
	ward_order(&run->ward, order);
}

static void start(struct run *run, uint64_t now_ms, uint64_t validity_ms)
{
	struct order order = {.kind = ORDER_START, .fence = run->fence, .slot = run->slot};
	const char *token = grip_token(&run->grip);
	if (token == NULL) {
		return;
	}
	snprintf(order.token, sizeof order.token, "%s", token);
	run->started = true;
	order_times(run, &order, now_ms, validity_ms);
}

static void lose(struct run *run)
{
	run->lost = true;
	run->outcome.status = REDLOCK_EEXPIRED;
	if (run->started && !run->over) {
		ward_kill(&run->ward);
	} else {
		end(run);
	}
}

/* Compare the lease with the clock, and tell the guardian what it gained. The
 * clock is read first: what passes in between makes the times earlier.
 * A lease that was won late is renewed by the library before a command is
 * started under it: else that would be told to stop at once. */
static void look(struct run *run)
{
	uint64_t now_ms = clock_ms();
	uint64_t validity_ms = grip_validity_ms(&run->grip);
	uint64_t kill_at_ms = plan_kill_at_ms(&run->plan, now_ms, validity_ms);
	if (run->over) {
		return;
	}
	if (validity_ms == 0) {
		lose(run);
		return;
	}
	if (!run->started && validity_ms > run->plan.at_risk_ms) {
		start(run, now_ms, validity_ms);
	} else if (run->started && kill_at_ms >= run->told_ms + run->plan.step_ms) {
		order_times(run, &(struct order){.kind = ORDER_LEASE}, now_ms, validity_ms);
	}
	arm(run, on_look, plan_pause_ms(&run->plan, validity_ms));
}

void run_on_at_risk(int status, const struct redlock_report *report, void *data)
{
	struct run *run = data;
	(void)status;
	if (run->over) {
		return;
	}
	outcome_keep_nodes(&run->outcome, report);
	out_detail(run->name, "the lease is at risk: %" PRIu64 " ms are left",
		   run->outcome.validity_ms);
	look(run);
	ward_wake(&run->ward);
}

void run_on_lost(int status, const struct redlock_report *report, void *data)
{
	struct run *run = data;
	lose(run);
	run->outcome.status = status;
	outcome_keep_nodes(&run->outcome, report);
}

static void pass_on(struct run *run, int signum)
{
	if (run->started && !run->over) {
		ward_signal(&run->ward, signum);
		/* Who ends the command does not mean to wait for --min-hold either. */
		run->hold_over = run->hold_over || (signum != SIGUSR1 && signum != SIGUSR2);
		return;
	}
	if (run->signum == 0) {
		run->signum = signum;
	}
	if (grip_cancel(&run->grip) != 0) {
		end(run);
	}
}

/* Stop like any other program, and the command with us. The guardian goes on:
 * it ends the command in time if we are not continued. */
static void stop(struct run *run)
{
	if (run->started && !run->over) {
		ward_signal(&run->ward, SIGTSTP);
	}
	raise(SIGSTOP);
}

static void resume(struct run *run)
{
	if (!run->started || run->over) {
		return;
	}
	look(run);
	if (!run->lost) {
		ward_order(&run->ward, &(struct order){.kind = ORDER_RESUME});
	}
}

void run_on_signal(int signum, void *data)
{
	struct run *run = data;
	if (signum == SIGTSTP) {
		stop(run);
	} else if (signum == SIGCONT) {
		resume(run);
	} else {
		pass_on(run, signum);
	}
}

static void on_gone(struct run *run, const struct news *news)
{
	run->finished = true;
	run->status = news->value;
	run->stopped_for_lease = news->for_lease;
	run->over = true;
	if (news->for_lease && run->outcome.status == 0) {
		/* Ended in time, before the lease was; it could not go on. */
		run->outcome.status = REDLOCK_EEXPIRED;
	}
}

void run_on_news(struct ward *ward, const struct news *news, void *data)
{
	struct run *run = data;
	(void)ward;
	if (news == NULL) {
		run->guardian_died = true;
		grip_cancel(&run->grip);
		end(run);
		return;
	}
	switch (news->kind) {
	case NEWS_STARTED:
		out_detail(run->name, "started process %d", news->value);
		break;
	case NEWS_REFUSED:
		run->refusal = news->value;
		end(run);
		break;
	case NEWS_ENDING:
		out_note(run->name, "the lease is running out, stopping the command");
		break;
	case NEWS_STOPPED:
		/* Ctrl-Z reached the command only; it was meant for the job. */
		kill(0, SIGTSTP);
		break;
	case NEWS_GONE:
		on_gone(run, news);
		break;
	}
}

static void on_hold_over(uv_timer_t *timer)
{
	struct run *run = timer->data;
	run->hold_over = true;
}

static void wait_min_hold(struct run *run)
{
	uint64_t until_ms = run->acquired_at_ms + run->args->min_hold_ms;
	uint64_t now_ms = clock_ms();
	if (run->hold_over || run->stopped_for_lease || run->lost || now_ms >= until_ms) {
		return;
	}
	out_detail(run->name, "held for another %" PRIu64 " ms (--min-hold)", until_ms - now_ms);
	arm(run, on_hold_over, until_ms - now_ms);
	session_run(&run->session, &run->hold_over);
	if (run->lost) {
		out_note(run->name, "the lease ran out before --min-hold had passed");
	}
}

void run_hold(struct run *run)
{
	run->acquired_at_ms = clock_ms();
	look(run);
	session_run(&run->session, &run->over);
	uv_timer_stop(&run->timer);
	wait_min_hold(run);
	run->held_ms = clock_ms() - run->acquired_at_ms;
}
