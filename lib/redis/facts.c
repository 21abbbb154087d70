/* facts.c - what a server tells of itself at log-in: which process, which role, how durable. */
#include <stdio.h>
#include <string.h>

#include "link.h"

static void copy_word(char *out, size_t size, const char *from, size_t len)
{
	snprintf(out, size, "%.*s", (int)len, from);
}

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

static bool is_word(const char *word, const char *text, size_t len)
{
	return strlen(word) == len && memcmp(word, text, len) == 0;
}

static void note_role(struct rlk_link *link, const char *role, size_t len)
{
	bool replica = is_word("slave", role, len) || is_word("replica", role, len);

	copy_word(link->role, sizeof link->role, replica ? "replica" : role, replica ? 7 : len);
	if (replica) {
		link->login.barred = "is a replica, not a master";
	}
}

void rlk_facts_info(struct rlk_link *link, const redisReply *reply)
{
	char word[RLK_WORD_MAX];

	if (reply->type != REDIS_REPLY_STRING) {
		return;
	}
	info_field(reply->str, "run_id", link->login.run_id, sizeof link->login.run_id);
	if (info_field(reply->str, "role", word, sizeof word)) {
		note_role(link, word, strlen(word));
	}
	if (info_field(reply->str, "second_repl_offset", word, sizeof word)) {
		link->login.was_replica = strcmp(word, "-1") != 0;
	}
	if (info_field(reply->str, "connected_slaves", word, sizeof word)) {
		link->login.has_replicas = strcmp(word, "0") != 0;
	}
	info_field(reply->str, "redis_mode", link->mode, sizeof link->mode);
	info_field(reply->str, "maxmemory_policy", link->eviction, sizeof link->eviction);
	if (link->version[0] == '\0' &&
	    info_field(reply->str, "redis_version", link->version, sizeof link->version)) {
		snprintf(link->product, sizeof link->product, "redis");
	}
}

void rlk_facts_config(struct rlk_link *link, const redisReply *reply)
{
	size_t i;

	link->login.sees_config = reply->type == REDIS_REPLY_ARRAY;
	for (i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
		const redisReply *name = reply->element[i], *value = reply->element[i + 1];
		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING) {
			continue;
		}
		if (strcmp(name->str, "appendonly") == 0) {
			link->login.durable_aof = strcmp(value->str, "yes") == 0;
		} else if (strcmp(name->str, "appendfsync") == 0) {
			link->login.durable_always = strcmp(value->str, "always") == 0;
		} else if (strcmp(name->str, "no-appendfsync-on-rewrite") == 0) {
			/* Then nothing is synced while a child process writes. */
			link->login.pauses_sync = strcmp(value->str, "no") != 0;
		}
	}
}

void rlk_facts_hello(struct rlk_link *link, const redisReply *reply)
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
		} else if (strcmp(name->str, "mode") == 0) {
			copy_word(link->mode, sizeof link->mode, value->str, (size_t)value->len);
		} else if (strcmp(name->str, "role") == 0) {
			note_role(link, value->str, (size_t)value->len);
		}
	}
}

/* Does it keep all that it has granted, whatever happens to it? Not one that took over from another
 * server, or may do so unseen: what it has is a copy. Nor one whose copies may take over from it.
 */
bool rlk_facts_durable(const struct rlk_link *link)
{
	const struct rlk_login *login = &link->login;

	return login->durable_aof && login->durable_always && !login->pauses_sync &&
	       !login->was_replica && !login->has_replicas &&
	       !link->all->cluster->config.may_change;
}
