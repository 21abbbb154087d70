/* journal.c - one write() for each line, so that a process that is killed leaves whole lines. */
#include "journal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int file = -1;

void journal_open(const char *path)
{
	file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (file < 0) {
		perror(path);
		exit(1);
	}
}

uint64_t journal_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void journal_say(uint64_t at_us, const char *format, ...)
{
	char line[512];
	va_list args;
	int used = snprintf(line, sizeof line, "%llu ", (unsigned long long)at_us);

	va_start(args, format);
	used += vsnprintf(line + used, sizeof line - (size_t)used - 1, format, args);
	va_end(args);
	if (used > (int)sizeof line - 2) {
		used = (int)sizeof line - 2;
	}
	line[used++] = '\n';
	if (write(file, line, (size_t)used) != used) {
		_exit(1);
	}
}
