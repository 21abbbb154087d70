/* greet.c - who we are: HELLO says it all in one command, older servers know AUTH alone. */
#include <string.h>

#include "link.h"

int rlk_greet_hello(const struct redlock_credentials *credentials, const char *client_name,
		    const char *argv[RLK_GREETING_MAX])
{
	int argc = 0;

	argv[argc++] = "HELLO";
	argv[argc++] = "2";
	if (credentials->password[0] != '\0') {
		argv[argc++] = "AUTH";
		argv[argc++] = credentials->user[0] != '\0' ? credentials->user : "default";
		argv[argc++] = credentials->password;
	}
	argv[argc++] = "SETNAME";
	argv[argc++] = client_name;
	return argc;
}

int rlk_greet_auth(const struct redlock_credentials *credentials,
		   const char *argv[RLK_GREETING_MAX])
{
	int argc = 0;

	if (credentials->password[0] == '\0') {
		return 0;
	}
	argv[argc++] = "AUTH";
	if (credentials->user[0] != '\0') {
		argv[argc++] = credentials->user;
	}
	argv[argc++] = credentials->password;
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
