/* json.c - writes one JSON object, on one line. */
#include "json.h"

#include <inttypes.h>
#include <stddef.h>

/* Length of the well-formed UTF-8 character at @text, or 0. */
static size_t utf8_length(const unsigned char *text)
{
	static const struct {
		unsigned char lead, mask;
		uint32_t least;
	} forms[] = {
		{0x00, 0x80, 0}, {0xc0, 0xe0, 0x80}, {0xe0, 0xf0, 0x800}, {0xf0, 0xf8, 0x10000}};
	for (size_t extra = 0; extra < 4; extra++) {
		if ((text[0] & forms[extra].mask) != forms[extra].lead) {
			continue;
		}
		uint32_t point = text[0] & (unsigned char)~forms[extra].mask;
		for (size_t i = 1; i <= extra; i++) {
			if ((text[i] & 0xc0) != 0x80) {
				return 0;
			}
			point = point << 6 | (text[i] & 0x3f);
		}
		bool surrogate = point >= 0xd800 && point <= 0xdfff;
		return point < forms[extra].least || point > 0x10ffff || surrogate ? 0 : extra + 1;
	}
	return 0;
}

/* Names are bytes, JSON is Unicode: what is not UTF-8 becomes U+FFFD. */
static void write_text(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	fputc('"', file);
	while (*at != '\0') {
		size_t length = utf8_length(at);
		if (length == 0) {
			fputs("\\ufffd", file);
			at++;
			continue;
		}
		if (*at == '"' || *at == '\\') {
			fprintf(file, "\\%c", *at);
		} else if (*at < ' ' || *at == 127) {
			fprintf(file, "\\u%04x", *at);
		} else {
			fwrite(at, 1, length, file);
		}
		at += length;
	}
	fputc('"', file);
}

static void start_member(struct json *json, const char *key)
{
	if (json->comma) {
		fputc(',', json->file);
	}
	json->comma = true;
	if (key != NULL) {
		write_text(json->file, key);
		fputc(':', json->file);
	}
}

void json_begin(struct json *json, FILE *file)
{
	*json = (struct json){.file = file};
	json_open(json, NULL, '{');
}

bool json_end(struct json *json)
{
	json_close(json, '{');
	fputc('\n', json->file);
	return fflush(json->file) == 0 && !ferror(json->file);
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (value == NULL) {
		json_null(json, key);
		return;
	}
	start_member(json, key);
	write_text(json->file, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	start_member(json, key);
	fprintf(json->file, "%" PRId64, value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	start_member(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	start_member(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_null(struct json *json, const char *key)
{
	start_member(json, key);
	fputs("null", json->file);
}

void json_open(struct json *json, const char *key, char bracket)
{
	start_member(json, key);
	fputc(bracket, json->file);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket == '{' ? '}' : ']', json->file);
	json->comma = true;
}
