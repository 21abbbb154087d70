/* line.c - what a node knows of those who wait in line at it. */
#include "line.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- In line --------------------------------------------------------------------------------- */

static bool runs(size_t node)
{
	return rig.servers.at[node].pid != 0 && !rig.servers.at[node].stopped;
}

static bool all_have(void *data)
{
	const long long *count = data;

	for (size_t i = 0; i < rig.servers.count; i++) {
		if (runs(i) && server_number(&rig.servers.at[i], "ZCARD %s", LINE) != *count) {
			return false;
		}
	}
	return true;
}

void line_wait(long long count)
{
	loop_until(&rig.loop, all_have, &count, "so many stand in line");
}

static bool a_quorum_has(void *data)
{
	size_t count = 0;

	(void)data;
	for (size_t i = 0; i < rig.servers.count; i++) {
		count += runs(i) && server_number(&rig.servers.at[i], "ZCARD %s", LINE) > 0;
	}
	return count > rig.servers.count / 2;
}

void line_wait_quorum(void)
{
	loop_until(&rig.loop, a_quorum_has, NULL, "somebody stands in line at a quorum");
}

static size_t ears_of(size_t node)
{
	redisReply *reply = server_command(&rig.servers.at[node], "PUBSUB CHANNELS redlock:wake:*");
	size_t count = reply->elements;

	freeReplyObject(reply);
	return count;
}

size_t line_ears(void)
{
	size_t count = 0;

	for (size_t i = 0; i < rig.servers.count; i++) {
		count += runs(i) ? ears_of(i) : 0;
	}
	return count;
}

static bool all_are_heard(void *data)
{
	const size_t *count = data;

	for (size_t i = 0; i < rig.servers.count; i++) {
		if (runs(i) && ears_of(i) != *count) {
			return false;
		}
	}
	return true;
}

void line_wait_ears(size_t count)
{
	loop_until(&rig.loop, all_are_heard, &count, "so many listen");
}

void line_join(struct waiter *waiter, struct redlock_client *client)
{
	long long before = server_number(&rig.servers.at[0], "ZCARD %s", LINE);

	start_waiting(waiter, client, REDLOCK_WAIT_FOREVER);
	line_wait(before + 1);
	ck_assert_uint_eq(waiter->outcome.calls, 0);
}

void line_leave(struct waiter *waiter)
{
	if (waiter->lock && waiter->outcome.calls == 0) {
		ck_assert_int_eq(redlock_cancel(waiter->lock), REDLOCK_OK);
		loop_wait_for(&rig.loop, &waiter->outcome);
		ck_assert_int_eq(waiter->outcome.status, REDLOCK_ECANCELED);
	}
	redlock_lock_free(waiter->lock);
	waiter->lock = NULL;
}

/* ---- What it cost ---------------------------------------------------------------------------- */

static long long calls_of(size_t node, const char *command)
{
	redisReply *reply = server_command(&rig.servers.at[node], "INFO commandstats");
	char start[64];
	const char *at;
	long long calls = 0;

	(void)snprintf(start, sizeof start, "cmdstat_%s:calls=", command);
	at = strstr(reply->str, start);
	if (at) {
		calls = strtoll(at + strlen(start), NULL, 10);
	}
	freeReplyObject(reply);
	return calls;
}

long long line_calls(const char *command)
{
	long long calls = 0;

	for (size_t i = 0; i < rig.servers.count; i++) {
		calls += runs(i) ? calls_of(i, command) : 0;
	}
	return calls;
}

long long line_scripts(void)
{
	return line_calls("eval") + line_calls("evalsha");
}

/* ---- What is left ---------------------------------------------------------------------------- */

void line_expect_mortal(void)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		struct server *server = &rig.servers.at[i];
		long long left = server_pttl(server, LINE);

		ck_assert_int_ne(left, -1);
		ck_assert_int_le(left, (long long)rig.options.ttl_ms + LINE_LIFE_MS);
		server_do(server, "DEL %s", LINE);
	}
}
