/* test_names.c - below the client: for which hosts a certificate is good. Names that nobody
 * resolves can be tried here, since the connection always goes to 127.0.0.1. And what no client can
 * be made to meet: a connection that breaks before the first byte of TLS. */
#include "tls_rig.h"

#include <hiredis/async.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redis/tls.h"

#define HANDSHAKE_MS 20000

static const char *words; /* Why the last one failed. */

static bool shake_hands(struct rlk_tls_peer *peer, int fd)
{
	struct pollfd ready = {.fd = fd};
	int rv;

	while ((rv = SSL_do_handshake(peer->ssl)) != 1) {
		int error = SSL_get_error(peer->ssl, rv);

		if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
			return false;
		}
		ready.events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		ck_assert_int_eq(poll(&ready, 1, HANDSHAKE_MS), 1);
	}
	return true;
}

static bool is_for(struct rlk_tls *context, const char *host)
{
	static struct rlk_tls_peer peer;
	static char why[RLK_NODE_ERROR_MAX];
	redisAsyncContext *ac = redisAsyncConnect("127.0.0.1", (int)tls.nodes[0].port);
	bool good;

	ck_assert_ptr_nonnull(ac);
	ck_assert_int_eq(ac->err, 0);
	good = rlk_tls_start(context, &peer, ac, host, why, sizeof why);
	words = why;
	if (good) {
		good = shake_hands(&peer, ac->c.fd);
		words = peer.fault;
	}
	redisAsyncFree(ac);
	return good;
}

static void expect(const char *cert, const char *const *good, const char *const *bad)
{
	struct rlk_tls context = {0};
	char why[256];

	tls_open(1, cert, NULL);
	ck_assert_int_eq(rlk_tls_open(&context, &tls.options, why, sizeof why), 0);
	for (; *good; good++) {
		ck_assert_msg(is_for(&context, *good), "%s: %s", *good, words);
	}
	for (; *bad; bad++) {
		ck_assert_msg(!is_for(&context, *bad), "%s passes", *bad);
		ck_assert_str_ne(words, "");
	}
	rlk_tls_close(&context);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(names_and_wildcards)
{
	expect("other", LIST("redis.example", "Redis.Example", "redis.example.", "a.redis.example"),
	       LIST("example", "a.b.redis.example", "redis.example.com", "xredis.example",
		    ".redis.example", ".example", ".", "", "*", "localhost", "127.0.0.1", "::1"));
}
END_TEST

START_TEST(addresses)
{
	expect("server",
	       LIST("127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "::1%lo", "127.0.0.1.", "localhost",
		    "LOCALHOST"),
	       LIST("127.0.0.2", "::2", "::ffff:127.0.0.1", "127.1", "2130706433", "server"));
}
END_TEST

START_TEST(an_address_alone)
{
	expect("address", LIST("127.0.0.1", "address"), LIST("::1", "localhost"));
}
END_TEST

START_TEST(a_common_name_alone)
{
	expect("common", LIST("localhost"), LIST("127.0.0.1", "common"));
}
END_TEST

/* ---- A broken connection --------------------------------------------------------------------- */

static int listen_anywhere(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void wait_for(int fd, short events)
{
	struct pollfd ready = {.fd = fd, .events = events};

	ck_assert_int_eq(poll(&ready, 1, HANDSHAKE_MS), 1);
}

/* The peer hangs up, and answers what comes then with a reset: the next write is EPIPE. */
static redisAsyncContext *connect_and_break(void)
{
	unsigned port;
	int listener = listen_anywhere(&port), accepted;
	redisAsyncContext *ac = redisAsyncConnect("127.0.0.1", (int)port);

	ck_assert_ptr_nonnull(ac);
	accepted = accept(listener, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	(void)close(accepted);
	(void)close(listener);
	wait_for(ac->c.fd, POLLIN);
	ck_assert_int_eq(send(ac->c.fd, "x", 1, MSG_NOSIGNAL), 1);
	wait_for(ac->c.fd, 0);
	return ac;
}

START_TEST(a_connection_that_breaks_first_raises_no_signal)
{
	struct rlk_tls context = {0};
	struct rlk_tls_peer peer;
	redisAsyncContext *ac = connect_and_break();
	sigset_t before, after, pending;
	char why[256] = "";

	tls_open(0, "server", NULL);
	ck_assert_int_eq(rlk_tls_open(&context, &tls.options, why, sizeof why), 0);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &before), 0);
	ck_assert(!rlk_tls_start(&context, &peer, ac, "localhost", why, sizeof why));
	ck_assert_str_eq(why, "TLS: Broken pipe");
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &after), 0);
	ck_assert_int_eq(sigpending(&pending), 0);
	ck_assert_int_eq(sigismember(&after, SIGPIPE), sigismember(&before, SIGPIPE));
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	redisAsyncFree(ac);
	rlk_tls_close(&context);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls names");
	TCase *names = tls_case(suite, "names");
	TCase *broken = tls_case(suite, "broken");

	tcase_add_test(names, names_and_wildcards);
	tcase_add_test(names, addresses);
	tcase_add_test(names, an_address_alone);
	tcase_add_test(names, a_common_name_alone);
	tcase_add_test(broken, a_connection_that_breaks_first_raises_no_signal);
	return tls_run(suite);
}
