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

static struct rlk_name *name_of(struct redlock_client *client, size_t len)
{
	struct rlk_name *name = rlk_calloc(client, sizeof *name + len + 1);

	if (name != NULL) {
		name->refs = 1;
		name->len = len;
	}
	return name;
}

struct rlk_name *rlk_key(struct redlock_client *client, const void *resource, size_t len)
{
	struct rlk_name *name =
		name_of(client, rlk_format_key(client->key_format, resource, len, NULL));

	if (name != NULL) {
		rlk_format_key(client->key_format, resource, len, name->bytes);
	}
	return name;
}

struct rlk_name *rlk_keys(struct redlock_client *client, const struct redlock_resource *resources,
			  size_t count)
{
	const char *format = client->key_format;
	size_t i, len = 0, key_len;
	struct rlk_name *name;
	char *at;

	if (count == 1) {
		return rlk_key(client, resources[0].bytes, resources[0].len);
	}
	for (i = 0; i < count; i++) {
		len += RLK_PART_HEAD +
		       rlk_format_key(format, resources[i].bytes, resources[i].len, NULL);
	}
	name = name_of(client, len);
	at = name != NULL ? name->bytes : NULL;
	for (i = 0; i < count && name != NULL; i++) {
		key_len = rlk_format_key(format, resources[i].bytes, resources[i].len, NULL);
		at = rlk_part_begin(at, key_len);
		at += rlk_format_key(format, resources[i].bytes, resources[i].len, at);
		name->several++;
	}
	return name;
}
