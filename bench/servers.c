#include "servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define ANSWER_TRIES 500
#define ANSWER_PAUSE_MS 20
#define PORTS_TRIED_MAX 400

/* What exit and signals have to end. */
static struct servers *running;

static void end_running(void)
{
	size_t i;

	for (i = 0; running && i < running->count; i++) {
		/* Ends a stopped process too. */
		kill(running->all[i].pid, SIGKILL);
	}
}

static void on_signal(int signo)
{
	end_running();
	_exit(128 + signo);
}

static void watch_over(struct servers *servers)
{
	struct sigaction action = {.sa_handler = on_signal};

	running = servers;
	atexit(end_running);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void pause_ms(unsigned ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&time, NULL);
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static bool port_is_free(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;
	bool isfree;

	if (fd < 0) {
		return false;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	isfree = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return isfree;
}

static void become_server(uint16_t port, pid_t parent)
{
	const char *programs[] = {getenv("REDIS_SERVER"), "redis-server", "valkey-server"};
	int null = open("/dev/null", O_RDWR);
	char number[8];
	size_t i;

#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent) {
		_exit(127);
	}
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	snprintf(number, sizeof(number), "%u", (unsigned)port);
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (programs[i]) {
			execlp(programs[i], programs[i], "--port", number, "--bind", "127.0.0.1",
			       "--save", "", "--appendonly", "no", "--daemonize", "no", (char *)0);
		}
	}
	_exit(127);
}

/* Does the process that we started answer on this port, and not a stranger? */
static bool answers(const struct server *server)
{
	static const char question[] = "INFO server\r\n";
	struct sockaddr_in address = loopback(server->port);
	struct timeval patience = {.tv_sec = 2};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[4096] = "";
	char expected[32];
	ssize_t len = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    send(fd, question, strlen(question), MSG_NOSIGNAL) > 0) {
		len = recv(fd, answer, sizeof(answer) - 1, 0);
	}
	close(fd);
	answer[len > 0 ? len : 0] = '\0';
	snprintf(expected, sizeof(expected), "process_id:%ld\r", (long)server->pid);
	return strstr(answer, expected) != NULL;
}

static bool wait_until_it_answers(const struct server *server)
{
	int tries;

	for (tries = 0; tries < ANSWER_TRIES; tries++) {
		if (answers(server)) {
			return true;
		}
		if (waitpid(server->pid, NULL, WNOHANG) != 0) {
			return false;
		}
		pause_ms(ANSWER_PAUSE_MS);
	}
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	return false;
}

static bool start_at(struct server *server, uint16_t port)
{
	pid_t parent = getpid();

	*server = (struct server){.pid = fork(), .port = port};
	if (server->pid == 0) {
		become_server(port, parent);
	}
	return server->pid > 0 && wait_until_it_answers(server);
}

static bool start_one(struct servers *servers, uint16_t port)
{
	if (!start_at(&servers->all[servers->count], port)) {
		return false;
	}
	servers->count++;
	return true;
}

int servers_start(struct servers *servers, size_t count, uint16_t first_port, char *why,
		  size_t why_len)
{
	unsigned port = first_port;
	unsigned last_port = port + PORTS_TRIED_MAX;
	unsigned failures = 0;

	servers->count = 0;
	watch_over(servers);
	while (servers->count < count && port <= last_port && port <= 65535) {
		if (port_is_free((uint16_t)port) && !start_one(servers, (uint16_t)port) &&
		    ++failures == 3) {
			break;
		}
		port++;
	}
	if (servers->count == count) {
		return 0;
	}
	servers_end(servers);
	snprintf(why, why_len,
		 failures ? "cannot start redis-server or valkey-server (REDIS_SERVER names one)"
			  : "too few free ports from %u upwards",
		 (unsigned)first_port);
	return -1;
}

void servers_hang(struct servers *servers, size_t index)
{
	struct server *server = &servers->all[index];

	if (!server->hung && kill(server->pid, SIGSTOP) == 0) {
		waitpid(server->pid, NULL, WUNTRACED);
		server->hung = true;
	}
}

void servers_resume(struct servers *servers, size_t index)
{
	struct server *server = &servers->all[index];

	if (server->hung) {
		kill(server->pid, SIGCONT);
		server->hung = false;
	}
}

int servers_restart(struct servers *servers, size_t index, char *why, size_t why_len)
{
	struct server *server = &servers->all[index];

	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	if (start_at(server, server->port)) {
		return 0;
	}
	/* Nobody else's process is ever signalled in its place. */
	*server = servers->all[--servers->count];
	snprintf(why, why_len, "a server that was killed does not come back");
	return -1;
}

void servers_end(struct servers *servers)
{
	size_t i;

	for (i = 0; i < servers->count; i++) {
		kill(servers->all[i].pid, SIGKILL);
		waitpid(servers->all[i].pid, NULL, 0);
	}
	servers->count = 0;
}
