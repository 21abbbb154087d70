/* io.h - one hiredis context on one libuv poll handle. */
#ifndef RLK_IO_H
#define RLK_IO_H

#include <hiredis/async.h>
#include <redlock/redlock.h>
#include <uv.h>

struct rlk_io;
struct rlk_tls_peer;

/* All connections of a client: which have something to send, how many handles are open. */
struct rlk_ios {
	uv_loop_t *loop;
	const struct redlock_allocator *allocator;
	struct rlk_io *dirty;
	unsigned open;
	uint64_t reads;			     /* From all of them. */
	void (*closed)(struct rlk_ios *ios); /* A handle has closed. */
};

/* What one connection is for. */
struct rlk_io_use {
	void (*ready)(redisAsyncContext *ac); /* It is connected. */
	/* Gets what comes while no reply is due; as that of a command. NULL: it is a fault. */
	redisCallbackFn *unasked;
};

/* Call only while ac->err is 0. @use must stay. @tls: what there will be of TLS, or NULL. Returns
 * false if it cannot be; then free @ac. */
bool rlk_io_attach(struct rlk_ios *ios, redisAsyncContext *ac, const struct rlk_io_use *use,
		   const struct rlk_tls_peer *tls);
/* Queue a command; @cb gets its reply, unless the connection ends before. It may call
 * redisAsyncFree(). Returns false if memory is out, or the connection is about to end. */
bool rlk_io_command(redisAsyncContext *ac, redisCallbackFn *cb, void *data, const char *bytes,
		    size_t len);
/* The same for what must not be found in memory once it has been sent, or never will be. */
bool rlk_io_secret(redisAsyncContext *ac, redisCallbackFn *cb, void *data, const char *bytes,
		   size_t len);
/* Send what has been queued since the last time: one write for each connection. */
void rlk_ios_flush(struct rlk_ios *ios);

#endif
