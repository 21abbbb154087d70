/* hidden.c - a password in disguise, and a search for it in all of this process's memory. */
#include "hidden.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define MASK 0x5a
/* Half of it would be too much; and the first half of what has been freed is often overwritten by
 * the heap. */
#define PART 16
/* What a sanitizer keeps book in. */
#define TOO_LARGE (1UL << 30)

static const unsigned char disguised[HIDDEN_LEN] = {
	0x39, 0x35, 0x28, 0x28, 0x3f, 0x39, 0x2e, 0x77, 0x32, 0x35, 0x28,
	0x29, 0x3f, 0x77, 0x38, 0x3b, 0x2e, 0x2e, 0x3f, 0x28, 0x23, 0x77,
	0x29, 0x2e, 0x3b, 0x2a, 0x36, 0x3f, 0x77, 0x6d, 0x68, 0x63, 0x6b,
};

void hidden_reveal(char *out)
{
	for (size_t i = 0; i < HIDDEN_LEN; i++) {
		out[i] = (char)(disguised[i] ^ MASK);
	}
	out[HIDDEN_LEN] = '\0';
}

void hidden_cover(char *out, size_t size)
{
	explicit_bzero(out, size);
}

static size_t count_in(const unsigned char *bytes, size_t len)
{
	const unsigned char *half = disguised + HIDDEN_LEN - PART;
	size_t count = 0;

	for (size_t i = 0; i + PART <= len; i++) {
		size_t n = 0;

		while (n < PART && (bytes[i + n] ^ MASK) == half[n]) {
			n++;
		}
		count += n == PART;
	}
	return count;
}

/* Pieces overlap, so that none is missed between two of them. */
static size_t count_between(int memory, off_t from, off_t to)
{
	static unsigned char piece[1 << 16];
	size_t count = 0;

	while (from < to) {
		size_t want =
			(size_t)(to - from) < sizeof piece ? (size_t)(to - from) : sizeof piece;
		ssize_t n = pread(memory, piece, want, from);

		if (n < PART) {
			break; /* Not to be read, though it says so. */
		}
		count += count_in(piece, (size_t)n);
		from += n < (ssize_t)sizeof piece ? n : n - (PART - 1);
	}
	explicit_bzero(piece, sizeof piece);
	return count;
}

size_t hidden_count(void)
{
	FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
	unsigned long from, to;
	char rights[5];
	size_t count = 0;

	ck_assert_ptr_nonnull(maps);
	ck_assert_ptr_nonnull(memory);
	while (fscanf(maps, "%lx-%lx %4s%*[^\n]", &from, &to, rights) == 3) {
		if (rights[0] == 'r' && rights[1] == 'w' && to - from < TOO_LARGE) {
			count += count_between(fileno(memory), (off_t)from, (off_t)to);
		}
	}
	(void)fclose(memory);
	(void)fclose(maps);
	return count;
}
