/* test_logins.c - one row for each way in which a server may fail, or lie, before it may vote. */
#include "rows.h"

#define LOGIN(when, what, ...)                                                                     \
	{                                                                                          \
		.name = "log-in: " what, .stage = LOGGING_IN, .cue.at = (when), __VA_ARGS__        \
	}
#define BAR(when, what, ...)                                                                       \
	{                                                                                          \
		.name = "log-in: " what, .stage = BARRED, .cue.at = (when), __VA_ARGS__            \
	}
/* Odd, and good enough. */
#define FINE(when, what, ...)                                                                      \
	{                                                                                          \
		.name = "log-in: " what, .stage = ACQUIRING, .cue.at = (when), GRANTED,            \
		__VA_ARGS__                                                                        \
	}
#define TELLS(text) .says = (text)

static const struct hostility breaks[] = {
	LOGIN(AT_ACCEPT, "not even read", THEN = DEAF, TELLS("no answer while connecting")),
	LOGIN(AT_ACCEPT, "hung up on", THEN = HANG_UP, TELLS("connection lost")),
	LOGIN(AT_ACCEPT, "reset", THEN = BREAK_OFF, TELLS("onnection ")),
	LOGIN(AT_ACCEPT, "greeted by another kind of server",
	      MANNER = SAYS("SSH-2.0-OpenSSH_9.2p1\r\n"), TELLS("Protocol error")),
	LOGIN(AT_ACCEPT, "greeted with an OK", MANNER = SAYS("+OK ready\r\n"), TELLS("")),
	LOGIN(AT_ACCEPT, "greeted with a number", MANNER = SAYS(":1\r\n"), TELLS("")),
	LOGIN(AT_ACCEPT, "no room", MANNER = SAYS("-ERR max number of clients reached\r\n"),
	      THEN = HANG_UP, TELLS("max number of clients")),
	LOGIN(AT_ACCEPT, "greeted with NULs", MANNER = SAYS_BYTES("\0\0\0\0"),
	      TELLS("Protocol error")),
	LOGIN(AT_HELLO, "no answer to HELLO", THEN = HANG, TELLS("no answer while connecting")),
	LOGIN(AT_HELLO, "half an answer", MANNER = SAYS("*6\r\n$6\r\nser"), THEN = HANG,
	      TELLS("no answer while connecting")),
	LOGIN(AT_HELLO, "half an answer and the end", MANNER = SAYS("*6\r\n$6\r\nser"),
	      THEN = HANG_UP, TELLS("connection lost")),
	LOGIN(AT_INFO, "hung up on at INFO", THEN = HANG_UP, TELLS("connection lost")),
	LOGIN(AT_ROLE, "the answers in another order", MANNER = SWAPPED,
	      TELLS("unexpected reply to")),
	LOGIN(AT_HELLO, "everything twice", MANNER = TWICE, TELLS("a reply ahead of its question")),
	LOGIN(AT_CONFIG, "silent at CONFIG", THEN = HANG, TELLS("no answer while connecting")),
	LOGIN(AT_ENROL, "reset at the last step", THEN = BREAK_OFF, TELLS("connection lost")),
	LOGIN(AT_ENROL, "silent at the last step", THEN = HANG,
	      TELLS("no answer while connecting")),
};

static const struct hostility refusals[] = {
	LOGIN(AT_HELLO, "NOAUTH", MANNER = SAYS("-NOAUTH HELLO must be called with AUTH\r\n"),
	      TELLS("NOAUTH")),
	LOGIN(AT_HELLO, "WRONGPASS", MANNER = SAYS("-WRONGPASS invalid username-password pair\r\n"),
	      TELLS("WRONGPASS")),
	LOGIN(AT_HELLO, "WRONGPASS, and the password",
	      MANNER = SAYS("-WRONGPASS " PASSWORD " is not it\r\n"), TELLS("WRONGPASS *** is")),
	LOGIN(AT_HELLO, "LOADING", MANNER = SAYS("-LOADING\r\n"), TELLS("LOADING")),
	LOGIN(AT_HELLO, "DENIED", MANNER = SAYS("-DENIED protected mode\r\n"), TELLS("DENIED")),
	LOGIN(AT_HELLO, "an error without text", MANNER = SAYS("-\r\n"), TELLS("without a text")),
	LOGIN(AT_HELLO, "an error of 100 kB", MANNER = SAYS_MANY("-ERR ", "x", 100000, "\r\n"),
	      TELLS("too long")),
	LOGIN(AT_HELLO, "a status", MANNER = SAYS("+OK\r\n"), TELLS("unexpected reply to HELLO")),
	LOGIN(AT_HELLO, "nil", MANNER = SAYS("$-1\r\n"), TELLS("unexpected reply to HELLO")),
	LOGIN(AT_HELLO, "a huge array", MANNER = SAYS("*100000000\r\n"),
	      TELLS("too many elements")),
	LOGIN(AT_INFO, "a number", MANNER = SAYS(":7\r\n"), TELLS("unexpected reply to INFO")),
	LOGIN(AT_INFO, "INFO of 1 MB", MANNER = SAYS_MANY("$1000000\r\n", "x", 1000000, "\r\n"),
	      TELLS("too long")),
	LOGIN(AT_CONFIG, "a status", MANNER = SAYS("+OK\r\n"), TELLS("unexpected reply to CONFIG")),
	LOGIN(AT_ENROL, "READONLY", MANNER = SAYS("-READONLY You can't write\r\n"),
	      TELLS("READONLY")),
	LOGIN(AT_ENROL, "MISCONF", MANNER = SAYS("-MISCONF Errors writing\r\n"), TELLS("MISCONF")),
	LOGIN(AT_ENROL, "OOM", MANNER = SAYS("-OOM command not allowed\r\n"), TELLS("OOM")),
	LOGIN(AT_ENROL, "BUSY", MANNER = SAYS("-BUSY Redis is busy\r\n"), TELLS("BUSY")),
	LOGIN(AT_ENROL, "MASTERDOWN", MANNER = SAYS("-MASTERDOWN Link\r\n"), TELLS("MASTERDOWN")),
	LOGIN(AT_ENROL, "CLUSTERDOWN", MANNER = SAYS("-CLUSTERDOWN no\r\n"), TELLS("CLUSTERDOWN")),
	LOGIN(AT_ENROL, "MOVED", MANNER = SAYS("-MOVED 1 10.0.0.1:1\r\n"), TELLS("MOVED")),
	LOGIN(AT_ENROL, "NOSCRIPT", MANNER = SAYS("-NOSCRIPT\r\n"), TELLS("NOSCRIPT")),
};

#define ODD_AGE TELLS("unexpected reply to the enrol script")

static const struct hostility lies[] = {
	BAR(AT_HELLO, "a replica", MANNER = SAYS("*2\r\n$4\r\nrole\r\n$5\r\nslave\r\n"),
	    TELLS("is a replica")),
	BAR(AT_INFO, "both a master and a replica", MANNER = SAYS("$15\r\nx:1\r\nrole:slave\r\n"),
	    TELLS("is a replica")),
	FINE(AT_HELLO, "an empty self-description", MANNER = SAYS("*0\r\n")),
	FINE(AT_HELLO, "an odd number of words", MANNER = SAYS("*1\r\n$4\r\nrole\r\n")),
	FINE(AT_HELLO, "words that are not words",
	     MANNER = SAYS("*4\r\n*0\r\n:1\r\n$-1\r\n*1\r\n:1\r\n")),
	FINE(AT_HELLO, "a version of 10 kB",
	     MANNER = SAYS_MANY("*2\r\n$7\r\nversion\r\n$10000\r\n", "9", 10000, "\r\n")),
	FINE(AT_HELLO, "a role that is nothing", MANNER = SAYS("*2\r\n$4\r\nrole\r\n$0\r\n\r\n")),
	FINE(AT_HELLO, "no HELLO", MANNER = PARROT),
	FINE(AT_INFO, "no right to INFO", MANNER = SAYS("-NOPERM no\r\n")),
	FINE(AT_INFO, "an empty INFO", MANNER = SAYS("$0\r\n\r\n")),
	FINE(AT_INFO, "an INFO of NULs", MANNER = SAYS_BYTES("$6\r\nrun\0id\r\n")),
	FINE(AT_CONFIG, "no right to CONFIG", MANNER = SAYS("-NOPERM no\r\n")),
	FINE(AT_CONFIG, "half a setting", MANNER = SAYS("*1\r\n$10\r\nappendonly\r\n")),
	FINE(AT_CONFIG, "settings that are no words", MANNER = SAYS("*2\r\n:1\r\n*0\r\n")),
	FINE(AT_ENROL, "no right to scripts, and no guard", MANNER = SAYS("-NOPERM no\r\n")),
	LOGIN(AT_ENROL, "no age", MANNER = SAYS("+OK\r\n"), ODD_AGE),
	LOGIN(AT_ENROL, "an age of one number", MANNER = SAYS("*1\r\n$1\r\n1\r\n"), ODD_AGE),
	LOGIN(AT_ENROL, "an age of integers", MANNER = SAYS("*2\r\n:1\r\n:2\r\n"), ODD_AGE),
	LOGIN(AT_ENROL, "born below zero", MANNER = SAYS("*2\r\n$2\r\n-5\r\n$1\r\n9\r\n"), ODD_AGE),
	LOGIN(AT_ENROL, "born never", MANNER = SAYS("*2\r\n$1\r\n0\r\n$1\r\n9\r\n"), ODD_AGE),
	LOGIN(AT_ENROL, "born beyond 64 bits",
	      MANNER = SAYS("*2\r\n$20\r\n99999999999999999999\r\n$1\r\n9\r\n"), ODD_AGE),
	LOGIN(AT_ENROL, "born beyond all counting",
	      MANNER = SAYS("*2\r\n$16\r\n9007199254740992\r\n$1\r\n9\r\n"), ODD_AGE),
	LOGIN(AT_ENROL, "a clock of letters", MANNER = SAYS("*2\r\n$1\r\n1\r\n$3\r\nnow\r\n"),
	      ODD_AGE),
	LOGIN(AT_ENROL, "ages in ages", MANNER = SAYS("*2\r\n*1\r\n$1\r\n1\r\n$-1\r\n"), ODD_AGE),
};

START_TEST(a_log_in_may_break_at_any_step)
{
	meet_all(breaks, COUNT(breaks));
}
END_TEST

START_TEST(a_refusal_is_told_and_asked_again_later)
{
	meet_all(refusals, COUNT(refusals));
}
END_TEST

START_TEST(a_lie_about_itself_does_no_harm)
{
	meet_all(lies, COUNT(lies));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("node logins");
	TCase *tcase = tcase_create("logins");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, meeting_open, meeting_close);
	tcase_add_test(tcase, a_log_in_may_break_at_any_step);
	tcase_add_test(tcase, a_refusal_is_told_and_asked_again_later);
	tcase_add_test(tcase, a_lie_about_itself_does_no_harm);
	suite_add_tcase(suite, tcase);
	return rig_run(suite);
}
