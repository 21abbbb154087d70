/* blocking.h - a call that one thread makes and another one carries out. */
#ifndef RLK_BLOCKING_H
#define RLK_BLOCKING_H

#include <pthread.h>
#include <redlock/blocking.h>

/* On the stack of the thread that waits. */
struct rlk_call {
	/* On the client's thread; rlk_call_done() follows, then or later. */
	void (*run)(struct rlk_call *call);
	struct redlock_blocking *client;
	struct rlk_call *next;
	pthread_cond_t over;
	bool done;
	int status;
};

/* Carry out, and wait. Returns what it is done with; REDLOCK_ECLOSED, REDLOCK_EBUSY (in a callback)
 * and REDLOCK_EFORKED if it was not run. */
int rlk_call(struct redlock_blocking *client, struct rlk_call *call,
	     void (*run)(struct rlk_call *));
void rlk_call_done(struct rlk_call *call, int status);

/* Are we its thread? */
bool rlk_blocking_is_inside(const struct redlock_blocking *client);
/* In a child of the process that opened it? */
bool rlk_blocking_is_forked(const struct redlock_blocking *client);
struct redlock_client *rlk_blocking_client(struct redlock_blocking *client);
/* It stays for as long as somebody keeps it. */
void rlk_blocking_keep(struct redlock_blocking *client);
void rlk_blocking_drop(struct redlock_blocking *client);
/* One at a time, when its thread is gone. */
void rlk_blocking_alone(struct redlock_blocking *client, void (*act)(void *), void *data);

#endif
