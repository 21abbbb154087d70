/* tool.h - runs the tool and other programs, and keeps what they said.
 *
 * Nothing that is started here outlives the test: the kernel kills the tool
 * with the test's process, and the tool sees to its own. */
#ifndef REDLOCK_TEST_TOOL_H
#define REDLOCK_TEST_TOOL_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Everything here is done long before; the limit only ends a hung test. */
#define PATIENCE_MS 30000
/* For a verb whose nodes are all well: a busy machine is no silent node. */
#define PATIENT "--node-timeout", "5s"
/* Far above a node's timeout, far below the lease that somebody may have to wait for. */
#define SOON_MS 10000

struct result {
	int code;   /* Exit code, or -1. */
	int signum; /* That ended it, or 0. */
	uint64_t took_ms;
	char out[32768];
	char err[32768];
};

struct tool {
	pid_t pid;
	int out_fd;
	int err_fd;
	uint64_t started_ms;
};

/* Run the tool with these words and wait for its end. The result stays good
 * until the next call in the same test. */
#define TOOL(...) tool_run((const char *const[]){__VA_ARGS__, NULL}, NULL)
/* The same, with standard input. */
#define TOOL_FED(input, ...) tool_run((const char *const[]){__VA_ARGS__, NULL}, input)
/* Start it only. */
#define TOOL_START(...) tool_start((const char *const[]){__VA_ARGS__, NULL}, NULL)

const struct result *tool_run(const char *const *words, const char *input);
struct tool tool_start(const char *const *words, const char *input);
const struct result *tool_wait(struct tool *tool);
bool tool_ended(const struct tool *tool);
/* Has a tool come so far that it is told of signals, rather than ended by them? */
bool tool_listens(pid_t pid);
/* What it has said so far; to be freed. */
char *tool_said(int fd);

/* Any program; the first word is its path. */
struct tool program_start(const char *const *words, const char *input);

uint64_t now_ms(void);
void sleep_ms(unsigned ms);

/* Wait until a condition holds; fail if it never does. */
#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		uint64_t until_ms = now_ms() + PATIENCE_MS;                                        \
		while (!(condition)) {                                                             \
			ck_assert_msg(now_ms() < until_ms, "never came: %s", #condition);          \
			sleep_ms(2);                                                               \
		}                                                                                  \
	} while (0)

/* Is there a process (a zombie does not count)? */
bool process_lives(pid_t pid);
/* The number in a file that a command under test wrote, or 0 while it is not there. */
long file_number(const char *path);
bool file_exists(const char *path);
/* All of a file; to be freed. */
char *file_text(const char *path);

/* Fails unless @text is one JSON value. */
void check_json(const char *text);

/* The last line of @text. */
const char *last_line(const char *text);

#endif
