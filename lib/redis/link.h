/* link.h - the connection to one node, from its URL to its next command. */
#ifndef RLK_LINK_H
#define RLK_LINK_H

#include "../core/cluster.h"
#include "io.h"
#include "listen.h"
#include "resolve.h"
#include "tls.h"
#include "url.h"
#include "wire.h"

#define RLK_WORD_MAX 64
#define RLK_GREETING_MAX 7

/* What all links of a client share. */
struct rlk_links {
	struct rlk_ios ios;
	struct rlk_cluster *cluster;
	const struct redlock_allocator *allocator;
	struct rlk_wire wire;
	uint64_t came_us, came_read; /* The clock at that one of ios.reads. */
	struct rlk_tls tls;
	struct rlk_link *links; /* One for each node, in its order. */
	const char *client_name;
	const char *incarnation_key;
};

/* Where a login is. */
struct rlk_login {
	unsigned replies_due;
	bool plain; /* The server has no HELLO. */
	bool durable_aof, durable_always;
	bool pauses_sync;  /* Syncs nothing while it rewrites its file. */
	bool was_replica;  /* Its data may be a copy that lags behind. */
	bool has_replicas; /* Such copies are being made. */
	const char *barred;
	char run_id[RLK_RUN_ID_MAX];
	char barred_text[RLK_NODE_ERROR_MAX];
};

struct rlk_link {
	struct rlk_links *all;
	struct rlk_node *node;
	struct rlk_url url;
	redisAsyncContext *ac;
	struct rlk_tls_peer tls; /* Of ac. */
	struct rlk_listener listener;
	struct rlk_lookup *lookup;
	char addresses[RLK_ADDRESSES_MAX][RLK_ADDRESS_MAX];
	unsigned address_count, address; /* The next to try; ac has the one before. */
	struct rlk_timer patience;	 /* For one address, login included. */
	bool failed;			 /* The alarm is to try the next address. */
	struct rlk_login login;
	struct rlk_wire_node wire_node;
	char incarnation[RLK_RUN_ID_MAX + 24]; /* As wire_node has it. */
	char product[RLK_WORD_MAX], version[RLK_WORD_MAX], role[RLK_WORD_MAX];
	char error[RLK_NODE_ERROR_MAX];
};

void rlk_link_init(struct rlk_link *link, struct rlk_links *all, struct rlk_node *node);
/* The three ports of the core that are about connections. */
void rlk_link_connect(struct rlk_link *link);
void rlk_link_disconnect(struct rlk_link *link);
void rlk_link_send(struct rlk_link *link, struct rlk_request *request,
		   const struct rlk_command *command);
/* This connection, or this address, is of no use: go on with the next one. */
void rlk_link_fail(struct rlk_link *link, const char *why);
/* What the server said, without what must not be shown. */
void rlk_link_quote(const struct rlk_link *link, char *out, size_t size, const char *text,
		    size_t len);
/* Send the bytes in all->wire; @cb as hiredis has it. */
void rlk_link_write(struct rlk_link *link, redisCallbackFn *cb, void *data);

/* dial.c: a connection to the address at hand, and in what words it ends. */

/* Begin; the callbacks of the context, and its data, are the caller's to set. NULL: it cannot be,
 * and
 * @why. @tls must outlive it. */
redisAsyncContext *rlk_dial(struct rlk_link *link, const struct rlk_io_use *use,
			    struct rlk_tls_peer *tls, char *why, size_t size);
/* In the connect callback. False: it has failed, and @why. */
bool rlk_dial_done(struct rlk_link *link, const redisAsyncContext *ac, int status,
		   struct rlk_tls_peer *tls, char *why, size_t size);
/* In the disconnect callback: @why. */
void rlk_dial_lost(const struct rlk_link *link, const redisAsyncContext *ac,
		   const struct rlk_tls_peer *tls, bool logged_in, char *why, size_t size);
/* Why a connection, or NULL, has not come to anything in time. */
const char *rlk_dial_silence(const redisAsyncContext *ac, const struct rlk_tls_peer *tls);

/* greet.c: who we are, as a server wants to be told. They fill @argv, and return how much of it. */
int rlk_greet_hello(const struct rlk_link *link, const char *argv[RLK_GREETING_MAX]);
/* Where there is no HELLO. 0: nothing needs to be said. */
int rlk_greet_auth(const struct rlk_link *link, const char *argv[RLK_GREETING_MAX]);
/* Does the reply to HELLO say that there is none? */
bool rlk_greet_is_unknown(const redisReply *reply);

/* facts.c: note what the replies to HELLO, INFO and CONFIG GET say. */
void rlk_facts_hello(struct rlk_link *link, const redisReply *reply);
void rlk_facts_info(struct rlk_link *link, const redisReply *reply);
void rlk_facts_config(struct rlk_link *link, const redisReply *reply);
bool rlk_facts_durable(const struct rlk_link *link);

/* login.c: after the connection is made. Ends in rlk_node_up() or rlk_link_fail(). */
void rlk_login_start(struct rlk_link *link);

#endif
