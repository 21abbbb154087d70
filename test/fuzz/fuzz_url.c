/* fuzz_url.c - any text as a node's URL.
 *
 * What parses has fields within bounds, and written out again it parses to the
 * same. What does not parse leaves nothing of a password anywhere. */
#include <ctype.h>
#include <string.h>

#include "fuzz.h"
#include "redis/url.h"

#define MARK "hush-hush"

static bool has(const void *from, size_t size, const char *text)
{
	const char *bytes = from;
	size_t len = strlen(text), i;

	for (i = 0; i + len <= size; i++) {
		if (memcmp(bytes + i, text, len) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_shown_safely(const char *text)
{
	for (; *text != '\0'; text++) {
		if (iscntrl((unsigned char)*text)) {
			return false;
		}
	}
	return true;
}

#define REQUIRE_ENDED(field) REQUIRE(memchr((field), '\0', sizeof(field)) != NULL)

static void check_fields(const struct rlk_url *url)
{
	char port[16];

	REQUIRE_ENDED(url->host);
	REQUIRE_ENDED(url->path);
	REQUIRE_ENDED(url->user);
	REQUIRE_ENDED(url->password);
	REQUIRE_ENDED(url->address);
	REQUIRE(url->db <= 65535);
	REQUIRE(url->user[0] == '\0' || url->password[0] != '\0');
	REQUIRE(is_shown_safely(url->address));
	if (url->kind == RLK_URL_UNIX) {
		REQUIRE(url->path[0] == '/' && url->path[1] != '\0');
		REQUIRE(url->host[0] == '\0');
		REQUIRE(strcmp(url->address, url->path) == 0);
		return;
	}
	REQUIRE(url->kind == RLK_URL_TCP || url->kind == RLK_URL_TLS);
	REQUIRE(url->host[0] != '\0' && url->path[0] == '\0');
	REQUIRE(url->port >= 1 && url->port <= 65535);
	snprintf(port, sizeof port, ":%u", url->port);
	REQUIRE(strlen(url->address) > strlen(port));
	REQUIRE(strcmp(url->address + strlen(url->address) - strlen(port), port) == 0);
	REQUIRE(has(url->address, sizeof url->address, url->host));
}

/* ---- Written out again ----------------------------------------------------------------------- */

static char *put_text(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len + 1);
	return out + len;
}

static char *put_encoded(char *out, const char *text)
{
	for (; *text != '\0'; text++) {
		out += isalnum((unsigned char)*text)
			       ? sprintf(out, "%c", *text)
			       : sprintf(out, "%%%02X", (unsigned)(unsigned char)*text);
	}
	*out = '\0';
	return out;
}

static void write_out(const struct rlk_url *url, char *out)
{
	static const char *const schemes[] = {"redis://", "rediss://", "unix://"};

	out = put_text(out, schemes[url->kind]);
	if (url->password[0] != '\0') {
		out = put_encoded(out, url->user);
		out = put_text(out, ":");
		out = put_encoded(out, url->password);
		out = put_text(out, "@");
	}
	if (url->kind == RLK_URL_UNIX) {
		out = put_text(out, "/");
		out = put_encoded(out, url->path + 1);
		sprintf(out, "?db=%u", url->db);
	} else {
		out = put_text(out, "[");
		out = put_encoded(out, url->host);
		sprintf(out, "]:%u/%u", url->port, url->db);
	}
}

static void check_again(const struct rlk_url *url)
{
	static char text[3 * (RLK_HOST_MAX + RLK_PATH_MAX + 2 * RLK_SECRET_MAX) + 64];
	struct rlk_url again;

	write_out(url, text);
	REQUIRE(rlk_url_parse(&again, text) == NULL);
	REQUIRE(again.kind == url->kind && again.db == url->db && again.port == url->port);
	REQUIRE(strcmp(again.host, url->host) == 0);
	REQUIRE(strcmp(again.path, url->path) == 0);
	REQUIRE(strcmp(again.user, url->user) == 0);
	REQUIRE(strcmp(again.password, url->password) == 0);
	REQUIRE(strcmp(again.address, url->address) == 0);
	REQUIRE(rlk_url_same(&again, url));
	REQUIRE(rlk_url_same(url, &again));
}

/* ---- Secrets --------------------------------------------------------------------------------- */

/* Where the password begins, or would begin, in a text that seems to have one; NULL: it does not.
 */
static const char *find_secret(const char *text)
{
	const char *from = strstr(text, "://"), *at, *end;

	if (from == NULL) {
		return NULL;
	}
	from += 3;
	end = from + strcspn(from, "/?#");
	for (at = end; at > from && at[-1] != '@'; at--) {
	}
	if (at == from) {
		return NULL;
	}
	at = memchr(from, ':', (size_t)(at - from));
	return at == NULL ? from : at + 1;
}

/* The same with a mark in the password: wherever the mark turns up, a password would. */
static void check_secret(const char *text)
{
	const char *secret = find_secret(text), *bad;
	struct rlk_url url;
	char *marked;

	if (secret == NULL || strstr(text, MARK) != NULL) {
		return;
	}
	marked = malloc(strlen(text) + sizeof MARK);
	REQUIRE(marked != NULL);
	sprintf(marked, "%.*s" MARK "%s", (int)(secret - text), text, secret);
	bad = rlk_url_parse(&url, marked);
	REQUIRE(bad == NULL || !has(bad, strlen(bad), MARK));
	REQUIRE(bad == NULL || !has(&url, sizeof url, MARK));
	rlk_url_wipe(&url);
	REQUIRE(!has(&url, sizeof url, MARK));
	free(marked);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct rlk_url url;
	const char *bad;

	REQUIRE(text != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	bad = rlk_url_parse(&url, text);
	if (bad == NULL) {
		check_fields(&url);
		check_again(&url);
	} else {
		REQUIRE(strchr(bad, ':') != NULL); /* It names the part. */
		REQUIRE(url.user[0] == '\0' && url.password[0] == '\0');
	}
	check_secret(text);
	free(text);
	return 0;
}
