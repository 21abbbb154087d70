/* floor_connect.h - plain blocking sockets, for what happens before the clock starts. */
#ifndef BENCH_FLOOR_CONNECT_H
#define BENCH_FLOOR_CONNECT_H

#include <stddef.h>

#include "nodes.h"

/** Connect to a node, without Nagle's delay. Returns the socket, or -1. */
int floor_connect(const struct node_address *node);

/** Write a request in RESP to @buffer. Returns its length; 0 if it does not fit. */
size_t floor_request(char *buffer, size_t size, const char *const *args, size_t count);

/** Send @args and read one bulk string into @answer. Returns 0, or -1. */
int floor_ask(int fd, const char *const *args, size_t count, char *answer, size_t size);

#endif
