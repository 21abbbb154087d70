/* url.c - redis://[user[:password]@]host[:port][/db], rediss://, unix:///path[?db=n]
 *
 * As registered for redis:// (IANA), but strict: a part that is not understood
 * is an error, since a lock on the wrong server protects nothing. Error texts
 * name the part and never quote the input, which may hold a password. */
#include "url.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "secret.h"

#define PORT_DEFAULT 6379

struct span {
	const char *from;
	size_t len;
};

static int hex(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decode into @out. Returns false if it is malformed, too long or holds a NUL. */
static bool decode(struct span in, char *out, size_t size)
{
	size_t i, n = 0;
	int high, low;
	char c;

	for (i = 0; i < in.len; i++) {
		c = in.from[i];
		if (c == '%') {
			if (i + 2 >= in.len) {
				return false;
			}
			high = hex(in.from[i + 1]);
			low = hex(in.from[i + 2]);
			if (high < 0 || low < 0 || (high == 0 && low == 0)) {
				return false;
			}
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (n + 1 >= size) {
			return false;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

/* It is shown to people, a line at a time. */
static bool is_shown_safely(const char *text)
{
	for (; *text != '\0'; text++) {
		if (iscntrl((unsigned char)*text)) {
			return false;
		}
	}
	return true;
}

static bool number(struct span in, unsigned most, unsigned *value)
{
	size_t i;

	*value = 0;
	for (i = 0; i < in.len; i++) {
		if (in.from[i] < '0' || in.from[i] > '9') {
			return false;
		}
		*value = *value * 10 + (unsigned)(in.from[i] - '0');
		if (*value > most) {
			return false;
		}
	}
	return in.len > 0;
}

static const char *parse_userinfo(struct rlk_url *url, struct span in)
{
	const char *colon = memchr(in.from, ':', in.len);
	struct span user = in, password = {"", 0};

	if (colon != NULL) {
		user.len = (size_t)(colon - in.from);
		password.from = colon + 1;
		password.len = in.len - user.len - 1;
	}
	if (!decode(user, url->user, sizeof url->user)) {
		return "user: too long, or a bad %-escape";
	}
	if (!decode(password, url->password, sizeof url->password)) {
		return "password: too long, or a bad %-escape";
	}
	if (url->password[0] == '\0' && (url->user[0] != '\0' || in.len > 0)) {
		return "password: missing (user:password@host, or :password@host)";
	}
	return NULL;
}

static const char *parse_host(struct rlk_url *url, struct span *in)
{
	struct span host = *in;
	const char *end;

	if (in->len > 0 && in->from[0] == '[') {
		end = memchr(in->from, ']', in->len);
		if (end == NULL) {
			return "host: '[' without ']'";
		}
		host.from++;
		host.len = (size_t)(end - host.from);
		end++;
	} else {
		end = memchr(in->from, ':', in->len);
		if (end == NULL) {
			end = in->from + in->len;
		}
		host.len = (size_t)(end - in->from);
	}
	in->len -= (size_t)(end - in->from);
	in->from = end;
	if (host.len == 0) {
		return "host: missing";
	}
	if (!decode(host, url->host, sizeof url->host)) {
		return "host: too long, or a bad %-escape";
	}
	return is_shown_safely(url->host) && strchr(url->host, ' ') == NULL
		       ? NULL
		       : "host: a blank or a control character";
}

static const char *parse_authority(struct rlk_url *url, struct span in)
{
	const char *bad = parse_host(url, &in);

	if (bad != NULL) {
		return bad;
	}
	url->port = PORT_DEFAULT;
	if (in.len == 0) {
		return NULL;
	}
	if (in.from[0] != ':') {
		return "host: text after ']'";
	}
	in.from++;
	in.len--;
	if (!number(in, 65535, &url->port) || url->port == 0) {
		return "port: expected a number from 1 to 65535 (an IPv6 address goes in brackets)";
	}
	return NULL;
}

static const char *parse_db(struct rlk_url *url, const char *text)
{
	struct span in = {text, strlen(text)};

	if (in.len == 0) {
		return NULL;
	}
	return number(in, 65535, &url->db) ? NULL : "db: expected a number";
}

static const char *parse_unix(struct rlk_url *url, const char *text)
{
	const char *query = strchr(text, '?');
	struct span path = {text, query == NULL ? strlen(text) : (size_t)(query - text)};

	if (path.len < 2 || text[0] != '/') {
		return "path: expected unix:///path/to/socket";
	}
	if (!decode(path, url->path, sizeof url->path)) {
		return "path: too long, or a bad %-escape";
	}
	if (!is_shown_safely(url->path)) {
		return "path: a control character";
	}
	if (query == NULL) {
		return NULL;
	}
	if (strncmp(query, "?db=", 4) != 0 || query[4] == '\0') {
		return "query: expected ?db=n";
	}
	return parse_db(url, query + 4);
}

/* Take "user:password@" off the front of @text, if it is there before the first '/'. */
static const char *take_userinfo(struct rlk_url *url, const char **text)
{
	size_t len = strcspn(*text, "/?#");
	struct span in = {*text, len};
	const char *bad;

	while (in.len > 0 && in.from[in.len - 1] != '@') {
		in.len--;
	}
	if (in.len == 0) {
		return NULL;
	}
	*text += in.len;
	in.len--; /* The '@'. */
	bad = parse_userinfo(url, in);
	return bad != NULL || in.len > 0 ? bad : "user: missing before '@'";
}

static const char *parse_tcp(struct rlk_url *url, const char *text)
{
	struct span authority = {text, strcspn(text, "/?#")};
	const char *bad = parse_authority(url, authority);

	if (bad != NULL) {
		return bad;
	}
	text += authority.len;
	if (*text == '?' || *text == '#') {
		return "query: not supported";
	}
	return parse_db(url, *text == '/' ? text + 1 : text);
}

static const char *parse(struct rlk_url *url, const char *text)
{
	const char *bad;

	if (strncasecmp(text, "redis://", 8) == 0) {
		url->kind = RLK_URL_TCP;
		text += 8;
	} else if (strncasecmp(text, "rediss://", 9) == 0) {
		url->kind = RLK_URL_TLS;
		text += 9;
	} else if (strncasecmp(text, "unix://", 7) == 0) {
		url->kind = RLK_URL_UNIX;
		text += 7;
	} else {
		return "scheme: expected redis://, rediss:// or unix://";
	}
	bad = take_userinfo(url, &text);
	if (bad != NULL) {
		return bad;
	}
	return url->kind == RLK_URL_UNIX ? parse_unix(url, text) : parse_tcp(url, text);
}

const char *rlk_url_parse(struct rlk_url *url, const char *text)
{
	const char *bad;

	memset(url, 0, sizeof *url);
	bad = parse(url, text);
	if (bad != NULL) {
		rlk_url_wipe(url);
		return bad;
	}
	if (url->kind == RLK_URL_UNIX) {
		snprintf(url->address, sizeof url->address, "%s", url->path);
	} else {
		snprintf(url->address, sizeof url->address,
			 strchr(url->host, ':') == NULL ? "%s:%u" : "[%s]:%u", url->host,
			 url->port);
	}
	return NULL;
}

bool rlk_url_same(const struct rlk_url *a, const struct rlk_url *b)
{
	if ((a->kind == RLK_URL_UNIX) != (b->kind == RLK_URL_UNIX)) {
		return false;
	}
	if (a->kind == RLK_URL_UNIX) {
		return strcmp(a->path, b->path) == 0;
	}
	return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

void rlk_url_wipe(struct rlk_url *url)
{
	rlk_wipe(url->user, sizeof url->user);
	rlk_wipe(url->password, sizeof url->password);
}
