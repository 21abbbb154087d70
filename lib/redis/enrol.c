/* enrol.c - since when has a node been remembering? The last step of a login.
 *
 * A script reads, or begins, the node's incarnation. A user who may not run any gets the same by
 * other commands, if the server has them; else the node is barred, and says which right is missing:
 * what was granted there could be neither renewed nor given back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "link.h"

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

void rlk_enrol_end(struct rlk_link *link, uint64_t born_us, uint64_t node_now_us)
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

bool rlk_enrol_forbidden(const char *error)
{
	return starts_with(error, "NOPERM") || strstr(error, "ACL failure") != NULL ||
	       strstr(error, "can't run this command") != NULL ||
	       strstr(error, "can't access") != NULL || strstr(error, "unknown command") != NULL;
}

static bool runs_no_scripts(const char *error)
{
	return starts_with(error, "ERR unknown command") ||
	       starts_with(error, "ERR Could not find scripting engine") ||
	       (starts_with(error, "NOPERM") && strstr(error, "'eval'") != NULL);
}

static void bar(struct rlk_link *link, const char *what, const redisReply *why)
{
	char *barred = link->login.barred_text;
	size_t size = sizeof link->login.barred_text;
	size_t len = (size_t)snprintf(barred, size, "%s: ", what);

	rlk_tell_refusal(link, barred + len, size - len, why, RLK_SCRIPT_ENROL);
	link->login.barred = barred;
}

static void not_enrolled(struct rlk_link *link, const redisReply *reply)
{
	const struct rlk_config *config = &link->all->cluster->config;

	if (!runs_no_scripts(reply->str) && !rlk_enrol_forbidden(reply->str)) {
		rlk_login_refused(link, reply); /* It may pass: LOADING, OOM... */
		return;
	}
	rlk_tell_nobody(link, reply, RLK_SCRIPT_ENROL);
	if (runs_no_scripts(reply->str)) {
		bar(link, "no scripts", reply);
		if (!config->may_change) { /* Then each vote is to be checked: by a script. */
			rlk_enrol_native(link);
			return;
		}
	} else if (config->guard && !config->durable) {
		bar(link, "restart guard", reply);
	}
	rlk_enrol_end(link, 0, 0);
}

static void on_enrolled(redisAsyncContext *ac, void *r, void *data)
{
	const redisReply *reply = r;
	struct rlk_link *link = rlk_login_link(ac, reply);
	uint64_t born_us, now_us;

	(void)data;
	if (link == NULL) {
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		not_enrolled(link, reply);
	} else if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
		   !rlk_wire_number(reply->element[0], &born_us) ||
		   !rlk_wire_number(reply->element[1], &now_us) || born_us == 0 || now_us == 0) {
		rlk_link_fail(link, "unexpected reply to the enrol script");
	} else {
		rlk_enrol_end(link, born_us, now_us);
	}
}

void rlk_enrol(struct rlk_link *link)
{
	const struct rlk_login *login = &link->login;

	if (link->all->cluster->config.may_change && login->run_id[0] == '\0') {
		link->login.barred = "node_may_change: no right to INFO, so it cannot be told "
				     "from another server";
	}
	if (login->barred != NULL) {
		rlk_enrol_end(link, 0, 0); /* A replica would refuse to write. */
		return;
	}
	rlk_login_ask(link, on_enrolled, 6,
		      (const char *[]){"EVAL", rlk_scripts[RLK_SCRIPT_ENROL].text, "1",
				       link->all->incarnation_key, login->run_id,
				       rlk_facts_durable(link) ? "1" : "0"},
		      NULL);
}
