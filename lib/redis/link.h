/* link.h - the connection to one node, from its URL to its next command. */
#ifndef RLK_LINK_H
#define RLK_LINK_H

#include "../core/cluster.h"
#include "credentials.h"
#include "io.h"
#include "listen.h"
#include "resolve.h"
#include "rights.h"
#include "tls.h"
#include "url.h"
#include "wire.h"

#define RLK_WORD_MAX 64
#define RLK_GREETING_MAX 7
/* A run_id, and numbers. */
#define RLK_INCARNATION_MAX (RLK_RUN_ID_MAX + 32)

/* What all links of a client share. */
struct rlk_links {
	struct rlk_ios ios;
	struct rlk_cluster *cluster;
	const struct redlock_allocator *allocator;
	struct rlk_wire wire;
	uint64_t came_us, came_read; /* The clock at that one of ios.reads. */
	struct rlk_tls tls;
	struct rlk_link *links; /* One for each node, in its order. */
	struct rlk_credentials_source credentials;
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
	bool sees_config;
	const char *barred;
	char run_id[RLK_RUN_ID_MAX];
	/* Without scripts: the node's time, and what was found as its incarnation. */
	uint64_t node_now_us;
	bool found;
	unsigned looks;
	char was[RLK_INCARNATION_MAX];
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
	struct redlock_credentials credentials; /* Until the node has answered them. */
	struct rlk_wire_node wire_node;
	char incarnation[RLK_INCARNATION_MAX]; /* As wire_node has it. */
	char product[RLK_WORD_MAX], version[RLK_WORD_MAX], role[RLK_WORD_MAX];
	char mode[RLK_WORD_MAX], eviction[RLK_WORD_MAX];
	char lacks[RLK_RIGHTS_MAX]; /* Rights that were found missing since it logged in. */
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
/* Send the bytes in all->wire; @cb as hiredis has it. */
void rlk_link_write(struct rlk_link *link, redisCallbackFn *cb, void *data);
/* The same, and leave nothing of them behind. */
void rlk_link_write_secret(struct rlk_link *link, redisCallbackFn *cb, void *data);

/* tell.c: what the server says, without what must not be shown; an error of its begins with the
 * right that it says is missing, which is noted. */
void rlk_tell(const struct rlk_link *link, char *out, size_t size, const char *text, size_t len);
/* @script: what was run, or RLK_SCRIPTS. */
void rlk_tell_refusal(struct rlk_link *link, char *out, size_t size, const redisReply *error,
		      enum rlk_script_id script);
/* In answer to @command. */
void rlk_tell_error(struct rlk_link *link, char *out, size_t size, const char *text, size_t len,
		    const struct rlk_command *command);
/* Note that right, and say nothing. */
void rlk_tell_nobody(struct rlk_link *link, const redisReply *error, enum rlk_script_id script);

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
int rlk_greet_hello(const struct redlock_credentials *credentials, const char *client_name,
		    const char *argv[RLK_GREETING_MAX]);
/* Where there is no HELLO. 0: nothing needs to be said. */
int rlk_greet_auth(const struct redlock_credentials *credentials,
		   const char *argv[RLK_GREETING_MAX]);
/* Does the reply to HELLO say that there is none? */
bool rlk_greet_is_unknown(const redisReply *reply);

/* facts.c: note what the replies to HELLO, INFO and CONFIG GET say. */
void rlk_facts_hello(struct rlk_link *link, const redisReply *reply);
void rlk_facts_info(struct rlk_link *link, const redisReply *reply);
void rlk_facts_config(struct rlk_link *link, const redisReply *reply);
bool rlk_facts_durable(const struct rlk_link *link);

/* login.c: after the connection is made. Ends in rlk_node_up() or rlk_link_fail(). */
void rlk_login_start(struct rlk_link *link);
/* One question of it; without @lens its arguments are texts. */
void rlk_login_ask(struct rlk_link *link, redisCallbackFn *cb, int argc, const char *const *argv,
		   const size_t *lens);
/* The link of a reply, or NULL if there is nothing to do with it. */
struct rlk_link *rlk_login_link(redisAsyncContext *ac, const redisReply *reply);
/* It does not let us in, for now. */
void rlk_login_refused(struct rlk_link *link, const redisReply *reply);

/* enrol.c: the last step of a login. */
void rlk_enrol(struct rlk_link *link);
/* enrol_native.c: the same without a script. Ends in rlk_enrol_end(); login.barred is what is to be
 * said if there is no such way. */
void rlk_enrol_native(struct rlk_link *link);
/* For good, as far as we can see: no right to a command, or to what it does; or no such command. */
bool rlk_enrol_forbidden(const char *error);
void rlk_enrol_end(struct rlk_link *link, uint64_t born_us, uint64_t node_now_us);

#endif
