/* io.c - our own adapter between hiredis and libuv.
 *
 * hiredis's own one loses poll errors with 0.14 (a refused connection would
 * never be heard of), lets the second write after a reset raise SIGPIPE, and
 * changes the epoll set for every write. Here:
 *   - poll errors are handled as readable and writable, so that hiredis itself
 *     finds the error on the socket;
 *   - writes are send(MSG_NOSIGNAL), once per connection and loop phase;
 *   - the handle stays readable, and writable only while the socket is full, so
 *     the steady state has no epoll_ctl.
 *
 * Any call into hiredis may free the context; io_cleanup() then clears io->ac,
 * which is why it is looked at again after each. */
#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct rlk_io {
	struct rlk_ios *ios;
	struct rlk_io *next_dirty;
	redisAsyncContext *ac;
	uv_poll_t poll;
	int events;
	bool dirty;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct rlk_io *io, int events)
{
	if (io->ac == NULL || events == io->events) {
		return;
	}
	io->events = events;
	if (events != 0) {
		uv_poll_start(&io->poll, events, on_poll);
	} else {
		uv_poll_stop(&io->poll);
	}
}

static bool connected(const struct rlk_io *io)
{
	return io->ac != NULL && (io->ac->c.flags & REDIS_CONNECTED) != 0;
}

static void write_out(redisContext *c)
{
	ssize_t n;

	while (c->err == 0 && sdslen(c->obuf) > 0) {
		n = send(c->fd, c->obuf, sdslen(c->obuf), MSG_NOSIGNAL);
		if (n >= 0 && (size_t)n == sdslen(c->obuf)) {
			sdsclear(c->obuf);
		} else if (n >= 0) {
			sdsrange(c->obuf, (int)n, -1);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (errno != EINTR) {
			c->err = REDIS_ERR_IO;
			snprintf(c->errstr, sizeof c->errstr, "%s", strerror(errno));
		}
	}
}

static void send_all(struct rlk_io *io)
{
	redisContext *c = &io->ac->c;

	write_out(c);
	if (c->err != 0) {
		redisAsyncHandleRead(io->ac); /* Sees c->err, and ends the connection. */
		return;
	}
	arm(io, UV_READABLE | (sdslen(c->obuf) > 0 ? UV_WRITABLE : 0));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct rlk_io *io = poll->data;
	bool was_connected = connected(io);

	if (status < 0) {
		io->events = 0; /* libuv has stopped the handle. */
		events = UV_READABLE | UV_WRITABLE;
	}
	if (io->ac != NULL && (events & UV_READABLE) != 0) {
		redisAsyncHandleRead(io->ac);
	}
	if (io->ac != NULL && (events & UV_WRITABLE) != 0) {
		if (connected(io)) {
			send_all(io);
		} else {
			redisAsyncHandleWrite(io->ac);
		}
	}
	if (!was_connected && connected(io)) {
		send_all(io);
	}
}

void rlk_ios_flush(struct rlk_ios *ios)
{
	struct rlk_io *io;

	while ((io = ios->dirty) != NULL) {
		ios->dirty = io->next_dirty;
		io->dirty = false;
		if (connected(io)) {
			send_all(io);
		} else {
			arm(io, io->events | UV_WRITABLE); /* Tells when it is connected. */
		}
	}
}

/* ---- hiredis's side -------------------------------------------------------------------------- */

static void add_read(void *data)
{
	struct rlk_io *io = data;
	arm(io, io->events | UV_READABLE);
}

static void del_read(void *data)
{
	struct rlk_io *io = data;
	arm(io, io->events & ~UV_READABLE);
}

static void add_write(void *data)
{
	struct rlk_io *io = data;

	if (io->ac == NULL || io->dirty || (io->events & UV_WRITABLE) != 0) {
		return;
	}
	io->dirty = true;
	io->next_dirty = io->ios->dirty;
	io->ios->dirty = io;
}

static void del_write(void *data)
{
	(void)data; /* send_all() knows better. */
}

static void on_closed(uv_handle_t *handle)
{
	struct rlk_io *io = handle->data;
	struct rlk_ios *ios = io->ios;

	ios->allocator->free(io, ios->allocator->data);
	ios->open--;
	ios->closed(ios);
}

static void io_cleanup(void *data)
{
	struct rlk_io *io = data, **link;

	if (io == NULL || io->ac == NULL) {
		return;
	}
	io->ac = NULL;
	for (link = &io->ios->dirty; io->dirty && *link != NULL; link = &(*link)->next_dirty) {
		if (*link == io) {
			*link = io->next_dirty;
			io->dirty = false;
			break;
		}
	}
	uv_close((uv_handle_t *)&io->poll, on_closed);
}

bool rlk_io_attach(struct rlk_ios *ios, redisAsyncContext *ac)
{
	struct rlk_io *io = ios->allocator->calloc(1, sizeof *io, ios->allocator->data);

	if (io == NULL) {
		return false;
	}
	if (uv_poll_init_socket(ios->loop, &io->poll, ac->c.fd) != 0) {
		ios->allocator->free(io, ios->allocator->data);
		return false;
	}
	io->ios = ios;
	io->ac = ac;
	io->poll.data = io;
	ios->open++;
	ac->ev.data = io;
	ac->ev.addRead = add_read;
	ac->ev.delRead = del_read;
	ac->ev.addWrite = add_write;
	ac->ev.delWrite = del_write;
	ac->ev.cleanup = io_cleanup;
	return true;
}
