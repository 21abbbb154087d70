/* embedding.c - the lock in a program that has a libuv loop already.
 *
 *   cc embedding.c -o embedding $(pkg-config --cflags --libs redlock libuv)
 *   ./embedding redis://a redis://b redis://c
 *
 * The program's own work (here a ticking timer) goes on while the lock is
 * waited for, held and given back: nothing in the library blocks the loop. */
#include <redlock/redlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define RESOURCE "nightly-report"
#define WORK_STEPS 5
#define STEP_MS 50

struct program {
	uv_timer_t tick; /* Stands for everything that the program did before. */
	uv_timer_t work; /* What only one machine may do at a time. */
	struct redlock_client *client;
	struct redlock_lock *lock;
	int steps;
	int exit_code;
};

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	putchar('.');
	fflush(stdout);
}

/* The locked work has ended, well or not: close what we opened, and the loop runs out. */
static void finish(struct program *program, int exit_code)
{
	program->exit_code = exit_code;
	uv_close((uv_handle_t *)&program->work, NULL);
	uv_close((uv_handle_t *)&program->tick, NULL);
	redlock_lock_free(program->lock);
	redlock_client_close(program->client, NULL, NULL);
}

static void on_released(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	(void)lock;
	(void)report;
	printf("\nreleased: %s\n", redlock_strerror(status));
	finish(data, EXIT_SUCCESS);
}

static void on_work(uv_timer_t *timer)
{
	struct program *program = timer->data;
	int status;

	/* Before each step that would do harm if two machines did it. */
	if (!redlock_lock_held(program->lock)) {
		return; /* on_lost() has come, or comes next. */
	}
	if (++program->steps < WORK_STEPS) {
		return;
	}
	uv_timer_stop(timer);
	printf("\nwork done, %llu ms of the lease left\n",
	       (unsigned long long)redlock_lock_validity_ms(program->lock));
	status = redlock_release(program->lock, on_released, program);
	if (status != REDLOCK_OK && status != REDLOCK_EEXPIRED) {
		finish(program, EXIT_FAILURE);
	} /* Expired: the lease has ended this moment, and on_lost() comes. */
}

/* The lease ended before we gave it back: another machine may begin. Stop at once. */
static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	(void)lock;
	(void)report;
	fprintf(stderr, "\nlock lost: %s\n", redlock_strerror(status));
	finish(data, 79);
}

static void on_acquired(struct redlock_lock *lock, int status, const struct redlock_report *report,
			void *data)
{
	struct program *program = data;
	size_t i;

	(void)lock;
	if (status == REDLOCK_OK) {
		printf("\nacquired for %llu ms\n", (unsigned long long)report->validity_ms);
		uv_timer_start(&program->work, on_work, STEP_MS, STEP_MS);
		return;
	}
	fprintf(stderr, "not acquired: %s\n", redlock_strerror(status));
	for (i = 0; i < report->node_count; i++) {
		fprintf(stderr, "  %s: %s %s\n", report->nodes[i].address,
			redlock_vote_name(report->nodes[i].vote), report->nodes[i].error);
	}
	finish(program, EXIT_FAILURE);
}

static void start_locked_work(struct program *program, uv_loop_t *loop, char **urls, int count)
{
	struct redlock_lock_options options;
	struct redlock_error error;

	if (redlock_client_new(&program->client, loop, (const char *const *)urls, (size_t)count,
			       NULL, &error) != REDLOCK_OK) {
		fprintf(stderr, "embedding: %s\n", error.text);
		exit(64);
	}
	redlock_lock_options_init(&options);
	options.auto_renew = true; /* The work may take longer than one lease. */
	options.on_lost = on_lost;
	options.data = program;
	if (redlock_lock_new(&program->lock, program->client, RESOURCE, strlen(RESOURCE),
			     &options) != REDLOCK_OK ||
	    redlock_acquire(program->lock, 5000, on_acquired, program) != REDLOCK_OK) {
		fputs("embedding: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	struct program program = {0};

	if (argc < 2) {
		fputs("usage: embedding NODE-URL...\n", stderr);
		return 64;
	}
	uv_timer_init(loop, &program.tick);
	uv_timer_start(&program.tick, on_tick, 0, 20);
	uv_timer_init(loop, &program.work);
	program.work.data = &program;
	start_locked_work(&program, loop, argv + 1, argc - 1);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	return program.exit_code;
}
