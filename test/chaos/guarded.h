/* guarded.h - the store that refuses an older fencing token, as a client sees it. */
#ifndef REDLOCK_CHAOS_GUARDED_H
#define REDLOCK_CHAOS_GUARDED_H

#include <stdbool.h>
#include <stdint.h>

/* Ends the program if nobody is there. */
void guarded_open(const char *socket_path);

/* Write to @resource under @token. False: refused, and *@highest is the token that it has seen. */
bool guarded_write(const char *resource, uint64_t token, const char *who, uint64_t *highest);

#endif
