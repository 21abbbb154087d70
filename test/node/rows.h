/* rows.h - words for tables of hostilities. */
#ifndef REDLOCK_TEST_ROWS_H
#define REDLOCK_TEST_ROWS_H

#include <hiredis/hiredis.h>

#include "meeting.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SAYS(text) INSTEAD, .cue.say.head = (text)
#define SAYS_BYTES(text) INSTEAD, .cue.say.head = (text), .cue.say.head_len = sizeof(text) - 1
#define SAYS_MANY(first, each, n, last)                                                            \
	INSTEAD, .cue.say = {.head = (first), .unit = (each), .times = (n), .tail = (last)}

#define MANNER .cue.manner
#define THEN .cue.then
#define GRANTED .vote = REDLOCK_VOTE_GRANTED
#define HELD .vote = REDLOCK_VOTE_HELD, .says = NULL
#define FAULT(text) .vote = REDLOCK_VOTE_ERROR, .says = (text)
#define GONE(text) .vote = REDLOCK_VOTE_UNREACHABLE, .says = (text)
#define SILENT .vote = REDLOCK_VOTE_TIMED_OUT, .says = "no answer in time"
#define ODD FAULT("unexpected reply")

/* What only hiredis 1.0 and later understand: and it is still no answer. */
#if HIREDIS_MAJOR >= 1
#define RESP3 ODD
#define PUSH GONE("a reply to nothing")
#else
#define RESP3 GONE("Protocol error")
#define PUSH RESP3
#endif

#endif
