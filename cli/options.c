/* options.c - every option: its names, where it belongs, how it is stored. */
#include "options.h"

#include "values.h"

#include <redlock/semaphore.h>
#include <string.h>

static const char *store_json(struct args *args, char *value)
{
	(void)value;
	args->manner.json = true;
	return NULL;
}

static const char *store_verbose(struct args *args, char *value)
{
	(void)value;
	args->manner.verbose++;
	return NULL;
}

static const char *store_quiet(struct args *args, char *value)
{
	(void)value;
	args->manner.quiet = true;
	return NULL;
}

static const char *store_help(struct args *args, char *value)
{
	(void)value;
	args->help = true;
	return NULL;
}

static const char *store_version(struct args *args, char *value)
{
	(void)value;
	args->version = true;
	return NULL;
}

static const char *store_node(struct args *args, char *value)
{
	size_t before = args->nodes.count;
	const char *wrong = nodes_add(&args->nodes, value);
	nodes_blot(value);
	return wrong == NULL && args->nodes.count == before ? "expected a URL" : wrong;
}

static const char *store_nodes_file(struct args *args, char *value)
{
	args->nodes_file = value;
	return NULL;
}

static const char *store_key_format(struct args *args, char *value)
{
	args->key_format = value;
	return NULL;
}

static const char *store_tls_ca(struct args *args, char *value)
{
	args->tls_ca = value;
	return NULL;
}

static const char *store_tls_cert(struct args *args, char *value)
{
	args->tls_cert = value;
	return NULL;
}

static const char *store_tls_key(struct args *args, char *value)
{
	args->tls_key = value;
	return NULL;
}

/* A duration that is not 0 and fits the library's 32 bits. */
static const char *store_ms(uint32_t *ms, const char *value)
{
	uint64_t wide = 0;
	const char *wrong = value_duration(value, UINT32_MAX, &wide);
	if (wrong == NULL && wide == 0) {
		return "must be more than 0";
	}
	*ms = (uint32_t)wide;
	return wrong;
}

static const char *store_node_timeout(struct args *args, char *value)
{
	return store_ms(&args->node_timeout_ms, value);
}

static const char *store_max_ttl(struct args *args, char *value)
{
	return store_ms(&args->max_ttl_ms, value);
}

static const char *store_ttl(struct args *args, char *value)
{
	return store_ms(&args->ttl_ms, value);
}

static const char *store_no_restart_guard(struct args *args, char *value)
{
	(void)value;
	args->no_restart_guard = true;
	return NULL;
}

static const char *store_no_wait(struct args *args, char *value)
{
	(void)value;
	args->no_wait = true;
	return NULL;
}

static const char *store_wait(struct args *args, char *value)
{
	args->wait_set = true;
	return value_duration(value, VALUE_DURATION_MAX_MS, &args->wait_ms);
}

static const char *store_held_code(struct args *args, char *value)
{
	uint64_t code = 0;
	if (value_number(value, 255, &code) != NULL) {
		return "expected an exit code from 0 to 255";
	}
	args->held_code = (int)code;
	return NULL;
}

static const char *store_min_hold(struct args *args, char *value)
{
	return value_duration(value, VALUE_DURATION_MAX_MS, &args->min_hold_ms);
}

static const char *store_kill_after(struct args *args, char *value)
{
	uint64_t ms = 0;
	const char *wrong = value_duration(value, UINT32_MAX, &ms);
	args->kill_after_set = true;
	args->kill_after_ms = (uint32_t)ms;
	return wrong;
}

static const char *store_fence(struct args *args, char *value)
{
	(void)value;
	args->fence = true;
	return NULL;
}

static const char *store_permits(struct args *args, char *value)
{
	uint64_t count = 0;
	if (value_number(value, REDLOCK_PERMITS_MAX, &count) != NULL || count == 0) {
		return "expected a number from 1 to 64";
	}
	args->permits = (unsigned)count;
	return NULL;
}

static const char *store_also(struct args *args, char *value)
{
	if (*value == '\0') {
		return "must not be empty";
	}
	if (args->also_count == REDLOCK_RESOURCES_MAX - 1) {
		return "too many of them, 15 at most";
	}
	args->also[args->also_count++] = value;
	return NULL;
}

static const char *store_shared(struct args *args, char *value)
{
	(void)value;
	args->shared = true;
	return NULL;
}

static const char *store_shell_command(struct args *args, char *value)
{
	args->shell_command = value;
	return NULL;
}

static const char *store_stats(struct args *args, char *value)
{
	args->stats = value;
	return *value == '\0' ? "expected a file" : NULL;
}

static const char *store_watch(struct args *args, char *value)
{
	(void)value;
	args->watch = true;
	return NULL;
}

static const char *store_cluster_nodes(struct args *args, char *value)
{
	uint64_t count = 0;
	if (value_number(value, REDLOCK_NODES_MAX, &count) != NULL || count == 0) {
		return "expected a number from 1 to 32";
	}
	args->cluster_nodes = (unsigned)count;
	return NULL;
}

static const char *store_cluster_port(struct args *args, char *value)
{
	uint64_t port = 0;
	if (value_number(value, 65535, &port) != NULL || port == 0) {
		return "expected a port from 1 to 65535";
	}
	args->cluster_port = (unsigned)port;
	return NULL;
}

static const char *store_cluster_dir(struct args *args, char *value)
{
	args->cluster_dir = value;
	return *value == '\0' ? "expected a directory" : NULL;
}

static const char *store_cluster_server(struct args *args, char *value)
{
	args->cluster_server = value;
	return *value == '\0' ? "expected a program" : NULL;
}

static const struct option options[] = {
	{"json", 0, false, OPTIONS_OUTPUT, store_json},
	{"verbose", 'v', false, OPTIONS_OUTPUT, store_verbose},
	{"quiet", 'q', false, OPTIONS_OUTPUT, store_quiet},
	{"help", 'h', false, OPTIONS_OUTPUT, store_help},
	{"version", 'V', false, OPTIONS_OUTPUT, store_version},
	{"node", 0, true, OPTIONS_NODES, store_node},
	{"nodes-file", 0, true, OPTIONS_NODES, store_nodes_file},
	{"key-format", 0, true, OPTIONS_NODES, store_key_format},
	{"tls-ca", 0, true, OPTIONS_NODES, store_tls_ca},
	{"tls-cert", 0, true, OPTIONS_NODES, store_tls_cert},
	{"tls-key", 0, true, OPTIONS_NODES, store_tls_key},
	{"node-timeout", 0, true, OPTIONS_NODES, store_node_timeout},
	{"max-ttl", 0, true, OPTIONS_NODES, store_max_ttl},
	{"no-restart-guard", 0, false, OPTIONS_NODES, store_no_restart_guard},
	{"ttl", 0, true, OPTIONS_TTL, store_ttl},
	{"no-wait", 'n', false, OPTIONS_WAIT, store_no_wait},
	{"wait", 'w', true, OPTIONS_WAIT, store_wait},
	{"conflict-exit-code", 'E', true, OPTIONS_RUN, store_held_code},
	{"min-hold", 0, true, OPTIONS_RUN, store_min_hold},
	{"kill-after", 0, true, OPTIONS_RUN, store_kill_after},
	{"fence", 0, false, OPTIONS_RUN, store_fence},
	{"permits", 0, true, OPTIONS_RUN, store_permits},
	{"also", 0, true, OPTIONS_RUN, store_also},
	{"shared", 0, false, OPTIONS_RUN, store_shared},
	{"command", 'c', true, OPTIONS_RUN, store_shell_command},
	{"stats", 0, true, OPTIONS_RUN, store_stats},
	{"watch", 0, false, OPTIONS_STATUS, store_watch},
	{"nodes", 0, true, OPTIONS_CLUSTER, store_cluster_nodes},
	{"port", 0, true, OPTIONS_CLUSTER, store_cluster_port},
	{"dir", 0, true, OPTIONS_CLUSTER, store_cluster_dir},
	{"server", 0, true, OPTIONS_CLUSTER, store_cluster_server},
};

const struct option *option_by_name(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const char *own = options[i].name;
		if (strlen(own) == length && memcmp(own, name, length) == 0) {
			return &options[i];
		}
	}
	return NULL;
}

const struct option *option_by_letter(char letter)
{
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (letter != '\0' && options[i].letter == letter) {
			return &options[i];
		}
	}
	return NULL;
}
