/* timeline.c - one cycle after the other, and how long each took at which moment.
 *
 * The nodes are somebody else's, who ends and stops them meanwhile: a line on
 * standard output says when the clock starts. A wait counts where it began, so
 * one that is long stands at the moment that caused it. */
#include "timeline.h"

#include <redlock/redlock.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "block.h"
#include "session.h"

#define PATIENCE_MS 20000
#define WARMUP 1000
#define RESOURCE "bench:timeline"

struct caller {
	struct session session;
	struct redlock_lock *lock;
	struct timeline timeline;
	uint64_t interval_ns;
	uint64_t begin_ns;
	uint64_t until_ns; /* Nothing starts from here on. */
	uint64_t start_ns;
	uint64_t warmup; /* Cycles still to come. */
};

static void next(struct caller *caller);

static struct interval *interval_of(struct caller *caller)
{
	size_t index = (size_t)((caller->start_ns - caller->begin_ns) / caller->interval_ns);

	return &caller->timeline.intervals[index];
}

static void fail(struct caller *caller, const char *step, int status)
{
	struct timeline *timeline = &caller->timeline;

	if (timeline->errors++ == 0) {
		snprintf(timeline->first_error, sizeof(timeline->first_error), "%s: %s", step,
			 redlock_status_name(status));
	}
	if (caller->warmup == 0) {
		interval_of(caller)->errors++;
		samples_add(&interval_of(caller)->cycle, now_ns() - caller->start_ns);
	}
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct caller *caller = data;

	(void)lock;
	(void)report;
	if (status != REDLOCK_OK) {
		fail(caller, "release", status);
	} else if (caller->warmup == 0) {
		samples_add(&interval_of(caller)->cycle, now_ns() - caller->start_ns);
	}
	next(caller);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct caller *caller = data;
	uint64_t now = now_ns();
	int rv = status;

	(void)report;
	if (status == REDLOCK_OK) {
		if (caller->warmup == 0) {
			samples_add(&interval_of(caller)->acquire, now - caller->start_ns);
		}
		caller->timeline.cycles++;
		rv = redlock_release(lock, on_released, caller);
	}
	if (rv != REDLOCK_OK) {
		fail(caller, status == REDLOCK_OK ? "release" : "acquire", rv);
		next(caller);
	}
}

static void begin(struct caller *caller, uint64_t duration_ns)
{
	caller->begin_ns = now_ns();
	caller->until_ns = caller->begin_ns + duration_ns;
	puts("begin");
	fflush(stdout);
}

static void next(struct caller *caller)
{
	int rv;

	if (caller->warmup > 0 && --caller->warmup == 0) {
		uv_stop(&caller->session.loop);
		return;
	}
	caller->start_ns = now_ns();
	if (caller->start_ns >= caller->until_ns) {
		uv_stop(&caller->session.loop);
		return;
	}
	rv = redlock_acquire(caller->lock, REDLOCK_WAIT_FOREVER, on_acquired, caller);
	if (rv != REDLOCK_OK) {
		fail(caller, "acquire", rv); /* It would be so for ever. */
		uv_stop(&caller->session.loop);
	}
}

static void play(struct caller *caller, const struct lab_options *options)
{
	caller->warmup = WARMUP;
	caller->until_ns = UINT64_MAX;
	next(caller);
	uv_run(&caller->session.loop, UV_RUN_DEFAULT);
	begin(caller, options->duration_ns);
	next(caller);
	uv_run(&caller->session.loop, UV_RUN_DEFAULT);
}

static int open_caller(struct caller *caller, const struct lab *lab, char *why)
{
	struct redlock_options options;
	int rv;

	session_options(&options, lab->options.ttl_ms);
	options.node_timeout_ms = lab->options.node_timeout_ms;
	if (session_open(&caller->session, &lab->nodes, &options, why, WHY_MAX) != 0) {
		return -1;
	}
	rv = redlock_lock_new(&caller->lock, caller->session.client, RESOURCE, strlen(RESOURCE),
			      NULL);
	if (rv == REDLOCK_OK && session_settle(&caller->session, NULL, PATIENCE_MS) == 0) {
		return 0;
	}
	snprintf(why, WHY_MAX, "%s",
		 rv == REDLOCK_OK ? "the library does not find all nodes well"
				  : redlock_strerror(rv));
	session_close(&caller->session);
	return -1;
}

int lab_timeline(struct lab *lab)
{
	static struct caller caller;
	struct timeline *timeline = &caller.timeline;
	const struct lab_options *options = &lab->options;
	char why[WHY_MAX] = "";
	int code = EXIT_FAILURE;
	size_t i;

	caller.interval_ns = (uint64_t)options->interval_ms * 1000000;
	timeline->count = (size_t)(options->duration_ns / caller.interval_ns) + 1;
	timeline->intervals = calloc(timeline->count, sizeof(*timeline->intervals));
	if (!timeline->intervals) {
		fputs("redlock-bench: out of memory\n", stderr);
	} else if (open_caller(&caller, lab, why) != 0) {
		fprintf(stderr, "redlock-bench: %s\n", why);
	} else {
		play(&caller, options);
		session_close(&caller.session);
		timeline_print(lab, timeline);
		if (lab_write_json(lab, timeline_write, timeline)) {
			code = timeline->errors == 0 ? EXIT_SUCCESS : 2;
		}
	}
	for (i = 0; timeline->intervals && i < timeline->count; i++) {
		samples_free(&timeline->intervals[i].acquire);
		samples_free(&timeline->intervals[i].cycle);
	}
	free(timeline->intervals);
	return code;
}
