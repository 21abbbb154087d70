/* test_replies.c - one row for each thing that a server may say or do to a client that asks it for
 * its vote. Every row is met alone, by a majority of good nodes, and as a majority. */
#include "rows.h"

/* A row: at what, what it does, what becomes of it. */
#define ACQUIRE(what, ...)                                                                         \
	{                                                                                          \
		.name = "SET: " what, .stage = ACQUIRING, .cue.at = AT_SET, __VA_ARGS__            \
	}
#define FENCED(what, ...)                                                                          \
	{                                                                                          \
		.name = "fence: " what, .stage = FENCING, .cue.at = AT_FENCED, __VA_ARGS__         \
	}
#define EXTEND(what, ...)                                                                          \
	{                                                                                          \
		.name = "extend: " what, .stage = EXTENDING, .cue.at = AT_EXTEND, __VA_ARGS__      \
	}
#define RELEASE(what, ...)                                                                         \
	{                                                                                          \
		.name = "release: " what, .stage = RELEASING, .cue.at = AT_RELEASE,                \
		.cue.times = 1, __VA_ARGS__                                                        \
	}
#define LOOK(what, ...)                                                                            \
	{                                                                                          \
		.name = "inspect: " what, .stage = LOOKING, .cue.at = AT_INSPECT, __VA_ARGS__      \
	}

static const struct hostility errors[] = {
	ACQUIRE("LOADING", MANNER = SAYS("-LOADING Redis is loading the dataset in memory\r\n"),
		FAULT("LOADING")),
	ACQUIRE("NOSCRIPT", MANNER = SAYS("-NOSCRIPT No matching script.\r\n"), FAULT("NOSCRIPT")),
	ACQUIRE("NOPERM", MANNER = SAYS("-NOPERM this user has no permissions\r\n"),
		FAULT("NOPERM")),
	ACQUIRE("READONLY",
		MANNER = SAYS("-READONLY You can't write against a read only replica.\r\n"),
		FAULT("READONLY")),
	ACQUIRE("MISCONF", MANNER = SAYS("-MISCONF Errors writing to the AOF file\r\n"),
		FAULT("MISCONF")),
	ACQUIRE("OOM",
		MANNER = SAYS("-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
		FAULT("OOM")),
	ACQUIRE("NOAUTH", MANNER = SAYS("-NOAUTH Authentication required.\r\n"), FAULT("NOAUTH")),
	ACQUIRE("BUSY", MANNER = SAYS("-BUSY Redis is busy running a script.\r\n"), FAULT("BUSY")),
	ACQUIRE("MASTERDOWN", MANNER = SAYS("-MASTERDOWN Link with MASTER is down\r\n"),
		FAULT("MASTERDOWN")),
	ACQUIRE("CLUSTERDOWN", MANNER = SAYS("-CLUSTERDOWN Hash slot not served\r\n"),
		FAULT("CLUSTERDOWN")),
	ACQUIRE("MOVED", MANNER = SAYS("-MOVED 3999 127.0.0.1:6381\r\n"), FAULT("MOVED")),
	ACQUIRE("an error without text", MANNER = SAYS("-\r\n"), FAULT("an error without a text")),
	ACQUIRE("an error of one blank", MANNER = SAYS("- \r\n"), FAULT("")),
	ACQUIRE("an error of 60 kB", MANNER = SAYS_MANY("-ERR much ", "x", 60000, "\r\n"),
		FAULT("ERR much")),
	ACQUIRE("an error of 100 kB", MANNER = SAYS_MANY("-ERR much ", "x", 100000, "\r\n"),
		GONE("too long")),
	ACQUIRE("an error that would colour a terminal",
		MANNER = SAYS_BYTES("-ERR \033[31mred\a\tand more\0hidden\177\r\n"), FAULT("red")),
	ACQUIRE("an error that repeats the command", MANNER = PARROT,
		FAULT("unknown command 'SET'")),
	EXTEND("an error that repeats the command", MANNER = PARROT,
	       FAULT("unknown command 'EVAL")),
	EXTEND("NOSCRIPT once", MANNER = SAYS("-NOSCRIPT No matching script.\r\n"), .cue.times = 1,
	       GRANTED),
	EXTEND("NOSCRIPT for ever", MANNER = SAYS("-NOSCRIPT No matching script.\r\n"),
	       FAULT("NOSCRIPT")),
	EXTEND("NOPERM", MANNER = SAYS("-NOPERM no permissions to run 'eval'\r\n"),
	       FAULT("NOPERM")),
	RELEASE("an error that repeats the command", MANNER = PARROT,
		FAULT("unknown command 'EVAL")),
	RELEASE("READONLY", MANNER = SAYS("-READONLY not any more\r\n"), FAULT("READONLY")),
	RELEASE("NOSCRIPT once", MANNER = SAYS("-NOSCRIPT No matching script.\r\n"), GRANTED),
	FENCED("NOPERM", MANNER = SAYS("-NOPERM no permissions to run 'eval'\r\n"),
	       FAULT("NOPERM")),
	FENCED("an error that repeats the command", MANNER = PARROT,
	       FAULT("unknown command 'EVAL")),
};

static const struct hostility types[] = {
	ACQUIRE("a number", MANNER = SAYS(":1\r\n"), ODD),
	ACQUIRE("a bulk OK", MANNER = SAYS("$2\r\nOK\r\n"), ODD),
	ACQUIRE("a bulk that does not end where it says", MANNER = SAYS("$2\r\nOKOKOK\r\n"), ODD),
	ACQUIRE("another status", MANNER = SAYS("+QUEUED\r\n"), ODD),
	ACQUIRE("nearly OK", MANNER = SAYS("+OKAY\r\n"), ODD),
	ACQUIRE("OK and something behind a NUL", MANNER = SAYS_BYTES("+OK\0no\r\n"), ODD),
	ACQUIRE("no status at all", MANNER = SAYS("+\r\n"), ODD),
	ACQUIRE("an empty array", MANNER = SAYS("*0\r\n"), ODD),
	ACQUIRE("an array of nothing", MANNER = SAYS("*2\r\n*-1\r\n$-1\r\n"), ODD),
	ACQUIRE("an array", MANNER = SAYS("*2\r\n:1\r\n:1\r\n"), ODD),
	ACQUIRE("nil", MANNER = SAYS("$-1\r\n"), HELD),
	ACQUIRE("WRONGTYPE", MANNER = SAYS("-WRONGTYPE Operation against a key\r\n"), HELD),
	ACQUIRE("a map", MANNER = SAYS("%1\r\n+a\r\n+b\r\n"), RESP3),
	ACQUIRE("a set", MANNER = SAYS("~1\r\n+a\r\n"), RESP3),
	ACQUIRE("a double", MANNER = SAYS(",1.5\r\n"), RESP3),
	ACQUIRE("a boolean", MANNER = SAYS("#t\r\n"), RESP3),
	ACQUIRE("a push", MANNER = SAYS(">2\r\n+message\r\n+OK\r\n"), PUSH),
	EXTEND("a status", MANNER = SAYS("+OK\r\n"), ODD),
	EXTEND("nil", MANNER = SAYS("$-1\r\n"), ODD),
	EXTEND("2", MANNER = SAYS(":2\r\n"), ODD),
	EXTEND("-2", MANNER = SAYS(":-2\r\n"), ODD),
	EXTEND("a bulk 1", MANNER = SAYS("$1\r\n1\r\n"), ODD),
	EXTEND("an array", MANNER = SAYS("*1\r\n:1\r\n"), ODD),
	EXTEND("another owner", MANNER = SAYS(":0\r\n"), HELD),
	EXTEND("missing, though it is there", MANNER = SAYS(":-1\r\n"), HELD),
	EXTEND("a map", MANNER = SAYS("%1\r\n+a\r\n:1\r\n"), RESP3),
	RELEASE("a status", MANNER = SAYS("+OK\r\n"), ODD),
	RELEASE("nil", MANNER = SAYS("$-1\r\n"), ODD),
	RELEASE("-1", MANNER = SAYS(":-1\r\n"), ODD),
	RELEASE("5", MANNER = SAYS(":5\r\n"), ODD),
	RELEASE("an array", MANNER = SAYS("*1\r\n:1\r\n"), ODD),
	FENCED("a number", MANNER = SAYS(":1\r\n"), ODD),
	FENCED("one element", MANNER = SAYS("*1\r\n:1\r\n"), ODD),
	FENCED("two numbers", MANNER = SAYS("*2\r\n:1\r\n:1\r\n"), ODD),
	FENCED("two strings", MANNER = SAYS("*2\r\n$1\r\n1\r\n$1\r\n1\r\n"), ODD),
	FENCED("an unknown verdict", MANNER = SAYS("*2\r\n:7\r\n$0\r\n\r\n"), ODD),
	FENCED("a floor that is no number", MANNER = SAYS("*2\r\n:-1\r\n$3\r\nabc\r\n"), ODD),
	FENCED("a floor below zero", MANNER = SAYS("*2\r\n:-1\r\n$2\r\n-5\r\n"), ODD),
	FENCED("a floor beyond 64 bits",
	       MANNER = SAYS("*2\r\n:-1\r\n$20\r\n99999999999999999999\r\n"), ODD),
	FENCED("a floor that nobody can count to",
	       MANNER = SAYS("*2\r\n:-1\r\n$16\r\n9007199254740992\r\n"), ODD),
	FENCED("a clock of nothing", MANNER = SAYS("*2\r\n:-2\r\n$0\r\n\r\n"), ODD),
	FENCED("an array in the array", MANNER = SAYS("*2\r\n*1\r\n:1\r\n$0\r\n\r\n"), ODD),
	LOOK("a number", MANNER = SAYS(":1\r\n"), ODD),
	LOOK("nil", MANNER = SAYS("$-1\r\n"), ODD),
	LOOK("one element", MANNER = SAYS("*1\r\n$-1\r\n"), ODD),
	LOOK("an owner that is a number", MANNER = SAYS("*3\r\n:1\r\n:1\r\n:0\r\n"), ODD),
	LOOK("a time that is a string", MANNER = SAYS("*3\r\n$1\r\na\r\n$1\r\n1\r\n:0\r\n"), ODD),
	LOOK("an owner of 50 kB",
	     MANNER = SAYS_MANY("*3\r\n$50000\r\n", "x", 50000, "\r\n:1\r\n:0\r\n"), GRANTED),
	LOOK("a time below all",
	     MANNER = SAYS("*3\r\n$1\r\na\r\n:-9223372036854775807\r\n:-9223372036854775807\r\n"),
	     GRANTED),
	LOOK("two elements", MANNER = SAYS("*2\r\n$1\r\na\r\n:1\r\n"), ODD),
	LOOK("an error", MANNER = SAYS("-NOPERM no\r\n"), FAULT("NOPERM")),
};

static const struct hostility nonsense[] = {
	ACQUIRE("garbage", MANNER = SAYS("qwertyuiop\r\n"), GONE("Protocol error")),
	ACQUIRE("bytes of no text", MANNER = SAYS_BYTES("\377\376\0\0\1\r\n"),
		GONE("Protocol error")),
	ACQUIRE("NULs", MANNER = SAYS_BYTES("\0\0\0\0\0\0\0\0\r\n"), GONE("Protocol error")),
	ACQUIRE("a web page", MANNER = SAYS("HTTP/1.1 400 Bad Request\r\n\r\n<html>"),
		GONE("Protocol error")),
	ACQUIRE("a number beyond 64 bits", MANNER = SAYS(":99999999999999999999\r\n"),
		GONE("Bad integer value")),
	ACQUIRE("no number", MANNER = SAYS(":\r\n"), GONE("Bad integer value")),
	ACQUIRE("a number of letters", MANNER = SAYS(":one\r\n"), GONE("Bad integer value")),
	ACQUIRE("a bulk of -5", MANNER = SAYS("$-5\r\n"), GONE("out of range")),
	ACQUIRE("a bulk beyond 64 bits", MANNER = SAYS("$99999999999999999999\r\n"),
		GONE("Bad bulk")),
	ACQUIRE("an array of -5", MANNER = SAYS("*-5\r\n"), GONE("out of range")),
	ACQUIRE("an array beyond 64 bits", MANNER = SAYS("*99999999999999999999\r\n"),
		GONE("Bad multi-bulk")),
	ACQUIRE("an array of 100 million", MANNER = SAYS("*100000000\r\n"),
		GONE("too many elements")),
	ACQUIRE("an array of 2 billion", MANNER = SAYS("*2000000000\r\n"),
		GONE("too many elements")),
	ACQUIRE("arrays of a thousand in each other", MANNER = SAYS_MANY("", "*1000\r\n", 7, ""),
		GONE("too many elements")),
	ACQUIRE("an array of arrays, again and again",
		MANNER = SAYS_MANY("*900\r\n", "*900\r\n", 800, ""), GONE("too many elements")),
	ACQUIRE("10 000 levels", MANNER = SAYS_MANY("", "*1\r\n", 10000, ":1\r\n"), GONE("")),
	ACQUIRE("a bulk of 100 kB", MANNER = SAYS_MANY("$100000\r\n", "x", 100000, "\r\n"),
		GONE("too long")),
	ACQUIRE("a status of 100 kB", MANNER = SAYS_MANY("+", "x", 100000, "\r\n"),
		GONE("too long")),
	ACQUIRE("a bulk of 2 GB that begins",
		MANNER = SAYS_MANY("$2000000000\r\n", "x", 100000, ""), GONE("too long")),
	ACQUIRE("a bulk of 2 GB that does not come", MANNER = SAYS("$2000000000\r\n"), THEN = HANG,
		SILENT),
	ACQUIRE("an array that does not come", MANNER = SAYS("*2\r\n"), THEN = HANG, SILENT),
	EXTEND("garbage", MANNER = SAYS("qwertyuiop\r\n"), GONE("Protocol error")),
	RELEASE("garbage", MANNER = SAYS("qwertyuiop\r\n"), GONE("Protocol error")),
};

static const struct hostility breaks[] = {
	ACQUIRE("silence", THEN = HANG, SILENT),
	ACQUIRE("silence, after it was done", .cue.does_it = true, THEN = HANG, SILENT),
	ACQUIRE("not even read", THEN = DEAF, SILENT),
	ACQUIRE("half a reply", MANNER = SAYS("+O"), THEN = HANG, SILENT),
	ACQUIRE("half a reply, and the end", MANNER = SAYS("+O"), THEN = HANG_UP,
		GONE("connection lost")),
	ACQUIRE("half a reply, and a reset", MANNER = SAYS("+O"), THEN = BREAK_OFF,
		GONE("connection lost")),
	ACQUIRE("a hang-up", THEN = HANG_UP, GONE("connection lost")),
	ACQUIRE("a hang-up, after it was done", .cue.does_it = true, THEN = HANG_UP,
		GONE("connection lost")),
	ACQUIRE("a reset", THEN = BREAK_OFF, GONE("connection lost")),
	ACQUIRE("the next reply first", MANNER = SWAPPED, SILENT),
	ACQUIRE("something unasked first", MANNER = BEFORE, .cue.say.head = ":1\r\n", ODD),
	{.name = "everything byte by byte", .stage = ACQUIRING, .cue.drop_by_drop = true, GRANTED},
	EXTEND("silence", THEN = HANG, SILENT),
	EXTEND("half a reply, and the end", MANNER = SAYS(":"), THEN = HANG_UP,
	       GONE("connection lost")),
	EXTEND("a reset", THEN = BREAK_OFF, GONE("connection lost")),
	EXTEND("something unasked first", MANNER = BEFORE, .cue.say.head = "+OK\r\n", ODD),
	RELEASE("silence", THEN = HANG, SILENT),
	RELEASE("half a reply, and the end", MANNER = SAYS(":"), THEN = HANG_UP,
		GONE("connection lost")),
	RELEASE("a hang-up, after it was done", .cue.does_it = true, THEN = HANG_UP,
		GONE("connection lost")),
	LOOK("a hang-up", THEN = HANG_UP, GONE("connection lost")),
};

START_TEST(an_error_is_no_vote_and_is_told_without_secrets)
{
	meet_all(errors, COUNT(errors));
}
END_TEST

START_TEST(a_reply_of_another_type_is_no_vote)
{
	meet_all(types, COUNT(types));
}
END_TEST

START_TEST(nonsense_ends_the_connection_and_costs_no_memory)
{
	meet_all(nonsense, COUNT(nonsense));
}
END_TEST

START_TEST(a_connection_may_end_or_fall_silent_at_any_byte)
{
	meet_all(breaks, COUNT(breaks));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node replies");
	TCase *tcase = tcase_create("replies");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, meeting_open, meeting_close);
	tcase_add_test(tcase, an_error_is_no_vote_and_is_told_without_secrets);
	tcase_add_test(tcase, a_reply_of_another_type_is_no_vote);
	tcase_add_test(tcase, nonsense_ends_the_connection_and_costs_no_memory);
	tcase_add_test(tcase, a_connection_may_end_or_fall_silent_at_any_byte);
	suite_add_tcase(suite, tcase);
	return rig_run(suite);
}
