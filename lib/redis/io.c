/* io.c - our own adapter between hiredis and libuv.
 *
 * hiredis's own one loses poll errors with 0.14 (a refused connection would
 * never be heard of), lets the second write after a reset raise SIGPIPE, and
 * changes the epoll set for every write. Here:
 *   - poll errors are handled as readable and writable, so that hiredis itself
 *     finds the error on the socket;
 *   - writes are send(MSG_NOSIGNAL), once per connection and loop phase, or
 *     sooner if it is much;
 *   - replies are handed out here, even one that comes before anything was
 *     asked: hiredis would abort the program;
 *   - the handle stays readable, and writable only while the socket is full, so
 *     the steady state has no epoll_ctl.
 *
 * Under TLS, hiredis does the writing, still once per connection and loop phase.
 * Whether it waits for the socket to be writable is asked of OpenSSL: hiredis's
 * own hooks mistake that for waiting for a reply, if one was waited for before.
 *
 * Any call into hiredis may free the context; io_cleanup() then clears io->ac,
 * which is why it is looked at again after each. */
#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "inbox.h"
#include "secret.h"
#include "tls.h"

/* So much is sent before the loop's phase is over: the server is to work while we do. */
#define AT_ONCE_BYTES 8192
/* SUBSCRIBE follows a log-in in one write. */
#define SECRET_ROOM 256

struct rlk_io {
	struct rlk_ios *ios;
	struct rlk_io *next_dirty;
	redisAsyncContext *ac;
	const struct rlk_io_use *use;
	uv_poll_t poll;
	int events;
	bool dirty;
	bool secret;			/* Something in the buffer, or what was there before, is. */
	const struct rlk_tls_peer *tls; /* NULL: plain. */
	bool writing;			/* By hiredis, for TLS. */
	struct rlk_inbox inbox;
};

static void on_poll(uv_poll_t *poll, int status, int events);
static void add_write(void *data);

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

/* The whole buffer: what has been sent of it was moved out of the way, not overwritten. */
static void forget(struct rlk_io *io)
{
	redisContext *c = &io->ac->c;

	if (io->secret && c->obuf != NULL) {
		rlk_wipe(c->obuf, sdsalloc(c->obuf));
		sdsclear(c->obuf);
	}
	io->secret = false;
}

/* As much as the socket takes. Returns 0, or why it takes nothing any more. */
static int write_out(struct rlk_io *io)
{
	redisContext *c = &io->ac->c;
	ssize_t n;

	while (sdslen(c->obuf) > 0) {
		n = send(c->fd, c->obuf, sdslen(c->obuf), MSG_NOSIGNAL);
		if (n > 0) {
			rlk_inbox_sent(&io->inbox);
		}
		if (n >= 0 && (size_t)n == sdslen(c->obuf)) {
			io->secret ? forget(io) : sdsclear(c->obuf);
		} else if (n >= 0) {
			sdsrange(c->obuf, (int)n, -1);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return 0;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

static bool is_full(const struct rlk_io *io)
{
	return sdslen(io->ac->c.obuf) > 0 && rlk_tls_wants_room(io->tls);
}

/* hiredis gives its buffer back as it is, and remembers what it tried to write: what is secret
 * leaves without it. Returns whether there is nothing more to do for now. */
static bool write_secret(struct rlk_io *io)
{
	redisContext *c = &io->ac->c;
	enum rlk_tls_said said =
		RLK_TLS_SAY_NEVER; /* hiredis will find out, and end the connection. */

	if (io->secret && c->err == 0 && io->tls->ssl != NULL && sdslen(c->obuf) > 0) {
		said = rlk_tls_say(io->tls, c->obuf, sdslen(c->obuf));
	}
	if (said == RLK_TLS_SAID) {
		forget(io);
	}
	return said != RLK_TLS_SAY_NEVER;
}

static void write_tls(struct rlk_io *io)
{
	io->writing = true;
	rlk_inbox_sent(&io->inbox); /* OpenSSL may send some, and say that it sent none. */
	rlk_tls_forget_errors();
	if (!write_secret(io)) {
		redisAsyncHandleWrite(io->ac);
	}
	rlk_tls_forget_errors();
	io->writing = false;
	if (connected(io)) {
		arm(io, UV_READABLE | (is_full(io) ? UV_WRITABLE : 0));
	}
}

/* ---- Replies --------------------------------------------------------------------------------- */

/* The server does not speak the protocol: end the connection. */
static void fault(struct rlk_io *io, const char *why)
{
	redisContext *c = &io->ac->c;

	c->err = REDIS_ERR_PROTOCOL;
	snprintf(c->errstr, sizeof c->errstr, "%s", why);
	redisAsyncHandleRead(io->ac); /* Sees c->err. */
}

static void hand_out(struct rlk_io *io)
{
	struct rlk_due due;
	redisReply *reply;
	const char *why;

	while (io->ac != NULL) {
		why = rlk_inbox_next(&io->inbox, &reply, &due);
		if (why != NULL) {
			fault(io, why);
			return;
		}
		if (reply == NULL) {
			return;
		}
		due.cb(io->ac, reply, due.data); /* May end the connection. */
		rlk_slots_free(reply);
	}
}

static void read_in(struct rlk_io *io)
{
	redisContext *c = &io->ac->c;
	size_t had;

	if (io->tls != NULL && sdslen(c->obuf) > 0) {
		write_tls(io); /* It may have been waiting for something to read. */
		if (!connected(io)) {
			return;
		}
	}
	io->ios->reads++;
	rlk_tls_forget_errors();
	had = c->reader->len;
	if (redisBufferRead(c) != REDIS_OK) {
		redisAsyncHandleRead(io->ac); /* Sees c->err. */
	} else {
		rlk_inbox_came(&io->inbox, c->reader->len - had);
		hand_out(io);
	}
	rlk_tls_forget_errors();
}

bool rlk_io_command(redisAsyncContext *ac, redisCallbackFn *cb, void *data, const char *bytes,
		    size_t len)
{
	struct rlk_io *io = ac->ev.data;

	if (!rlk_inbox_reserve(&io->inbox)) {
		return false;
	}
	if (ac->c.err != 0 || redisAppendFormattedCommand(&ac->c, bytes, len) != REDIS_OK) {
		return false;
	}
	rlk_inbox_expect(&io->inbox, cb, data);
	add_write(io);
	if (io->tls == NULL && connected(io) && sdslen(ac->c.obuf) >= AT_ONCE_BYTES) {
		(void)write_out(io); /* An error comes again when the rest is sent. */
	}
	return true;
}

/* With room for what follows, so that the buffer does not move and leave a copy behind. */
bool rlk_io_secret(redisAsyncContext *ac, redisCallbackFn *cb, void *data, const char *bytes,
		   size_t len)
{
	struct rlk_io *io = ac->ev.data;
	sds buffer = sdsMakeRoomFor(ac->c.obuf, len + SECRET_ROOM);

	ac->c.obuf = buffer != NULL ? buffer : ac->c.obuf;
	io->secret = true;
	return buffer != NULL && rlk_io_command(ac, cb, data, bytes, len);
}

/* ---- Polling --------------------------------------------------------------------------------- */

static void send_all(struct rlk_io *io)
{
	redisContext *c = &io->ac->c;
	int error;

	if (io->tls != NULL) {
		write_tls(io);
		return;
	}
	error = c->err == 0 ? write_out(io) : 0;
	if (error != 0) {
		c->err = REDIS_ERR_IO;
		snprintf(c->errstr, sizeof c->errstr, "%s", strerror(error));
	}
	if (c->err != 0) {
		redisAsyncHandleRead(io->ac); /* Sees c->err, and ends the connection. */
		return;
	}
	arm(io, UV_READABLE | (sdslen(c->obuf) > 0 ? UV_WRITABLE : 0));
}

/* The end of connecting. hiredis must not read here: it would hand out itself what a server says
 * unasked. Nor may the connect callback queue anything: it would leave by write(), and raise
 * SIGPIPE if the server has gone already. */
static void become_connected(struct rlk_io *io, int events)
{
	if (io->tls == NULL) {
		redisAsyncHandleWrite(io->ac);
	} else if ((events & UV_WRITABLE) != 0) {
		write_tls(io);
	}
	/* Is there anything to read already? (TLS begins now: before it, that is nobody's.) */
	if (connected(io) && io->tls == NULL) {
		read_in(io);
	}
	if (connected(io)) {
		io->use->ready(io->ac);
	}
	if (connected(io)) {
		send_all(io);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct rlk_io *io = poll->data;

	if (status < 0) {
		io->events = 0; /* libuv has stopped the handle. */
		events = UV_READABLE | UV_WRITABLE;
	}
	if (io->ac != NULL && !connected(io)) {
		become_connected(io, events);
		return;
	}
	if (io->ac != NULL && (events & UV_READABLE) != 0) {
		read_in(io);
	}
	if (io->ac != NULL && (events & UV_WRITABLE) != 0) {
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

	if (io->ac == NULL || io->dirty || io->writing || (io->events & UV_WRITABLE) != 0) {
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

	rlk_inbox_close(&io->inbox);
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
	forget(io);
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

bool rlk_io_attach(struct rlk_ios *ios, redisAsyncContext *ac, const struct rlk_io_use *use,
		   const struct rlk_tls_peer *tls)
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
	io->use = use;
	io->tls = tls;
	rlk_inbox_open(&io->inbox, ios->allocator, ac->c.reader);
	io->inbox.unasked = use->unasked;
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
