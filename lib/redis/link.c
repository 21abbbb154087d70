/* link.c - one connection at a time to one node.
 *
 * Lifetimes, as hiredis has them, which decide the shape of this file:
 *   - a context that fails to connect is freed by hiredis after the connect
 *     callback, one that is lost after the disconnect callback;
 *   - redisAsyncFree() is the only way to end one ourselves, and must not be
 *     called inside those two callbacks: so a failure only notes what happened
 *     and sets an alarm at once;
 *   - a context of ours that we have let go of has ac->data NULL: its callbacks
 *     do nothing.
 *
 * What listens beside it goes with it, whatever ends it. */
#include "link.h"

#include <stdio.h>
#include <string.h>

#include "../core/attempt.h"
#include "../core/lease.h"

static void open_next(struct rlk_link *link);

static void let_go(struct rlk_link *link)
{
	redisAsyncContext *ac = link->ac;

	rlk_listener_close(&link->listener);
	rlk_credentials_drop(&link->credentials);
	link->ac = NULL;
	if (ac != NULL) {
		ac->data = NULL;
		redisAsyncFree(ac);
	}
}

/* ---- Failure --------------------------------------------------------------------------------- */

void rlk_link_fail(struct rlk_link *link, const char *why)
{
	if (why != link->error) {
		snprintf(link->error, sizeof link->error, "%s", why);
	}
	link->failed = true;
	rlk_timer_set(&link->all->cluster->timers, &link->patience, 0);
}

/* It was up: the core decides when to try again. */
static void lost(struct rlk_link *link, const char *why)
{
	link->failed = false;
	rlk_timer_stop(&link->all->cluster->timers, &link->patience);
	rlk_node_down(link->node, why);
}

static void on_patience(struct rlk_timer *timer, uint64_t now_us)
{
	struct rlk_link *link =
		(struct rlk_link *)((char *)timer - offsetof(struct rlk_link, patience));

	(void)now_us;
	if (!link->failed) {
		snprintf(link->error, sizeof link->error, "%s",
			 rlk_dial_silence(link->ac, &link->tls));
	}
	let_go(link);
	link->failed = false;
	if (link->lookup != NULL) {
		rlk_lookup_drop(link->lookup);
		link->lookup = NULL;
	}
	if (link->node->state != RLK_UP && link->address < link->address_count) {
		open_next(link);
	} else {
		rlk_node_down(link->node, link->error);
	}
}

/* ---- hiredis's callbacks --------------------------------------------------------------------- */

static void on_connect(const redisAsyncContext *ac, int status)
{
	struct rlk_link *link = ac->data;

	if (link == NULL) {
		return;
	}
	if (status != REDIS_OK) {
		link->ac = NULL; /* hiredis frees it. */
	}
	if (!rlk_dial_done(link, ac, status, &link->tls, link->error, sizeof link->error)) {
		rlk_link_fail(link, link->error);
	}
}

static void on_ready(redisAsyncContext *ac)
{
	struct rlk_link *link = ac->data;

	if (link != NULL && !link->failed) {
		rlk_login_start(link);
	}
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
	struct rlk_link *link = ac->data;
	char why[RLK_NODE_ERROR_MAX];

	(void)status;
	if (link == NULL) {
		return;
	}
	link->ac = NULL; /* hiredis frees it. */
	rlk_listener_close(&link->listener);
	rlk_dial_lost(link, ac, &link->tls, link->node->state == RLK_UP, why, sizeof why);
	if (link->node->state == RLK_UP) {
		lost(link, why);
	} else if (!link->failed) {
		rlk_link_fail(link, why);
	}
	rlk_credentials_drop(&link->credentials);
}

/* ---- Connecting ------------------------------------------------------------------------------ */

static const struct rlk_io_use use = {.ready = on_ready};

static void open_next(struct rlk_link *link)
{
	struct rlk_cluster *cluster = link->all->cluster;
	redisAsyncContext *ac;

	link->address++;
	ac = rlk_dial(link, &use, &link->tls, link->error, sizeof link->error);
	if (ac == NULL) {
		rlk_link_fail(link, link->error);
		return;
	}
	link->ac = ac;
	ac->data = link;
	link->wire_node = (struct rlk_wire_node){0};
	redisAsyncSetDisconnectCallback(ac, on_disconnect);
	redisAsyncSetConnectCallback(ac, on_connect);
	rlk_timer_set(&cluster->timers, &link->patience,
		      rlk_later(rlk_now(cluster), rlk_us(cluster->config.connect_timeout_ms)));
}

static void on_addresses(void *data, char (*addresses)[RLK_ADDRESS_MAX], unsigned count,
			 const char *error)
{
	struct rlk_link *link = data;

	link->lookup = NULL;
	if (error != NULL) {
		snprintf(link->error, sizeof link->error, "cannot resolve the name: %s", error);
		rlk_link_fail(link, link->error);
		return;
	}
	memcpy(link->addresses, addresses, count * sizeof addresses[0]);
	link->address_count = count;
	open_next(link);
}

static void look_up(struct rlk_link *link)
{
	struct rlk_cluster *cluster = link->all->cluster;

	rlk_timer_set(&cluster->timers, &link->patience,
		      rlk_later(rlk_now(cluster), rlk_us(cluster->config.connect_timeout_ms)));
	link->lookup = rlk_lookup_start(link->all->ios.loop, link->all->allocator, link->url.host,
					on_addresses, link);
	if (link->lookup == NULL) {
		rlk_link_fail(link, "cannot resolve the name: out of memory");
	}
}

void rlk_link_connect(struct rlk_link *link)
{
	link->failed = false;
	link->address = link->address_count = 0;
	link->error[0] = '\0';
	if (link->url.kind != RLK_URL_UNIX && !rlk_is_address(link->url.host)) {
		look_up(link);
		return;
	}
	link->address_count = 1;
	if (link->url.kind != RLK_URL_UNIX) {
		snprintf(link->addresses[0], sizeof link->addresses[0], "%.*s",
			 (int)sizeof link->addresses[0] - 1, link->url.host);
	}
	open_next(link);
}

void rlk_link_disconnect(struct rlk_link *link)
{
	rlk_timer_stop(&link->all->cluster->timers, &link->patience);
	if (link->lookup != NULL) {
		rlk_lookup_drop(link->lookup);
		link->lookup = NULL;
	}
	let_go(link);
}

void rlk_link_init(struct rlk_link *link, struct rlk_links *all, struct rlk_node *node)
{
	link->all = all;
	link->node = node;
	link->patience.fire = on_patience;
	rlk_listener_init(&link->listener);
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* If the bytes are not all there, or hiredis will not take them, the connection is as good as gone:
 * the core must hear of it. */
static void expect_written(struct rlk_link *link, bool written)
{
	if (!written) {
		rlk_link_fail(link, "cannot send: out of memory, or closing");
	}
}

void rlk_link_write(struct rlk_link *link, redisCallbackFn *cb, void *data)
{
	struct rlk_wire *wire = &link->all->wire;

	expect_written(link, link->ac != NULL && !wire->failed &&
				     rlk_io_command(link->ac, cb, data, wire->bytes, wire->len));
}

void rlk_link_write_secret(struct rlk_link *link, redisCallbackFn *cb, void *data)
{
	struct rlk_wire *wire = &link->all->wire;

	expect_written(link, link->ac != NULL && !wire->failed &&
				     rlk_io_secret(link->ac, cb, data, wire->bytes, wire->len));
	rlk_wire_wipe(wire);
}

static void send_command(struct rlk_link *link, struct rlk_request *request,
			 const struct rlk_command *command);

static bool forbids(const char *error, const char *command)
{
	return strncmp(error, "NOPERM", 6) == 0 && strstr(error, command) != NULL;
}

/* Does the error say that it does not know the digest, or that this user may not name one? */
static bool wants_text(struct rlk_link *link, const redisReply *reply)
{
	if (forbids(reply->str, "'evalsha'")) {
		link->wire_node.text_only = true;
		return true;
	}
	return strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

/* The reply to one question is taken for that of another, or the server is none of ours: whatever
 * it says next is not to be believed. */
static void out_of_step(struct rlk_link *link, const char *why)
{
	let_go(link);
	lost(link, why);
}

/* When what is being read came in: one look at the clock for all of it. */
static uint64_t came_us(struct rlk_links *all)
{
	if (all->came_read != all->ios.reads) {
		all->came_read = all->ios.reads;
		all->came_us = rlk_now(all->cluster);
	}
	return all->came_us;
}

/* An error in words that the core may pass on to people. */
static void answer_error(struct rlk_link *link, struct rlk_request *request,
			 struct rlk_answer *given)
{
	struct rlk_command command = {0};
	char words[RLK_NODE_ERROR_MAX];

	request->asker->asking->describe(request->asker, request, &command);
	rlk_tell_error(link, words, sizeof words, given->text, given->text_len, &command);
	given->text = words;
	given->text_len = strlen(words);
	rlk_node_answer(link->node, request, given, came_us(link->all));
}

static bool has_changed(const struct rlk_link *link, const char *error)
{
	return strncmp(error, "READONLY", 8) == 0 || strncmp(error, "LOADING", 7) == 0 ||
	       strncmp(error, "MASTERDOWN", 10) == 0 || strncmp(error, "CHANGED", 7) == 0 ||
	       (!link->wire_node.native && !link->node->barred && forbids(error, "'eval'"));
}

static bool decode_native(struct rlk_request *request, const redisReply *reply,
			  struct rlk_answer *given)
{
	struct rlk_command command = {0};

	request->asker->asking->describe(request->asker, request, &command);
	return rlk_native_decode(&command, reply, given);
}

/* Send the text instead, once. */
static void ask_again(struct rlk_link *link, struct rlk_request *request)
{
	struct rlk_answer nothing = {.kind = RLK_NO, .remaining_ms = -1};
	struct rlk_command command = {0};

	link->wire_node.loaded = 0;
	request->again = true;
	request->asker->asking->describe(request->asker, request, &command);
	if (command.undone) {
		/* Sent again it would come after its release: it has set nothing. */
		rlk_node_answer(link->node, request, &nothing, came_us(link->all));
	} else {
		send_command(link, request, &command);
	}
}

static void on_reply(redisAsyncContext *ac, void *r, void *data)
{
	struct rlk_link *link = ac->data;
	struct rlk_request *request = data;
	const redisReply *reply = r;
	struct rlk_answer given;
	bool makes_sense;

	if (link == NULL || reply == NULL) {
		return; /* The core hears of the connection, not of each command. */
	}
	if (reply->type == REDIS_REPLY_ERROR && !request->again && wants_text(link, reply)) {
		ask_again(link, request);
		return;
	}
	rlk_attempt_look_ahead(request->next);
	makes_sense = link->wire_node.native
			      ? decode_native(request, reply, &given)
			      : rlk_wire_decode((enum rlk_op)request->op, reply, &given);
	if (given.kind == RLK_ERROR) {
		answer_error(link, request, &given);
	} else {
		rlk_node_answer(link->node, request, &given, came_us(link->all));
	}
	if (link->ac != ac) {
		return;
	}
	if (!makes_sense) {
		out_of_step(link, "unexpected reply");
	} else if (reply->type == REDIS_REPLY_ERROR && has_changed(link, reply->str)) {
		/* Not what it was when it logged in: a replica now, starting over, or another; or
		 * we have other rights. */
		rlk_link_fail(link, link->node->error);
	}
}

static void send_command(struct rlk_link *link, struct rlk_request *request,
			 const struct rlk_command *command)
{
	enum rlk_script_id script = rlk_wire_encode(&link->all->wire, command, &link->wire_node);

	if (script != RLK_SCRIPTS && !link->wire_node.text_only) {
		link->wire_node.loaded |= 1U << script;
	}
	rlk_link_write(link, on_reply, request);
}

void rlk_link_send(struct rlk_link *link, struct rlk_request *request,
		   const struct rlk_command *command)
{
	if (link->wire_node.native && rlk_native_encode(&link->all->wire, command)) {
		rlk_link_write(link, on_reply, request);
		return;
	}
	send_command(link, request, command);
}
