/* login.c - from a fresh connection to a node that may vote.
 *
 *   HELLO 2 [AUTH u p] SETNAME n   who is it, and who are we? AUTH if it has no HELLO
 *   SELECT, INFO, CONFIG GET       which process, which role, how durable?
 *   enrol script                   since when has it been remembering?
 *
 * A restart breaks every connection, so asking on each new one is enough to
 * notice it. What a server's ACL does not let us know is treated as bad news:
 * not durable, or, where the restart guard needs it, not to be believed. */
#include <stdio.h>
#include <string.h>

#include "link.h"

/* ---- Pieces ---------------------------------------------------------------------------------- */

void rlk_login_ask(struct rlk_link *link, redisCallbackFn *cb, int argc, const char *const *argv,
		   const size_t *lens)
{
	rlk_wire_args(&link->all->wire, argc, argv, lens);
	link->login.replies_due++;
	rlk_link_write(link, cb, NULL);
}

static void ask(struct rlk_link *link, redisCallbackFn *cb, int argc, const char *const *argv)
{
	rlk_login_ask(link, cb, argc, argv, NULL);
}

struct rlk_link *rlk_login_link(redisAsyncContext *ac, const redisReply *reply)
{
	struct rlk_link *link = ac->data;

	if (link == NULL || reply == NULL || link->failed) {
		return NULL;
	}
	link->login.replies_due--;
	return link;
}

static void next(struct rlk_link *link)
{
	if (link->login.replies_due == 0 && !link->failed) {
		rlk_enrol(link);
	}
}

static bool is_error(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR;
}

void rlk_login_refused(struct rlk_link *link, const redisReply *reply)
{
	char why[RLK_NODE_ERROR_MAX];

	rlk_tell_refusal(link, why, sizeof why, reply, RLK_SCRIPTS);
	rlk_link_fail(link, why);
}

/* Is the reply of this type, or an error? Else there is no talking to that server. */
static bool makes_sense(struct rlk_link *link, const redisReply *reply, int type, const char *to)
{
	char why[RLK_NODE_ERROR_MAX];

	if (reply->type == type || is_error(reply)) {
		return true;
	}
	snprintf(why, sizeof why, "unexpected reply to %s", to);
	rlk_link_fail(link, why);
	return false;
}

/* ---- Facts ----------------------------------------------------------------------------------- */

static void on_info(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_STRING, "INFO")) {
		return;
	}
	if (is_error(reply)) {
		rlk_tell_nobody(link, reply, RLK_SCRIPTS);
	}
	rlk_facts_info(link, reply);
	next(link);
}

static void on_config(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_ARRAY, "CONFIG GET")) {
		return;
	}
	if (is_error(reply)) {
		rlk_tell_nobody(link, reply, RLK_SCRIPTS);
	}
	rlk_facts_config(link, reply);
	next(link);
}

static void on_select(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_STATUS, "SELECT")) {
		return;
	}
	if (is_error(reply)) {
		rlk_login_refused(link, reply);
		return;
	}
	next(link);
}

static void send_facts(struct rlk_link *link)
{
	char db[16];

	if (link->url.db != 0) {
		snprintf(db, sizeof db, "%u", link->url.db);
		ask(link, on_select, 2, (const char *[]){"SELECT", db});
	}
	ask(link, on_info, 2, (const char *[]){"INFO", "server"});
	ask(link, on_info, 2, (const char *[]){"INFO", "memory"});
	ask(link, on_info, 2, (const char *[]){"INFO", "replication"});
	ask(link, on_config, 3, (const char *[]){"CONFIG", "GET", "*append*"});
}

/* ---- Who are we? ----------------------------------------------------------------------------- */

static void ask_secretly(struct rlk_link *link, redisCallbackFn *cb, int argc,
			 const char *const *argv)
{
	rlk_wire_args(&link->all->wire, argc, argv, NULL);
	link->login.replies_due++;
	rlk_link_write_secret(link, cb, NULL);
}

static void on_auth(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_STATUS, "AUTH")) {
		return;
	}
	if (is_error(reply)) {
		rlk_login_refused(link, reply);
	}
	rlk_credentials_drop(&link->credentials);
	if (!link->failed) {
		send_facts(link);
	}
}

static void send_auth(struct rlk_link *link)
{
	const char *argv[RLK_GREETING_MAX];
	int argc = rlk_greet_auth(&link->credentials, argv);

	if (argc == 0) {
		send_facts(link);
	} else {
		ask_secretly(link, on_auth, argc, argv);
	}
}

static void on_hello(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_ARRAY, "HELLO")) {
		return;
	}
	if (rlk_greet_is_unknown(reply)) {
		link->login.plain = true;
		send_auth(link);
		return;
	}
	if (is_error(reply)) {
		rlk_login_refused(link, reply);
	} else {
		rlk_facts_hello(link, reply);
		send_facts(link);
	}
	rlk_credentials_drop(&link->credentials);
}

static void send_hello(struct rlk_link *link)
{
	const char *argv[RLK_GREETING_MAX], *why;

	why = rlk_credentials_get(&link->credentials, &link->all->credentials, &link->url);
	if (why != NULL) {
		rlk_link_fail(link, why);
		return;
	}
	ask_secretly(link, on_hello,
		     rlk_greet_hello(&link->credentials, link->all->client_name, argv), argv);
}

void rlk_login_start(struct rlk_link *link)
{
	memset(&link->login, 0, sizeof link->login);
	link->product[0] = link->version[0] = link->role[0] = link->lacks[0] = '\0';
	link->mode[0] = link->eviction[0] = '\0';
	send_hello(link);
}
