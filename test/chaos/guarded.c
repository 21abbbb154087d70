/* guarded.c - one question, one answer, on a unix socket; it waits for the answer. */
#include "guarded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd = -1;

static void give_up(void)
{
	perror("the guarded store");
	exit(1);
}

void guarded_open(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) {
		give_up();
	}
}

bool guarded_write(const char *resource, uint64_t token, const char *who, uint64_t *highest)
{
	char line[256];
	int len = snprintf(line, sizeof line, "%s %llu %s\n", resource, (unsigned long long)token,
			   who);
	unsigned long long seen = 0;
	ssize_t got = 0;

	if (send(fd, line, (size_t)len, MSG_NOSIGNAL) != len) {
		give_up();
	}
	for (size_t used = 0; used == 0 || line[used - 1] != '\n'; used += (size_t)got) {
		got = recv(fd, line + used, sizeof line - 1 - used, 0);
		if (got <= 0) {
			give_up();
		}
		line[used + (size_t)got] = '\0';
	}
	if (sscanf(line, "refused %llu", &seen) == 1) {
		*highest = seen;
		return false;
	}
	return true;
}
