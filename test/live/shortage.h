/* shortage.h - operations, and the stage on which each is played without memory. */
#ifndef REDLOCK_TEST_SHORTAGE_H
#define REDLOCK_TEST_SHORTAGE_H

#include "faulty.h"
#include "rig.h"

#include <redlock/semaphore.h>

#define NAME "orders:17"
#define CROWD 4

/* What one round of one test works on. */
struct stage {
	struct redlock_client *client;
	struct redlock_lock *lock, *heir, *busy[CROWD];
	struct redlock_semaphore *semaphore, *rival;
	struct outcome outcome, other, of_busy[CROWD];
	bool closed;
	unsigned looks;
};

struct act {
	const char *name;
	bool fenced, own_token;
	bool crowded;			     /* All that is kept for the next request is in use. */
	bool frugal;			     /* It takes no memory, or not always. */
	void (*before)(struct stage *stage); /* With memory. */
	void (*run)(struct stage *stage);    /* While memory fails. */
	void (*after)(struct stage *stage);  /* With memory again. */
};

extern const struct act acts[];
extern const size_t act_count;
/* The memory of all clients. */
extern struct faulty faulty;

/* shortage_permits.c: the same of a semaphore, of two permits. */
void make_semaphore(struct stage *stage);
void have_semaphore(struct stage *stage);
void take_permit(struct stage *stage);
void take_all_but_one(struct stage *stage);
void take_all(struct stage *stage);
void wait_for_permit_in_vain(struct stage *stage);
void wait_for_permit(struct stage *stage);
void drop_semaphore(struct stage *stage);

/* Free the locks that keep the spare requests in use. */
void stage_disperse(struct stage *stage);

#endif
