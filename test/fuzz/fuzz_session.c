/* fuzz_session.c - any bytes as what a server says, from the log-in to the last release.
 *
 * A client with one node, hence a quorum of one, takes a lock, extends it, asks
 * who holds it and gives it back. The first byte of the input is the client's
 * options (see begin()), the rest what the server says: see session_server.h.
 *
 * Whatever it says, each callback comes once, nothing stays allocated, and
 * success is told only where the server has answered that very command so. */
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "client.h"
#include "fuzz.h"
#include "session_server.h"

#define TTL_MS 10000
/* Long enough for a call and what comes of it. */
#define WAIT_MS 40
#define MAX_TTL_MS 60000

static uv_loop_t loop;
static struct server server;
static size_t blocks;

static struct {
	struct redlock_client *client;
	struct redlock_lock *lock;
	bool guard, fence;
	uint64_t wait_ms;
	unsigned calls; /* Of the operation that is under way: 1 ends it. */
	int status;
	unsigned closed, lost;
} session;

/* ---- Memory ---------------------------------------------------------------------------------- */

static void *counted_calloc(size_t count, size_t size, void *data)
{
	(void)data;
	blocks++;
	return calloc(count, size);
}

static void counted_free(void *block, void *data)
{
	(void)data;
	blocks--;
	free(block);
}

static const struct redlock_allocator counted = {counted_calloc, counted_free, NULL};

/* ---- What success needs ---------------------------------------------------------------------- */

static bool says_ok(const redisReply *answer, const void *data)
{
	(void)data;
	return answer->type == REDIS_REPLY_STATUS && answer->len == 2 &&
	       memcmp(answer->str, "OK", 2) == 0;
}

static bool says_integer(const redisReply *answer, const void *data)
{
	return answer->type == REDIS_REPLY_INTEGER && answer->integer == *(const long long *)data;
}

static bool says_pair(const redisReply *answer, const void *data)
{
	return answer->type == REDIS_REPLY_ARRAY && answer->elements == 2 &&
	       says_integer(answer->element[0], data);
}

static bool says_old_enough(const redisReply *answer, const void *data)
{
	unsigned long long born, now;

	(void)data;
	if (answer->type != REDIS_REPLY_ARRAY || answer->elements != 2 ||
	    answer->element[0]->type != REDIS_REPLY_STRING ||
	    answer->element[1]->type != REDIS_REPLY_STRING) {
		return false;
	}
	born = strtoull(answer->element[0]->str, NULL, 10);
	now = strtoull(answer->element[1]->str, NULL, 10);
	return born > 0 && now >= born && now - born >= MAX_TTL_MS * 1000ULL;
}

static void check_granted(void)
{
	static const long long granted = 1;
	bool set = server_answered(&server, ASKED_SET, says_ok, NULL) ||
		   server_answered(&server, ASKED_SET, says_pair, &granted);
	bool fenced = server_answered(&server, ASKED_FENCED, says_pair, &granted) ||
		      server_answered(&server, ASKED_FENCED, says_ok, NULL);

	REQUIRE(session.fence ? fenced : set);
	REQUIRE(!session.guard || server_answered(&server, ASKED_ENROL, says_old_enough, NULL));
	REQUIRE(redlock_lock_held(session.lock));
	REQUIRE(redlock_lock_validity_ms(session.lock) < TTL_MS);
	REQUIRE(redlock_lock_token(session.lock, NULL) != NULL);
	REQUIRE((redlock_lock_fence(session.lock) != 0) == session.fence);
}

static void check_extended(void)
{
	static const long long extended = 1, missing = -1;

	REQUIRE(server_answered(&server, ASKED_EXTEND, says_integer, &extended) ||
		server_answered(&server, ASKED_EXTEND, says_integer, &missing));
	REQUIRE(redlock_lock_held(session.lock));
}

/* ---- Callbacks ------------------------------------------------------------------------------- */

static void on_done(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	const struct redlock_node_report *node = &report->nodes[0];

	(void)lock, (void)data;
	session.calls++;
	session.status = status;
	REQUIRE(report->node_count == 1 && report->quorum == 1);
	REQUIRE(node->vote <= REDLOCK_VOTE_WITHHELD && node->error != NULL);
	REQUIRE(node->remaining_ms >= -1);
	REQUIRE(strlen(node->error) < RLK_NODE_ERROR_MAX);
	REQUIRE(report->validity_ms <= TTL_MS);
}

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	(void)lock, (void)status, (void)report, (void)data;
	session.lost++;
}

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	const struct redlock_node_status *node = &inspection->nodes[0];

	(void)client, (void)data;
	session.calls++;
	session.status = status;
	REQUIRE(node->state <= REDLOCK_NODE_BARRED);
	REQUIRE(strlen(node->product) < RLK_WORD_MAX && strlen(node->version) < RLK_WORD_MAX);
	REQUIRE(strlen(node->role) < RLK_WORD_MAX && strlen(node->error) < RLK_NODE_ERROR_MAX);
	REQUIRE(node->remaining_ms >= -1);
	REQUIRE(node->owner_len == 0 || node->held);
	REQUIRE(node->owner_len <= RLK_OWNER_MAX);
}

static void on_closed(struct redlock_client *client, int status, const void *unused, void *data)
{
	(void)client, (void)status, (void)unused, (void)data;
	session.closed++;
}

/* ---- Turning --------------------------------------------------------------------------------- */

/* Who waits stands still by itself now and then: it is not to be told what it has not asked. */
static bool is_still(unsigned idle)
{
	return idle > (session.wait_ms == 0 || server_owes(&server) ? 2 : 100);
}

/* Turn until @count is not 0. The client and the server move in turns; when neither does any more,
 * the server says its next piece. What it has said by the end is read, so that it cannot pass for
 * an answer to what is asked next. */
static void turn_until(const unsigned *count)
{
	unsigned idle = 0;
	uint64_t until_us = rlk_clock_us() + 30 * 1000000;

	while (*count == 0) {
		uv_run(&loop, UV_RUN_NOWAIT);
		idle = server_turn(&server) ? 0 : idle + 1;
		if (idle > 2 && (!is_still(idle) || !server_go_on(&server))) {
			usleep(100); /* Only its own deadlines can move the client now. */
			REQUIRE(rlk_clock_us() < until_us);
		}
	}
	uv_run(&loop, UV_RUN_NOWAIT);
}

/* Returns whether it succeeded. */
static bool end_of(int started)
{
	if (started != 0) {
		return false;
	}
	turn_until(&session.calls);
	REQUIRE(session.calls == 1);
	session.calls = 0;
	return session.status == 0;
}

/* First byte: bit 0, the restart guard is on; bit 1, fencing; bit 2, log in with a password; bit 3,
 * nodes are vouched for; bit 6, wait in line; bit 7, and each vote asks who it is. */
static void begin(uint8_t bits)
{
	struct redlock_lock_options lock_options;
	struct redlock_options options;
	const char *urls[1];
	char url[128];

	memset(&session, 0, sizeof session);
	session.guard = (bits & 1) != 0;
	session.fence = (bits & 2) != 0;
	session.wait_ms = (bits & 64) != 0 ? WAIT_MS : 0;
	redlock_options_init(&options);
	options.ttl_ms = TTL_MS;
	options.max_ttl_ms = MAX_TTL_MS;
	options.reconnect_min_ms = options.reconnect_max_ms = 60000; /* One connection. */
	options.guard = session.guard	  ? REDLOCK_GUARD_ON
			: (bits & 8) != 0 ? REDLOCK_GUARD_DURABLE
					  : REDLOCK_GUARD_OFF;
	options.node_may_change = (bits & 128) != 0;
	options.allocator = &counted;
	snprintf(url, sizeof url, "unix://%s%s", (bits & 4) != 0 ? "user:pw@" : "", server.path);
	urls[0] = url;
	REQUIRE(redlock_client_new(&session.client, &loop, urls, 1, &options, NULL) == 0);
	redlock_lock_options_init(&lock_options);
	lock_options.fence = session.fence;
	lock_options.on_lost = on_lost;
	REQUIRE(redlock_lock_new(&session.lock, session.client, "r", 1, &lock_options) == 0);
}

static void live(void)
{
	static const long long released = 1, passed_on = 2;

	if (end_of(redlock_acquire(session.lock, session.wait_ms, on_done, NULL))) {
		check_granted();
		if (end_of(redlock_extend(session.lock, on_done, NULL))) {
			check_extended();
		}
		REQUIRE(redlock_lock_held(session.lock));
	} else {
		REQUIRE(!redlock_lock_held(session.lock));
	}
	end_of(redlock_inspect(session.client, "r", 1, on_inspected, NULL));
	end_of(redlock_inspect(session.client, NULL, 0, on_inspected, NULL));
	if (end_of(redlock_release(session.lock, on_done, NULL))) {
		REQUIRE(server_answered(&server, ASKED_RELEASE, says_integer, &released) ||
			server_answered(&server, ASKED_RELEASE, says_integer, &passed_on));
	}
	REQUIRE(!redlock_lock_held(session.lock));
	REQUIRE(session.lost == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static bool ready;

	if (!ready) {
		ready = true;
		REQUIRE(uv_loop_init(&loop) == 0);
		server_open(&server);
	}
	if (size == 0) {
		return 0;
	}
	server_begin(&server, bytes + 1, size - 1);
	begin(bytes[0]);
	live();
	redlock_lock_free(session.lock);
	REQUIRE(redlock_client_close(session.client, on_closed, NULL) == 0);
	turn_until(&session.closed);
	uv_run(&loop, UV_RUN_NOWAIT);
	REQUIRE(session.closed == 1);
	REQUIRE(session.calls == 0);
	REQUIRE(blocks == 0);
	REQUIRE(!uv_loop_alive(&loop));
	server_end(&server);
	return 0;
}
