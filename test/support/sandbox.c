/* sandbox.c - the directory and the ports of one test run. */
#define _GNU_SOURCE /* nftw, pipe2 */
#include "sandbox.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Below the range from which the kernel serves outgoing connections: a killed server's port must
 * not be taken by one of those before the server is back. */
#define PORT_FIRST 24000
#define PORT_COUNT 1000

static char root[64];
static int guardian_pipe = -1;
static pid_t guardian;

/* ---- The directory of all servers ------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
	(void)info;
	(void)flag;
	(void)walk;
	(void)remove(path);
	return 0;
}

void sandbox_remove(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Wait until every process of the run is gone, then clean up: a read ends only when the last copy
 * of the pipe's other end is closed. Its own session keeps it out of a signal to the group. */
static void guard(int fd)
{
	char byte;
	ssize_t got;

	(void)setsid();
	(void)signal(SIGTERM, SIG_IGN);
	do {
		got = read(fd, &byte, 1);
	} while (got > 0 || (got < 0 && errno == EINTR));
	sandbox_remove(root);
	_exit(0);
}

static void begin(void)
{
	int ends[2];

	(void)snprintf(root, sizeof root, "/tmp/rl-live-XXXXXX");
	if (!mkdtemp(root) || pipe2(ends, O_CLOEXEC)) {
		perror(root);
		exit(1);
	}
	guardian = fork();
	if (guardian == 0) {
		(void)close(ends[1]);
		guard(ends[0]);
	}
	(void)close(ends[0]);
	guardian_pipe = ends[1];
}

static void end(void)
{
	(void)close(guardian_pipe);
	guardian_pipe = -1;
	(void)waitpid(guardian, NULL, 0);
}

const char *sandbox_root(void)
{
	ck_assert_msg(root[0], "outside of sandbox_run()");
	return root;
}

/* ---- Ports ----------------------------------------------------------------------------------- */

static bool port_is_free(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free;

	ck_assert_int_ge(fd, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	is_free = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	(void)close(fd);
	return is_free;
}

unsigned sandbox_port(void)
{
	static unsigned next;

	if (next == 0) {
		next = (unsigned)getpid() * 17 % PORT_COUNT;
	}
	for (unsigned i = 0; i < PORT_COUNT; i++) {
		next = (next + 1) % PORT_COUNT;
		if (port_is_free(PORT_FIRST + next)) {
			return PORT_FIRST + next;
		}
	}
	ck_abort_msg("no free port");
	return 0;
}

int sandbox_run(Suite *suite)
{
	SRunner *runner;
	int failed;

	begin();
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	end();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
