/* fake_parts.h - what the rooms of the fake server share. */
#ifndef REDLOCK_TEST_FAKE_PARTS_H
#define REDLOCK_TEST_FAKE_PARTS_H

#include "fake.h"

#define FAKE_ARGS_MAX 16
#define FAKE_KEYS_MAX 32
#define FAKE_WORD_MAX 128

/* One command as it came in; lent. */
struct fake_call {
	size_t argc;
	const char *argv[FAKE_ARGS_MAX];
	size_t len[FAKE_ARGS_MAX];
};

/* Bytes that grow. */
struct fake_text {
	char *bytes;
	size_t len, cap;
};

/* What an honest server remembers. */
struct fake_mind {
	struct fake_key {
		char name[FAKE_WORD_MAX];
		char owner[FAKE_WORD_MAX];
	} keys[FAKE_KEYS_MAX];
	char run_id[FAKE_WORD_MAX];
	char last_token[FAKE_WORD_MAX];
	long long ahead_us, born_us;
};

void fake_text_add(struct fake_text *text, const char *bytes, size_t len);
void fake_text_cut(struct fake_text *text, size_t len); /* Off its front. */
void fake_text_format(struct fake_text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void fake_text_free(struct fake_text *text);

/* It has been running for an hour. */
void fake_be_born(struct fake_mind *mind);
/* The first command in @bytes; returns how long it is, 0 if it is not all there. */
size_t fake_parse(const char *bytes, size_t len, struct fake_call *call);
enum fake_at fake_what(const struct fake_call *call);
/* Do it, and put the reply into @out. */
void fake_obey(struct fake_mind *mind, const struct fake_call *call, enum fake_at at,
	       struct fake_text *out);
/* An error like those of servers that do not know a command: it repeats the arguments. */
void fake_echo(const struct fake_call *call, struct fake_text *out);
/* Note the owner token in a command. */
void fake_note_token(struct fake_mind *mind, const struct fake_call *call, enum fake_at at);

#endif
