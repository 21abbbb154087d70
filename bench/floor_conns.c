/* floor_conns.c - one socket to each node: requests are gathered while a loop turn lasts, sent with
 * one send(), and the answers are told in the order of the requests. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrival_clock.h"
#include "floor_connect.h"
#include "floor_crowd.h"

#define READ_MAX 65536

const char floor_delete_script[] =
	"if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0";
/* The library's, as far as nobody stands in line. */
const char floor_release_script[] = "local key = KEYS[1]\n"
				    "local n = redis.call('GET', key) == ARGV[1] and "
				    "redis.pcall('DEL', key, key .. ':line:on')\n"
				    "if n == 1 then return 1 end\n"
				    "if not n and not ARGV[2] then return 0 end\n";
const char floor_extend_script[] = "if redis.call('get',KEYS[1])==ARGV[1] then "
				   "return redis.call('pexpire',KEYS[1],ARGV[2]) end return 0";

static void *grown(void *block, size_t size)
{
	block = realloc(block, size);
	if (!block) {
		fputs("out of memory for the floor\n", stderr);
		abort();
	}
	return block;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static void expect(struct floor_conn *conn, struct floor_due due)
{
	uint32_t size = conn->due_size;
	uint32_t i;

	if (conn->due_count == size) {
		conn->due_size = size ? size * 2 : 1024;
		conn->due = grown(conn->due, conn->due_size * sizeof(*conn->due));
		/* What had gone round the end of the ring comes behind it. */
		for (i = 0; i < conn->due_first; i++) {
			conn->due[size + i] = conn->due[i];
		}
	}
	conn->due[(conn->due_first + conn->due_count++) & (conn->due_size - 1)] = due;
}

bool floor_conn_ask(struct floor_conn *conn, const struct floor_template *request,
		    const struct floor_blanks *blanks, struct floor_due due)
{
	char *at;

	if (conn->fd < 0) {
		return false;
	}
	if (conn->out_len + request->len > conn->out_size) {
		conn->out_size = conn->out_size ? conn->out_size * 2 : 4096;
		conn->out = grown(conn->out, conn->out_size);
	}
	at = conn->out + conn->out_len;
	memcpy(at, request->bytes, request->len);
	if (request->digits_at > 0) {
		memcpy(at + request->digits_at, blanks->digits, FLOOR_DIGITS);
	}
	if (request->token_at > 0) {
		memcpy(at + request->token_at, blanks->token, FLOOR_TOKEN_LEN);
	}
	conn->out_len += request->len;
	expect(conn, due);
	return true;
}

/* ---- Sending --------------------------------------------------------------------------------- */

static void watch(struct floor_conns *conns, struct floor_conn *conn, bool room)
{
	struct epoll_event event = {.events = EPOLLIN | (room ? (unsigned)EPOLLOUT : 0),
				    .data.ptr = conn};

	if (room != conn->wants_room) {
		conn->wants_room = room;
		epoll_ctl(conns->epoll, EPOLL_CTL_MOD, conn->fd, &event);
	}
}

static void send_some(struct floor_conns *conns, struct floor_conn *conn)
{
	ssize_t sent = send(conn->fd, conn->out + conn->out_sent, conn->out_len - conn->out_sent,
			    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent > 0) {
		conn->out_sent += (size_t)sent;
	}
	if (conn->out_sent == conn->out_len) {
		conn->out_sent = conn->out_len = 0;
	}
	watch(conns, conn, conn->out_len > 0);
}

void floor_conns_flush(struct floor_conns *conns)
{
	size_t i;

	for (i = 0; i < conns->count; i++) {
		struct floor_conn *conn = &conns->all[i];

		if (conn->fd >= 0 && conn->out_len > 0 && !conn->wants_room) {
			send_some(conns, conn);
		}
	}
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void break_off(struct floor_conns *conns, struct floor_conn *conn)
{
	close(conn->fd);
	conn->fd = -1;
	while (conn->due_count > 0) {
		struct floor_due due = conn->due[conn->due_first];

		conn->due_first = (conn->due_first + 1) & (conn->due_size - 1);
		conn->due_count--;
		conns->answered(conns->owner, due, false);
	}
}

/* Every answer is one line: +OK or +PONG, $-1 (held), :1 (deleted), :0 or -ERR. */
static void hand_out(struct floor_conns *conns, struct floor_conn *conn)
{
	bool yes = conn->first[0] == '+' || (conn->first[0] == ':' && conn->first[1] == '1');
	struct floor_due due = conn->due[conn->due_first];

	conn->due_first = (conn->due_first + 1) & (conn->due_size - 1);
	conn->due_count--;
	conn->first_len = 0;
	conns->answered(conns->owner, due, yes);
}

static void take_bytes(struct floor_conns *conns, struct floor_conn *conn, const char *at,
		       const char *end)
{
	while (at < end) {
		if (conn->first_len < sizeof(conn->first)) {
			conn->first[conn->first_len++] = *at++;
			continue;
		}
		at = memchr(at, '\n', (size_t)(end - at));
		if (!at) {
			return;
		}
		at++;
		if (conn->due_count > 0) {
			hand_out(conns, conn);
		}
	}
}

static void read_some(struct floor_conns *conns, struct floor_conn *conn)
{
	static char bytes[READ_MAX];
	ssize_t len = recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len > 0) {
		take_bytes(conns, conn, bytes, bytes + len);
	} else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
		break_off(conns, conn);
	}
}

bool floor_conns_turn(struct floor_conns *conns, int patience_ms)
{
	struct epoll_event events[NODES_MAX + 1];
	int ready = epoll_wait(conns->epoll, events, NODES_MAX + 1, patience_ms);
	int i;

	for (i = 0; i < ready; i++) {
		struct floor_conn *conn = events[i].data.ptr;

		if (!conn) {
			arrival_clock_read(conns->clock);
			continue;
		}
		if (conn->fd >= 0 && (events[i].events & EPOLLOUT)) {
			send_some(conns, conn);
		}
		if (conn->fd >= 0 && (events[i].events & ~(unsigned)EPOLLOUT)) {
			read_some(conns, conn);
		}
	}
	return ready != 0;
}

uint64_t floor_conns_owed(const struct floor_conns *conns)
{
	uint64_t owed = 0;
	size_t i;

	for (i = 0; i < conns->count; i++) {
		owed += conns->all[i].due_count;
	}
	return owed;
}

void floor_conns_set_clock(struct floor_conns *conns, int clock)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (conns->clock >= 0) {
		epoll_ctl(conns->epoll, EPOLL_CTL_DEL, conns->clock, NULL);
	}
	conns->clock = clock;
	if (clock >= 0) {
		epoll_ctl(conns->epoll, EPOLL_CTL_ADD, clock, &event);
	}
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool open_one(struct floor_conns *conns, const struct node_address *node, const char *script,
		     char sha[64])
{
	const char *load[] = {"SCRIPT", "LOAD", script};
	struct floor_conn *conn = &conns->all[conns->count];
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

	*conn = (struct floor_conn){.fd = floor_connect(node)};
	if (conn->fd < 0) {
		return false;
	}
	conns->count++;
	return floor_ask(conn->fd, load, 3, sha, 64) == 0 &&
	       epoll_ctl(conns->epoll, EPOLL_CTL_ADD, conn->fd, &event) == 0;
}

bool floor_conns_open(struct floor_conns *conns, const struct nodes *nodes, const char *script,
		      char sha[64], char *why, size_t why_len)
{
	size_t i;

	conns->epoll = epoll_create1(EPOLL_CLOEXEC);
	conns->clock = -1;
	for (i = 0; i < nodes->count; i++) {
		if (!open_one(conns, &nodes->all[i], script, sha)) {
			snprintf(why, why_len, "the floor cannot talk to %s", nodes->all[i].url);
			return false;
		}
	}
	return true;
}

void floor_conns_close(struct floor_conns *conns)
{
	size_t i;

	for (i = 0; i < conns->count; i++) {
		if (conns->all[i].fd >= 0) {
			close(conns->all[i].fd);
		}
		free(conns->all[i].out);
		free(conns->all[i].due);
	}
	close(conns->epoll);
}
