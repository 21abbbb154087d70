/* exporter.c - a client's numbers in a file, as node_exporter's textfile collector reads it. */
#include "exporter.h"

#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_MS 10000

static bool write_whole(const char *path, const char *text, size_t len)
{
	/* A link that somebody has put there is not followed. */
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (file == NULL) {
		return false;
	}
	bool good = fwrite(text, 1, len, file) == len;
	return fclose(file) == 0 && good;
}

/* Whoever reads finds the old text or the new one. */
static bool replace(const char *path, const char *text, size_t len)
{
	size_t size = strlen(path) + 32;
	char *part = malloc(size);
	if (part == NULL) {
		return false;
	}
	snprintf(part, size, "%s.%ld", path, (long)getpid());
	bool good = write_whole(part, text, len) && rename(part, path) == 0;
	if (!good) {
		int error = errno;
		unlink(part);
		errno = error;
	}
	free(part);
	return good;
}

static bool ends_in(const char *line, size_t len, const char *end)
{
	size_t end_len = strlen(end);
	return len >= end_len && memcmp(line + len - end_len, end, end_len) == 0;
}

/* What tells of a moment is not to stand there for days after it. Each number has two lines of
 * comment before it, of which the second one says what sort it is. */
static void drop_gauges(char *text)
{
	char *to = text, *help = text;
	bool dropping = false;
	for (char *line = text, *end; *line != '\0'; line = end) {
		end = strchr(line, '\n') + 1;
		size_t len = (size_t)(end - line);
		if (strncmp(line, "# HELP ", 7) == 0) {
			help = to;
			dropping = false;
		} else if (ends_in(line, len, " gauge\n")) {
			to = help;
			dropping = true;
		}
		if (!dropping) {
			memmove(to, line, len);
			to += len;
		}
	}
	*to = '\0';
}

/* As the library writes them, name of the lock included: from one of its lines. */
static void put_labels(FILE *to, const char *counted)
{
	static const char line[] = "\nredlock_attempts_total";
	const char *labels = strstr(counted, line) + strlen(line);
	size_t len = strcspn(labels, "\n");
	while (labels[len - 1] != ' ') {
		len--;
	}
	fwrite(labels, 1, len, to);
}

static char *client_text(const struct exporter *exporter)
{
	size_t len = redlock_client_stats_text(exporter->client, exporter->name, NULL, 0);
	char *text = malloc(len + 1);
	if (text != NULL) {
		redlock_client_stats_text(exporter->client, exporter->name, text, len + 1);
	}
	return text;
}

static bool export_whole(const struct exporter *exporter, bool last, bool lost)
{
	char *counted = client_text(exporter), *text = NULL;
	size_t len = 0;
	FILE *page = counted != NULL ? open_memstream(&text, &len) : NULL;
	bool good = page != NULL;
	if (good) {
		if (last) {
			drop_gauges(counted);
		}
		fputs(counted, page);
		fputs("# HELP redlock_run_lost Its lease was lost, and the command stopped.\n"
		      "# TYPE redlock_run_lost gauge\n"
		      "redlock_run_lost",
		      page);
		put_labels(page, counted);
		fprintf(page, "%d\n", lost);
		good = fclose(page) == 0 && replace(exporter->path, text, len);
	}
	int error = errno;
	free(text);
	free(counted);
	errno = error;
	return good;
}

static void export(struct exporter *exporter, bool last, bool lost)
{
	if (!export_whole(exporter, last, lost) && !exporter->told) {
		exporter->told = true; /* The command goes on without. */
		out_note(exporter->name, "--stats: %s: %s", exporter->path, strerror(errno));
	}
}

static void on_timer(uv_timer_t *timer)
{
	export(timer->data, false, false);
}

void exporter_start(struct exporter *exporter, uv_loop_t *loop, const struct redlock_client *client,
		    const char *name, const char *path)
{
	*exporter = (struct exporter){.client = client, .name = name, .path = path};
	uv_timer_init(loop, &exporter->timer);
	exporter->timer.data = exporter;
	if (path != NULL) {
		uv_timer_start(&exporter->timer, on_timer, 0, INTERVAL_MS);
		uv_unref((uv_handle_t *)&exporter->timer);
	}
}

void exporter_stop(struct exporter *exporter, bool lost)
{
	if (exporter->path != NULL) {
		export(exporter, true, lost);
	}
	uv_close((uv_handle_t *)&exporter->timer, NULL);
}
