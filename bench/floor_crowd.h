/* floor_crowd.h - the parts of the floor for many: its connections, and what is decided of it. */
#ifndef BENCH_FLOOR_CROWD_H
#define BENCH_FLOOR_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nodes.h"

#define FLOOR_REQUEST_MAX 512

#define FLOOR_DIGITS 7
#define FLOOR_TOKEN_LEN 32

/* A request that is the same for all but the digits of the resource, and the owner token. */
struct floor_template {
	char bytes[FLOOR_REQUEST_MAX];
	size_t len;
	size_t digits_at; /* 0: nothing to fill in. */
	size_t token_at;
};

struct floor_blanks {
	char digits[FLOOR_DIGITS + 1];
	char token[FLOOR_TOKEN_LEN]; /* Only where the template has a place for it. */
};

/* From words; those that end in ":0000000" are the ones with the digits. */
void floor_template_build(struct floor_template *template, const char *const *args, size_t count);
/* Leave a blank in the place of @token, which is in it. */
void floor_template_leave_token(struct floor_template *template, const char *token);
/* Each time another one. */
void floor_draw_token(uint64_t *random, char token[FLOOR_TOKEN_LEN]);

/* Whose answer comes next. A slot that has gone on meanwhile is in another turn. */
struct floor_due {
	uint32_t slot;
	uint32_t turn;
};

struct floor_conn {
	int fd; /* -1 once it broke. */
	bool wants_room;
	char *out;
	size_t out_len;
	size_t out_sent;
	size_t out_size;
	struct floor_due *due; /* A ring. */
	uint32_t due_first;
	uint32_t due_count;
	uint32_t due_size; /* A power of two. */
	char first[2];	   /* Of the answer that is being read. */
	size_t first_len;
};

struct floor_conns {
	int epoll;
	int clock; /* Of an open loop, or -1. */
	size_t count;
	struct floor_conn all[NODES_MAX];
	void *owner;
	/* An answer for a slot came. */
	void (*answered)(void *owner, struct floor_due due, bool yes);
};

/* Scripts of the floor: of one key, for the owner in the first argument. */
extern const char floor_delete_script[];
extern const char floor_release_script[]; /* It sees whether anybody waits. */
extern const char floor_extend_script[];

/** Connect to all nodes, load @script, never block again. False: see @why. @sha gets the script's
 * name. */
bool floor_conns_open(struct floor_conns *conns, const struct nodes *nodes, const char *script,
		      char sha[64], char *why, size_t why_len);
void floor_conns_close(struct floor_conns *conns);

/** Put a request for @slot behind what is to be sent. False: the connection is broken. */
bool floor_conn_ask(struct floor_conn *conn, const struct floor_template *request,
		    const struct floor_blanks *blanks, struct floor_due due);

/** Send what was put there: one send() for each connection. */
void floor_conns_flush(struct floor_conns *conns);

/** Wait for events and hand out answers. Returns false if nothing came for @patience_ms. */
bool floor_conns_turn(struct floor_conns *conns, int patience_ms);

/** Wake up when this clock ticks, too; -1: no more. */
void floor_conns_set_clock(struct floor_conns *conns, int clock);

/** Answers that are still due. */
uint64_t floor_conns_owed(const struct floor_conns *conns);

#endif
