/* out.c - what the tool says to people, on stderr. */
#include "out.h"

#include "codes.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static struct out_manner manner;

void out_setup(const struct out_manner *chosen)
{
	manner = *chosen;
}

bool out_verbose(int level)
{
	return !manner.quiet && manner.verbose >= level;
}

/* One call to stdio for one message: lines of several processes stay whole. */
OUT_FORMAT(2, 0)
static void say(const char *name, const char *format, va_list values)
{
	char message[1024];
	char shown[256] = "";
	vsnprintf(message, sizeof message, format, values);
	if (name != NULL) {
		out_escape(shown, sizeof shown, name, strlen(name));
	}
	fprintf(stderr, "redlock: %s%s%s\n", shown, name != NULL ? ": " : "", message);
}

void out_note(const char *name, const char *format, ...)
{
	if (manner.quiet || manner.json) {
		return;
	}
	va_list values;
	va_start(values, format);
	say(name, format, values);
	va_end(values);
}

void out_detail(const char *name, const char *format, ...)
{
	if (!out_verbose(1)) {
		return;
	}
	va_list values;
	va_start(values, format);
	say(name, format, values);
	va_end(values);
}

int out_usage(const char *verb, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	say(verb, format, values);
	va_end(values);
	fprintf(stderr, "Try 'redlock %s%s--help'.\n", verb != NULL ? verb : "",
		verb != NULL ? " " : "");
	return CODE_USAGE;
}

void out_escape(char *text, size_t size, const void *bytes, size_t length)
{
	const unsigned char *byte = bytes;
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		bool plain = byte[i] >= ' ' && byte[i] < 127 && byte[i] != '\\';
		size_t need = plain ? 1 : 4;
		if (used + need >= size) {
			break;
		}
		snprintf(text + used, size - used, plain ? "%c" : "\\x%02x", byte[i]);
		used += need;
	}
	text[used] = '\0';
}

bool out_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}
