/* stage.c - five servers of `redlock cluster` for the tests of one program. */
#include "stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_FIRST 21000
#define PORT_COUNT 990

static char dir[64];
static unsigned first_port;
static bool frozen[STAGE_NODES];
static int end_pipe[2];

const char *stage_path(const char *format, ...)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];
	int used = snprintf(path, sizeof paths[0], "%s/", dir);
	va_list values;
	va_start(values, format);
	vsnprintf(path + used, sizeof paths[0] - (size_t)used, format, values);
	va_end(values);
	return path;
}

static int open_port(unsigned port, bool listening)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int wrong;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (listening) {
		wrong = bind(fd, (struct sockaddr *)&address, sizeof address);
	} else {
		wrong = connect(fd, (struct sockaddr *)&address, sizeof address);
	}
	if (wrong != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool all_free(unsigned first, unsigned count)
{
	for (unsigned port = first; port < first + count; port++) {
		int fd = open_port(port, true);
		if (fd < 0) {
			return false;
		}
		close(fd);
	}
	return true;
}

unsigned stage_ports(unsigned count)
{
	static unsigned next;
	if (next == 0) {
		next = (unsigned)getpid() * 7;
	}
	for (unsigned tries = 0; tries < PORT_COUNT; tries++) {
		unsigned first = PORT_FIRST + next % PORT_COUNT;
		next += count;
		if (all_free(first, count)) {
			return first;
		}
	}
	ck_abort_msg("no free ports");
	return 0;
}

unsigned stage_port(unsigned node)
{
	return first_port + node;
}

/* ---- The directory, and its end -------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
	(void)info;
	(void)flag;
	(void)walk;
	return remove(path);
}

/* Check may end this program on the spot, or somebody else may. A process that
 * waits for the end of all others stops the servers and cleans up. */
static void clean_up_at_end(void)
{
	char byte;
	setsid();
	close(end_pipe[1]);
	while (read(end_pipe[0], &byte, 1) < 0 && errno == EINTR) {
	}
	char command[256];
	snprintf(command, sizeof command,
		 "for d in cluster other; do \"$REDLOCK_TOOL\" -q cluster stop --dir %s/$d; done",
		 dir);
	if (system(command) != 0) {
		perror(command);
	}
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	_exit(0);
}

static pid_t begin(void)
{
	snprintf(dir, sizeof dir, "/tmp/rl-tool-XXXXXX");
	if (mkdtemp(dir) == NULL || pipe2(end_pipe, O_CLOEXEC) != 0) {
		perror(dir);
		exit(1);
	}
	pid_t cleaner = fork();
	if (cleaner == 0) {
		clean_up_at_end();
	}
	close(end_pipe[0]);
	return cleaner;
}

/* Outside of any test: nothing of Check may be used here. */
static bool start_servers(void)
{
	char command[256];
	char line[1024] = "";
	first_port = stage_ports(STAGE_NODES);
	snprintf(command, sizeof command,
		 "\"$REDLOCK_TOOL\" cluster start --dir %s/cluster --port %u", dir, first_port);
	FILE *tool = popen(command, "re");
	bool heard = tool != NULL && fgets(line, sizeof line, tool) != NULL;
	line[strcspn(line, "\n")] = '\0';
	if (tool == NULL || pclose(tool) != 0 || !heard) {
		fprintf(stderr, "no servers\n");
		return false;
	}
	return putenv(strdup(line)) == 0;
}

static int run(Suite *suite, bool servers)
{
	pid_t cleaner = begin();
	int failed = 1;
	SRunner *runner = srunner_create(suite);
	unsetenv("REDLOCK_NODES");
	unsetenv("XDG_RUNTIME_DIR");
	if (!servers || start_servers()) {
		srunner_run_all(runner, CK_ENV);
		failed = srunner_ntests_failed(runner);
	}
	srunner_free(runner);
	close(end_pipe[1]);
	waitpid(cleaner, NULL, 0);
	return failed == 0 ? 0 : 1;
}

int stage_run(Suite *suite)
{
	return run(suite, true);
}

int stage_run_bare(Suite *suite)
{
	return run(suite, false);
}

/* ---- The servers ----------------------------------------------------------------------------- */

static pid_t server_pid(unsigned node)
{
	pid_t pid = (pid_t)file_number(stage_path("cluster/%u/redis.pid", stage_port(node)));
	ck_assert_int_gt(pid, 1);
	return pid;
}

void stage_freeze(unsigned node)
{
	kill(server_pid(node), SIGSTOP);
	frozen[node] = true;
}

void stage_thaw(void)
{
	for (unsigned node = 0; node < STAGE_NODES; node++) {
		kill(server_pid(node), SIGCONT);
		frozen[node] = false;
	}
}

const char *stage_ask(unsigned port, const char *format, ...)
{
	static char answer[512];
	char line[512];
	va_list values;
	va_start(values, format);
	vsnprintf(line, sizeof line - 2, format, values);
	va_end(values);
	strcat(line, "\r\n");
	int fd = open_port(port, false);
	ck_assert_msg(fd >= 0, "port %u: nobody listens", port);
	ck_assert_int_eq(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
	ssize_t length = recv(fd, answer, sizeof answer - 1, 0);
	ck_assert_int_gt(length, 0);
	close(fd);
	answer[length] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return answer;
}

unsigned stage_count_key(const char *key)
{
	unsigned count = 0;
	for (unsigned node = 0; node < STAGE_NODES; node++) {
		if (!frozen[node]) {
			count += strcmp(stage_ask(stage_port(node), "EXISTS %s", key), ":1") == 0;
		}
	}
	return count;
}
