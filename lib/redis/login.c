/* login.c - from a fresh connection to a node that may vote.
 *
 *   HELLO 2 [AUTH u p] SETNAME n   who is it, and who are we? AUTH if it has no HELLO
 *   SELECT, INFO, CONFIG GET       which process, which role, how durable?
 *   enrol script                   since when has it been remembering?
 *
 * A restart breaks every connection, so asking on each new one is enough to
 * notice it. What a server's ACL does not let us know is treated as bad news:
 * not durable, or, where the restart guard needs it, not to be believed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "link.h"

static void send_enrol(struct rlk_link *link);

/* ---- Pieces ---------------------------------------------------------------------------------- */

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void ask(struct rlk_link *link, redisCallbackFn *cb, int argc, const char *const *argv)
{
	rlk_wire_args(&link->all->wire, argc, argv);
	link->login.replies_due++;
	rlk_link_write(link, cb, NULL);
}

/* The link of a reply, or NULL if there is nothing to do with it. */
static struct rlk_link *link_of(redisAsyncContext *ac, const redisReply *reply)
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
		send_enrol(link);
	}
}

static bool is_error(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR;
}

/* It does not let us in, for now. */
static void refused(struct rlk_link *link, const redisReply *reply)
{
	char why[RLK_NODE_ERROR_MAX];

	rlk_link_quote(link, why, sizeof why, reply->str, (size_t)reply->len);
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
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_STRING, "INFO")) {
		return;
	}
	rlk_facts_info(link, reply);
	next(link);
}

static void on_config(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_ARRAY, "CONFIG GET")) {
		return;
	}
	rlk_facts_config(link, reply);
	next(link);
}

static void on_select(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_STATUS, "SELECT")) {
		return;
	}
	if (is_error(reply)) {
		refused(link, reply);
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
	ask(link, on_info, 2, (const char *[]){"INFO", "replication"});
	ask(link, on_config, 3, (const char *[]){"CONFIG", "GET", "*append*"});
}

/* ---- Who are we? ----------------------------------------------------------------------------- */

static void on_auth(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_STATUS, "AUTH")) {
		return;
	}
	if (is_error(reply)) {
		refused(link, reply);
		return;
	}
	send_facts(link);
}

static void send_auth(struct rlk_link *link)
{
	const char *argv[RLK_GREETING_MAX];
	int argc = rlk_greet_auth(link, argv);

	if (argc == 0) {
		send_facts(link);
	} else {
		ask(link, on_auth, argc, argv);
	}
}

static void on_hello(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL || !makes_sense(link, reply, REDIS_REPLY_ARRAY, "HELLO")) {
		return;
	}
	if (rlk_greet_is_unknown(reply)) {
		link->login.plain = true;
		send_auth(link);
	} else if (is_error(reply)) {
		refused(link, reply);
	} else {
		rlk_facts_hello(link, reply);
		send_facts(link);
	}
}

static void send_hello(struct rlk_link *link)
{
	const char *argv[RLK_GREETING_MAX];

	ask(link, on_hello, rlk_greet_hello(link, argv), argv);
}

/* ---- Since when? ----------------------------------------------------------------------------- */

static void up(struct rlk_link *link, uint64_t born_us, uint64_t node_now_us)
{
	const struct rlk_login *login = &link->login;
	struct rlk_enrolment enrolment = {
		.run_id = login->run_id,
		.barred = login->barred,
		.durable = rlk_facts_durable(link),
		.enrolled = born_us != 0,
		.born_us = born_us,
		.node_now_us = node_now_us,
	};

	snprintf(link->incarnation, sizeof link->incarnation, "%s:%" PRIu64, login->run_id,
		 born_us);
	link->wire_node.born_us = born_us;
	link->wire_node.incarnation = link->incarnation;
	link->wire_node.incarnation_key = link->all->incarnation_key;
	rlk_timer_stop(&link->all->cluster->timers, &link->patience);
	rlk_node_up(link->node, &enrolment);
}

/* For good, as far as we can see: no right to the script, or to what it does; or no scripts. */
static bool is_forbidden(const char *error)
{
	return starts_with(error, "NOPERM") || strstr(error, "ACL failure") != NULL ||
	       strstr(error, "can't run this command") != NULL ||
	       strstr(error, "can't access") != NULL || strstr(error, "unknown command") != NULL;
}

/* What is taken here could be neither renewed nor given back. */
static bool runs_no_scripts(const char *error)
{
	return starts_with(error, "ERR unknown command") ||
	       (starts_with(error, "NOPERM") && strstr(error, "'eval'") != NULL);
}

static void bar(struct rlk_link *link, const char *what, const redisReply *why)
{
	char *barred = link->login.barred_text;
	size_t size = sizeof link->login.barred_text;
	size_t len = (size_t)snprintf(barred, size, "%s: ", what);

	rlk_link_quote(link, barred + len, size - len, why->str, (size_t)why->len);
	link->login.barred = barred;
}

static void not_enrolled(struct rlk_link *link, const redisReply *reply)
{
	const struct rlk_config *config = &link->all->cluster->config;

	if (!is_forbidden(reply->str)) {
		refused(link, reply); /* It may pass: LOADING, OOM... */
		return;
	}
	if (runs_no_scripts(reply->str)) {
		bar(link, "no scripts", reply);
	} else if (config->guard && !config->durable) {
		bar(link, "restart guard", reply);
	}
	up(link, 0, 0);
}

static void on_enrolled(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);
	uint64_t born_us, now_us;

	(void)data;
	if (link == NULL) {
		return;
	}
	if (is_error(reply)) {
		not_enrolled(link, reply);
	} else if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
		   !rlk_wire_number(reply->element[0], &born_us) ||
		   !rlk_wire_number(reply->element[1], &now_us) || born_us == 0 || now_us == 0) {
		rlk_link_fail(link, "unexpected reply to the enrol script");
	} else {
		up(link, born_us, now_us);
	}
}

static void send_enrol(struct rlk_link *link)
{
	const struct rlk_login *login = &link->login;

	if (link->all->cluster->config.may_change && login->run_id[0] == '\0') {
		link->login.barred = "node_may_change: no right to INFO, so it cannot be told "
				     "from another server";
	}
	if (login->barred != NULL) {
		up(link, 0, 0); /* A replica would refuse to write. */
		return;
	}
	ask(link, on_enrolled, 6,
	    (const char *[]){"EVAL", rlk_scripts[RLK_SCRIPT_ENROL].text, "1",
			     link->all->incarnation_key, login->run_id,
			     rlk_facts_durable(link) ? "1" : "0"});
}

void rlk_login_start(struct rlk_link *link)
{
	memset(&link->login, 0, sizeof link->login);
	link->product[0] = link->version[0] = link->role[0] = '\0';
	send_hello(link);
}
