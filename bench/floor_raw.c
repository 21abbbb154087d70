#include "floor_raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "floor_connect.h"

#define REQUEST_MAX 512
#define TOKEN "00112233445566778899aabbccddeeff"
#define COMPARE_AND_DELETE                                                                         \
	"if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0"

/* A node that owes more answers than this is left out until it has caught up. */
#define UNANSWERED_MAX 4096

/* No decision for this long counts as an error. */
#define SILENCE_MS 5000

struct request {
	char bytes[REQUEST_MAX];
	size_t len;
};

struct conn {
	int fd;		    /* -1 once it broke. */
	uint64_t asked;	    /* Requests given to the socket so far. */
	uint64_t answered;  /* Answers read so far. */
	uint64_t vote;	    /* The number of the answer that votes now; 0: not asked. */
	const char *unsent; /* What the socket would not take of the last request. */
	size_t unsent_len;
	char head[2]; /* First bytes of the answer being read. */
	size_t head_len;
};

struct floor {
	int epoll;
	size_t count;
	size_t quorum;
	size_t yes;
	size_t open; /* Asked, not yet answered, in this round. */
	struct request acquire;
	struct request release;
	char version[64];
	struct conn conns[NODES_MAX];
};

/* Give the socket what it did not take before. True when nothing is left. */
static bool flush(struct conn *conn)
{
	ssize_t sent;

	if (conn->unsent_len == 0) {
		return true;
	}
	sent = send(conn->fd, conn->unsent, conn->unsent_len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent > 0) {
		conn->unsent += sent;
		conn->unsent_len -= (size_t)sent;
	}
	return conn->unsent_len == 0;
}

static void ask_one(struct floor *floor, struct conn *conn, const struct request *request)
{
	conn->vote = 0;
	if (conn->fd < 0 || !flush(conn) || conn->asked - conn->answered >= UNANSWERED_MAX) {
		return;
	}
	conn->unsent = request->bytes;
	conn->unsent_len = request->len;
	conn->vote = ++conn->asked;
	floor->open++;
	flush(conn);
}

static void ask_all(struct floor *floor, const struct request *request)
{
	size_t i;

	floor->yes = 0;
	floor->open = 0;
	for (i = 0; i < floor->count; i++) {
		ask_one(floor, &floor->conns[i], request);
	}
}

/* Every answer here is one line: +OK, $-1 (held), :1 (deleted), :0 or -ERR. */
static void count_answer(struct floor *floor, struct conn *conn)
{
	bool yes = conn->head[0] == '+' || (conn->head[0] == ':' && conn->head[1] == '1');

	if (++conn->answered == conn->vote) {
		floor->open--;
		floor->yes += yes;
	}
}

static void take_bytes(struct floor *floor, struct conn *conn, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (conn->head_len < sizeof(conn->head)) {
			conn->head[conn->head_len++] = bytes[i];
		} else if (bytes[i] == '\n') {
			count_answer(floor, conn);
			conn->head_len = 0;
		}
	}
}

static void break_off(struct floor *floor, struct conn *conn)
{
	close(conn->fd);
	conn->fd = -1;
	if (conn->answered < conn->vote) {
		floor->open--;
	}
}

static void read_some(struct floor *floor, struct conn *conn)
{
	char bytes[16384];
	ssize_t len = recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len > 0) {
		take_bytes(floor, conn, bytes, (size_t)len);
	} else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
		break_off(floor, conn);
	}
}

static bool undecided(const struct floor *floor)
{
	return floor->yes < floor->quorum && floor->yes + floor->open >= floor->quorum;
}

/* True: a quorum said yes. */
static bool decide(struct floor *floor)
{
	struct epoll_event events[NODES_MAX];
	int ready;
	int i;

	while (undecided(floor)) {
		ready = epoll_wait(floor->epoll, events, NODES_MAX, SILENCE_MS);
		if (ready == 0) {
			break;
		}
		/* What is left unread after the deciding answer waits for the next round. */
		for (i = 0; i < ready && undecided(floor); i++) {
			read_some(floor, events[i].data.ptr);
		}
	}
	return floor->yes >= floor->quorum;
}

/* Delete the key on all nodes; only after a win does it have to be a quorum. */
static void give_back(struct floor *floor, struct block *block, bool won)
{
	uint64_t start = now_ns();
	bool deleted;

	ask_all(floor, &floor->release);
	deleted = decide(floor);
	if (won && deleted) {
		block_released(block, now_ns() - start);
	} else if (won) {
		block_failed(block, "release", "no quorum deleted", now_ns() - start);
	}
}

void floor_measure(struct floor *floor, const struct plan *plan, struct block *block)
{
	uint64_t start;
	uint64_t took;
	bool won;

	block_begin(block, plan);
	while (block_next(block)) {
		start = now_ns();
		ask_all(floor, &floor->acquire);
		won = decide(floor);
		took = now_ns() - start;
		if (won) {
			block_granted(block, took);
		} else {
			block_failed(block, "acquire", "no quorum granted", took);
		}
		give_back(floor, block, won);
	}
}

static size_t owing(struct floor *floor)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < floor->count; i++) {
		struct conn *conn = &floor->conns[i];

		count += conn->fd >= 0 && (!flush(conn) || conn->answered < conn->asked);
	}
	return count;
}

size_t floor_drain(struct floor *floor, int patience_ms)
{
	uint64_t until_ns = now_ns() + (uint64_t)patience_ms * 1000000;
	struct epoll_event events[NODES_MAX];
	size_t left;
	int ready;
	int i;

	while ((left = owing(floor)) > 0 && now_ns() < until_ns) {
		ready = epoll_wait(floor->epoll, events, NODES_MAX, 10);
		for (i = 0; i < ready; i++) {
			read_some(floor, events[i].data.ptr);
		}
	}
	return left;
}

static void learn_version(struct floor *floor, const char *info)
{
	static const struct {
		const char *field;
		const char *product;
	} known[] = {{"valkey_version:", "valkey"}, {"redis_version:", "redis"}};
	size_t i;

	for (i = 0; i < 2 && !floor->version[0]; i++) {
		const char *at = strstr(info, known[i].field);

		if (at) {
			at += strlen(known[i].field);
			snprintf(floor->version, sizeof(floor->version), "%s %.*s",
				 known[i].product, (int)strcspn(at, "\r\n"), at);
		}
	}
}

static void build_requests(struct floor *floor, const char *resource, uint32_t ttl_ms,
			   const char *sha)
{
	char ttl[16];
	const char *acquire[] = {"SET", resource, TOKEN, "NX", "PX", ttl};
	const char *release[] = {"EVALSHA", sha, "1", resource, TOKEN};

	snprintf(ttl, sizeof(ttl), "%u", ttl_ms);
	floor->acquire.len =
		floor_request(floor->acquire.bytes, sizeof(floor->acquire.bytes), acquire, 6);
	floor->release.len =
		floor_request(floor->release.bytes, sizeof(floor->release.bytes), release, 5);
}

/* Connect, load the script, learn the version, then never block again. */
static bool prepare(struct floor *floor, const struct node_address *node, char *sha, size_t size)
{
	static const char *const load[] = {"SCRIPT", "LOAD", COMPARE_AND_DELETE};
	static const char *const info[] = {"INFO", "server"};
	struct conn *conn = &floor->conns[floor->count];
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
	char answer[4096];

	*conn = (struct conn){.fd = floor_connect(node)};
	if (conn->fd < 0) {
		return false;
	}
	floor->count++;
	if (floor_ask(conn->fd, load, 3, sha, size) != 0 ||
	    floor_ask(conn->fd, info, 2, answer, sizeof(answer)) != 0) {
		return false;
	}
	learn_version(floor, answer);
	return epoll_ctl(floor->epoll, EPOLL_CTL_ADD, conn->fd, &event) == 0;
}

struct floor *floor_open(const struct nodes *nodes, const char *resource, uint32_t ttl_ms,
			 char *why, size_t why_len)
{
	struct floor *floor = calloc(1, sizeof(*floor));
	char sha[64] = "";
	size_t i;

	if (!floor) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	floor->epoll = epoll_create1(EPOLL_CLOEXEC);
	floor->quorum = nodes_quorum(nodes);
	for (i = 0; i < nodes->count; i++) {
		if (!prepare(floor, &nodes->all[i], sha, sizeof(sha))) {
			snprintf(why, why_len, "the floor cannot talk to %s", nodes->all[i].url);
			floor_close(floor);
			return NULL;
		}
	}
	build_requests(floor, resource, ttl_ms, sha);
	return floor;
}

const char *floor_server_version(const struct floor *floor)
{
	return floor->version[0] ? floor->version : "unknown server";
}

void floor_close(struct floor *floor)
{
	size_t i;

	for (i = 0; i < floor->count; i++) {
		if (floor->conns[i].fd >= 0) {
			close(floor->conns[i].fd);
		}
	}
	close(floor->epoll);
	free(floor);
}
