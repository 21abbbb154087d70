#include "nodes.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "redis://"

/* Split "host:port", "[v6]:port" or either without the port. */
static int split(const char *text, struct node_address *node)
{
	const char *host_end = text + strcspn(text, ":");
	const char *host = text;
	const char *port = "6379";

	if (text[0] == '[') {
		host = text + 1;
		host_end = strchr(text, ']');
		if (!host_end || (host_end[1] != ':' && host_end[1] != '\0')) {
			return -1;
		}
		port = host_end[1] == ':' ? host_end + 2 : port;
	} else if (*host_end == ':') {
		port = host_end + 1;
	}
	if (host_end == host || host_end - host >= (ptrdiff_t)sizeof(node->host) ||
	    strlen(port) >= sizeof(node->port) || port[strspn(port, "0123456789")]) {
		return -1;
	}
	snprintf(node->host, sizeof(node->host), "%.*s", (int)(host_end - host), host);
	snprintf(node->port, sizeof(node->port), "%s", port);
	return 0;
}

int nodes_add_url(struct nodes *nodes, const char *url)
{
	struct node_address *node = &nodes->all[nodes->count];
	const char *address = url + strlen(SCHEME);

	if (nodes->count == NODES_MAX || strncmp(url, SCHEME, strlen(SCHEME)) != 0 ||
	    strlen(url) >= sizeof(node->url) || strpbrk(address, "@/?")) {
		return -1;
	}
	if (split(address, node) != 0) {
		return -1;
	}
	snprintf(node->url, sizeof(node->url), "%s", url);
	nodes->count++;
	return 0;
}

int nodes_add_list(struct nodes *nodes, const char *list)
{
	char url[sizeof(nodes->all[0].url)];
	size_t len;

	for (; *list; list += len) {
		list += strspn(list, ", ");
		len = strcspn(list, ", ");
		if (len == 0) {
			break;
		}
		if (len >= sizeof(url)) {
			return -1;
		}
		snprintf(url, sizeof(url), "%.*s", (int)len, list);
		if (nodes_add_url(nodes, url) != 0) {
			return -1;
		}
	}
	return 0;
}

int nodes_add_local(struct nodes *nodes, uint16_t port)
{
	char url[sizeof(nodes->all[0].url)];

	snprintf(url, sizeof(url), SCHEME "127.0.0.1:%u", (unsigned)port);
	return nodes_add_url(nodes, url);
}

size_t nodes_quorum(const struct nodes *nodes)
{
	return nodes->count / 2 + 1;
}
