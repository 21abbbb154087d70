/* lock.c - the verb lock: take a lease, print its owner token and leave it.
 *
 * A lease that was won and told to the caller outlives the process, so on that
 * one path nothing is closed. On every other path the client is closed, which
 * gives back whatever any attempt may have set. */
#include "args.h"
#include "codes.h"
#include "outcome.h"
#include "session.h"
#include "signals.h"
#include "verbs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* How long the nodes that the win did not wait for may take to answer. */
#define SETTLE_MS 100

struct errand {
	struct args *args;
	struct session session;
	struct signals signals;
	int signum; /* First signal that asked us to end, or 0. */
	struct redlock_lock *lock;
	struct outcome outcome;
	bool settled;
};

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, 0};

static void on_signal(int signum, void *data)
{
	struct errand *errand = data;
	if (errand->signum == 0) {
		errand->signum = signum;
	}
	redlock_cancel(errand->lock);
}

/* Ends with the outcome's status set, whatever happened. */
static void acquire(struct errand *errand)
{
	int status = redlock_acquire(errand->lock, args_wait_ms(errand->args), outcome_on_done,
				     &errand->outcome);
	if (status != 0) {
		outcome_set(&errand->outcome, status, NULL);
	}
	session_run(&errand->session, &errand->outcome.done);
}

static bool print_lease(const struct errand *errand, const char *token)
{
	const struct args *args = errand->args;
	if (!args->manner.json) {
		printf("%s\n", token);
		return out_flush();
	}
	struct json json;
	json_begin(&json, stdout);
	json_string(&json, "event", "lock");
	json_string(&json, "name", args->operands[0]);
	json_string(&json, "token", token);
	json_uint(&json, "ttl_ms", args->ttl_ms);
	json_uint(&json, "validity_ms", redlock_lock_validity_ms(errand->lock));
	outcome_json(&json, &errand->outcome, CODE_OK, "held");
	return json_end(&json);
}

static void print_failure(const struct errand *errand, int code, const char *message)
{
	const struct args *args = errand->args;
	outcome_explain(&errand->outcome, args->operands[0]);
	out_note(args->operands[0], "%s", message);
	if (args->manner.json) {
		struct json json;
		json_begin(&json, stdout);
		json_string(&json, "event", "lock");
		json_string(&json, "name", args->operands[0]);
		outcome_json(&json, &errand->outcome, code, message);
		json_end(&json);
	}
}

static void on_settled(struct redlock_client *client, int status,
		       const struct redlock_inspection *inspection, void *data)
{
	struct errand *errand = data;
	(void)client;
	(void)status;
	(void)inspection;
	errand->settled = true;
}

static void on_settle_timer(uv_timer_t *timer)
{
	struct errand *errand = timer->data;
	errand->settled = true;
}

/* The lease is won at the k-th grant. What was sent to the other nodes should
 * arrive as well before the connections go: an answer to a question asked after
 * it says that it has. */
static void settle(struct errand *errand)
{
	uv_timer_t timer;
	uv_timer_init(&errand->session.loop, &timer);
	timer.data = errand;
	uv_timer_start(&timer, on_settle_timer, SETTLE_MS, 0);
	if (redlock_inspect(errand->session.client, NULL, 0, on_settled, errand) == 0) {
		session_run(&errand->session, &errand->settled);
	}
}

/* Does not return once the token is out: the lease is the caller's from then on. */
static int hand_over(struct errand *errand)
{
	const char *name = errand->args->operands[0];
	const char *token = redlock_lock_token(errand->lock, NULL);
	if (token == NULL) {
		outcome_set(&errand->outcome, REDLOCK_EEXPIRED, NULL);
		print_failure(errand, CODE_NO_QUORUM, redlock_strerror(REDLOCK_EEXPIRED));
		return CODE_NO_QUORUM;
	}
	if (!print_lease(errand, token)) {
		out_note(name, "cannot print the token: %s; giving it back", strerror(errno));
		return CODE_OUTPUT;
	}
	outcome_explain(&errand->outcome, name);
	settle(errand);
	session_keep(CODE_OK);
}

static int lock_it(struct errand *errand)
{
	char message[512];
	acquire(errand);
	if (errand->outcome.status == 0 && errand->signum == 0) {
		return hand_over(errand);
	}
	if (errand->outcome.status == 0) {
		outcome_set(&errand->outcome, REDLOCK_ECANCELED, NULL);
	}
	int code = outcome_acquire_code(&errand->outcome, CODE_HELD);
	outcome_describe(&errand->outcome, message, sizeof message);
	if (errand->signum != 0) {
		code = CODE_SIGNAL + errand->signum;
	}
	print_failure(errand, code, message);
	return code;
}

int verb_lock(struct args *args)
{
	struct errand errand = {.args = args};
	struct redlock_lock_options options;
	int code = args_find_nodes(args);
	if (code == 0) {
		code = session_open(&errand.session, args);
	}
	if (code != 0) {
		return code;
	}
	redlock_lock_options_init(&options);
	options.ttl_ms = args->ttl_ms;
	code = session_lock(&errand.session, args, &options, &errand.lock);
	if (code == 0) {
		signals_watch(&errand.signals, &errand.session.loop, ending_signals, on_signal,
			      &errand);
		code = lock_it(&errand);
	}
	redlock_lock_free(errand.lock);
	signals_close(&errand.signals);
	session_close(&errand.session);
	return code;
}
