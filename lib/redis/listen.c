/* listen.c - the connection of a node on which we hear that it is our turn.
 *
 *   HELLO 2 [AUTH u p] SETNAME n      as login.c has it; AUTH where that found no HELLO
 *   SUBSCRIBE redlock:wake:<caller>   in the same write: it fails by itself if we are not let in
 *   "message" channel payload         a call
 *
 * Lifetimes are as in link.c. Whatever ends the connection is noted, and done and told by an alarm
 * at once, when nothing of hiredis is on the stack: the core may then open it again. If the link's
 * own connection goes first, nothing is told. */
#include "listen.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../core/lease.h"
#include "../core/line.h"
#include "link.h"

static struct rlk_link *link_of(struct rlk_listener *listener)
{
	return (struct rlk_link *)((char *)listener - offsetof(struct rlk_link, listener));
}

static struct rlk_cluster *cluster_of(struct rlk_listener *listener)
{
	return link_of(listener)->all->cluster;
}

/* ---- The end --------------------------------------------------------------------------------- */

void rlk_listener_close(struct rlk_listener *listener)
{
	redisAsyncContext *ac = listener->ac;

	rlk_timer_stop(&cluster_of(listener)->timers, &listener->patience);
	rlk_credentials_drop(&listener->credentials);
	listener->ac = NULL;
	listener->failed = false;
	if (ac != NULL) {
		ac->data = NULL;
		redisAsyncFree(ac);
	}
}

/* The first reason is the reason. */
static void fail(struct rlk_listener *listener, bool for_good, const char *why)
{
	if (listener->failed) {
		return;
	}
	if (why != listener->error) {
		snprintf(listener->error, sizeof listener->error, "%s", why);
	}
	listener->failed = true;
	listener->for_good = for_good;
	rlk_timer_set(&cluster_of(listener)->timers, &listener->patience, 0);
}

static void on_patience(struct rlk_timer *timer, uint64_t now_us)
{
	struct rlk_listener *listener =
		(struct rlk_listener *)((char *)timer - offsetof(struct rlk_listener, patience));
	char why[RLK_NODE_ERROR_MAX];
	bool for_good = listener->failed && listener->for_good;

	(void)now_us;
	/* A copy: it may be opened again before this is over. */
	snprintf(why, sizeof why, "%s",
		 listener->failed ? listener->error
				  : rlk_dial_silence(listener->ac, &listener->tls));
	rlk_listener_close(listener);
	rlk_node_deaf(link_of(listener)->node, for_good, why);
}

/* The listener of a reply, or NULL if there is nothing to do with it. */
static struct rlk_listener *listener_of(const redisAsyncContext *ac)
{
	struct rlk_listener *listener = ac->data;

	return listener == NULL || listener->failed ? NULL : listener;
}

static void refused(struct rlk_listener *listener, bool for_good, const redisReply *error)
{
	rlk_tell_refusal(link_of(listener), listener->error, sizeof listener->error, error,
			 RLK_SCRIPTS);
	fail(listener, for_good, listener->error);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* So many digits at @text, lower case. */
static bool read_number(const char *text, size_t len, unsigned base, uint32_t *number)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit;
	size_t i;

	*number = 0;
	for (i = 0; i < len; i++) {
		digit = memchr(digits, text[i], base);
		if (digit == NULL) {
			return false;
		}
		*number = *number * base + (uint32_t)(digit - digits);
	}
	return true;
}

/* 'y' or 'n', name and seq of 8 digits each, and for 'n' the ms, of 1 to 7. */
static bool read_call(const char *text, size_t len, struct rlk_call *call)
{
	*call = (struct rlk_call){.yours = len > 0 && text[0] == 'y'};
	if (len < 17 || (!call->yours && text[0] != 'n') ||
	    !read_number(text + 1, 8, 16, &call->name) ||
	    !read_number(text + 9, 8, 16, &call->seq)) {
		return false;
	}
	return call->yours ? len == 17
			   : len > 17 && len <= 24 &&
				     read_number(text + 17, len - 17, 10, &call->in_ms);
}

static bool is_text(const redisReply *reply, const char *text)
{
	return reply->type == REDIS_REPLY_STRING && (size_t)reply->len == strlen(text) &&
	       memcmp(reply->str, text, strlen(text)) == 0;
}

static bool is_message(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
	       is_text(reply->element[0], "message") &&
	       reply->element[1]->type == REDIS_REPLY_STRING &&
	       reply->element[2]->type == REDIS_REPLY_STRING;
}

/* Anybody may write to the channel: what is no call is none of ours. */
static void on_unasked(redisAsyncContext *ac, void *r, void *data)
{
	struct rlk_listener *listener = listener_of(ac);
	const redisReply *reply = r;
	struct rlk_call call;

	(void)data;
	if (listener == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		refused(listener, false, reply);
		return;
	}
	if (!listener->subscribed || !is_message(reply)) {
		fail(listener, false, "a reply to nothing");
		return;
	}
	if (is_text(reply->element[1], listener->channel) &&
	    read_call(reply->element[2]->str, (size_t)reply->element[2]->len, &call)) {
		rlk_line_called(cluster_of(listener), link_of(listener)->node->index, &call);
	}
}

/* ---- The beginning --------------------------------------------------------------------------- */

typedef bool send_fn(redisAsyncContext *ac, redisCallbackFn *cb, void *data, const char *bytes,
		     size_t len);

static void ask(struct rlk_listener *listener, send_fn *send, redisCallbackFn *cb, int argc,
		const char *const *argv)
{
	struct rlk_wire *wire = &link_of(listener)->all->wire;

	if (listener->failed) {
		return;
	}
	rlk_wire_args(wire, argc, argv, NULL);
	if (wire->failed || !send(listener->ac, cb, NULL, wire->bytes, wire->len)) {
		fail(listener, false, "cannot send: out of memory, or closing");
	}
	rlk_wire_wipe(wire);
}

/* To HELLO, or to AUTH. */
static void on_greeted(redisAsyncContext *ac, void *r, void *data)
{
	struct rlk_listener *listener = listener_of(ac);
	const redisReply *reply = r;
	bool plain;

	(void)data;
	if (listener == NULL || reply == NULL) {
		return;
	}
	plain = link_of(listener)->login.plain;
	if (reply->type == REDIS_REPLY_ERROR) {
		/* Not what logged us in: the next one is told by AUTH. */
		link_of(listener)->login.plain |= rlk_greet_is_unknown(reply);
		refused(listener, false, reply);
	} else if (reply->type != (plain ? REDIS_REPLY_STATUS : REDIS_REPLY_ARRAY)) {
		fail(listener, false,
		     plain ? "unexpected reply to AUTH" : "unexpected reply to HELLO");
	}
	rlk_credentials_drop(&listener->credentials);
}

/* No right to it, or no such command: it will not be otherwise a moment later. */
static bool is_for_good(const redisReply *error)
{
	return strncmp(error->str, "NOPERM", 6) == 0 ||
	       strstr(error->str, "unknown command") != NULL;
}

static void on_subscribed(redisAsyncContext *ac, void *r, void *data)
{
	struct rlk_listener *listener = listener_of(ac);
	const redisReply *reply = r;

	(void)data;
	if (listener == NULL || reply == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		refused(listener, is_for_good(reply), reply);
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
	    !is_text(reply->element[0], "subscribe") ||
	    !is_text(reply->element[1], listener->channel) ||
	    reply->element[2]->type != REDIS_REPLY_INTEGER || reply->element[2]->integer != 1) {
		fail(listener, false, "unexpected reply to SUBSCRIBE");
		return;
	}
	rlk_timer_stop(&cluster_of(listener)->timers, &listener->patience);
	listener->subscribed = true;
	rlk_node_listens(link_of(listener)->node);
}

static void on_ready(redisAsyncContext *ac)
{
	struct rlk_listener *listener = listener_of(ac);
	const char *argv[RLK_GREETING_MAX], *why;
	const struct rlk_link *link;
	int argc;

	if (listener == NULL) {
		return;
	}
	link = link_of(listener);
	why = rlk_credentials_get(&listener->credentials, &link->all->credentials, &link->url);
	if (why != NULL) {
		fail(listener, false, why);
		return;
	}
	argc = link->login.plain
		       ? rlk_greet_auth(&listener->credentials, argv)
		       : rlk_greet_hello(&listener->credentials, link->all->client_name, argv);
	if (argc > 0) {
		ask(listener, rlk_io_secret, on_greeted, argc, argv);
	}
	ask(listener, rlk_io_command, on_subscribed, 2,
	    (const char *[]){"SUBSCRIBE", listener->channel});
}

static void on_connect(const redisAsyncContext *ac, int status)
{
	struct rlk_listener *listener = ac->data;
	char why[RLK_NODE_ERROR_MAX];

	if (listener == NULL) {
		return;
	}
	if (status != REDIS_OK) {
		listener->ac = NULL; /* hiredis frees it. */
	}
	if (!rlk_dial_done(link_of(listener), ac, status, &listener->tls, why, sizeof why)) {
		fail(listener, false, why);
	}
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
	struct rlk_listener *listener = ac->data;
	char why[RLK_NODE_ERROR_MAX];

	(void)status;
	if (listener == NULL) {
		return;
	}
	listener->ac = NULL; /* hiredis frees it. */
	rlk_dial_lost(link_of(listener), ac, &listener->tls, listener->subscribed, why, sizeof why);
	rlk_credentials_drop(&listener->credentials);
	fail(listener, false, why);
}

void rlk_listener_open(struct rlk_link *link)
{
	static const struct rlk_io_use use = {.ready = on_ready, .unasked = on_unasked};
	struct rlk_listener *listener = &link->listener;
	struct rlk_cluster *cluster = link->all->cluster;
	redisAsyncContext *ac;

	assert(link->address > 0);
	assert(listener->ac == NULL);
	assert(!listener->failed);
	listener->subscribed = false;
	snprintf(listener->channel, sizeof listener->channel, RLK_CHANNEL "%s", cluster->caller);
	rlk_timer_set(&cluster->timers, &listener->patience,
		      rlk_later(rlk_now(cluster), rlk_us(cluster->config.connect_timeout_ms)));
	ac = rlk_dial(link, &use, &listener->tls, listener->error, sizeof listener->error);
	if (ac == NULL) {
		fail(listener, false, listener->error);
		return;
	}
	listener->ac = ac;
	ac->data = listener;
	redisAsyncSetDisconnectCallback(ac, on_disconnect);
	redisAsyncSetConnectCallback(ac, on_connect);
}

void rlk_listener_init(struct rlk_listener *listener)
{
	listener->patience.fire = on_patience;
}
