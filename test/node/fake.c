/* fake.c - connections of the fake server: bytes in, and what the cue makes of the reply, out. */
#define _GNU_SOURCE
#include "fake.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_parts.h"

#define LINKS_MAX 64

struct link {
	struct fake *fake;
	uv_tcp_t tcp;
	uv_idle_t turns; /* Of sending what is left; byte by byte, perhaps. */
	struct fake_text in, held, out;
	bool mute, closing, subscribed;
	unsigned open; /* Handles. */
};

struct fake {
	uv_loop_t *loop;
	uv_tcp_t tcp;
	bool closing;
	unsigned port, open; /* Handles and links. */
	const struct fake_cue *cue;
	unsigned played, heard[AT_KINDS];
	struct fake_mind mind;
	struct link *links[LINKS_MAX];
};

/* ---- Ends ------------------------------------------------------------------------------------ */

static void on_link_closed(uv_handle_t *handle)
{
	struct link *link = handle->data;
	struct fake *fake = link->fake;

	if (--link->open > 0) {
		return;
	}
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (fake->links[i] == link) {
			fake->links[i] = NULL;
		}
	}
	fake_text_free(&link->in);
	fake_text_free(&link->held);
	fake_text_free(&link->out);
	free(link);
	fake->open--;
}

static void end_link(struct link *link, bool reset)
{
	if (link->closing) {
		return;
	}
	link->closing = true;
	uv_close((uv_handle_t *)&link->turns, on_link_closed);
	if (!reset || uv_tcp_close_reset(&link->tcp, on_link_closed) != 0) {
		uv_close((uv_handle_t *)&link->tcp, on_link_closed);
	}
}

static void on_server_closed(uv_handle_t *handle)
{
	((struct fake *)handle->data)->open--;
}

void fake_free(struct fake *fake)
{
	if (!fake) {
		return;
	}
	fake->closing = true;
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (fake->links[i]) {
			end_link(fake->links[i], false);
		}
	}
	uv_close((uv_handle_t *)&fake->tcp, on_server_closed);
	while (fake->open > 0) {
		(void)uv_run(fake->loop, UV_RUN_ONCE);
	}
	free(fake);
}

/* ---- Sending --------------------------------------------------------------------------------- */

/* Not by libuv: it would raise SIGPIPE, and the library has to do without anybody ignoring that. */
static void send_some(struct link *link, size_t most)
{
	size_t len = link->out.len < most ? link->out.len : most;
	uv_os_fd_t fd = -1;
	ssize_t sent;

	ck_assert_int_eq(uv_fileno((uv_handle_t *)&link->tcp, &fd), 0);
	sent = send(fd, link->out.bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent >= 0) {
		fake_text_cut(&link->out, (size_t)sent);
	} else if (errno != EAGAIN && errno != EINTR) {
		fake_text_cut(&link->out, link->out.len); /* The client has hung up. */
	}
}

static void on_turn(uv_idle_t *idle)
{
	struct link *link = idle->data;
	bool drops = link->fake->cue && link->fake->cue->drop_by_drop;

	send_some(link, drops ? 1 : link->out.len);
	if (link->out.len == 0) {
		(void)uv_idle_stop(idle);
	}
}

static void put(struct link *link, const char *bytes, size_t len)
{
	bool drops = link->fake->cue && link->fake->cue->drop_by_drop;

	if (link->closing || len == 0) {
		return;
	}
	fake_text_add(&link->out, bytes, len);
	if (!drops) {
		send_some(link, link->out.len);
	}
	if (link->out.len > 0) {
		(void)uv_idle_start(&link->turns, on_turn);
	}
}

static void put_bytes(struct link *link, const struct fake_bytes *bytes)
{
	struct fake_text text = {0};

	if (bytes->head) {
		fake_text_add(&text, bytes->head,
			      bytes->head_len ? bytes->head_len : strlen(bytes->head));
	}
	for (size_t i = 0; i < bytes->times; i++) {
		fake_text_add(&text, bytes->unit, strlen(bytes->unit));
	}
	if (bytes->tail) {
		fake_text_add(&text, bytes->tail, strlen(bytes->tail));
	}
	put(link, text.bytes, text.len);
	fake_text_free(&text);
}

/* ---- Answering ------------------------------------------------------------------------------- */

static void put_honest(struct link *link, const struct fake_text *honest)
{
	put(link, honest->bytes, honest->len);
	if (link->held.len > 0) {
		put(link, link->held.bytes, link->held.len);
		fake_text_free(&link->held);
	}
}

static void put_cued(struct link *link, const struct fake_cue *cue, const struct fake_call *call,
		     const struct fake_text *honest)
{
	struct fake_text text = {0};

	switch (cue->manner) {
	case INSTEAD:
		put_bytes(link, &cue->say);
		break;
	case BEFORE:
		put_bytes(link, &cue->say);
		put(link, honest->bytes, honest->len);
		break;
	case AFTER:
		put(link, honest->bytes, honest->len);
		put_bytes(link, &cue->say);
		break;
	case TWICE:
		fake_text_add(&text, honest->bytes, honest->len);
		fake_text_add(&text, honest->bytes, honest->len);
		put(link, text.bytes, text.len);
		break;
	case SWAPPED:
		fake_text_add(&link->held, honest->bytes, honest->len);
		break;
	case PARROT:
		fake_echo(call, &text);
		put(link, text.bytes, text.len);
		break;
	}
	fake_text_free(&text);
}

static void then(struct link *link, enum fake_then what)
{
	switch (what) {
	case GO_ON:
		break;
	case HANG:
		link->mute = true;
		break;
	case DEAF:
		link->mute = true;
		(void)uv_read_stop((uv_stream_t *)&link->tcp);
		break;
	case HANG_UP:
		end_link(link, false);
		break;
	case BREAK_OFF:
		end_link(link, true);
		break;
	}
}

static bool is_cued(struct fake *fake, enum fake_at at)
{
	const struct fake_cue *cue = fake->cue;

	if (!cue || (cue->at != at && cue->also_at != at) ||
	    (cue->times > 0 && fake->played >= cue->times)) {
		return false;
	}
	fake->played++;
	return true;
}

static void answer(struct link *link, const struct fake_call *call)
{
	struct fake *fake = link->fake;
	enum fake_at at = fake_what(call);
	const struct fake_cue *cue = fake->cue;
	struct fake_text honest = {0};
	bool cued;

	fake->heard[at]++;
	link->subscribed |= at == AT_SUBSCRIBE;
	fake_note_token(&fake->mind, call, at);
	if (link->mute) {
		return;
	}
	cued = is_cued(fake, at);
	if (!cued || cue->manner != INSTEAD || cue->does_it) {
		fake_obey(&fake->mind, call, at, &honest);
	}
	if (cued) {
		put_cued(link, cue, call, &honest);
		then(link, cue->then);
	} else {
		put_honest(link, &honest);
	}
	fake_text_free(&honest);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	buf->base = malloc(suggested);
	buf->len = buf->base ? suggested : 0;
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct link *link = stream->data;
	struct fake_call call;
	size_t len;

	if (count > 0) {
		fake_text_add(&link->in, buf->base, (size_t)count);
	}
	free(buf->base);
	if (count < 0) {
		end_link(link, false);
	}
	while (!link->closing && (len = fake_parse(link->in.bytes, link->in.len, &call)) > 0) {
		answer(link, &call);
		fake_text_cut(&link->in, len);
	}
}

/* ---- Beginnings ------------------------------------------------------------------------------ */

static void on_connection(uv_stream_t *stream, int status)
{
	struct fake *fake = stream->data;
	struct link *link = calloc(1, sizeof *link);
	size_t i = 0;

	ck_assert_int_eq(status, 0);
	ck_assert_ptr_nonnull(link);
	while (i < LINKS_MAX && fake->links[i]) {
		i++;
	}
	ck_assert_msg(i < LINKS_MAX, "the client keeps too many connections");
	fake->links[i] = link;
	fake->open++;
	link->fake = fake;
	link->open = 2;
	ck_assert_int_eq(uv_tcp_init(fake->loop, &link->tcp), 0);
	ck_assert_int_eq(uv_idle_init(fake->loop, &link->turns), 0);
	link->tcp.data = link->turns.data = link;
	ck_assert_int_eq(uv_accept(stream, (uv_stream_t *)&link->tcp), 0);
	(void)uv_tcp_nodelay(&link->tcp, 1);
	if (uv_read_start((uv_stream_t *)&link->tcp, on_room, on_read) != 0) {
		end_link(link, false);
	}
	fake->heard[AT_ACCEPT]++;
	if (is_cued(fake, AT_ACCEPT)) {
		put_bytes(link, &fake->cue->say);
		then(link, fake->cue->then);
	}
}

struct fake *fake_new(uv_loop_t *loop, const struct fake_cue *cue)
{
	struct fake *fake = calloc(1, sizeof *fake);
	struct sockaddr_in address = {.sin_family = AF_INET};
	int len = sizeof address;

	ck_assert_ptr_nonnull(fake);
	fake->loop = loop;
	fake->cue = cue;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(uv_tcp_init(loop, &fake->tcp), 0);
	fake->tcp.data = fake;
	fake->open = 1;
	ck_assert_int_eq(uv_tcp_bind(&fake->tcp, (struct sockaddr *)&address, 0), 0);
	ck_assert_int_eq(uv_listen((uv_stream_t *)&fake->tcp, 16, on_connection), 0);
	ck_assert_int_eq(uv_tcp_getsockname(&fake->tcp, (struct sockaddr *)&address, &len), 0);
	fake->port = ntohs(address.sin_port);
	(void)snprintf(fake->mind.run_id, sizeof fake->mind.run_id, "%040u", fake->port);
	fake_be_born(&fake->mind);
	return fake;
}

unsigned fake_port(const struct fake *fake)
{
	return fake->port;
}

void fake_cue(struct fake *fake, const struct fake_cue *cue)
{
	fake->cue = cue;
	fake->played = 0;
}

static void say(struct fake *fake, bool to_all, const struct fake_bytes *bytes)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (fake->links[i] && (to_all || fake->links[i]->subscribed)) {
			put_bytes(fake->links[i], bytes);
		}
	}
}

void fake_say(struct fake *fake, const struct fake_bytes *bytes)
{
	say(fake, true, bytes);
}

void fake_publish(struct fake *fake, const struct fake_bytes *bytes)
{
	say(fake, false, bytes);
}

void fake_set_clock(struct fake *fake, long long ahead_us)
{
	fake->mind.ahead_us = ahead_us;
}

void fake_set_run_id(struct fake *fake, const char *run_id)
{
	(void)snprintf(fake->mind.run_id, sizeof fake->mind.run_id, "%s", run_id);
}

unsigned fake_heard(const struct fake *fake, enum fake_at at)
{
	return fake->heard[at];
}

size_t fake_keys(const struct fake *fake)
{
	size_t count = 0;

	for (size_t i = 0; i < FAKE_KEYS_MAX; i++) {
		count += fake->mind.keys[i].name[0] != '\0';
	}
	return count;
}

const char *fake_token(const struct fake *fake)
{
	return fake->mind.last_token;
}
