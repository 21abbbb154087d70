/* session_server.c - a server that says what the fuzzer wants said: see its header. */
#include "session_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "redis/script.h"
#include "redis/wire.h"

static char path_to_remove[64];

static void remove_path(void)
{
	unlink(path_to_remove);
}

void server_open(struct server *server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(server, 0, sizeof *server);
	server->peer = server->ear = -1;
	snprintf(server->path, sizeof server->path, "/tmp/redlock-fuzz-%ld.sock", (long)getpid());
	strcpy(path_to_remove, server->path);
	strcpy(address.sun_path, server->path);
	unlink(server->path);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	REQUIRE(server->listener >= 0);
	REQUIRE(bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0);
	REQUIRE(listen(server->listener, 16) == 0);
	atexit(remove_path);
}

void server_begin(struct server *server, const uint8_t *script, size_t len)
{
	server->at = server->due = script;
	server->end = script + len;
	server->over = false;
	server->asked_count = server->answer_count = 0;
	server->heard = redisReaderCreate();
	server->said = redisReaderCreate();
	server->overheard = redisReaderCreate();
	REQUIRE(server->heard != NULL && server->said != NULL && server->overheard != NULL);
	server->channel[0] = '\0';
	rlk_bounds_set(&server->bounds, server->said);
}

static void hang_up(int *peer)
{
	if (*peer >= 0) {
		close(*peer);
		*peer = -1;
	}
}

void server_end(struct server *server)
{
	unsigned i;

	hang_up(&server->peer);
	hang_up(&server->ear);
	/* Nobody is to find a connection that was meant for the one before. */
	while ((server->peer = accept(server->listener, NULL, NULL)) >= 0) {
		hang_up(&server->peer);
	}
	for (i = 0; i < server->answer_count; i++) {
		freeReplyObject(server->answers[i]);
	}
	redisReaderFree(server->heard);
	redisReaderFree(server->said);
	redisReaderFree(server->overheard);
}

/* ---- What is asked --------------------------------------------------------------------------- */

static bool is(const redisReply *word, const char *text)
{
	return word->type == REDIS_REPLY_STRING && (size_t)word->len == strlen(text) &&
	       memcmp(word->str, text, strlen(text)) == 0;
}

static enum asked kind_of(const redisReply *command)
{
	static const enum asked kinds[RLK_SCRIPTS] = {
		[RLK_SCRIPT_ENROL] = ASKED_ENROL,     [RLK_SCRIPT_FENCED] = ASKED_FENCED,
		[RLK_SCRIPT_CHECKED] = ASKED_SET,     [RLK_SCRIPT_CONFIRM] = ASKED_SET,
		[RLK_SCRIPT_JOIN] = ASKED_JOIN,	      [RLK_SCRIPT_EXTEND] = ASKED_EXTEND,
		[RLK_SCRIPT_RELEASE] = ASKED_RELEASE,
	};
	unsigned i;

	REQUIRE(command->type == REDIS_REPLY_ARRAY && command->elements > 0);
	if (is(command->element[0], "SET")) {
		return ASKED_SET;
	}
	for (i = 0; command->elements > 1 && i < RLK_SCRIPTS; i++) {
		if (is(command->element[1], rlk_scripts[i].text) ||
		    is(command->element[1], rlk_scripts[i].sha1)) {
			return kinds[i];
		}
	}
	return ASKED_ELSE;
}

/* ---- The ear --------------------------------------------------------------------------------- */

static void tell(struct server *server, const char *text)
{
	if (server->ear >= 0 &&
	    send(server->ear, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		hang_up(&server->ear);
	}
}

/* It is this one's turn, whoever has the key: the client has to find out. */
static void call(struct server *server, const redisReply *join)
{
	const redisReply *ticket = join->elements > 5 ? join->element[5] : NULL;
	char text[160];

	REQUIRE(ticket != NULL && ticket->len == RLK_TICKET_LEN);
	if (server->channel[0] != '\0') {
		snprintf(text, sizeof text,
			 "*3\r\n$7\r\nmessage\r\n$%zu\r\n%s\r\n$17\r\ny%.16s\r\n",
			 strlen(server->channel), server->channel, ticket->str + 48);
		tell(server, text);
	}
}

static void let_in(struct server *server, const redisReply *command)
{
	char text[160];

	if (is(command->element[0], "HELLO")) {
		tell(server, "*0\r\n");
	} else if (is(command->element[0], "AUTH")) {
		tell(server, "+OK\r\n");
	} else {
		REQUIRE(is(command->element[0], "SUBSCRIBE") && command->elements == 2);
		snprintf(server->channel, sizeof server->channel, "%s", command->element[1]->str);
		snprintf(text, sizeof text, "*3\r\n$9\r\nsubscribe\r\n$%zu\r\n%s\r\n:1\r\n",
			 strlen(server->channel), server->channel);
		tell(server, text);
	}
}

/* The node's own connection is there already. Returns whether anything happened. */
static bool turn_ear(struct server *server)
{
	char bytes[1024];
	void *command;
	ssize_t n;

	if (server->ear < 0) {
		server->ear = accept(server->listener, NULL, NULL);
		return server->ear >= 0;
	}
	n = recv(server->ear, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n == 0) {
		hang_up(&server->ear);
		server->channel[0] = '\0';
		return true;
	}
	if (n < 0) {
		return false;
	}
	redisReaderFeed(server->overheard, bytes, (size_t)n);
	while (redisReaderGetReply(server->overheard, &command) == REDIS_OK && command != NULL) {
		let_in(server, command);
		freeReplyObject(command);
	}
	return true;
}

/* ---- The node -------------------------------------------------------------------------------- */

static void take_in(struct server *server, const char *bytes, size_t len)
{
	void *command;

	redisReaderFeed(server->heard, bytes, len);
	for (;;) {
		/* Whatever we say, the client speaks the protocol. */
		REQUIRE(redisReaderGetReply(server->heard, &command) == REDIS_OK);
		if (command == NULL) {
			return;
		}
		if (server->asked_count < ASKED_MAX) {
			server->asked[server->asked_count++] = kind_of(command);
		}
		if (kind_of(command) == ASKED_JOIN) {
			call(server, command);
		}
		freeReplyObject(command);
	}
}

/* ---- What is said ---------------------------------------------------------------------------- */

static void note_said(struct server *server, const uint8_t *bytes, size_t len)
{
	void *reply;

	redisReaderFeed(server->said, (const char *)bytes, len);
	while (server->answer_count < ASKED_MAX &&
	       redisReaderGetReply(server->said, &reply) == REDIS_OK && reply != NULL) {
		server->ahead[server->answer_count] = server->answer_count >= server->asked_count;
		server->answers[server->answer_count++] = reply;
		rlk_bounds_next(&server->bounds);
	}
}

static bool say(struct server *server)
{
	size_t len = (size_t)(server->due - server->at);
	ssize_t n;

	if (server->peer < 0 || len == 0) {
		return false;
	}
	n = send(server->peer, server->at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0) {
		note_said(server, server->at, (size_t)n);
		server->at += n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		hang_up(&server->peer); /* The client has had enough. */
		server->over = true;
	}
	return n > 0;
}

bool server_turn(struct server *server)
{
	char bytes[16384];
	bool moved = false;
	ssize_t n;

	if (server->peer < 0 && !server->over) {
		server->peer = accept(server->listener, NULL, NULL);
		moved = server->peer >= 0;
	}
	if (server->peer < 0) {
		return moved;
	}
	moved |= turn_ear(server);
	n = recv(server->peer, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n > 0) {
		take_in(server, bytes, (size_t)n);
		moved = true;
	} else if (n == 0) {
		hang_up(&server->peer);
		server->over = true;
		return true;
	}
	return say(server) || moved;
}

bool server_go_on(struct server *server)
{
	const uint8_t *bar;

	if (server->over || server->at < server->due) {
		return !server->over;
	}
	if (server->at == server->end) {
		hang_up(&server->peer);
		server->over = true;
		return false;
	}
	if (*server->at == '|') {
		server->at++;
	}
	bar = memchr(server->at, '|', (size_t)(server->end - server->at));
	server->due = bar != NULL ? bar : server->end;
	return true;
}

bool server_owes(const struct server *server)
{
	return server->asked_count > server->answer_count;
}

bool server_answered(const struct server *server, enum asked asked,
		     bool (*fits)(const redisReply *answer, const void *data), const void *data)
{
	unsigned i;

	for (i = 0; i < server->asked_count && i < server->answer_count; i++) {
		if (server->asked[i] == asked && !server->ahead[i] &&
		    fits(server->answers[i], data)) {
			return true;
		}
	}
	return false;
}
