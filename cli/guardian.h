/* guardian.h - the process between the tool and COMMAND; what the two say to
 * each other. See guardian.c. */
#ifndef CLI_GUARDIAN_H
#define CLI_GUARDIAN_H

#include <redlock/redlock.h>

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What to run, and how. Known before the guardian is forked. */
struct command {
	char *const *argv;
	const char *lock_name;
	uint32_t ttl_ms;
	uint32_t grace_ms; /* From TERM to KILL. */
	int terminal;	   /* The controlling terminal, or -1. */
	pid_t tool_group;  /* Process group of the tool. */
	sigset_t signals;  /* Signal mask that COMMAND gets. */
};

enum order_kind {
	ORDER_START,  /* Start COMMAND: token, fence, times. */
	ORDER_LEASE,  /* The lease was renewed: times. */
	ORDER_SIGNAL, /* Send a signal to the group. */
	ORDER_RESUME, /* The tool was continued: so is the group. */
	ORDER_KILL    /* The lease is over. */
};

/* From the tool to the guardian; one packet each. */
struct order {
	enum order_kind kind;
	int signum;	     /* SIGNAL. */
	uint64_t term_at_ms; /* START, LEASE: TERM then, by clock_ms(). */
	uint64_t kill_at_ms; /* START, LEASE: KILL then. */
	uint64_t fence;	     /* START: 0 without fencing. */
	int slot;	     /* START: -1 without permits. */
	char token[REDLOCK_TOKEN_MAX + 1];
};

enum news_kind {
	NEWS_STARTED, /* value: process id of COMMAND, and its group's. */
	NEWS_REFUSED, /* value: errno; it could not be run, and nothing is running. */
	NEWS_ENDING,  /* TERM was sent, as the lease comes to its end. */
	NEWS_STOPPED, /* COMMAND was stopped by the terminal. */
	NEWS_GONE     /* value: wait status of COMMAND; nothing of its group is left. */
};

/* From the guardian to the tool; one packet each. */
struct news {
	enum news_kind kind;
	int value;
	bool for_lease; /* GONE: it was ended for the sake of the lease. */
};

/* The life of the guardian, in a forked child with all signals blocked. */
_Noreturn void guardian_run(const struct command *command, int socket);

#endif
