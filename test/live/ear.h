/* ear.h - what the core is told of the connection on which a node calls us.
 *
 * The linker puts this between the driver and the core: what is told is noted
 * here, then passed on. Link with ear_dep. */
#ifndef REDLOCK_TEST_EAR_H
#define REDLOCK_TEST_EAR_H

#include "client.h"
#include "core/line.h"

#define EAR_CALLS_MAX 16

struct ear {
	unsigned listens, deaf, for_good; /* How often it was told so. */
	char why[RLK_NODE_ERROR_MAX];	  /* The last one; "" for none. */
	unsigned calls;
	struct rlk_call call[EAR_CALLS_MAX]; /* The first ones. */
	unsigned node;			     /* Of the last one. */
	/* Called after it was passed on; may be NULL. */
	void (*on_call)(struct redlock_client *client, unsigned node);
	void (*on_deaf)(struct redlock_client *client, unsigned node);
};

extern struct ear ear;

/* Have the node listened to, as the core would; by the port, so it may be called inside on_deaf. */
void ear_open(struct redlock_client *client, unsigned node);
/* Forget what was told. */
void ear_reset(void);

/* Run the loop of that client until something has been told, for the first time since ear_reset().
 */
void ear_wait(void);
void ear_wait_calls(unsigned count);
/* Open, and wait for success; or for a failure that tells @why. */
void ear_expect_listens(struct redlock_client *client, unsigned node);
void ear_expect_deaf(struct redlock_client *client, unsigned node, bool for_good, const char *why);

/* The channel of a client; lent until the next call. */
const char *ear_channel(const struct redlock_client *client);

#endif
