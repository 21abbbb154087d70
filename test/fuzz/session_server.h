/* session_server.h - a server that says what the fuzzer wants said, and remembers what it was
 * asked.
 *
 * It listens on a Unix socket for one connection at a time and turns only when it
 * is told to. Its script is bytes, in pieces that end with '|'.
 *
 * On one more connection the client may listen: there it is let in, and called
 * each time that it joins a line. */
#ifndef SESSION_SERVER_H
#define SESSION_SERVER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redis/bounds.h"

#define ASKED_MAX 64

/* What a command was, as far as anybody here wants to know. */
enum asked {
	ASKED_ELSE,
	ASKED_SET,
	ASKED_ENROL,
	ASKED_FENCED,
	ASKED_EXTEND,
	ASKED_RELEASE,
	ASKED_JOIN
};

struct server {
	int listener, peer, ear; /* The connections are -1 while there are none. */
	char path[64];
	const uint8_t *at, *end; /* What is left of the script. */
	const uint8_t *due;	 /* What is left of the piece that is being said ends here. */
	bool over;		 /* The script is over, and so is the connection. */
	redisReader *heard, *said, *overheard; /* The last one is of the ear. */
	char channel[64];		       /* What the ear listens to, or "". */
	struct rlk_bounds bounds;	       /* Of what is said: we read it as well. */
	enum asked asked[ASKED_MAX];
	redisReply *answers[ASKED_MAX];
	bool ahead[ASKED_MAX]; /* That answer was said before it was asked for. */
	unsigned asked_count, answer_count;
};

/* Once for all; the socket's file goes at exit. */
void server_open(struct server *server);
void server_begin(struct server *server, const uint8_t *script, size_t len);
void server_end(struct server *server);
/* Take in what was sent and say what is due. Returns whether anything happened. */
bool server_turn(struct server *server);
/* Nobody moves: say the next piece, or hang up after the last one. False: it has. */
bool server_go_on(struct server *server);

/* Has it been asked what it has not answered? */
bool server_owes(const struct server *server);
/* Was there a command of this kind whose answer, by its place, fits, and came after it? */
bool server_answered(const struct server *server, enum asked asked,
		     bool (*fits)(const redisReply *answer, const void *data), const void *data);

#endif
