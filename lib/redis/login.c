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
#include <stdlib.h>
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

static void copy_word(char *out, size_t size, const char *from, size_t len)
{
	snprintf(out, size, "%.*s", (int)len, from);
}

/* ---- Facts ----------------------------------------------------------------------------------- */

/* The value of "name:value\r\n" in INFO's text. */
static bool info_field(const char *info, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);
	const char *line = info;

	while (line != NULL) {
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			copy_word(out, size, line, strcspn(line, "\r\n"));
			return true;
		}
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return false;
}

static void note_role(struct rlk_link *link, const char *role, size_t len)
{
	bool replica = strncmp(role, "slave", len) == 0 || strncmp(role, "replica", len) == 0;

	copy_word(link->role, sizeof link->role, replica ? "replica" : role, replica ? 7 : len);
	if (replica) {
		link->login.barred = "is a replica, not a master";
	}
}

static void on_info(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);
	char word[RLK_WORD_MAX];

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_STRING) {
		info_field(reply->str, "run_id", link->login.run_id, sizeof link->login.run_id);
		if (info_field(reply->str, "role", word, sizeof word)) {
			note_role(link, word, strlen(word));
		}
		if (link->version[0] == '\0' &&
		    info_field(reply->str, "redis_version", link->version, sizeof link->version)) {
			snprintf(link->product, sizeof link->product, "redis");
		}
	}
	next(link);
}

static void on_config(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);
	size_t i;

	(void)data;
	if (link == NULL) {
		return;
	}
	for (i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];
		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING) {
			continue;
		}
		if (strcmp(name->str, "appendonly") == 0) {
			link->login.durable_aof = strcmp(value->str, "yes") == 0;
		} else if (strcmp(name->str, "appendfsync") == 0) {
			link->login.durable_always = strcmp(value->str, "always") == 0;
		}
	}
	next(link);
}

static void on_select(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		rlk_link_fail(link, reply->str);
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
	if (link->role[0] == '\0') {
		ask(link, on_info, 2, (const char *[]){"INFO", "replication"});
	}
	ask(link, on_config, 3, (const char *[]){"CONFIG", "GET", "append*"});
}

/* ---- Who are we? ----------------------------------------------------------------------------- */

static void on_auth(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		rlk_link_fail(link, reply->str);
		return;
	}
	send_facts(link);
}

static void send_auth(struct rlk_link *link)
{
	const struct rlk_url *url = &link->url;

	if (url->password[0] == '\0') {
		send_facts(link);
	} else if (url->user[0] == '\0') {
		ask(link, on_auth, 2, (const char *[]){"AUTH", url->password});
	} else {
		ask(link, on_auth, 3, (const char *[]){"AUTH", url->user, url->password});
	}
}

static void read_hello(struct rlk_link *link, const redisReply *reply)
{
	size_t i;

	for (i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];
		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING) {
			continue;
		}
		if (strcmp(name->str, "server") == 0) {
			copy_word(link->product, sizeof link->product, value->str,
				  (size_t)value->len);
		} else if (strcmp(name->str, "version") == 0) {
			copy_word(link->version, sizeof link->version, value->str,
				  (size_t)value->len);
		} else if (strcmp(name->str, "role") == 0) {
			note_role(link, value->str, (size_t)value->len);
		}
	}
}

static bool has_no_hello(const redisReply *reply)
{
	return starts_with(reply->str, "ERR unknown command") ||
	       starts_with(reply->str, "NOPROTO") || starts_with(reply->str, "ERR syntax") ||
	       starts_with(reply->str, "ERR Syntax");
}

static void on_hello(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR && has_no_hello(reply)) {
		send_auth(link);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		rlk_link_fail(link, reply->str);
	} else {
		read_hello(link, reply);
		send_facts(link);
	}
}

static void send_hello(struct rlk_link *link)
{
	const struct rlk_url *url = &link->url;
	const char *argv[8];
	int argc = 0;

	argv[argc++] = "HELLO";
	argv[argc++] = "2";
	if (url->password[0] != '\0') {
		argv[argc++] = "AUTH";
		argv[argc++] = url->user[0] != '\0' ? url->user : "default";
		argv[argc++] = url->password;
	}
	argv[argc++] = "SETNAME";
	argv[argc++] = link->all->client_name;
	ask(link, on_hello, argc, argv);
}

/* ---- Since when? ----------------------------------------------------------------------------- */

static void up(struct rlk_link *link, uint64_t born_us, uint64_t node_now_us)
{
	const struct rlk_login *login = &link->login;
	struct rlk_enrolment enrolment = {
		.run_id = login->run_id,
		.barred = login->barred,
		.durable = login->durable_aof && login->durable_always,
		.enrolled = born_us != 0,
		.born_us = born_us,
		.node_now_us = node_now_us,
	};

	link->wire_node.born_us = born_us;
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

static void not_enrolled(struct rlk_link *link, const char *why)
{
	const struct rlk_config *config = &link->all->cluster->config;

	if (!is_forbidden(why)) {
		rlk_link_fail(link, why); /* It may pass: LOADING, OOM... */
		return;
	}
	if (config->guard && !config->durable) {
		snprintf(link->login.barred_text, sizeof link->login.barred_text,
			 "restart guard: %s", why);
		link->login.barred = link->login.barred_text;
	}
	up(link, 0, 0);
}

static uint64_t microseconds(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
}

static void on_enrolled(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = link_of(ac, reply);

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		not_enrolled(link, reply->str);
	} else if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
		   microseconds(reply->element[0]) == 0) {
		rlk_link_fail(link, "unexpected reply to the enrol script");
	} else {
		up(link, microseconds(reply->element[0]), microseconds(reply->element[1]));
	}
}

static void send_enrol(struct rlk_link *link)
{
	const struct rlk_login *login = &link->login;

	if (login->barred != NULL) {
		up(link, 0, 0); /* A replica would refuse to write. */
		return;
	}
	ask(link, on_enrolled, 6,
	    (const char *[]){"EVAL", rlk_scripts[RLK_SCRIPT_ENROL].text, "1",
			     link->all->incarnation_key, login->run_id,
			     login->durable_aof && login->durable_always ? "1" : "0"});
}

void rlk_login_start(struct rlk_link *link)
{
	memset(&link->login, 0, sizeof link->login);
	link->product[0] = link->version[0] = link->role[0] = '\0';
	send_hello(link);
}
