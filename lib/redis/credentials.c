/* credentials.c - who we are to a node, for one log-in: as its URL says, or as the caller is asked.
 *
 * What the caller gives lives from there to the node's answer, in one block that is overwritten
 * before it is given back. */
#include "credentials.h"

#include <string.h>

#include "secret.h"

#define TEXT_MAX 65536

int redlock_credentials_set(struct redlock_credentials *credentials, const char *user,
			    const char *password)
{
	const struct redlock_allocator *allocator;
	size_t user_size, password_size;
	char *block;

	if (credentials == NULL || password == NULL || password[0] == '\0') {
		return REDLOCK_EINVAL;
	}
	user = user == NULL ? "" : user;
	user_size = strlen(user) + 1;
	password_size = strlen(password) + 1;
	if (user_size > TEXT_MAX || password_size > TEXT_MAX) {
		return REDLOCK_EINVAL;
	}
	allocator = credentials->allocator;
	block = allocator->calloc(1, user_size + password_size, allocator->data);
	if (block == NULL) {
		return REDLOCK_ENOMEM;
	}
	rlk_credentials_drop(credentials);
	memcpy(block, user, user_size);
	memcpy(block + user_size, password, password_size);
	*credentials = (struct redlock_credentials){
		.allocator = allocator,
		.user = block,
		.password = block + user_size,
		.block = block,
		.size = user_size + password_size,
	};
	return 0;
}

const char *rlk_credentials_get(struct redlock_credentials *credentials,
				const struct rlk_credentials_source *source,
				const struct rlk_url *url)
{
	*credentials = (struct redlock_credentials){
		.allocator = source->allocator, .user = "", .password = ""};
	if (source->ask == NULL) {
		credentials->user = url->user;
		credentials->password = url->password;
	} else if (source->ask(source->client, url->address, credentials, source->data) != 0) {
		rlk_credentials_drop(credentials);
		return "no credentials: the program has none to give";
	}
	return NULL;
}

void rlk_credentials_drop(struct redlock_credentials *credentials)
{
	if (credentials->block != NULL) {
		rlk_wipe(credentials->block, credentials->size);
		credentials->allocator->free(credentials->block, credentials->allocator->data);
	}
	*credentials = (struct redlock_credentials){0};
}
