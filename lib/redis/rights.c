/* rights.c - which right a user lacks, in the words of ACL SETUSER.
 *
 * Servers tell it in words of their own. Of a command that was sent they tell
 * the name, and of one inside a script since Redis 7.2; before, they tell the
 * line of the script, and the commands on it are looked up in its text. Of keys
 * and channels they only tell that one was not allowed. */
#include "rights.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "+" and the name, in lower case. */
static size_t add_command(char *out, size_t n, const char *name, size_t len)
{
	size_t i;

	n += (size_t)snprintf(out + n, RLK_RIGHTS_MAX - n, "%s+", n > 0 ? " or " : "");
	for (i = 0; i < len && n + 1 < RLK_RIGHTS_MAX; i++) {
		out[n++] = isgraph((unsigned char)name[i]) ? (char)tolower(name[i]) : '?';
	}
	out[n] = '\0';
	return n;
}

/* "... to run the 'config|get' command". */
static bool name_command(char *out, const char *text)
{
	static const char before[] = "run the '";
	const char *from = strstr(text, before), *to;

	from = from == NULL ? NULL : from + sizeof before - 1;
	to = from == NULL ? NULL : strchr(from, '\'');
	if (to == NULL || to == from || to - from > 32) {
		return false;
	}
	add_command(out, 0, from, (size_t)(to - from));
	return true;
}

static bool is_listed(const char *list, const char *right)
{
	size_t len = strlen(right);
	const char *at = list;

	while ((at = strstr(at, right)) != NULL) {
		if ((at == list || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' ')) {
			return true;
		}
		at += len;
	}
	return false;
}

/* What is called on one line of a script, by redis.call('X' or call('X'. What pcall() is refused
 * ends no script. */
static void name_calls(char *out, const char *line, size_t len)
{
	static const char before[] = "call('";
	const char *end = line + len, *from = line + 1, *to;
	char right[RLK_RIGHTS_MAX];
	size_t n = 0;

	while (len > 0 && (from = strstr(from, before)) != NULL && from < end) {
		from += sizeof before - 1;
		to = strchr(from, '\'');
		if (to == NULL || to > end || to - from > 32 || n + 48 > RLK_RIGHTS_MAX) {
			return;
		}
		add_command(right, 0, from, (size_t)(to - from));
		if (from[-1 - (ptrdiff_t)strlen(before)] != 'p' && !is_listed(out, right)) {
			n = add_command(out, n, from, (size_t)(to - from));
		}
	}
}

/* "... script: <sha1>, on @user_script:7." */
static void name_line(char *out, const char *text, const char *script)
{
	static const char before[] = "user_script:";
	const char *at = strstr(text, before);
	unsigned long line = at == NULL ? 0 : strtoul(at + sizeof before - 1, NULL, 10);

	if (line == 0) {
		return;
	}
	while (--line > 0 && script != NULL) {
		script = strchr(script, '\n');
		script = script == NULL ? NULL : script + 1;
	}
	if (script != NULL) {
		name_calls(out, script, strcspn(script, "\n"));
	}
}

void rlk_rights_missing(char out[RLK_RIGHTS_MAX], const char *text, enum rlk_script_id script)
{
	bool noperm = strncmp(text, "NOPERM", 6) == 0;
	bool inside = strstr(text, "executing the script can't") != NULL ||
		      strstr(text, "ACL failure in script") != NULL;

	out[0] = '\0';
	if ((!noperm && !inside) || name_command(out, text)) {
		return;
	}
	if (strstr(text, " channel") != NULL) {
		snprintf(out, RLK_RIGHTS_MAX, "&redlock:wake:*");
	} else if (strstr(text, " key") != NULL) {
		snprintf(out, RLK_RIGHTS_MAX, "~");
	} else if (script != RLK_SCRIPTS) {
		name_line(out, text, rlk_scripts[script].text);
	}
}

void rlk_rights_note(char list[RLK_RIGHTS_MAX], const char *right)
{
	size_t n = strlen(list);

	if (right[0] != '\0' && right[0] != '~' && !is_listed(list, right) &&
	    n + strlen(right) + 2 < RLK_RIGHTS_MAX) {
		snprintf(list + n, RLK_RIGHTS_MAX - n, "%s%s", n > 0 ? " " : "", right);
	}
}
