/* run.h - the verb run: its state, shared by its two files. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "args.h"
#include "exporter.h"
#include "grip.h"
#include "outcome.h"
#include "plan.h"
#include "session.h"
#include "signals.h"
#include "ward.h"

struct run {
	struct args *args;
	const char *name;
	struct plan plan;
	struct command command;
	const char *shell_argv[4]; /* Ends with NULL. */
	struct ward ward;
	struct session session;
	struct signals signals;
	struct exporter exporter;
	uv_timer_t timer;
	struct grip grip;
	struct outcome outcome; /* Of the acquire; of the loss if there was one. */
	int signum;		/* Came while there was no command to pass it on to. */
	bool over;		/* The command has ended, or will not be started. */
	bool started;		/* The guardian was told to start it. */
	bool finished;		/* It ran and has ended; status is its wait status. */
	int status;
	int refusal; /* errno of its execution, or 0. */
	bool stopped_for_lease;
	bool guardian_died;
	bool lost;	  /* The lease ended without a release. */
	bool hold_over;	  /* --min-hold has passed, or has lost its point. */
	uint64_t told_ms; /* Kill time that the guardian knows. */
	uint64_t acquired_at_ms;
	uint64_t held_ms;
	uint64_t fence;
	int slot; /* Of --permits, or -1. */
};

/* Hold the lock while the command runs: from the win to its end, and to the end
 * of --min-hold. The lease is either ours or over when this returns. */
void run_hold(struct run *run);

/* grip_cb; data is the run. */
void run_on_at_risk(int status, const struct redlock_report *report, void *data);
void run_on_lost(int status, const struct redlock_report *report, void *data);

/* ward_cb. */
void run_on_news(struct ward *ward, const struct news *news, void *data);

/* signals_cb for all that run watches. */
void run_on_signal(int signum, void *data);

#endif
