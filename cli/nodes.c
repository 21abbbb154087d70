/* nodes.c - which servers to ask: from options, a file or the environment. */
#include "nodes.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\n";

/* Does a URL start here: a scheme and "://"? */
static bool starts_url(const char *text)
{
	size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	return scheme > 0 && strncmp(text + scheme, "://", 3) == 0;
}

/* A comma ends a URL only in front of the next one or at the end. Any other
 * belongs to the URL, a password perhaps, which then must not be torn apart:
 * the pieces would be shown in error messages as if they were hosts. */
static size_t url_length(const char *text)
{
	size_t length = 0;
	for (; text[length] != '\0' && strchr(blanks, text[length]) == NULL; length++) {
		const char *rest = text + length + strspn(text + length, ",");
		bool ends = *rest == '\0' || strchr(blanks, *rest) != NULL || starts_url(rest);
		if (text[length] == ',' && ends) {
			break;
		}
	}
	return length;
}

const char *nodes_add(struct nodes *nodes, const char *list)
{
	const char *at = list;
	for (;;) {
		at += strspn(at, " \t\r\n,");
		if (*at == '\0') {
			return NULL;
		}
		if (nodes->count == REDLOCK_NODES_MAX) {
			return "too many nodes: 32 at most";
		}
		size_t length = url_length(at);
		char *url = strndup(at, length);
		if (url == NULL) {
			return strerror(ENOMEM);
		}
		nodes->urls[nodes->count++] = url;
		at += length;
	}
}

static const char *add_lines(struct nodes *nodes, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	const char *wrong = NULL;
	while (wrong == NULL && getline(&line, &room, file) >= 0) {
		const char *text = line + strspn(line, blanks);
		if (*text != '#') {
			wrong = nodes_add(nodes, text);
		}
	}
	if (wrong == NULL && ferror(file)) {
		wrong = strerror(errno);
	}
	free(line);
	return wrong;
}

const char *nodes_add_file(struct nodes *nodes, const char *path)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return strerror(errno);
	}
	size_t before = nodes->count;
	const char *wrong = add_lines(nodes, file);
	fclose(file);
	return wrong == NULL && nodes->count == before ? "no node in this file" : wrong;
}

void nodes_blot(char *list)
{
	char *at = strstr(list, "://");
	at = at != NULL ? at + 3 : list;
	for (char *end = strrchr(at, '@'); end != NULL && at < end; at++) {
		*at = '*';
	}
}

void nodes_clear(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++) {
		free(nodes->urls[i]);
	}
	nodes->count = 0;
}
