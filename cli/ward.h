/* ward.h - the tool's end of the guardian. */
#ifndef CLI_WARD_H
#define CLI_WARD_H

#include "guardian.h"

#include <uv.h>

struct ward;
typedef void (*ward_cb)(struct ward *ward, const struct news *news, void *data);

struct ward {
	pid_t guardian; /* 0 when there is none. */
	int socket;
	uv_poll_t poll;
	bool polling;
	pid_t group; /* COMMAND's, once it was started. */
	bool over;   /* GONE or REFUSED came, or the guardian died. */
	ward_cb cb;
	void *data;
};

/* Fork the guardian. To be done before there is a loop, a thread or a socket to
 * a node. Returns 0 or an errno. */
int ward_fork(struct ward *ward, const struct command *command);

/* Hear its news on the loop. When the guardian dies before its time, COMMAND's
 * group is killed and @cb gets NULL. Returns 0 or a libuv error. */
int ward_watch(struct ward *ward, uv_loop_t *loop, ward_cb cb, void *data);

void ward_order(struct ward *ward, const struct order *order);
void ward_signal(struct ward *ward, int signum);

/* The lease is over: KILL the group. */
void ward_kill(struct ward *ward);
/* Have the guardian look at its clock, in case somebody has stopped it. */
void ward_wake(const struct ward *ward);

/* Stop listening; the handle closes with the loop's next turns. */
void ward_unwatch(struct ward *ward);

/* Let the guardian go, and wait for it. */
void ward_dismiss(struct ward *ward);

#endif
