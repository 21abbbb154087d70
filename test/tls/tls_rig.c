/* tls_rig.c - servers with TLS, a loop and a client for one test. */
#include "tls_rig.h"

#include "sandbox.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_FIRST 28000
#define PORT_COUNT 1000
#define CASE_SECONDS 60
/* Leases outlive the deadline of a wait; a busy machine is no silent node. */
#define LONG_TTL_MS 60000
#define PATIENT_MS 5000
#define NAME "orders:17"

struct tls_rig tls;

/* ---- Certificates ---------------------------------------------------------------------------- */

const char *tls_file(const char *name)
{
	static char paths[8][160];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof paths[0], "%s/certs/%s", sandbox_root(), name);
	return path;
}

/* Once for all cases of a run. */
static void make_certs(void)
{
	static bool made;
	char command[512];

	(void)snprintf(command, sizeof command, "'%s' '%s/certs'", MAKE_CERTS, sandbox_root());
	ck_assert_msg(made || system(command) == 0, "no certificates: %s failed", MAKE_CERTS);
	made = true;
}

/* ---- Servers --------------------------------------------------------------------------------- */

static bool is_free(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool free;

	ck_assert_int_ge(fd, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	(void)close(fd);
	return free;
}

static unsigned free_port(void)
{
	static unsigned next;

	next = next ? next : (unsigned)getpid() * 17;
	for (unsigned i = 0; i < PORT_COUNT; i++) {
		unsigned port = PORT_FIRST + ++next % PORT_COUNT;

		if (is_free(port)) {
			return port;
		}
	}
	ck_abort_msg("no free port");
	return 0;
}

static void start(struct tls_node *node, const char *cert, const char *more)
{
	struct server_options options = {.acl = node->config};

	node->port = free_port();
	(void)snprintf(node->config, sizeof node->config,
		       "tls-port %u\ntls-cert-file %s/certs/%s.crt\ntls-key-file %s/certs/%s.key\n"
		       "tls-ca-cert-file %s/certs/ca.crt\ntls-auth-clients no\n%s",
		       node->port, sandbox_root(), cert, sandbox_root(), cert, sandbox_root(),
		       more ? more : "");
	servers_start(&node->servers, 1, &options);
}

void tls_open(size_t count, const char *cert, const char *more)
{
	memset(&tls, 0, sizeof tls);
	for (size_t i = 0; i < count; i++) {
		start(&tls.nodes[i], cert, more);
	}
	tls.count = count;
	ck_assert_int_eq(uv_loop_init(&tls.loop), 0);
	redlock_options_init(&tls.options);
	tls.options.guard = REDLOCK_GUARD_OFF;
	tls.options.ttl_ms = LONG_TTL_MS;
	tls.options.node_timeout_ms = PATIENT_MS;
	tls.options.connect_timeout_ms = PATIENT_MS;
	tls.options.tls_ca_file = tls_file("ca.crt");
	tls_use_host("localhost");
}

static bool is_clean(void *server)
{
	return server_leftovers(server) == 0;
}

void tls_close(void)
{
	if (tls.client) {
		close_sync(&tls.loop, tls.client);
	}
	for (size_t i = 0; i < tls.count; i++) {
		struct server *server = &tls.nodes[i].servers.at[0];

		if (server->pid && !server->stopped) {
			loop_until(&tls.loop, is_clean, server, "no key is left behind");
		}
		servers_finish(&tls.nodes[i].servers);
	}
	loop_finish(&tls.loop);
}

/* ---- Clients --------------------------------------------------------------------------------- */

void tls_use_host(const char *host)
{
	for (size_t i = 0; i < tls.count; i++) {
		(void)snprintf(tls.nodes[i].url, sizeof tls.nodes[i].url, "rediss://%s:%u", host,
			       tls.nodes[i].port);
	}
}

int tls_try_client(struct redlock_error *error)
{
	const char *urls[TLS_NODES_MAX];

	for (size_t i = 0; i < tls.count; i++) {
		urls[i] = tls.nodes[i].url;
	}
	return redlock_client_new(&tls.client, &tls.loop, urls, tls.count, &tls.options, error);
}

void tls_open_client(void)
{
	struct redlock_error error = {0};
	int rv = tls_try_client(&error);

	ck_assert_msg(rv == REDLOCK_OK, "%s: %s", redlock_status_name(rv), error.text);
}

struct look {
	bool done, down;
	size_t up;
	char error[256];
};

static void on_inspected(struct redlock_client *client, int status,
			 const struct redlock_inspection *inspection, void *data)
{
	struct look *look = data;

	(void)client;
	ck_assert_int_eq(status, REDLOCK_OK);
	for (size_t i = 0; i < inspection->node_count; i++) {
		look->up += inspection->nodes[i].state == REDLOCK_NODE_UP;
	}
	look->down = inspection->nodes[0].state == REDLOCK_NODE_DOWN;
	(void)snprintf(look->error, sizeof look->error, "%s", inspection->nodes[0].error);
	look->done = true;
}

static void take_a_look(struct look *look)
{
	memset(look, 0, sizeof *look);
	ck_assert_int_eq(redlock_inspect(tls.client, NULL, 0, on_inspected, look), REDLOCK_OK);
	loop_wait(&tls.loop, &look->done);
}

static bool enough_are_up(void *wanted)
{
	struct look look;

	take_a_look(&look);
	return look.up >= *(size_t *)wanted;
}

void tls_wait_up(size_t count)
{
	loop_until(&tls.loop, enough_are_up, &count, "the nodes are up");
}

void tls_connect(size_t count)
{
	tls_open_client();
	tls_wait_up(count);
}

static bool has_error(void *data)
{
	struct look *look = data;

	take_a_look(look);
	return look->down && look->error[0] != '\0';
}

const char *tls_node_error(void)
{
	static struct look look;

	loop_until(&tls.loop, has_error, &look, "the node says why it cannot vote");
	return look.error;
}

void tls_expect_refused(const char *words)
{
	struct redlock_lock *lock;
	const char *error;

	tls_open_client();
	error = tls_node_error();
	ck_assert_msg(strstr(error, words) != NULL, "'%s' does not say '%s'", error, words);
	lock = tls_lock(NAME, strlen(NAME));
	ck_assert_int_eq(acquire_sync(&tls.loop, lock, 0, NULL), REDLOCK_ENOQUORUM);
	redlock_lock_free(lock);
}

struct redlock_lock *tls_lock(const void *name, size_t len)
{
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(redlock_lock_new(&lock, tls.client, name, len, NULL), REDLOCK_OK);
	return lock;
}

void tls_expect_works(void)
{
	struct redlock_lock *lock = tls_lock(NAME, strlen(NAME));
	struct outcome outcome;

	ck_assert_int_eq(acquire_sync(&tls.loop, lock, 0, &outcome), REDLOCK_OK);
	ck_assert(outcome.held);
	ck_assert_int_eq(extend_sync(&tls.loop, lock, NULL), REDLOCK_OK);
	ck_assert_int_eq(release_sync(&tls.loop, lock, NULL), REDLOCK_OK);
	redlock_lock_free(lock);
}

/* ---- Run ------------------------------------------------------------------------------------- */

TCase *tls_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, CASE_SECONDS);
	tcase_add_unchecked_fixture(tcase, make_certs, NULL);
	tcase_add_checked_fixture(tcase, NULL, tls_close);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int tls_run(Suite *suite)
{
	return sandbox_run(suite);
}
