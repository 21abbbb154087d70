/* test_blocking.c - calls that wait, from many threads, in callbacks, and in forked children. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blocking.h"

/* ---- More than one thread -------------------------------------------------------------------- */

#define THREADS 64
#define TURNS 10

struct crowd {
	struct redlock_blocking *client;
	unsigned sum; /* Guarded by the lock alone. */
};

static void *count_up(void *data)
{
	struct crowd *crowd = data;
	struct redlock_mutex *mutex = mutex_of(crowd->client);
	unsigned i;

	for (i = 0; i < TURNS; i++) {
		ck_assert_int_eq(redlock_mutex_lock(mutex, REDLOCK_WAIT_FOREVER, NULL), 0);
		ck_assert(redlock_mutex_held(mutex));
		crowd->sum++;
		ck_assert_int_eq(redlock_mutex_unlock(mutex, NULL), 0);
	}
	redlock_mutex_free(mutex);
	return NULL;
}

START_TEST(sixty_four_threads_take_turns)
{
	struct crowd crowd = {.client = opened()};
	pthread_t threads[THREADS];
	unsigned i;

	for (i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, count_up, &crowd), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	ck_assert_uint_eq(crowd.sum, THREADS * TURNS);
	ck_assert_int_eq(redlock_blocking_close(crowd.client), 0);
}
END_TEST

/* Another thread's wait. */
struct wait {
	struct redlock_mutex *mutex;
	pthread_t thread;
	int status;
	struct redlock_error error;
};

static void *wait_for_ever(void *data)
{
	struct wait *wait = data;

	wait->status = redlock_mutex_lock(wait->mutex, REDLOCK_WAIT_FOREVER, &wait->error);
	return NULL;
}

static void start_wait(struct wait *wait, struct redlock_mutex *mutex)
{
	wait->mutex = mutex;
	ck_assert_int_eq(pthread_create(&wait->thread, NULL, wait_for_ever, wait), 0);
}

START_TEST(a_wait_is_cancelled_by_another_thread)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *holder = mutex_of(client), *other = mutex_of(client);
	struct wait wait;

	ck_assert_int_eq(redlock_mutex_lock(holder, 0, NULL), 0);
	start_wait(&wait, other);
	while (redlock_mutex_cancel(other) == REDLOCK_EINVAL) {
		nap_ms(1); /* It has not begun. */
	}
	pthread_join(wait.thread, NULL);
	ck_assert_int_eq(wait.status, REDLOCK_ECANCELED);
	ck_assert_int_eq(wait.error.status, REDLOCK_ECANCELED);
	ck_assert_int_eq(redlock_mutex_unlock(holder, NULL), 0);
	ck_assert_int_eq(redlock_mutex_lock(other, 0, NULL), 0);
	redlock_mutex_free(other);
	redlock_mutex_free(holder);
	redlock_blocking_close(client);
}
END_TEST

START_TEST(waits_end_when_the_client_is_closed)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *holder = mutex_of(client), *others[4], *unused = mutex_of(client);
	struct wait waits[4];
	unsigned i;

	ck_assert_int_eq(redlock_mutex_lock(holder, 0, NULL), 0);
	for (i = 0; i < 4; i++) {
		others[i] = mutex_of(client);
		start_wait(&waits[i], others[i]);
	}
	nap_ms(100);
	ck_assert_int_eq(redlock_blocking_close(client), 0);
	for (i = 0; i < 4; i++) {
		pthread_join(waits[i].thread, NULL);
		ck_assert_int_eq(waits[i].status, REDLOCK_ECLOSED);
		redlock_mutex_free(others[i]);
	}
	ck_assert(!redlock_mutex_held(holder));
	redlock_mutex_free(holder);
	redlock_mutex_free(unused);
}
END_TEST

/* What is called once the client is closed, by a thread that came later. */
static void *call_late(void *data)
{
	struct redlock_mutex *mutex = data;
	struct redlock_error error;

	ck_assert_int_eq(redlock_mutex_lock(mutex, 0, &error), REDLOCK_ECLOSED);
	ck_assert_int_eq(error.status, REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_mutex_extend(mutex, NULL), REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_mutex_unlock(mutex, NULL), REDLOCK_ECLOSED);
	ck_assert_int_eq(redlock_mutex_cancel(mutex), REDLOCK_ECLOSED);
	ck_assert(!redlock_mutex_held(mutex));
	ck_assert_uint_eq(redlock_mutex_validity_ms(mutex), 0);
	ck_assert_uint_eq(redlock_mutex_fence(mutex), 0);
	redlock_mutex_free(mutex);
	return NULL;
}

/* The system gives a later thread the id of the one that is gone. */
START_TEST(a_mutex_of_a_closed_client_says_so)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *mutexes[3];
	pthread_t threads[3];
	unsigned i;

	for (i = 0; i < 3; i++) {
		mutexes[i] = mutex_of(client);
	}
	ck_assert_int_eq(redlock_mutex_lock(mutexes[0], 5000, NULL), 0);
	ck_assert_int_eq(redlock_blocking_close(client), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, call_late, mutexes[i]), 0);
	}
	for (i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
	}
}
END_TEST

/* One thread wakes up so slowly that another one has closed the client before it goes on: waits are
 * the library's through here. */
static struct redlock_blocking *client_to_close;
static _Thread_local bool slow;
static _Atomic bool woken, closed;

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	int (*real)(pthread_cond_t *, pthread_mutex_t *);
	int result;

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_cond_wait");
	result = real(cond, mutex);
	if (slow) {
		pthread_mutex_unlock(mutex);
		woken = true;
		while (!closed) {
			nap_ms(1);
		}
		pthread_mutex_lock(mutex);
	}
	return result;
}

static void *ask_slowly(void *data)
{
	struct redlock_stats stats;
	int *status = data;

	slow = true;
	*status = redlock_blocking_stats(client_to_close, &stats);
	return NULL;
}

START_TEST(a_client_stays_until_the_last_call_is_through)
{
	pthread_t thread;
	int status = 1;

	client_to_close = opened();
	ck_assert_int_eq(pthread_create(&thread, NULL, ask_slowly, &status), 0);
	while (!woken) {
		nap_ms(1);
	}
	ck_assert_int_eq(redlock_blocking_close(client_to_close), 0);
	closed = true;
	pthread_join(thread, NULL); /* A sanitizer would see it use what is gone. */
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_thread_that_is_cancelled_ends_when_its_call_does)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *holder = mutex_of(client), *other = mutex_of(client);
	struct wait wait = {0};

	ck_assert_int_eq(redlock_mutex_lock(holder, 0, NULL), 0);
	start_wait(&wait, other);
	nap_ms(50);
	ck_assert_int_eq(pthread_cancel(wait.thread), 0);
	while (redlock_mutex_cancel(other) == REDLOCK_EINVAL) {
		nap_ms(1);
	}
	pthread_join(wait.thread, NULL);
	redlock_mutex_free(other);
	redlock_mutex_free(holder);
	ck_assert_int_eq(redlock_blocking_close(client), 0);
}
END_TEST

/* ---- Callbacks ------------------------------------------------------------------------------- */

struct news {
	struct redlock_mutex *mutex;
	_Atomic int calls, lock_status, cancel_status;
	bool held;
};

static void on_lost(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct news *news = data;

	(void)lock, (void)status, (void)report;
	news->held = redlock_mutex_held(news->mutex);
	news->lock_status = redlock_mutex_lock(news->mutex, 0, NULL);
	news->cancel_status = redlock_mutex_cancel(news->mutex);
	news->calls++;
}

START_TEST(the_end_of_a_lease_is_told_and_waits_for_nothing)
{
	struct redlock_blocking *client = opened();
	struct redlock_lock_options options;
	struct news news = {0};

	redlock_lock_options_init(&options);
	options.ttl_ms = 300;
	options.on_lost = on_lost;
	options.data = &news;
	news.mutex = mutex_with(client, &options);
	ck_assert_int_eq(redlock_mutex_lock(news.mutex, 5000, NULL), 0);
	while (news.calls == 0) {
		nap_ms(5);
	}
	ck_assert(!news.held);
	ck_assert_int_eq(news.lock_status, REDLOCK_EBUSY);
	ck_assert_int_eq(news.cancel_status, REDLOCK_EINVAL);
	ck_assert(!redlock_mutex_held(news.mutex));
	redlock_mutex_free(news.mutex);
	redlock_blocking_close(client);
	ck_assert_int_eq(news.calls, 1);
}
END_TEST

static void free_it(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct news *news = data;

	(void)lock, (void)status, (void)report;
	redlock_mutex_free(news->mutex);
	news->calls++;
}

START_TEST(a_mutex_may_be_freed_in_its_callback)
{
	struct redlock_blocking *client = opened();
	struct redlock_lock_options options;
	struct news news = {0};

	redlock_lock_options_init(&options);
	options.ttl_ms = 300;
	options.on_lost = free_it;
	options.data = &news;
	news.mutex = mutex_with(client, &options);
	ck_assert_int_eq(redlock_mutex_lock(news.mutex, 5000, NULL), 0);
	while (news.calls == 0) {
		nap_ms(5);
	}
	ck_assert_int_eq(redlock_blocking_close(client), 0);
}
END_TEST

/* ---- Forked ---------------------------------------------------------------------------------- */

START_TEST(a_child_holds_nothing_and_disturbs_nobody)
{
	struct redlock_blocking *client = opened();
	struct redlock_mutex *mutex = mutex_of(client), *another;
	int status = 0;
	pid_t child;

	ck_assert_int_eq(redlock_mutex_lock(mutex, 0, NULL), 0);
	child = fork();
	if (child == 0) {
		bool good = !redlock_mutex_held(mutex) && redlock_mutex_validity_ms(mutex) == 0 &&
			    redlock_mutex_lock(mutex, 0, NULL) == REDLOCK_EFORKED &&
			    redlock_mutex_unlock(mutex, NULL) == REDLOCK_EFORKED &&
			    redlock_mutex_cancel(mutex) == REDLOCK_EFORKED &&
			    redlock_mutex_new(&another, client, "a", 1, NULL) == REDLOCK_EFORKED &&
			    redlock_blocking_close(client) == REDLOCK_EFORKED;
		redlock_mutex_free(mutex);
		_exit(good ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(redlock_mutex_held(mutex));
	ck_assert_int_eq(redlock_mutex_unlock(mutex, NULL), 0);
	redlock_mutex_free(mutex);
	ck_assert_int_eq(redlock_blocking_close(client), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("blocking");
	TCase *tcase = rig_case(suite, "threads", rig_3);

	tcase_add_test(tcase, sixty_four_threads_take_turns);
	tcase_add_test(tcase, a_wait_is_cancelled_by_another_thread);
	tcase_add_test(tcase, waits_end_when_the_client_is_closed);
	tcase_add_test(tcase, a_client_stays_until_the_last_call_is_through);
	tcase_add_test(tcase, a_thread_that_is_cancelled_ends_when_its_call_does);
	tcase_add_test(tcase, a_mutex_of_a_closed_client_says_so);
	tcase_add_test(tcase, the_end_of_a_lease_is_told_and_waits_for_nothing);
	tcase_add_test(tcase, a_mutex_may_be_freed_in_its_callback);
	tcase_add_test(tcase, a_child_holds_nothing_and_disturbs_nobody);
	return rig_run(suite);
}
