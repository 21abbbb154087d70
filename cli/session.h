/* session.h - one loop and one client: what every verb that asks the nodes has. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "args.h"

#include <redlock/redlock.h>

#include <stdbool.h>
#include <uv.h>

struct session {
	uv_loop_t loop;
	struct redlock_client *client;
	bool closed;
};

/* Open; says what is wrong. Returns 0 or an exit code, and then nothing is open.
 * From here on the process ignores SIGPIPE and SIGTTOU: a closed pipe or a
 * terminal lent to COMMAND must not end the tool before it gave the lock back. */
int session_open(struct session *session, const struct args *args);

/* Run the loop until *@done. */
void session_run(struct session *session, const bool *done);

/* Close the client, which gives back all that it holds or may hold, and the
 * loop. Handles of the verb's own have to be closing already. */
void session_close(struct session *session);

/* End the process with nothing given back: the lease outlives the tool. */
_Noreturn void session_keep(int code);

/* Make a lock object of @args->operands[0], and of those to be locked with it; says what is wrong.
 * 0 or an exit code. */
int session_lock(struct session *session, const struct args *args,
		 struct redlock_lock_options *options, struct redlock_lock **lock);

#endif
