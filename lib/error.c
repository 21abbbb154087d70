/* error.c - names and texts, from the one table in the public header. */
#include <redlock/redlock.h>

const char *redlock_version(void)
{
	return REDLOCK_VERSION;
}

#define TEXT(name, value, text)                                                                    \
	case value:                                                                                \
		return text;
#define NAME(name, value, text)                                                                    \
	case value:                                                                                \
		return "REDLOCK_" #name;

const char *redlock_strerror(int status)
{
	switch (status) {
		REDLOCK_ERRORS(TEXT)
	case 0:
		return "ok";
	default:
		return "unknown status";
	}
}

const char *redlock_status_name(int status)
{
	switch (status) {
		REDLOCK_ERRORS(NAME)
	case 0:
		return "REDLOCK_OK";
	default:
		return "unknown";
	}
}

const char *redlock_vote_name(enum redlock_vote vote)
{
	static const char *const names[] = {"none",  "granted",	  "held",	 "missing",
					    "error", "timed out", "unreachable", "withheld"};

	return (unsigned)vote < sizeof names / sizeof names[0] ? names[vote] : "unknown";
}

const char *redlock_way_name(enum redlock_way way)
{
	static const char *const names[] = {"none", "client", "line", "pauses"};

	return (unsigned)way < sizeof names / sizeof names[0] ? names[way] : "unknown";
}
