/* several.h - locks for two resources. */
#ifndef REDLOCK_TEST_SEVERAL_H
#define REDLOCK_TEST_SEVERAL_H

#include "rig.h"

#include <string.h>

#define NAME "orders:17"
#define OTHER "orders:18"

static inline int make(struct redlock_lock **lock, struct redlock_client *client,
		       const char *const *names, size_t count,
		       const struct redlock_lock_options *options)
{
	struct redlock_resource resources[REDLOCK_RESOURCES_MAX + 1];
	size_t i;

	for (i = 0; i < count; i++) {
		resources[i] = (struct redlock_resource){names[i], strlen(names[i])};
	}
	return redlock_lock_new_all(lock, client, resources, count, options);
}

static inline struct redlock_lock *lock_with(struct redlock_client *client, const char *first,
					     const char *second,
					     const struct redlock_lock_options *options)
{
	const char *const names[] = {first, second};
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(make(&lock, client, names, 2, options), REDLOCK_OK);
	return lock;
}

static inline struct redlock_lock *both(struct redlock_client *client)
{
	return lock_with(client, NAME, OTHER, NULL);
}

static inline struct redlock_lock *both_for(uint32_t ttl_ms, bool auto_renew)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.ttl_ms = ttl_ms;
	options.auto_renew = auto_renew;
	return lock_with(rig.client, NAME, OTHER, &options);
}

static inline void expect_everywhere(const struct redlock_lock *lock)
{
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	rig_until_everywhere(OTHER, token);
}

static inline void expect_gone(void)
{
	rig_until_gone(NAME);
	rig_until_gone(OTHER);
}

#endif
