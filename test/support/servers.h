/* servers.h - real redis-server processes for the tests, and ways to hurt them.
 *
 * Each server listens on a free port of 127.0.0.1 and ::1 and on a unix socket,
 * in a directory of its own in the sandbox. The kernel kills it when the test
 * that started it ends, however that ends.
 *
 * The helpers here talk to a server as a user of their own ("keeper"), whatever
 * passwords the tests set. They fail the running Check test when they cannot do
 * what they are asked. */
#ifndef REDLOCK_TEST_SERVERS_H
#define REDLOCK_TEST_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVERS_MAX 9

/* What the tests put where another program's lock is to stand in the way. */
#define STRANGER "another owner's token"

struct redisContext;
struct redisReply;

/* How a server is run; all zero: an ordinary one that keeps nothing. */
struct server_options {
	bool durable;	      /* Append-only file, written through at every change; seeded. */
	const char *password; /* Of the default user. */
	const char *acl;      /* More lines for the configuration file. */
};

struct server {
	struct server_options options;
	char dir[96];
	char socket_path[112];
	char address[32]; /* 127.0.0.1:port */
	unsigned port;
	pid_t pid; /* 0 while it is not running. */
	bool stopped;
	bool seeded; /* It was told that it has always been there. */ /* By SIGSTOP. */
	struct redisContext *control;
};

struct servers {
	size_t count;
	struct server at[SERVERS_MAX];
};

/* Start @count servers, and wait until each answers. @options may be NULL. */
void servers_start(struct servers *servers, size_t count, const struct server_options *options);
void servers_finish(struct servers *servers);

/* kill -9. */
void server_kill(struct server *server);
/* Start a killed server again, on the same port; @keep_data: with what is on its disk. */
void server_start_again(struct server *server, bool keep_data);
/* Both at once: a crash after which nothing is left. */
void server_restart_empty(struct server *server);
void server_stop(struct server *server);
void server_continue(struct server *server);

/* Run a command (the format is hiredis's); the caller frees the reply. An error reply fails. */
struct redisReply *server_command(struct server *server, const char *format, ...);
/* The same for the effect alone. */
void server_do(struct server *server, const char *format, ...);
/* The same for a number. */
long long server_number(struct server *server, const char *format, ...);

/* As if it had been up, and asked for votes, for longer than any lease: its votes are not withheld,
 * and ask for no fencing tokens ahead of its clock. Before the first client comes. */
void server_make_old(struct server *server);

/* Does it have SET with IFEQ, which does for a lock what scripts do? Redis 8.4, Valkey 8.1. */
bool server_sets_if_equal(struct server *server);
/* Is the value of @key exactly @value? NULL: is it missing? */
bool server_has(struct server *server, const char *key, const char *value);
/* PTTL: -1 if it never expires, -2 if it is not there. */
long long server_pttl(struct server *server, const char *key);
/* Number of keys, but for a stranger's and the library's own bookkeeping (incarnation, fences). */
size_t server_leftovers(struct server *server);

#endif
