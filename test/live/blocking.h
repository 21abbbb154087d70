/* blocking.h - clients without a loop, on the rig's servers. */
#ifndef REDLOCK_TEST_BLOCKING_H
#define REDLOCK_TEST_BLOCKING_H

#include <redlock/blocking.h>
#include <string.h>
#include <time.h>

#include "rig.h"

#define NAME "orders:17"

static inline struct redlock_blocking *opened(void)
{
	const char *urls[SERVERS_MAX];
	struct redlock_blocking *client = NULL;
	struct redlock_error error;
	size_t i;

	for (i = 0; i < rig.servers.count; i++) {
		urls[i] = rig.urls[i];
	}
	ck_assert_msg(
		redlock_blocking_open(&client, urls, rig.servers.count, &rig.options, &error) == 0,
		"%s", error.text);
	return client;
}

static inline struct redlock_mutex *mutex_with(struct redlock_blocking *client,
					       const struct redlock_lock_options *options)
{
	struct redlock_mutex *mutex = NULL;

	ck_assert_int_eq(redlock_mutex_new(&mutex, client, NAME, strlen(NAME), options), 0);
	return mutex;
}

static inline struct redlock_mutex *mutex_of(struct redlock_blocking *client)
{
	return mutex_with(client, NULL);
}

static inline void nap_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

#endif
