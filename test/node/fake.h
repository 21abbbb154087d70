/* fake.h - a server that speaks the protocol well enough to be believed, and is bad on cue.
 *
 * It runs on the loop of the client that it talks to. By itself it is an honest
 * node that never restarted; a cue names the command at which it does something
 * else. */
#ifndef REDLOCK_TEST_FAKE_H
#define REDLOCK_TEST_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/* What the client has just done, as told by the commands of docs/protocol.md. */
enum fake_at {
	AT_NOTHING, /* No cue. */
	AT_ACCEPT,  /* A new connection; nothing has been sent on it. */
	AT_HELLO,
	AT_AUTH,
	AT_SELECT,
	AT_INFO, /* Of the server. */
	AT_ROLE, /* INFO of the replication. */
	AT_CONFIG,
	AT_ENROL,
	AT_SET,
	AT_FENCED, /* The script that sets with a fencing token. */
	AT_EXTEND,
	AT_RELEASE,
	AT_JOIN,    /* The line. */
	AT_CONFIRM, /* What was kept for the one who was called. */
	AT_INSPECT,
	AT_PING,
	AT_PTTL,
	AT_SUBSCRIBE,
	AT_OTHER,
	AT_KINDS
};

/* head, then unit @times over, then tail. */
struct fake_bytes {
	const char *head;
	size_t head_len; /* 0: up to its NUL. */
	const char *unit;
	size_t times;
	const char *tail;
};

enum fake_manner {
	INSTEAD, /* Say the bytes, and not the honest reply. */
	BEFORE,	 /* The bytes, then the honest reply. */
	AFTER,	 /* The honest reply, then the bytes. */
	TWICE,	 /* The honest reply two times, in one piece. */
	SWAPPED, /* The honest reply, but after the next one. */
	PARROT	 /* An error that repeats what the client sent. */
};

enum fake_then {
	GO_ON,
	HANG,	   /* Read on, say nothing more. */
	DEAF,	   /* Not even read. */
	HANG_UP,   /* Close, after what was said. */
	BREAK_OFF, /* Reset the connection. */
};

struct fake_cue {
	enum fake_at at, also_at;
	struct fake_bytes say;
	enum fake_manner manner;
	enum fake_then then;
	unsigned times;	   /* 0: every time. */
	bool does_it;	   /* Do what was asked all the same. */
	bool drop_by_drop; /* Every reply leaves byte by byte. */
};

struct fake;

/* Listen on a port of 127.0.0.1. @cue may be NULL, and has to stay. */
struct fake *fake_new(uv_loop_t *loop, const struct fake_cue *cue);
/* Close everything; runs the loop until it is done. NULL is fine. */
void fake_free(struct fake *fake);
unsigned fake_port(const struct fake *fake);

/* From now on. */
void fake_cue(struct fake *fake, const struct fake_cue *cue);
/* To whoever is connected, unasked. */
void fake_say(struct fake *fake, const struct fake_bytes *bytes);
/* To whoever has subscribed, to anything. */
void fake_publish(struct fake *fake, const struct fake_bytes *bytes);
/* What its clock is ahead of the real one, and what it says of itself. */
void fake_set_clock(struct fake *fake, long long ahead_us);
void fake_set_run_id(struct fake *fake, const char *run_id);

/* How often it heard such a command. */
unsigned fake_heard(const struct fake *fake, enum fake_at at);
/* Keys that it keeps. */
size_t fake_keys(const struct fake *fake);
/* The owner token that it was shown last, or "". */
const char *fake_token(const struct fake *fake);

#endif
