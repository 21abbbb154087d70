/* stock_file.c - the stock as a number in a file, the ledger in a second file beside it. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stock.h"

/* Always the same width: a reader never sees half of a shorter number. */
#define NUMBER_FORMAT "%019ld\n"
#define NUMBER_LEN 20

/* One ledger line, also always of the same width. */
#define LINE_FORMAT "%010ld %020ld\n"
#define LINE_LEN 32

struct stock_file {
	struct stock stock;
	int number;
	int ledger;
};

static struct stock_file *self(struct stock *stock)
{
	return (struct stock_file *)stock;
}

static int file_write(struct stock *stock, long left)
{
	char text[NUMBER_LEN + 1];

	snprintf(text, sizeof(text), NUMBER_FORMAT, left);
	return pwrite(self(stock)->number, text, NUMBER_LEN, 0) == NUMBER_LEN ? 0 : -1;
}

static int file_fill(struct stock *stock, long count)
{
	return ftruncate(self(stock)->ledger, 0) == 0 ? file_write(stock, count) : -1;
}

static long file_read(struct stock *stock)
{
	char text[NUMBER_LEN + 1] = "";

	if (pread(self(stock)->number, text, NUMBER_LEN, 0) != NUMBER_LEN) {
		return -1;
	}
	return strtol(text, NULL, 10);
}

static int file_record(struct stock *stock, long pid, long item)
{
	char line[LINE_LEN + 1];

	snprintf(line, sizeof(line), LINE_FORMAT, pid, item);
	/* The file is open for appending: lines of several writers do not mix. */
	return write(self(stock)->ledger, line, LINE_LEN) == LINE_LEN ? 0 : -1;
}

static long file_sold(struct stock *stock)
{
	struct stat about;

	return fstat(self(stock)->ledger, &about) == 0 ? (long)(about.st_size / LINE_LEN) : -1;
}

static int file_print_ledger(struct stock *stock, FILE *out)
{
	char line[LINE_LEN + 1] = "";
	off_t at;
	ssize_t got;

	for (at = 0; (got = pread(self(stock)->ledger, line, LINE_LEN, at)) == LINE_LEN;
	     at += LINE_LEN) {
		long pid = strtol(line, NULL, 10);

		fprintf(out, "%ld %ld\n", pid, strtol(strchr(line, ' '), NULL, 10));
	}
	return got == 0 ? 0 : -1;
}

static void file_close(struct stock *stock)
{
	close(self(stock)->number);
	close(self(stock)->ledger);
	free(self(stock));
}

static bool open_both(struct stock_file *file, const char *path)
{
	char ledger[4096];

	if (snprintf(ledger, sizeof(ledger), "%s.ledger", path) >= (int)sizeof(ledger)) {
		errno = ENAMETOOLONG;
		return false;
	}
	file->number = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (file->number < 0) {
		return false;
	}
	file->ledger = open(ledger, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (file->ledger < 0) {
		close(file->number);
		return false;
	}
	return true;
}

struct stock *stock_open_file(const char *path, char *why, size_t why_len)
{
	struct stock_file *file = calloc(1, sizeof(*file));

	if (!file || !open_both(file, path)) {
		snprintf(why, why_len, "%s: %s", path, strerror(errno));
		free(file);
		return NULL;
	}
	file->stock = (struct stock){.fill = file_fill,
				     .read = file_read,
				     .write = file_write,
				     .record = file_record,
				     .sold = file_sold,
				     .print_ledger = file_print_ledger,
				     .close = file_close};
	return &file->stock;
}
