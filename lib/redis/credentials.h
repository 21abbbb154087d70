/* credentials.h - who we are to a node, for one log-in. */
#ifndef RLK_CREDENTIALS_H
#define RLK_CREDENTIALS_H

#include <redlock/redlock.h>

#include "url.h"

/* All zero: nobody. Texts are lent by the URL, or in a block of our own. */
struct redlock_credentials {
	const struct redlock_allocator *allocator;
	const char *user, *password; /* "" and NULL, or "": the default user; without a password. */
	char *block;
	size_t size;
};

/* Who asks the caller, if he wants to be asked. */
struct rlk_credentials_source {
	redlock_credentials_cb ask; /* NULL: what the URLs say. */
	void *data;
	struct redlock_client *client;
	const struct redlock_allocator *allocator;
};

/* Fill @credentials, which must be all zero or dropped. Returns NULL, or why there are none. */
const char *rlk_credentials_get(struct redlock_credentials *credentials,
				const struct rlk_credentials_source *source,
				const struct rlk_url *url);
/* Overwrite what is ours; then it is all zero. */
void rlk_credentials_drop(struct redlock_credentials *credentials);

#endif
