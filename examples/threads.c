/* threads.c - the lock in a program with threads and without a loop: they take turns, with each
 * other and with other machines, at jobs that are stopped when the lock is lost.
 *
 *   cc threads.c -o threads $(pkg-config --cflags --libs redlock) -pthread
 *   ./threads redis://a redis://b redis://c
 *
 * A job has so many steps of 20 ms as STEPS says, or 20. Ends with 0 when each of the threads has
 * done its job, or with 1. */
#include <errno.h>
#include <pthread.h>
#include <redlock/blocking.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RESOURCE "reports"
#define WORKERS 4
#define STEP_MS 20
#define WAIT_MS 30000
#define TTL_MS 2000

struct worker {
	struct redlock_blocking *client;
	struct redlock_mutex *mutex; /* One for each thread. */
	pthread_t thread;
	unsigned number;
	int steps;
	sem_t lost; /* Posted when the lease is over. */
	bool done;
};

/* On the client's thread, so nothing here may block. */
static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct worker *worker = data;

	(void)lock, (void)status, (void)report;
	sem_post(&worker->lost);
}

/* Work for a moment; returns false at once when the lock is lost. */
static bool step(struct worker *worker)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += STEP_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (sem_timedwait(&worker->lost, &until) != 0) {
		if (errno == ETIMEDOUT) {
			/* Right before what would do harm if two did it: the news may be late. */
			return redlock_mutex_held(worker->mutex);
		}
	}
	return false;
}

static bool job(struct worker *worker)
{
	int i;

	for (i = 0; i < worker->steps; i++) {
		if (!step(worker)) {
			return false;
		}
	}
	return true;
}

static void *work(void *data)
{
	struct worker *worker = data;
	struct redlock_lock_options options;
	struct redlock_error error;
	int status;

	redlock_lock_options_init(&options);
	options.ttl_ms = TTL_MS;
	options.auto_renew = true; /* For as long as the job takes. */
	options.on_lost = on_lost;
	options.data = worker;
	if (redlock_mutex_new(&worker->mutex, worker->client, RESOURCE, strlen(RESOURCE),
			      &options) != 0) {
		return NULL;
	}
	if (redlock_mutex_lock(worker->mutex, WAIT_MS, &error) != 0) {
		fprintf(stderr, "thread %u: %s\n", worker->number, error.text);
	} else if (!job(worker)) {
		fprintf(stderr, "thread %u: stopped, the lock is lost\n", worker->number);
	} else {
		/* If too few nodes are left to hear of it, it was ours all the same. */
		status = redlock_mutex_unlock(worker->mutex, &error);
		worker->done = status == 0 || status == REDLOCK_ENOQUORUM;
		printf("thread %u: %s\n", worker->number, worker->done ? "done" : error.text);
	}
	redlock_mutex_free(worker->mutex);
	return NULL;
}

int main(int argc, char **argv)
{
	struct redlock_blocking *client;
	struct redlock_error error;
	struct worker workers[WORKERS];
	const char *steps = getenv("STEPS");
	unsigned i, done = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (redlock_blocking_open(&client, (const char *const *)argv + 1, (size_t)argc - 1, NULL,
				  &error) != 0) {
		fprintf(stderr, "threads: %s\nusage: threads URL...\n", error.text);
		return 64;
	}
	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){
			.client = client, .number = i + 1, .steps = steps ? atoi(steps) : 20};
		sem_init(&workers[i].lost, 0, 0);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
			abort();
		}
	}
	for (i = 0; i < WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		sem_destroy(&workers[i].lost);
		done += workers[i].done;
	}
	redlock_blocking_close(client);
	return done == WORKERS ? EXIT_SUCCESS : EXIT_FAILURE;
}
