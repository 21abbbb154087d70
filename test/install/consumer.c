/* consumer.c - a program that has nothing of the project but what is installed. */
#include <redlock/redlock.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static int outcome = 1;

static void on_done(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	outcome = status;
	redlock_lock_free(lock);
	(void)report;
	(void)redlock_client_close(data, NULL, NULL);
}

/* Nobody listens there: that is an answer too. */
static int ask_nobody(uv_loop_t *loop)
{
	static const char *const urls[] = {"redis://127.0.0.1:1"};
	struct redlock_client *client;
	struct redlock_lock *lock;
	struct redlock_error error;

	if (redlock_client_new(&client, loop, urls, 1, NULL, &error)) {
		(void)fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	if (redlock_lock_new(&lock, client, "consumer", 8, NULL) ||
	    redlock_acquire(lock, 0, on_done, client)) {
		return 1;
	}
	(void)uv_run(loop, UV_RUN_DEFAULT);
	return outcome == REDLOCK_ENOQUORUM ? 0 : 1;
}

int main(void)
{
	uv_loop_t loop;

	if (strcmp(redlock_version(), REDLOCK_VERSION) != 0 || uv_loop_init(&loop)) {
		return 1;
	}
	(void)printf("redlock %s\n", redlock_version());
	return ask_nobody(&loop) || uv_loop_close(&loop);
}
