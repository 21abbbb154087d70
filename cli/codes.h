/* codes.h - exit codes of the tool; part of its contract (see `redlock help`). */
#ifndef CLI_CODES_H
#define CLI_CODES_H

enum code {
	CODE_OK = 0,
	CODE_USAGE = 64,     /* The command line, or a file or variable it reads, is wrong. */
	CODE_NO_QUORUM = 69, /* Too few nodes could vote; servers could not be started. */
	CODE_SYSTEM = 71,    /* The operating system refused: no process, no memory. */
	CODE_OUTPUT = 74,    /* The result could not be written. */
	CODE_HELD = 75,	     /* Held by another owner, or the wait is over. */
	CODE_LOST = 79,	     /* The lock is not ours any more. */
	CODE_CANNOT_RUN = 126,
	CODE_NOT_FOUND = 127,
	CODE_SIGNAL = 128 /* Added to the number of a signal. */
};

#endif
