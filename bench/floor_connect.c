#include "floor_connect.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REQUEST_MAX 1024
#define PATIENCE_S 5

static int connect_to(const struct addrinfo *address)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	if (fd < 0) {
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int floor_connect(const struct node_address *node)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	struct addrinfo *each;
	int fd = -1;

	if (getaddrinfo(node->host, node->port, &hints, &found) != 0) {
		return -1;
	}
	for (each = found; each && fd < 0; each = each->ai_next) {
		fd = connect_to(each);
	}
	freeaddrinfo(found);
	return fd;
}

size_t floor_request(char *buffer, size_t size, const char *const *args, size_t count)
{
	size_t len = (size_t)snprintf(buffer, size, "*%zu\r\n", count);
	size_t i;

	for (i = 0; i < count && len < size; i++) {
		len += (size_t)snprintf(buffer + len, size - len, "$%zu\r\n%s\r\n", strlen(args[i]),
					args[i]);
	}
	return len < size ? len : 0;
}

/* Read one "$<length>\r\n<bytes>\r\n". */
static int read_bulk(int fd, char *answer, size_t size)
{
	char text[8192];
	size_t have = 0;
	size_t due = 0;
	char *body = NULL;

	while (!body || have < due) {
		ssize_t got = recv(fd, text + have, sizeof(text) - 1 - have, 0);

		if (got <= 0 || text[0] != '$') {
			return -1;
		}
		have += (size_t)got;
		text[have] = '\0';
		body = strstr(text, "\r\n");
		if (body) {
			body += 2;
			due = (size_t)(body - text) + strtoul(text + 1, NULL, 10) + 2;
		}
		if (due >= sizeof(text)) {
			return -1;
		}
	}
	snprintf(answer, size, "%.*s", (int)(due - 2 - (size_t)(body - text)), body);
	return 0;
}

int floor_ask(int fd, const char *const *args, size_t count, char *answer, size_t size)
{
	char request[REQUEST_MAX];
	size_t len = floor_request(request, sizeof(request), args, count);

	if (len == 0 || send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len) {
		return -1;
	}
	return read_bulk(fd, answer, size);
}
