/* replay.c - run a fuzz target over the files of its corpus: no fuzzer is needed for that.
 *
 * usage: replay FILE-OR-DIRECTORY... */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned count;

static void die(const char *path, const char *why)
{
	printf("%s: %s\n", path, why);
	exit(EXIT_FAILURE);
}

static void replay_file(const char *path, size_t size)
{
	/* As large as the file and no larger, for those who watch over memory. */
	uint8_t *bytes = malloc(size > 0 ? size : 1);
	FILE *file = fopen(path, "rb");

	if (bytes == NULL || file == NULL || fread(bytes, 1, size, file) != size) {
		die(path, "cannot be read");
	}
	fclose(file);
	printf("%s\n", path);
	fflush(stdout); /* If this is the last line, this was the file. */
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	count++;
}

static void replay(const char *path)
{
	char inside[4096];
	struct dirent *entry;
	struct stat about;
	DIR *dir;

	if (stat(path, &about) != 0) {
		die(path, "there is no such file");
	}
	if (!S_ISDIR(about.st_mode)) {
		replay_file(path, (size_t)about.st_size);
		return;
	}
	dir = opendir(path);
	if (dir == NULL) {
		die(path, "cannot be read");
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.') {
			snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
			replay(inside);
		}
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		replay(argv[i]);
	}
	printf("%u files\n", count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
