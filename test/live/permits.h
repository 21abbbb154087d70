/* permits.h - handles of a semaphore, and their calls as if they blocked. */
#ifndef REDLOCK_TEST_PERMITS_H
#define REDLOCK_TEST_PERMITS_H

#include "rig.h"

#include <redlock/semaphore.h>
#include <stdio.h>
#include <string.h>

#define NAME "orders:17"

/* One handle, and what its last operation came to. */
struct user {
	struct redlock_semaphore *semaphore;
	struct outcome outcome;
};

/* A redlock_semaphore_cb whose data is a struct outcome. */
static inline void take_outcome(struct redlock_semaphore *semaphore, int status,
				const struct redlock_report *report, void *outcome)
{
	(void)semaphore;
	outcome_take_freed(NULL, status, report, outcome);
}

static inline void user_open_with(struct user *user, struct redlock_client *client,
				  uint32_t permits, const struct redlock_semaphore_options *options)
{
	memset(user, 0, sizeof *user);
	ck_assert_int_eq(redlock_semaphore_new(&user->semaphore, client, NAME, strlen(NAME),
					       permits, options),
			 REDLOCK_OK);
	ck_assert_ptr_nonnull(user->semaphore);
}

static inline void user_open(struct user *user, struct redlock_client *client, uint32_t permits)
{
	user_open_with(user, client, permits, NULL);
}

static inline void user_start(struct user *user, uint64_t wait_ms)
{
	memset(&user->outcome, 0, sizeof user->outcome);
	ck_assert_int_eq(
		redlock_semaphore_acquire(user->semaphore, wait_ms, take_outcome, &user->outcome),
		REDLOCK_OK);
	ck_assert_uint_eq(user->outcome.calls, 0);
}

static inline int user_end(struct user *user)
{
	loop_wait_for(&rig.loop, &user->outcome);
	ck_assert_int_eq(redlock_semaphore_held(user->semaphore), user->outcome.status == 0);
	return user->outcome.status;
}

static inline int user_try(struct user *user, uint64_t wait_ms)
{
	user_start(user, wait_ms);
	return user_end(user);
}

static inline void user_take(struct user *user)
{
	int status = user_try(user, 0);

	ck_assert_msg(status == REDLOCK_OK, "%s", redlock_status_name(status));
}

static inline void user_give(struct user *user)
{
	memset(&user->outcome, 0, sizeof user->outcome);
	ck_assert_int_eq(redlock_semaphore_release(user->semaphore, take_outcome, &user->outcome),
			 REDLOCK_OK);
	ck_assert(!redlock_semaphore_held(user->semaphore));
	loop_wait_for(&rig.loop, &user->outcome);
	ck_assert_int_eq(user->outcome.status, REDLOCK_OK);
}

static inline void slot_key(char *key, size_t size, int slot)
{
	(void)snprintf(key, size, NAME "#%d", slot);
}

/* Strangers have these slots, on all nodes, for ever or for a while. */
static inline void strangers_take(unsigned slots, unsigned ttl_ms)
{
	char key[32];

	for (unsigned i = 0; i < slots * rig.servers.count; i++) {
		slot_key(key, sizeof key, (int)(i % slots));
		if (ttl_ms > 0) {
			rig_stranger_for(i / slots, key, ttl_ms);
		} else {
			rig_stranger(i / slots, key);
		}
	}
}

static inline void strangers_leave(unsigned slots)
{
	char key[32];

	for (unsigned i = 0; i < slots * rig.servers.count; i++) {
		struct server *server = &rig.servers.at[i / slots];

		slot_key(key, sizeof key, (int)(i % slots));
		if (server_has(server, key, STRANGER)) {
			server_do(server, "DEL %s", key);
		}
	}
}

#endif
