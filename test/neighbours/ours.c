/* ours.c - one of us among neighbours: takes the lock, says so in its log, gives it back, again.
 *
 * usage: ours line|pauses|fence RESOURCE TTL_MS HOLD_MS THINK_MS INSIDE LOG URL...
 *
 * A line of the log is one stay: entered and left (CLOCK_MONOTONIC, ns), how long the lock was
 * waited for (ns), and "valid"; "late" if the lease ended before the stay did; "clash" if
 * somebody else was inside. Whoever is inside has made the file INSIDE. TERM ends it, between
 * two stays. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <redlock/redlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

/* After an error that is no refusal; whoever counts the stays has the patience. */
#define PAUSE_MS 20

struct one {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_signal_t term;
	struct redlock_client *client;
	struct redlock_lock *lock;
	const char *inside;
	FILE *log;
	uint64_t hold_ms, think_ms;
	uint64_t asked_ns, entered_ns;
	bool clash, ending;
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void take(struct one *one);

static void on_thought(uv_timer_t *timer)
{
	take(timer->data);
}

static void think(struct one *one, uint64_t least_ms)
{
	uint64_t ms = least_ms;

	if (one->think_ms > 0) {
		ms += (uint64_t)random() % (one->think_ms + 1);
	}
	uv_timer_start(&one->timer, on_thought, ms, 0);
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	(void)lock;
	(void)status; /* What a node has not heard, it is told in the background. */
	(void)report;
	think(data, 0);
}

static void leave(uv_timer_t *timer)
{
	struct one *one = timer->data;
	uint64_t left_ns;
	bool late;

	if (!one->clash) {
		unlink(one->inside);
	}
	left_ns = monotonic_ns();
	late = !redlock_lock_held(one->lock);
	fprintf(one->log, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", one->entered_ns, left_ns,
		one->entered_ns - one->asked_ns,
		one->clash ? "clash"
		: late	   ? "late"
			   : "valid");
	if (redlock_release(one->lock, on_released, one) != REDLOCK_OK) {
		think(one, 0);
	}
}

static void enter(struct one *one)
{
	int fd;

	one->entered_ns = monotonic_ns();
	fd = open(one->inside, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	one->clash = fd < 0;
	if (fd >= 0) {
		close(fd);
	}
	uv_timer_start(&one->timer, leave, one->hold_ms, 0);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct one *one = data;

	(void)lock;
	(void)report;
	if (status == REDLOCK_OK) {
		enter(one);
	} else {
		think(one, PAUSE_MS);
	}
}

static void finish(struct one *one)
{
	redlock_lock_free(one->lock);
	redlock_client_close(one->client, NULL, NULL);
	uv_close((uv_handle_t *)&one->timer, NULL);
	uv_close((uv_handle_t *)&one->term, NULL);
}

static void take(struct one *one)
{
	if (one->ending) {
		finish(one);
		return;
	}
	one->asked_ns = monotonic_ns();
	if (redlock_acquire(one->lock, REDLOCK_WAIT_FOREVER, on_acquired, one) != REDLOCK_OK) {
		think(one, PAUSE_MS);
	}
}

static void on_term(uv_signal_t *handle, int number)
{
	struct one *one = handle->data;

	(void)number;
	one->ending = true;
	redlock_cancel(one->lock); /* If it waits; if it is inside, it leaves first. */
}

/* The first words, as in usage. */
static int open_lock(struct one *one, char **words, char **urls, size_t url_count)
{
	struct redlock_options options;
	struct redlock_lock_options lock_options;
	struct redlock_error error = {0};

	redlock_options_init(&options);
	options.ttl_ms = options.max_ttl_ms = (uint32_t)strtoul(words[2], NULL, 10);
	options.wait_in_pauses = strcmp(words[0], "pauses") == 0;
	redlock_lock_options_init(&lock_options);
	lock_options.fence = strcmp(words[0], "fence") == 0;
	if (redlock_client_new(&one->client, &one->loop, (const char *const *)urls, url_count,
			       &options, &error) != REDLOCK_OK ||
	    redlock_lock_new(&one->lock, one->client, words[1], strlen(words[1]), &lock_options) !=
		    REDLOCK_OK) {
		fprintf(stderr, "ours: %s\n", error.text);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct one one;

	if (argc < 9) {
		fprintf(stderr, "usage: ours line|pauses|fence RESOURCE TTL_MS HOLD_MS THINK_MS "
				"INSIDE LOG URL...\n");
		return 64;
	}
	one.hold_ms = strtoull(argv[4], NULL, 10);
	one.think_ms = strtoull(argv[5], NULL, 10);
	one.inside = argv[6];
	one.log = fopen(argv[7], "we");
	if (one.log == NULL) {
		fprintf(stderr, "ours: %s: %s\n", argv[7], strerror(errno));
		return 1;
	}
	setvbuf(one.log, NULL, _IOLBF, 0);
	srandom((unsigned)getpid());
	uv_loop_init(&one.loop);
	uv_timer_init(&one.loop, &one.timer);
	uv_signal_init(&one.loop, &one.term);
	one.timer.data = one.term.data = &one;
	if (open_lock(&one, argv + 1, argv + 8, (size_t)argc - 8) != 0) {
		return 1;
	}
	uv_signal_start(&one.term, on_term, SIGTERM);
	take(&one);
	uv_run(&one.loop, UV_RUN_DEFAULT);
	return uv_loop_close(&one.loop) != 0 || fclose(one.log) != 0;
}
