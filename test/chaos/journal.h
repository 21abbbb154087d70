/* journal.h - what a client of the chaos says of itself, a line at a time, for the judge. */
#ifndef REDLOCK_CHAOS_JOURNAL_H
#define REDLOCK_CHAOS_JOURNAL_H

#include <stdint.h>

/* Ends the program if it cannot. */
void journal_open(const char *path);

/* The clock of the library's promises, which all processes of a machine share; µs. */
uint64_t journal_now_us(void);

/* One line: @at_us, then what follows. It is in the file when this returns, whatever happens to
 * the process then. */
__attribute__((format(printf, 2, 3))) void journal_say(uint64_t at_us, const char *format, ...);

#endif
