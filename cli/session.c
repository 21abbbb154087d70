/* session.c - one loop and one client: what every verb that asks the nodes has. */
#include "session.h"

#include "codes.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_trace(struct redlock_client *client, const char *line, void *data)
{
	(void)client;
	(void)data;
	fprintf(stderr, "redlock: trace: %s\n", line);
}

static void choose_options(struct redlock_options *options, const struct args *args)
{
	redlock_options_init(options);
	options->ttl_ms = args->ttl_ms;
	options->max_ttl_ms = args->max_ttl_ms;
	options->node_timeout_ms = args->node_timeout_ms;
	options->client_name = "redlock";
	options->tls_ca_file = args->tls_ca;
	options->tls_cert_file = args->tls_cert;
	options->tls_key_file = args->tls_key;
	if (args->no_restart_guard) {
		options->guard = REDLOCK_GUARD_OFF;
	}
	if (args->key_format != NULL) {
		options->key_format = args->key_format;
	}
	if (out_verbose(2)) {
		options->trace = on_trace;
	}
}

/* The library names its own fields; people know them as options. */
static void say_refusal(const struct args *args, const char *text)
{
	static const struct {
		const char *field;
		const char *option;
	} names[] = {
		{"ttl_ms:", "--ttl:"},
		{"max_ttl_ms:", "--max-ttl:"},
		{"node_timeout_ms:", "--node-timeout:"},
		{"key_format:", "--key-format:"},
		{"tls_ca_file:", "--tls-ca:"},
		{"tls_cert_file:", "--tls-cert:"},
		{"tls_key_file:", "--tls-key:"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t length = strlen(names[i].field);
		if (strncmp(text, names[i].field, length) == 0) {
			out_usage(args->verb->name, "%s%s", names[i].option, text + length);
			return;
		}
	}
	out_usage(args->verb->name, "%s", text);
}

static int open_client(struct session *session, const struct args *args)
{
	struct redlock_options options;
	struct redlock_error error = {0};
	choose_options(&options, args);
	int status = redlock_client_new(&session->client, &session->loop,
					(const char *const *)args->nodes.urls, args->nodes.count,
					&options, &error);
	if (status == 0) {
		return 0;
	}
	const char *text = error.text[0] != '\0' ? error.text : redlock_strerror(status);
	if (status == REDLOCK_EINVAL || status == REDLOCK_EUNSUPPORTED) {
		say_refusal(args, text);
		return CODE_USAGE;
	}
	out_note(NULL, "%s", text);
	return CODE_SYSTEM;
}

int session_open(struct session *session, const struct args *args)
{
	*session = (struct session){0};
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	int error = uv_loop_init(&session->loop);
	if (error != 0) {
		out_note(NULL, "no event loop: %s", uv_strerror(error));
		return CODE_SYSTEM;
	}
	int code = open_client(session, args);
	if (code != 0) {
		/* A client that failed half-way may have handles that are still closing. */
		uv_run(&session->loop, UV_RUN_DEFAULT);
		uv_loop_close(&session->loop);
	}
	return code;
}

void session_run(struct session *session, const bool *done)
{
	while (!*done) {
		uv_run(&session->loop, UV_RUN_ONCE);
	}
}

static void on_closed(struct redlock_client *client, int status, const void *unused, void *data)
{
	struct session *session = data;
	(void)client;
	(void)status;
	(void)unused;
	session->closed = true;
}

void session_close(struct session *session)
{
	if (redlock_client_close(session->client, on_closed, session) == 0) {
		session_run(session, &session->closed);
	}
	uv_run(&session->loop, UV_RUN_DEFAULT);
	uv_loop_close(&session->loop);
}

void session_keep(int code)
{
	fflush(NULL);
	_exit(code);
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static struct redlock_resource resource(const char *name)
{
	return (struct redlock_resource){name, strlen(name)};
}

/* NAME, and those to be locked with it. Returns how many. */
static size_t list_names(const struct args *args, struct redlock_resource *list)
{
	size_t count = 0;
	list[count++] = resource(args->operands[0]);
	for (unsigned i = 0; i < args->also_count; i++) {
		list[count++] = resource(args->also[i]);
	}
	return count;
}

static const char *find_bad(const struct redlock_resource *list, size_t at)
{
	const char *name = list[at].bytes;
	if (list[at].len > 65536) {
		return "longer than 64 KiB";
	}
	if (ends_in(name, ":fence") || ends_in(name, ":line:on") || ends_in(name, ":readers")) {
		return "may not end in :fence, :line:on or :readers";
	}
	for (size_t i = 0; i < at; i++) {
		if (strcmp(list[i].bytes, name) == 0) {
			return "the same name twice";
		}
	}
	return NULL;
}

static int say_bad(const struct args *args, const struct redlock_resource *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *bad = find_bad(list, i);
		if (bad != NULL) {
			return out_usage(args->verb->name, "%s: %s", i == 0 ? "NAME" : "--also",
					 bad);
		}
	}
	return out_usage(args->verb->name, "--ttl: %u ms leaves no validity", args->ttl_ms);
}

int session_lock(struct session *session, const struct args *args,
		 struct redlock_lock_options *options, struct redlock_lock **lock)
{
	const char *name = args->operands[0];
	struct redlock_resource list[REDLOCK_RESOURCES_MAX];
	size_t count = list_names(args, list);
	int status = redlock_lock_new_all(lock, session->client, list, count, options);
	if (status == REDLOCK_EINVAL) {
		return say_bad(args, list, count);
	}
	if (status != 0) {
		out_note(name, "%s", redlock_strerror(status));
		return CODE_SYSTEM;
	}
	return 0;
}
