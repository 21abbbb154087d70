/* server.c - one local server process of `redlock cluster`. */
#include "server.h"

#include "clock.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* From asking a server to end until it is forced to. */
#define STOP_MS 5000
#define LOOK_MS 10

bool server_init(struct server *server, const char *cluster_dir, unsigned port)
{
	*server = (struct server){.port = port};
	int length = snprintf(server->dir, sizeof server->dir, "%s/%u", cluster_dir, port);
	return length > 0 && (size_t)length < sizeof server->dir - sizeof "/redis.pid";
}

static void file_in(const struct server *server, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", server->dir, name);
}

static pid_t read_pidfile(const struct server *server)
{
	char path[PATH_MAX + 16];
	int number = 0;
	file_in(server, "redis.pid", path, sizeof path);
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	if (fscanf(file, "%d", &number) != 1 || number <= 1) {
		number = 0;
	}
	fclose(file);
	return number;
}

/* The server's title is its own doing: "redis-server 127.0.0.1:7301". */
static bool serves_port(const struct server *server, pid_t pid)
{
	char path[64];
	char title[512];
	char address[40];
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	ssize_t length = read(fd, title, sizeof title - 1);
	close(fd);
	for (ssize_t i = 0; i < length; i++) {
		title[i] = title[i] == '\0' ? ' ' : title[i];
	}
	title[length > 0 ? length : 0] = '\0';
	snprintf(address, sizeof address, " 127.0.0.1:%u", server->port);
	const char *found = strstr(title, address);
	return found != NULL && !isdigit((unsigned char)found[strlen(address)]);
}

static bool lives_here(const struct server *server, pid_t pid)
{
	char path[64];
	char cwd[PATH_MAX];
	char real[PATH_MAX];
	snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
	ssize_t length = readlink(path, cwd, sizeof cwd - 1);
	if (length <= 0 || realpath(server->dir, real) == NULL) {
		return false;
	}
	cwd[length] = '\0';
	return strcmp(cwd, real) == 0;
}

pid_t server_pid(const struct server *server)
{
	pid_t pid = read_pidfile(server);
	return pid > 0 && serves_port(server, pid) && lives_here(server, pid) ? pid : 0;
}

bool server_port_free(const struct server *server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)server->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return false;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	bool bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	bool listening = bound && listen(fd, 1) == 0;
	close(fd);
	return listening;
}

/* The server must not hold anything of ours open: whoever reads our output
 * would wait for its end. */
static void let_go(int keep_fd)
{
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++) {
		dup2(null, fd);
	}
	for (int fd = 3; fd < 1024; fd++) {
		if (fd != keep_fd) {
			close(fd);
		}
	}
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	setsid();
}

static _Noreturn void become(const struct server *server, const char *program, int refusal_fd)
{
	char port[16];
	char pidfile[PATH_MAX + 16];
	char log[PATH_MAX + 16];
	snprintf(port, sizeof port, "%u", server->port);
	file_in(server, "redis.pid", pidfile, sizeof pidfile);
	file_in(server, "redis.log", log, sizeof log);
	const char *argv[] = {program,	   "--port",	    port,	 "--bind",
			      "127.0.0.1", "--dir",	    server->dir, "--pidfile",
			      pidfile,	   "--logfile",	    log,	 "--daemonize",
			      "no",	   "--save",	    "",		 "--appendonly",
			      "yes",	   "--appendfsync", "always",	 NULL};
	execvp(program, (char *const *)argv);
	int error = errno;
	ssize_t written = write(refusal_fd, &error, sizeof error);
	(void)written;
	_exit(127);
}

/* A server in a directory that we have just made cannot have forgotten anything: it is told that it
 * has been remembering for ever, so that its vote counts at once. The file is what a server before
 * version 7 would have left; newer ones take it over. */
static int seed(const struct server *server)
{
	static const char set[] = "*3\r\n$3\r\nSET\r\n$19\r\nredlock:incarnation\r\n"
				  "$8\r\nseed:1:1\r\n";
	char path[PATH_MAX + 16];
	file_in(server, "appendonly.aof", path, sizeof path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return errno;
	}
	bool written = write(fd, set, sizeof set - 1) == (ssize_t)sizeof set - 1;
	return close(fd) == 0 && written ? 0 : EIO;
}

int server_launch(struct server *server, const char *program)
{
	int refusal[2];
	int error = 0;
	if (mkdir(server->dir, 0700) == 0) {
		error = seed(server);
	} else if (errno != EEXIST) {
		error = errno;
	}
	if (error != 0) {
		return error;
	}
	if (pipe2(refusal, O_CLOEXEC) != 0) {
		return errno;
	}
	pid_t pid = fork();
	if (pid == 0) {
		let_go(refusal[1]);
		become(server, program, refusal[1]);
	}
	close(refusal[1]);
	if (pid < 0 || read(refusal[0], &error, sizeof error) != (ssize_t)sizeof error) {
		error = pid < 0 ? EAGAIN : 0;
	}
	close(refusal[0]);
	if (error == 0) {
		server->launched = pid;
	} else if (pid > 0) {
		waitpid(pid, NULL, 0);
	}
	return error;
}

bool server_failed(struct server *server)
{
	return server->launched > 0 && waitpid(server->launched, NULL, WNOHANG) == server->launched;
}

/* When a process was started, in the kernel's ticks: no other has both its number and this. 0 if it
 * has ended, reaped or not. */
static unsigned long long born(pid_t pid)
{
	char path[64];
	char text[1024];
	char state;
	unsigned threads;
	unsigned long long ticks;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	/* Its name, in front, may have any bytes in it. */
	const char *behind = strrchr(text, ')');
	if (behind == NULL || sscanf(behind,
				     ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
				     "%*s %*s %u %*s %llu",
				     &state, &threads, &ticks) != 3) {
		return 0;
	}
	/* As long as it has another thread, it has its port. */
	return (state == 'Z' || state == 'X') && threads <= 1 ? 0 : ticks;
}

/* One that we have launched may not have its pidfile or title yet; and a server that ends removes
 * its pidfile long before it has let go of its port and its files. */
static bool running(const struct server *server, pid_t pid)
{
	if (server->launched == pid) {
		return waitpid(pid, NULL, WNOHANG) == 0;
	}
	return server->born != 0 && born(pid) == server->born;
}

pid_t server_ask_to_end(struct server *server)
{
	pid_t pid = server->launched > 0 ? server->launched : server_pid(server);
	server->born = born(pid);
	if (pid == 0 || !running(server, pid)) {
		return 0;
	}
	kill(pid, SIGTERM);
	/* A stopped server would never hear of it. */
	kill(pid, SIGCONT);
	return pid;
}

void server_await_end(const struct server *server, pid_t pid)
{
	uint64_t force_at_ms = clock_ms() + STOP_MS;
	while (pid > 0 && running(server, pid)) {
		if (clock_ms() >= force_at_ms) {
			kill(pid, SIGKILL);
		}
		clock_sleep_ms(LOOK_MS);
	}
}
