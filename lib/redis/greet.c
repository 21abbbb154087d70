/* greet.c - who we are: HELLO says it all in one command, older servers know AUTH alone. */
#include <string.h>

#include "link.h"

int rlk_greet_hello(const struct rlk_link *link, const char *argv[RLK_GREETING_MAX])
{
	const struct rlk_url *url = &link->url;
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
	return argc;
}

int rlk_greet_auth(const struct rlk_link *link, const char *argv[RLK_GREETING_MAX])
{
	const struct rlk_url *url = &link->url;
	int argc = 0;

	if (url->password[0] == '\0') {
		return 0;
	}
	argv[argc++] = "AUTH";
	if (url->user[0] != '\0') {
		argv[argc++] = url->user;
	}
	argv[argc++] = url->password;
	return argc;
}

bool rlk_greet_is_unknown(const redisReply *reply)
{
	static const char *const words[] = {"ERR unknown command", "NOPROTO", "ERR syntax",
					    "ERR Syntax"};
	size_t i;

	for (i = 0; reply->type == REDIS_REPLY_ERROR && i < sizeof words / sizeof words[0]; i++) {
		if (strncmp(reply->str, words[i], strlen(words[i])) == 0) {
			return true;
		}
	}
	return false;
}
