/* io.h - one hiredis context on one libuv poll handle. */
#ifndef RLK_IO_H
#define RLK_IO_H

#include <hiredis/async.h>
#include <redlock/redlock.h>
#include <uv.h>

struct rlk_io;

/* All connections of a client: which have something to send, how many handles are open. */
struct rlk_ios {
	uv_loop_t *loop;
	const struct redlock_allocator *allocator;
	struct rlk_io *dirty;
	unsigned open;
	void (*closed)(struct rlk_ios *ios); /* A handle has closed. */
};

/* Call only while ac->err is 0. Returns false if it cannot be; then free @ac. */
bool rlk_io_attach(struct rlk_ios *ios, redisAsyncContext *ac);
/* Send what has been queued since the last time: one write for each connection. */
void rlk_ios_flush(struct rlk_ios *ios);

#endif
