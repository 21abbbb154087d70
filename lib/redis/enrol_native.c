/* enrol_native.c - what the enrol script does, in steps, for users who may not run it.
 *
 *   TIME; SET key ? IFEQ ? GET     when is it, and what is there? It never is "?", so nothing is
 * set SET key new NX | IFEQ found    unless somebody was faster: then from the beginning
 *
 * That is as good as one step. The time is told by the process that will vote, so it is later than
 * all that this process may have forgotten; and what is written takes the place of nothing but what
 * was looked at. A server without IFEQ says so at the first step, and is left as it was. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

#define LOOKS_MAX 5
#define NOBODY "?"

static bool is_synced(const struct rlk_link *link)
{
	return rlk_facts_durable(link);
}

/* All is as after the script, but that none will be sent. */
static void end(struct rlk_link *link, uint64_t born_us)
{
	link->login.barred = NULL;
	link->wire_node.native = true;
	rlk_enrol_end(link, born_us, link->login.node_now_us);
}

/* There is no such way here either. */
static void give_up(struct rlk_link *link)
{
	rlk_enrol_end(link, 0, 0);
}

/* ---- What is there --------------------------------------------------------------------------- */

struct incarnation {
	size_t run_len; /* Of the run_id, with which it begins. */
	uint64_t born_us;
	bool synced;
};

/* <run_id>:<born>:<synced>. */
static bool read_incarnation(const char *text, struct incarnation *was)
{
	size_t len = strlen(text), at = len, digits;

	if (len < 4 || text[len - 2] != ':' || text[len - 1] < '0' || text[len - 1] > '9') {
		return false;
	}
	was->synced = text[len - 1] == '1';
	at = len - 2;
	for (digits = 0; at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9'; digits++) {
		at--;
	}
	if (digits == 0 || digits > 16 || at == 0 || text[at - 1] != ':') {
		return false;
	}
	was->born_us = strtoull(text + at, NULL, 10);
	was->run_len = at - 1;
	return was->born_us != 0 && was->born_us < RLK_WIRE_NUMBER_END;
}

/* What the script does with it. True: it stays as it is. */
static bool judge(const struct rlk_link *link, uint64_t *born_us)
{
	const struct rlk_login *login = &link->login;
	struct incarnation was;
	bool same;

	*born_us = login->node_now_us;
	if (!login->found || !read_incarnation(login->was, &was)) {
		return false;
	}
	same = was.run_len == strlen(login->run_id) &&
	       memcmp(login->was, login->run_id, was.run_len) == 0;
	if (same || (was.synced && is_synced(link))) {
		*born_us = was.born_us;
	}
	if (login->run_id[0] == '\0') { /* Whose it is cannot be told, so it is left alone. */
		*born_us = was.born_us;
		return true;
	}
	return same && was.synced == is_synced(link);
}

/* ---- The steps ------------------------------------------------------------------------------- */

static void on_written(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);
	uint64_t born_us;

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		rlk_login_refused(link, reply);
	} else if (reply->type == REDIS_REPLY_STATUS) {
		judge(link, &born_us);
		end(link, born_us);
	} else if (reply->type == REDIS_REPLY_NIL && link->login.looks < LOOKS_MAX) {
		rlk_enrol_native(link);
	} else {
		rlk_link_fail(link, "unexpected reply while enrolling without scripts");
	}
}

static void write_it(struct rlk_link *link, uint64_t born_us)
{
	const struct rlk_login *login = &link->login;
	const char *key = link->all->incarnation_key;
	char now[RLK_INCARNATION_MAX];

	snprintf(now, sizeof now, "%s:%" PRIu64 ":%d", login->run_id, born_us, is_synced(link));
	if (login->found) {
		rlk_login_ask(link, on_written, 5,
			      (const char *[]){"SET", key, now, "IFEQ", login->was}, NULL);
	} else {
		rlk_login_ask(link, on_written, 4, (const char *[]){"SET", key, now, "NX"}, NULL);
	}
}

static void note_found(struct rlk_link *link, const redisReply *reply)
{
	struct rlk_login *login = &link->login;
	const struct rlk_config *config = &link->all->cluster->config;
	uint64_t born_us;

	login->found = reply->type == REDIS_REPLY_STRING;
	if (login->found) {
		snprintf(login->was, sizeof login->was, "%s", reply->str);
		if (strlen(login->was) != (size_t)reply->len) {
			rlk_link_fail(link, "the incarnation key is none");
			return;
		}
	}
	if (login->node_now_us == 0) { /* No right to TIME. */
		if (config->guard && !config->durable) {
			give_up(link);
		} else {
			end(link, 0);
		}
	} else if (judge(link, &born_us)) {
		end(link, born_us);
	} else {
		write_it(link, born_us);
	}
}

static void on_found(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_NIL) {
		note_found(link, reply);
	} else if (reply->type != REDIS_REPLY_ERROR) {
		rlk_link_fail(link, "unexpected reply to SET");
	} else if (strstr(reply->str, "syntax error") != NULL || rlk_enrol_forbidden(reply->str)) {
		give_up(link);
	} else {
		rlk_login_refused(link, reply);
	}
}

static void on_time(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);
	uint64_t s, us;

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    rlk_wire_number(reply->element[0], &s) && rlk_wire_number(reply->element[1], &us) &&
	    s > 0 && s < RLK_WIRE_NUMBER_END / 1000000 - 1 && us < 1000000) {
		link->login.node_now_us = s * 1000000 + us;
	} else if (reply->type != REDIS_REPLY_ERROR) {
		rlk_link_fail(link, "unexpected reply to TIME");
	} else if (!rlk_enrol_forbidden(reply->str)) {
		rlk_login_refused(link, reply);
	}
}

void rlk_enrol_native(struct rlk_link *link)
{
	const char *key = link->all->incarnation_key;

	link->login.looks++;
	link->login.node_now_us = 0;
	rlk_login_ask(link, on_time, 1, (const char *[]){"TIME"}, NULL);
	rlk_login_ask(link, on_found, 6,
		      (const char *[]){"SET", key, NOBODY, "IFEQ", NOBODY, "GET"}, NULL);
}
