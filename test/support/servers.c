/* servers.c - start, hurt and end redis-server processes. */
#define _GNU_SOURCE /* prctl */
#include "servers.h"

#include "sandbox.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#define START_TRIES 5
#define START_DEADLINE_MS 20000

/* ---- Start ----------------------------------------------------------------------------------- */

/* Like whoever sets up a new cluster: it cannot have forgotten anything, and is told so. */
static void seed(struct server *server)
{
	char path[128];
	FILE *file;

	if (server->seeded || !server->options.durable) {
		return;
	}
	server->seeded = true;
	(void)snprintf(path, sizeof path, "%s/appendonly.aof", server->dir);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs("*3\r\n$3\r\nSET\r\n$19\r\nredlock:incarnation\r\n$8\r\nseed:1:1\r\n", file);
	ck_assert_int_eq(fclose(file), 0);
}

static void configure(const struct server *server)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/redis.conf", server->dir);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fprintf(file, "bind 127.0.0.1 -::1\nport %u\nunixsocket %s\ndir %s\nlogfile log\n",
		      server->port, server->socket_path, server->dir);
	(void)fprintf(file, "save \"\"\nuser keeper on nopass ~* &* +@all\n");
	if (server->options.durable) {
		(void)fprintf(file, "appendonly yes\nappendfsync always\n");
	}
	if (server->options.password) {
		(void)fprintf(file, "requirepass \"%s\"\n", server->options.password);
	}
	if (server->options.acl) {
		(void)fprintf(file, "%s\n", server->options.acl);
	}
	ck_assert_int_eq(fclose(file), 0);
}

static void become_server(const struct server *server, pid_t parent)
{
	const char *binary = getenv("REDLOCK_TEST_SERVER");
	char path[128];
	int null = open("/dev/null", O_RDWR);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(0);
	}
	for (int fd = 0; fd <= 2; fd++) {
		(void)dup2(null, fd);
	}
	(void)snprintf(path, sizeof path, "%s/redis.conf", server->dir);
	binary = binary ? binary : "redis-server";
	(void)execlp(binary, binary, path, (char *)NULL);
	_exit(127);
}

static void launch(struct server *server)
{
	pid_t parent = getpid();

	configure(server);
	seed(server);
	server->stopped = false;
	server->pid = fork();
	ck_assert_int_ge(server->pid, 0);
	if (server->pid == 0) {
		become_server(server, parent);
	}
}

static void pause_ms(long ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&pause, NULL);
}

static void hang_up(struct server *server)
{
	if (server->control) {
		redisFree(server->control);
		server->control = NULL;
	}
}

/* One command as the keeper on a connection that may not be up yet. */
static bool say(struct server *server, const char *command)
{
	redisReply *reply = redisCommand(server->control, command);
	bool ok = reply && reply->type == REDIS_REPLY_STATUS;

	freeReplyObject(reply);
	return ok;
}

static bool call_up(struct server *server)
{
	struct timeval timeout = {5, 0};

	hang_up(server);
	server->control = redisConnectUnixWithTimeout(server->socket_path, timeout);
	if (server->control && !server->control->err &&
	    redisSetTimeout(server->control, timeout) == REDIS_OK && say(server, "AUTH keeper x") &&
	    say(server, "PING")) {
		return true;
	}
	hang_up(server);
	return false;
}

/* False if it ended instead, which it does when its port was taken in between. */
static bool wait_for_pong(struct server *server)
{
	for (int waited_ms = 0; waited_ms < START_DEADLINE_MS; waited_ms += 2) {
		if (call_up(server)) {
			return true;
		}
		if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
			server->pid = 0;
			return false;
		}
		pause_ms(2);
	}
	ck_abort_msg("a server does not answer: see %s/log", server->dir);
	return false;
}

static void choose_port(struct server *server)
{
	server->port = sandbox_port();
	(void)snprintf(server->address, sizeof server->address, "127.0.0.1:%u", server->port);
}

static void server_init(struct server *server, const struct server_options *options)
{
	memset(server, 0, sizeof *server);
	if (options) {
		server->options = *options;
	}
	(void)snprintf(server->dir, sizeof server->dir, "%s/sXXXXXX", sandbox_root());
	ck_assert_ptr_nonnull(mkdtemp(server->dir));
	(void)snprintf(server->socket_path, sizeof server->socket_path, "%s/sock", server->dir);
	choose_port(server);
}

static void start_on_another_port(struct server *server)
{
	for (int i = 0; i < START_TRIES; i++) {
		choose_port(server);
		launch(server);
		if (wait_for_pong(server)) {
			return;
		}
	}
	ck_abort_msg("a server does not start: see %s/log", server->dir);
}

void servers_start(struct servers *servers, size_t count, const struct server_options *options)
{
	ck_assert_uint_le(count, SERVERS_MAX);
	servers->count = count;
	for (size_t i = 0; i < count; i++) {
		server_init(&servers->at[i], options);
		launch(&servers->at[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (!wait_for_pong(&servers->at[i])) {
			start_on_another_port(&servers->at[i]);
		}
	}
}

void servers_finish(struct servers *servers)
{
	for (size_t i = 0; i < servers->count; i++) {
		if (servers->at[i].pid) {
			server_kill(&servers->at[i]);
		}
		sandbox_remove(servers->at[i].dir);
	}
	servers->count = 0;
}

/* ---- Hurt ------------------------------------------------------------------------------------ */

void server_kill(struct server *server)
{
	ck_assert_int_gt(server->pid, 0);
	hang_up(server);
	ck_assert_int_eq(kill(server->pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(server->pid, NULL, 0), server->pid);
	server->pid = 0;
	server->stopped = false;
}

static void forget(const struct server *server)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/appendonlydir", server->dir);
	sandbox_remove(path);
	(void)snprintf(path, sizeof path, "%s/appendonly.aof", server->dir); /* Before version 7. */
	sandbox_remove(path);
	(void)snprintf(path, sizeof path, "%s/dump.rdb", server->dir);
	sandbox_remove(path);
}

void server_start_again(struct server *server, bool keep_data)
{
	ck_assert_int_eq(server->pid, 0);
	if (!keep_data) {
		forget(server);
	}
	launch(server);
	ck_assert_msg(wait_for_pong(server), "a server does not start again on its port");
}

void server_restart_empty(struct server *server)
{
	server_kill(server);
	server_start_again(server, false);
}

void server_stop(struct server *server)
{
	int status;

	ck_assert_int_gt(server->pid, 0);
	ck_assert_int_eq(kill(server->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(server->pid, &status, WUNTRACED), server->pid);
	ck_assert(WIFSTOPPED(status));
	server->stopped = true;
}

void server_continue(struct server *server)
{
	ck_assert(server->stopped);
	ck_assert_int_eq(kill(server->pid, SIGCONT), 0);
	server->stopped = false;
}

/* ---- Ask ------------------------------------------------------------------------------------- */

static redisReply *command_va(struct server *server, const char *format, va_list args)
{
	redisReply *reply;

	ck_assert_msg(server->pid && !server->stopped, "asked a server that is not there");
	if (!server->control) {
		ck_assert_msg(call_up(server), "no connection to a server of the test");
	}
	reply = redisvCommand(server->control, format, args);
	ck_assert_msg(reply, "%s: %s", format, server->control->errstr);
	ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s: %s", format, reply->str);
	return reply;
}

struct redisReply *server_command(struct server *server, const char *format, ...)
{
	redisReply *reply;
	va_list args;

	va_start(args, format);
	reply = command_va(server, format, args);
	va_end(args);
	return reply;
}

void server_do(struct server *server, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	freeReplyObject(command_va(server, format, args));
	va_end(args);
}

long long server_number(struct server *server, const char *format, ...)
{
	redisReply *reply;
	long long number;
	va_list args;

	va_start(args, format);
	reply = command_va(server, format, args);
	va_end(args);
	ck_assert_int_eq(reply->type, REDIS_REPLY_INTEGER);
	number = reply->integer;
	freeReplyObject(reply);
	return number;
}

bool server_sets_if_equal(struct server *server)
{
	redisReply *reply;
	bool knows;

	server_do(server, "PING"); /* It is there, and so is the connection. */
	reply = redisCommand(server->control, "SET no-such-key x IFEQ x");
	ck_assert_ptr_nonnull(reply);
	knows = reply->type == REDIS_REPLY_NIL;
	ck_assert(knows || strstr(reply->str, "syntax error"));
	freeReplyObject(reply);
	return knows;
}

bool server_has(struct server *server, const char *key, const char *value)
{
	redisReply *reply = server_command(server, "GET %s", key);
	bool has = reply->type == REDIS_REPLY_NIL ? value == NULL
						  : value && strcmp(reply->str, value) == 0;

	freeReplyObject(reply);
	return has;
}

long long server_pttl(struct server *server, const char *key)
{
	return server_number(server, "PTTL %s", key);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);

	return len >= strlen(end) && strcmp(text + len - strlen(end), end) == 0;
}

size_t server_leftovers(struct server *server)
{
	redisReply *reply = server_command(server, "KEYS *");
	size_t count = 0;

	for (size_t i = 0; i < reply->elements; i++) {
		const char *key = reply->element[i]->str;

		count += !strstr(key, "redlock:incarnation") && !ends_with(key, ":fence") &&
			 !server_has(server, key, STRANGER);
	}
	freeReplyObject(reply);
	return count;
}

static void run_id(struct server *server, char *id, size_t size)
{
	redisReply *reply = server_command(server, "INFO server");
	const char *at = strstr(reply->str, "run_id:");

	ck_assert_ptr_nonnull(at);
	at += strlen("run_id:");
	(void)snprintf(id, size, "%.*s", (int)strcspn(at, "\r\n"), at);
	freeReplyObject(reply);
}

void server_make_old(struct server *server)
{
	char id[64];

	run_id(server, id, sizeof id);
	server_do(server, "SET redlock:incarnation %s:1:0", id);
}
