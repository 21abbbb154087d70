/* json.h - writes one JSON object, on one line. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	bool comma; /* The next member follows another one. */
};

void json_begin(struct json *json, FILE *file);
/* Ends the line and flushes; false if the file did not take it. */
bool json_end(struct json *json);

/* @key is NULL inside an array; a NULL @value is null. */
void json_string(struct json *json, const char *key, const char *value);
void json_int(struct json *json, const char *key, int64_t value);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
/* @bracket: '{' or '['. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);

#endif
