/* listen.h - the connection of a node on which we hear that it is our turn. */
#ifndef RLK_LISTEN_H
#define RLK_LISTEN_H

#include <hiredis/async.h>
#include <stdbool.h>

#include "../core/node.h"
#include "../core/timers.h"
#include "credentials.h"
#include "tls.h"

/* The caller's name comes behind it. */
#define RLK_CHANNEL "redlock:wake:"
#define RLK_CHANNEL_MAX (sizeof RLK_CHANNEL + 12)

struct rlk_link;

/* A part of its link. */
struct rlk_listener {
	redisAsyncContext *ac;
	struct rlk_tls_peer tls;		/* Of ac. */
	struct redlock_credentials credentials; /* Until they are answered. */
	struct rlk_timer patience; /* Until it is subscribed; or at once, to tell of its end. */
	char channel[RLK_CHANNEL_MAX];
	bool subscribed;
	bool failed, for_good; /* What the alarm is to tell, with error. */
	char error[RLK_NODE_ERROR_MAX];
};

void rlk_listener_init(struct rlk_listener *listener);
/* The port of the core: connect to where the link is connected to, and subscribe. It must not be
 * open. */
void rlk_listener_open(struct rlk_link *link);
/* If it is open; nothing more is heard of it. */
void rlk_listener_close(struct rlk_listener *listener);

#endif
