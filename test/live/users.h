/* users.h - users of three servers who may run scripts, and others who may not. */
#ifndef REDLOCK_TEST_USERS_H
#define REDLOCK_TEST_USERS_H

#include "rig.h"

#include <stdio.h>
#include <string.h>

#define NAME "orders:17"
#define INCARNATION "redlock:incarnation"
#define PASSWORD "hunter2"
#define KEYS " on >" PASSWORD " resetkeys ~orders:* ~" INCARNATION " resetchannels -@all "
/* As docs/protocol.md has them. */
#define WITHOUT_SCRIPTS "+set +get +pttl +time +info +config|get"
#define TO_LOCK WITHOUT_SCRIPTS " +del +pexpire +eval +evalsha"

static inline void be(const char *user)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		(void)snprintf(rig.urls[i], sizeof rig.urls[i], "redis://%s:" PASSWORD "@%s", user,
			       rig.servers.at[i].address);
	}
}

static inline void rig_users(void)
{
	rig_open(3, &(struct server_options){.acl = "user default off\n"
						    "user plain" KEYS WITHOUT_SCRIPTS "\n"
						    "user timeless" KEYS "+set +get +pttl +info\n"
						    "user texts" KEYS TO_LOCK " -evalsha\n"
						    "user locks" KEYS TO_LOCK});
}

static inline bool is_native(void)
{
	return server_sets_if_equal(&rig.servers.at[0]);
}

/* A client whose nodes are connected, if they ever will be. */
static inline struct redlock_client *client_as(const char *user)
{
	struct redlock_client *client;

	be(user);
	client = rig_client();
	if (is_native() || strcmp(user, "locks") == 0 || strcmp(user, "texts") == 0) {
		rig_wait_connected(client, 3);
	}
	return client;
}

#endif
