/* ours_pass.c - a resource goes to and fro between two processes: release by one, callback in the
 * other.
 *
 * Each asks for it as soon as it hears, through a socket of their own, that the
 * other one has it, keeps it for a while so that this is long over, and notes
 * in shared memory when it begins to give it back. */
#include <redlock/redlock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "block.h"
#include "crowd.h"
#include "session.h"

#define PATIENCE_MS 20000
#define READY_S 30
#define RESOURCE "bench:pass:line"

/* What one tells the other. */
enum { WORD_READY = 'r', WORD_MINE = 'm', WORD_FAILED = 'f' };

struct both_sides {
	atomic_ullong released_ns;
	atomic_ullong took_ns;
};

struct side {
	struct session session;
	struct redlock_lock *lock;
	struct both_sides *both;
	int socket;
	uv_poll_t ears;
	uv_timer_t keeping;
	uint32_t hold_ms;
	unsigned seed;
	bool released;	 /* Our own release has been answered. */
	bool theirs;	 /* They have it. */
	struct run *run; /* Not in the other process. */
	bool counted;	 /* This cycle: the first one finds a waiter that is half asleep. */
	bool measuring;	 /* This is the side that counts. */
	pid_t other;
};

static void say(const struct side *side, char word)
{
	if (send(side->socket, &word, 1, MSG_NOSIGNAL) < 0) {
		uv_stop((uv_loop_t *)&side->session.loop); /* Nobody is there any more. */
	}
}

static void fail(struct side *side, const char *step, int status)
{
	say(side, WORD_FAILED);
	if (side->run) {
		run_failed(side->run, step, redlock_status_name(status), side->counted);
		side->run->over = true;
	}
	uv_stop(&side->session.loop);
}

/* ---- To and fro ------------------------------------------------------------------------------ */

static void note(struct side *side, bool ends)
{
	uint64_t took_ns = atomic_load(&side->both->took_ns);

	if (side->run && side->counted) {
		run_granted(side->run, took_ns);
		if (ends) {
			run_finished(side->run, 0, took_ns);
		}
	}
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data);

static void on_kept(uv_timer_t *timer)
{
	struct side *side = timer->data;
	uint64_t due_ns;
	int rv;

	if (side->run) {
		if (side->counted && !run_next(side->run, &due_ns)) {
			uv_stop(timer->loop);
			return;
		}
	}
	side->released = side->theirs = false;
	atomic_store(&side->both->released_ns, now_ns());
	rv = redlock_release(side->lock, on_released, side);
	if (rv != REDLOCK_OK) {
		fail(side, "release", rv);
	}
}

/* Half as long again or half as long: no step is kept with the pauses of who waits. */
static void keep(struct side *side)
{
	uint64_t least_ms = (side->hold_ms + 1) / 2;

	uv_update_time(&side->session.loop);
	uv_timer_start(&side->keeping, on_kept,
		       least_ms + (uint64_t)rand_r(&side->seed) % (side->hold_ms + 1), 0);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct side *side = data;
	uint64_t now = now_ns();

	(void)lock;
	(void)report;
	if (status == REDLOCK_ECANCELED || status == REDLOCK_ECLOSED) {
		return;
	}
	if (status != REDLOCK_OK) {
		fail(side, "acquire", status);
		return;
	}
	atomic_store(&side->both->took_ns, now - atomic_load(&side->both->released_ns));
	say(side, WORD_MINE);
	if (side->measuring) {
		note(side, true);
		if (side->run) {
			side->counted = true;
		} else {
			uv_stop(&side->session.loop); /* The first grant of all. */
			return;
		}
	}
	keep(side);
}

static void ask_if_free(struct side *side)
{
	int rv;

	if (side->released && side->theirs) {
		rv = redlock_acquire(side->lock, REDLOCK_WAIT_FOREVER, on_acquired, side);
		if (rv != REDLOCK_OK) {
			fail(side, "acquire", rv);
		}
	}
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct side *side = data;

	(void)lock;
	(void)report;
	if (status != REDLOCK_OK) {
		fail(side, "release", status);
		return;
	}
	side->released = true;
	ask_if_free(side);
}

static void on_word(uv_poll_t *ears, int status, int events)
{
	struct side *side = ears->data;
	char word = 0;

	(void)status;
	(void)events;
	if (recv(side->socket, &word, 1, 0) == 1 && word == WORD_MINE) {
		side->theirs = true;
		if (side->measuring) {
			note(side, false);
		}
		ask_if_free(side);
		return;
	}
	if (side->run) {
		run_failed(side->run, "pass", "the other process failed", side->counted);
		side->run->over = true;
	}
	uv_stop(ears->loop);
}

/* ---- A side ---------------------------------------------------------------------------------- */

static bool side_open(struct side *side, const struct crowd_plan *plan, char *why, size_t why_len)
{
	if (session_open_crowd(&side->session, plan, why, why_len) != 0) {
		return false;
	}
	uv_poll_init(&side->session.loop, &side->ears, side->socket);
	uv_timer_init(&side->session.loop, &side->keeping);
	side->ears.data = side->keeping.data = side;
	uv_poll_start(&side->ears, UV_READABLE, on_word);
	side->hold_ms = plan->hold_ms;
	if (session_settle(&side->session, NULL, PATIENCE_MS) > 0 ||
	    redlock_lock_new(&side->lock, side->session.client, RESOURCE, strlen(RESOURCE), NULL) !=
		    REDLOCK_OK) {
		snprintf(why, why_len, "the library does not find all nodes well");
		return false;
	}
	return true;
}

static void side_close(struct side *side)
{
	redlock_lock_free(side->lock);
	uv_close((uv_handle_t *)&side->ears, NULL);
	uv_close((uv_handle_t *)&side->keeping, NULL);
	session_close(&side->session);
	close(side->socket);
}

/* The other process: until nobody listens any more. */
static void be_the_other(const struct side *first, int socket, const struct crowd_plan *plan,
			 pid_t parent)
{
	struct side side = {.both = first->both, .socket = socket, .seed = 2, .released = true};
	char why[128];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !side_open(&side, plan, why, sizeof(why))) {
		_exit(1);
	}
	say(&side, WORD_READY);
	uv_run(&side.session.loop, UV_RUN_DEFAULT);
	side_close(&side);
	_exit(0);
}

static void close_crowd(void *self)
{
	struct side *side = self;

	side_close(side);
	waitpid(side->other, NULL, 0);
	munmap(side->both, sizeof(*side->both));
	free(side);
}

static void drain(void *self, struct run *run, size_t absent)
{
	struct side *side = self;

	if (session_settle_without(&side->session, absent, PATIENCE_MS) > 0) {
		run_failed(run, "drain", "a node does not answer", false);
	}
}

static void run_crowd(void *self, struct run *run)
{
	struct side *side = self;

	side->run = run;
	side->counted = false;
	run_begin(run);
	keep(side);
	uv_run(&side->session.loop, UV_RUN_DEFAULT);
	side->run = NULL;
	if (!run->leave_open) {
		drain(side, run, 0);
	}
	run_end(run);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool start_other(struct side *side, const struct crowd_plan *plan)
{
	struct timeval patience = {.tv_sec = READY_S};
	pid_t parent = getpid();
	int ends[2];

	side->both = mmap(NULL, sizeof(*side->both), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (side->both == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		return false;
	}
	setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	fflush(NULL);
	side->other = fork();
	if (side->other == 0) {
		close(ends[0]);
		be_the_other(side, ends[1], plan, parent);
	}
	close(ends[1]);
	side->socket = ends[0];
	return side->other > 0;
}

/* One has it, the other one waits for it. */
static bool begin(struct side *side, const struct crowd_plan *plan, char *why, size_t why_len)
{
	char word = 0;

	if (recv(side->socket, &word, 1, 0) != 1 || word != WORD_READY) {
		snprintf(why, why_len, "the other process is not ready");
		return false;
	}
	if (!side_open(side, plan, why, why_len)) {
		return false;
	}
	side->released = side->theirs = true;
	ask_if_free(side);
	uv_run(&side->session.loop, UV_RUN_DEFAULT);
	return redlock_lock_held(side->lock);
}

static void *open_crowd(const struct crowd_plan *plan, char *why, size_t why_len)
{
	struct side *side = calloc(1, sizeof(*side));

	if (!side) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	side->measuring = true;
	side->seed = 1;
	if (start_other(side, plan) && begin(side, plan, why, why_len)) {
		return side;
	}
	/* The process of the block ends, and the other one with it. */
	if (!why[0]) {
		snprintf(why, why_len, "cannot begin to pass anything on");
	}
	return NULL;
}

const struct crowd crowd_ours_pass = {"ours", open_crowd, run_crowd, drain, close_crowd};
