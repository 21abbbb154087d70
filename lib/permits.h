/* permits.h - a semaphore as its own rooms see it. */
#ifndef RLK_PERMITS_H
#define RLK_PERMITS_H

#include <redlock/semaphore.h>
#include <stdatomic.h>

#include "client.h"

enum rlk_permit_state {
	RLK_PERMIT_IDLE,
	RLK_PERMIT_ASKED,   /* What we wait for. */
	RLK_PERMIT_HELD,    /* The one we hold. */
	RLK_PERMIT_LEAVING, /* We do not want it any more, but a callback of its lock is due... */
	RLK_PERMIT_AWAITED  /* ...and then it is to be asked. */
};

/* A slot: one lock, for as long as the handle lives. */
struct rlk_permit {
	struct redlock_semaphore *semaphore;
	struct redlock_lock *lock;
	enum rlk_permit_state state;
};

struct rlk_permit_call {
	redlock_semaphore_cb cb; /* NULL: none is due. */
	void *data;
};

struct redlock_semaphore {
	struct redlock_client *client; /* There for as long as its locks are. */
	struct redlock_allocator allocator;
	struct rlk_permit_call acquire, extend, release, at_risk, lost;
	bool releasing;	  /* Maybe without a callback. */
	bool freed;	  /* The locks are gone, or about to; callbacks are due. */
	unsigned due;	  /* Callbacks of locks. */
	_Atomic int held; /* Which one, or -1. Read by any thread. */

	/* The acquire under way; see permits.c. */
	bool canceled; /* Not told yet. */
	bool in_line;
	unsigned first;		    /* Asked first, */
	unsigned tried;		    /* and so many from there on. */
	unsigned asked;		    /* Those of them that have not answered. */
	int worst;		    /* Weightiest refusal, */
	struct rlk_permit *witness; /* and whose. */
	uint32_t attempts;
	uint64_t asked_us, deadline_us;

	unsigned count;
	struct rlk_permit permits[];
};

/* permits.c */
/* Begin to look for a permit; 0, or what the first lock said. */
int rlk_permits_seek(struct redlock_semaphore *semaphore, uint64_t wait_ms);
/* Want none any more. */
void rlk_permits_leave(struct redlock_semaphore *semaphore);
/* The callbacks of a permit's lock are all through this: @permit has said what it had to say.
 * The semaphore may be gone afterwards. */
void rlk_permit_heard(struct rlk_permit *permit);
/* The lock may be asked again; and is, if that has been waited for. */
void rlk_permit_left(struct rlk_permit *permit);

/* semaphore.c */
void rlk_semaphore_tell(struct redlock_semaphore *semaphore, struct rlk_permit_call *call,
			int status, const struct redlock_report *report);
void rlk_semaphore_bury(struct redlock_semaphore *semaphore);

#endif
