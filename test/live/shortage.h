/* shortage.h - operations, and the stage on which each is played without memory. */
#ifndef REDLOCK_TEST_SHORTAGE_H
#define REDLOCK_TEST_SHORTAGE_H

#include "faulty.h"
#include "rig.h"

#define NAME "orders:17"
#define CROWD 4

/* What one round of one test works on. */
struct stage {
	struct redlock_client *client;
	struct redlock_lock *lock, *heir, *busy[CROWD];
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

/* Free the locks that keep the spare requests in use. */
void stage_disperse(struct stage *stage);

#endif
