/* memory.c - the client's memory, and the keys and texts in it. */
#include <stdlib.h>
#include <string.h>

#include "client.h"

static void *libc_calloc(size_t count, size_t size, void *data)
{
	(void)data;
	return calloc(count, size);
}

static void libc_free(void *block, void *data)
{
	(void)data;
	free(block);
}

const struct redlock_allocator rlk_libc_allocator = {libc_calloc, libc_free, NULL};

void *rlk_calloc(struct redlock_client *client, size_t size)
{
	return client->allocator.calloc(1, size, client->allocator.data);
}

void rlk_free(struct redlock_client *client, void *block)
{
	if (block != NULL) {
		client->allocator.free(block, client->allocator.data);
	}
}

char *rlk_copy_text(struct redlock_client *client, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = rlk_calloc(client, size);

	if (copy != NULL) {
		memcpy(copy, text, size);
	}
	return copy;
}

/* Through the key format; returns the length, and writes it if @out is not NULL. */
size_t rlk_format_key(const char *format, const void *resource, size_t len, char *out)
{
	size_t n = 0, piece;
	const char *from, *at;

	for (at = format; *at != '\0'; at++) {
		from = at;
		piece = 1;
		if (at[0] == '%') {
			at++;
			from = at[0] == 's' ? resource : at;
			piece = at[0] == 's' ? len : 1;
		}
		if (out != NULL) {
			memcpy(out + n, from, piece);
		}
		n += piece;
	}
	return n;
}

struct rlk_name *rlk_key(struct redlock_client *client, const void *resource, size_t len)
{
	size_t key_len = rlk_format_key(client->key_format, resource, len, NULL);
	struct rlk_name *name = rlk_calloc(client, sizeof *name + key_len + 1);

	if (name != NULL) {
		name->refs = 1;
		name->len = key_len;
		rlk_format_key(client->key_format, resource, len, name->bytes);
	}
	return name;
}
