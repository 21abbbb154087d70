/* fake_mind.c - what an honest server answers: enough of one to grant and give back leases. */
#include "fake_parts.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#define INCARNATION "redlock:incarnation"
/* A ticket begins with a token. */
#define TICKET_LEN 64
#define TOKEN_LEN 32

/* ---- Text ------------------------------------------------------------------------------------ */

void fake_text_add(struct fake_text *text, const char *bytes, size_t len)
{
	if (text->cap - text->len < len) {
		text->cap = (text->len + len) * 2;
		text->bytes = realloc(text->bytes, text->cap);
		ck_assert_ptr_nonnull(text->bytes);
	}
	if (len > 0) {
		memcpy(text->bytes + text->len, bytes, len);
		text->len += len;
	}
}

void fake_text_cut(struct fake_text *text, size_t len)
{
	if (len > 0) {
		memmove(text->bytes, text->bytes + len, text->len - len);
		text->len -= len;
	}
}

void fake_text_format(struct fake_text *text, const char *format, ...)
{
	char piece[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(piece, sizeof piece, format, args);
	va_end(args);
	ck_assert_int_lt(len, (int)sizeof piece);
	fake_text_add(text, piece, (size_t)len);
}

void fake_text_free(struct fake_text *text)
{
	free(text->bytes);
	memset(text, 0, sizeof *text);
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* "*3\r\n" or "$3\r\n" at @at; returns what comes after it, or NULL. */
static const char *read_head(const char *at, const char *end, char kind, size_t *number)
{
	const char *stop = memchr(at, '\n', (size_t)(end - at));

	if (!stop) {
		return NULL;
	}
	ck_assert_msg(*at == kind, "the client sent nonsense");
	*number = (size_t)strtoull(at + 1, NULL, 10);
	return stop + 1;
}

size_t fake_parse(const char *bytes, size_t len, struct fake_call *call)
{
	const char *end = bytes + len;
	const char *at = len ? read_head(bytes, end, '*', &call->argc) : NULL;

	if (!at) {
		return 0;
	}
	ck_assert_uint_ge(call->argc, 1);
	ck_assert_uint_le(call->argc, FAKE_ARGS_MAX);
	for (size_t i = 0; i < call->argc; i++) {
		at = at < end ? read_head(at, end, '$', &call->len[i]) : NULL;
		if (!at || (size_t)(end - at) < call->len[i] + 2) {
			return 0;
		}
		call->argv[i] = at;
		at += call->len[i] + 2;
	}
	return (size_t)(at - bytes);
}

static bool is(const struct fake_call *call, size_t i, const char *word)
{
	return i < call->argc && call->len[i] == strlen(word) &&
	       strncasecmp(call->argv[i], word, call->len[i]) == 0;
}

static bool ends_with(const struct fake_call *call, size_t i, const char *word)
{
	size_t len = strlen(word);

	return i < call->argc && call->len[i] >= len &&
	       memcmp(call->argv[i] + call->len[i] - len, word, len) == 0;
}

/* Scripts are told apart by their keys, and by how many arguments they take. */
static enum fake_at which_script(const struct fake_call *call)
{
	size_t keys = is(call, 2, "2") ? 2 : 1, args = call->argc - 3 - keys;

	if (is(call, 3, INCARNATION)) {
		return AT_ENROL;
	}
	if (keys == 2 && ends_with(call, 4, ":line")) {
		if (args == 0) {
			return AT_INSPECT;
		}
		return call->len[5] == TICKET_LEN ? AT_JOIN : AT_CONFIRM;
	}
	if (keys == 2) {
		return args == 7 ? AT_FENCED : AT_EXTEND;
	}
	return args == 1 || call->len[5] == TICKET_LEN ? AT_RELEASE : AT_EXTEND;
}

enum fake_at fake_what(const struct fake_call *call)
{
	static const struct {
		const char *name;
		enum fake_at at;
	} names[] = {{"HELLO", AT_HELLO},   {"AUTH", AT_AUTH},
		     {"SELECT", AT_SELECT}, {"CONFIG", AT_CONFIG},
		     {"SET", AT_SET},	    {"PING", AT_PING},
		     {"PTTL", AT_PTTL},	    {"SUBSCRIBE", AT_SUBSCRIBE}};

	if (is(call, 0, "EVAL") || is(call, 0, "EVALSHA")) {
		return which_script(call);
	}
	if (is(call, 0, "INFO")) {
		return is(call, 1, "replication") ? AT_ROLE : AT_INFO;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (is(call, 0, names[i].name)) {
			return names[i].at;
		}
	}
	return AT_OTHER;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void copy(char *to, const struct fake_call *call, size_t i)
{
	size_t len = call->len[i] < FAKE_WORD_MAX ? call->len[i] : FAKE_WORD_MAX - 1;

	memcpy(to, call->argv[i], len);
	to[len] = '\0';
}

static struct fake_key *find(struct fake_mind *mind, const char *name)
{
	for (size_t i = 0; i < FAKE_KEYS_MAX; i++) {
		if (strcmp(mind->keys[i].name, name) == 0) {
			return &mind->keys[i];
		}
	}
	return NULL;
}

/* The owner of the key that is argument @i, or "". */
static const char *owner_of(struct fake_mind *mind, const struct fake_call *call, size_t i)
{
	char name[FAKE_WORD_MAX];
	const struct fake_key *key;

	copy(name, call, i);
	key = find(mind, name);
	return key ? key->owner : "";
}

static bool is_owner(struct fake_mind *mind, const struct fake_call *call, size_t key, size_t token)
{
	char word[FAKE_WORD_MAX];

	copy(word, call, token);
	return strcmp(owner_of(mind, call, key), word) == 0;
}

static bool take(struct fake_mind *mind, const struct fake_call *call, size_t name, size_t token)
{
	struct fake_key *key;

	if (owner_of(mind, call, name)[0]) {
		return false;
	}
	key = find(mind, "");
	ck_assert_ptr_nonnull(key);
	copy(key->name, call, name);
	copy(key->owner, call, token);
	return true;
}

static bool give_back(struct fake_mind *mind, const struct fake_call *call)
{
	char name[FAKE_WORD_MAX];

	if (!is_owner(mind, call, 3, 4)) {
		return false;
	}
	copy(name, call, 3);
	memset(find(mind, name), 0, sizeof(struct fake_key));
	return true;
}

/* ---- Answers --------------------------------------------------------------------------------- */

static long long clock_us(const struct fake_mind *mind)
{
	struct timeval now;

	ck_assert_int_eq(gettimeofday(&now, NULL), 0);
	return (long long)now.tv_sec * 1000000 + now.tv_usec + mind->ahead_us;
}

void fake_be_born(struct fake_mind *mind)
{
	mind->born_us = clock_us(mind) - 3600LL * 1000000;
}

static void bulk(struct fake_text *out, const char *text)
{
	fake_text_format(out, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void number_as_bulk(struct fake_text *out, long long number)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%lld", number);
	bulk(out, text);
}

static void inspect(struct fake_mind *mind, const struct fake_call *call, struct fake_text *out)
{
	const char *owner = owner_of(mind, call, 3);

	fake_text_format(out, "*3\r\n");
	if (owner[0]) {
		bulk(out, owner);
	} else {
		fake_text_format(out, "$-1\r\n");
	}
	fake_text_format(out, ":%d\r\n:0\r\n", owner[0] ? 30000 : -2);
}

/* There is one place in line here, and nobody is called to it: whoever finds the key free has it.
 */
static void join(struct fake_mind *mind, struct fake_call call, struct fake_text *out)
{
	call.len[5] = TOKEN_LEN;
	fake_text_format(out, take(mind, &call, 3, 5) || is_owner(mind, &call, 3, 5)
				      ? "*2\r\n:1\r\n$0\r\n\r\n"
				      : "*2\r\n:0\r\n$9\r\n30000 0 0\r\n");
}

static void answer_login(const struct fake_mind *mind, enum fake_at at, struct fake_text *out)
{
	char info[FAKE_WORD_MAX * 2];

	switch (at) {
	case AT_HELLO:
		fake_text_format(out, "*6\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n"
				      "$6\r\n7.0.15\r\n$4\r\nrole\r\n$6\r\nmaster\r\n");
		break;
	case AT_INFO:
		(void)snprintf(info, sizeof info,
			       "# Server\r\nredis_version:7.0.15\r\nrun_id:%s\r\n", mind->run_id);
		bulk(out, info);
		break;
	case AT_ROLE:
		bulk(out, "# Replication\r\nrole:master\r\n");
		break;
	case AT_CONFIG:
		fake_text_format(out, "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n");
		break;
	case AT_ENROL:
		fake_text_format(out, "*2\r\n");
		number_as_bulk(out, mind->born_us);
		number_as_bulk(out, clock_us(mind));
		break;
	default:
		fake_text_format(out, "+OK\r\n"); /* AUTH, SELECT. */
		break;
	}
}

void fake_obey(struct fake_mind *mind, const struct fake_call *call, enum fake_at at,
	       struct fake_text *out)
{
	switch (at) {
	case AT_SET:
		fake_text_format(out, take(mind, call, 1, 2) ? "+OK\r\n" : "$-1\r\n");
		break;
	case AT_FENCED:
		fake_text_format(out, take(mind, call, 3, 5) ? "*2\r\n:1\r\n$0\r\n\r\n"
							     : "*2\r\n:0\r\n$5\r\n30000\r\n");
		break;
	case AT_CONFIRM:
		fake_text_format(out, take(mind, call, 3, 5) || is_owner(mind, call, 3, 5)
					      ? "*2\r\n:1\r\n$0\r\n\r\n"
					      : "*2\r\n:0\r\n$5\r\n30000\r\n");
		break;
	case AT_JOIN:
		join(mind, *call, out);
		break;
	case AT_EXTEND:
		fake_text_format(out, ":%d\r\n",
				 !owner_of(mind, call, 3)[0]			     ? -1
				 : is_owner(mind, call, 3, is(call, 2, "2") ? 5 : 4) ? 1
										     : 0);
		break;
	case AT_RELEASE:
		fake_text_format(out, ":%d\r\n", give_back(mind, call));
		break;
	case AT_INSPECT:
		inspect(mind, call, out);
		break;
	case AT_PING:
		fake_text_format(out, "+PONG\r\n");
		break;
	case AT_PTTL:
		fake_text_format(out, ":%d\r\n", owner_of(mind, call, 1)[0] ? 30000 : -2);
		break;
	case AT_SUBSCRIBE:
		fake_text_format(out, "*3\r\n$9\r\nsubscribe\r\n$%zu\r\n%.*s\r\n:1\r\n",
				 call->len[1], (int)call->len[1], call->argv[1]);
		break;
	case AT_OTHER:
		fake_echo(call, out);
		break;
	default:
		answer_login(mind, at, out);
		break;
	}
}

void fake_echo(const struct fake_call *call, struct fake_text *out)
{
	fake_text_format(out, "-ERR unknown command '%.*s', with args beginning with:",
			 (int)call->len[0], call->argv[0]);
	for (size_t i = 1; i < call->argc; i++) {
		fake_text_format(out, " '%.*s'", (int)(call->len[i] < 64 ? call->len[i] : 64),
				 call->len[i] < 64 ? call->argv[i] : "...");
	}
	fake_text_format(out, "\r\n");
}

void fake_note_token(struct fake_mind *mind, const struct fake_call *call, enum fake_at at)
{
	if (at == AT_SET) {
		copy(mind->last_token, call, 2);
	} else if (at == AT_JOIN || at == AT_CONFIRM) {
		copy(mind->last_token, call, 5);
		mind->last_token[TOKEN_LEN] = '\0';
	} else if (at == AT_FENCED || at == AT_EXTEND || at == AT_RELEASE) {
		copy(mind->last_token, call, is(call, 2, "2") ? 5 : 4);
	}
}
