/* blocking.c - a client with a thread of its own, to which others hand their calls.
 *
 *   any thread:  call on its stack --> list, wake the loop --> sleep until it is done
 *   its thread:  list --> run each --> callback of the library: done, wake the sleeper
 *
 * All of the library but the two questions that any thread may ask happens on
 * the client's thread, so there is one lock here and none elsewhere. */
#include "blocking.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

struct redlock_blocking {
	pthread_mutex_t guard; /* Of the list, and all flags. */
	struct rlk_call *first, **last;
	bool closing;	   /* Somebody is at it. */
	bool deaf;	   /* The loop is not to be woken any more. */
	_Atomic bool over; /* Its thread takes no calls any more, and its id may be another's. */
	unsigned users;
	pid_t pid;
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	struct redlock_client *client;
};

bool rlk_blocking_is_inside(const struct redlock_blocking *client)
{
	return !client->over && pthread_equal(pthread_self(), client->thread) != 0;
}

bool rlk_blocking_is_forked(const struct redlock_blocking *client)
{
	return getpid() != client->pid;
}

struct redlock_client *rlk_blocking_client(struct redlock_blocking *client)
{
	return client->client;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* With the guard. */
static void put(struct redlock_blocking *client, struct rlk_call *call)
{
	call->next = NULL;
	*client->last = call;
	client->last = &call->next;
	if (!client->deaf) {
		uv_async_send(&client->wake);
	}
}

static struct rlk_call *take_all(struct redlock_blocking *client)
{
	struct rlk_call *calls = client->first;

	client->first = NULL;
	client->last = &client->first;
	return calls;
}

/* With the guard. The client stays until this thread is through with it, even if another one has
 * closed it meanwhile. */
static void wait_for(struct redlock_blocking *client, struct rlk_call *call)
{
	client->users++;
	pthread_cond_init(&call->over, NULL);
	put(client, call);
	while (!call->done) {
		pthread_cond_wait(&call->over, &client->guard);
	}
	pthread_cond_destroy(&call->over);
}

int rlk_call(struct redlock_blocking *client, struct rlk_call *call, void (*run)(struct rlk_call *))
{
	bool waits;
	int cancelling;

	if (rlk_blocking_is_forked(client)) {
		return REDLOCK_EFORKED;
	}
	if (rlk_blocking_is_inside(client)) {
		return REDLOCK_EBUSY; /* It would wait for itself. */
	}
	call->run = run;
	call->client = client;
	call->done = false;
	call->status = REDLOCK_ECLOSED;
	/* A thread that ended here would leave the guard locked, and a call on no stack. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
	pthread_mutex_lock(&client->guard);
	waits = !client->over;
	if (waits) {
		wait_for(client, call);
	}
	pthread_mutex_unlock(&client->guard);
	if (waits) {
		rlk_blocking_drop(client);
	}
	pthread_setcancelstate(cancelling, NULL);
	return call->status;
}

void rlk_call_done(struct rlk_call *call, int status)
{
	struct redlock_blocking *client = call->client;

	pthread_mutex_lock(&client->guard);
	call->status = status;
	call->done = true;
	pthread_cond_signal(&call->over); /* It is gone when the guard is. */
	pthread_mutex_unlock(&client->guard);
}

static void on_wake(uv_async_t *wake)
{
	struct redlock_blocking *client = wake->data;
	struct rlk_call *call, *next;

	pthread_mutex_lock(&client->guard);
	call = take_all(client);
	pthread_mutex_unlock(&client->guard);
	for (; call != NULL; call = next) {
		next = call->next;
		call->run(call);
	}
}

/* ---- Life ------------------------------------------------------------------------------------ */

void rlk_blocking_keep(struct redlock_blocking *client)
{
	pthread_mutex_lock(&client->guard);
	client->users++;
	pthread_mutex_unlock(&client->guard);
}

void rlk_blocking_drop(struct redlock_blocking *client)
{
	bool last;

	pthread_mutex_lock(&client->guard);
	last = --client->users == 0;
	pthread_mutex_unlock(&client->guard);
	if (last) {
		pthread_mutex_destroy(&client->guard);
		free(client);
	}
}

void rlk_blocking_alone(struct redlock_blocking *client, void (*act)(void *), void *data)
{
	pthread_mutex_lock(&client->guard);
	act(data);
	pthread_mutex_unlock(&client->guard);
}

static void *live(void *data)
{
	struct redlock_blocking *client = data;
	struct rlk_call *call, *next;

	pthread_mutex_lock(&client->guard); /* Until it is known who we are. */
	pthread_mutex_unlock(&client->guard);
	uv_run(&client->loop, UV_RUN_DEFAULT);
	uv_loop_close(&client->loop);
	pthread_mutex_lock(&client->guard);
	client->over = true;
	call = take_all(client);
	pthread_mutex_unlock(&client->guard);
	for (; call != NULL; call = next) {
		next = call->next;
		rlk_call_done(call, REDLOCK_ECLOSED);
	}
	return NULL;
}

/* Signals are the program's. */
static int start_thread(struct redlock_blocking *client)
{
	sigset_t all, old;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_mutex_lock(&client->guard);
	failed = pthread_create(&client->thread, NULL, live, client);
	pthread_mutex_unlock(&client->guard);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return failed ? REDLOCK_ENOMEM : 0;
}

static void on_gone(struct redlock_client *gone, int status, const void *unused, void *data)
{
	struct redlock_blocking *client = data;

	(void)gone, (void)status, (void)unused;
	pthread_mutex_lock(&client->guard);
	client->deaf = true;
	pthread_mutex_unlock(&client->guard);
	uv_close((uv_handle_t *)&client->wake, NULL);
}

static void close_it(struct rlk_call *call)
{
	redlock_client_close(call->client->client, on_gone, call->client);
	rlk_call_done(call, 0);
}

/* What was opened without a thread is closed without one. */
static void undo(struct redlock_blocking *client)
{
	if (client->client != NULL) {
		redlock_client_close(client->client, on_gone, client);
	} else {
		uv_close((uv_handle_t *)&client->wake, NULL);
	}
	uv_run(&client->loop, UV_RUN_DEFAULT);
	uv_loop_close(&client->loop);
}

static int start(struct redlock_blocking *client, const char *const *urls, size_t url_count,
		 const struct redlock_options *options, struct redlock_error *error)
{
	int status;

	if (uv_loop_init(&client->loop) != 0) {
		return REDLOCK_ENOMEM;
	}
	if (uv_async_init(&client->loop, &client->wake, on_wake) != 0) {
		uv_loop_close(&client->loop);
		return REDLOCK_ENOMEM;
	}
	client->wake.data = client;
	status =
		redlock_client_new(&client->client, &client->loop, urls, url_count, options, error);
	if (status == 0) {
		status = start_thread(client);
	}
	if (status != 0) {
		undo(client);
	}
	return status;
}

static void tell(struct redlock_error *error, int status)
{
	if (error != NULL) {
		error->status = status;
		strcpy(error->text, redlock_strerror(status));
	}
}

int redlock_blocking_open(struct redlock_blocking **out, const char *const *urls, size_t url_count,
			  const struct redlock_options *options, struct redlock_error *error)
{
	struct redlock_blocking *client;
	int status;

	if (out == NULL) {
		tell(error, REDLOCK_EINVAL);
		return REDLOCK_EINVAL;
	}
	client = calloc(1, sizeof *client);
	if (client == NULL || pthread_mutex_init(&client->guard, NULL) != 0) {
		free(client);
		tell(error, REDLOCK_ENOMEM);
		return REDLOCK_ENOMEM;
	}
	tell(error, REDLOCK_ENOMEM); /* redlock_client_new() has better words for its own. */
	client->last = &client->first;
	client->users = 1;
	client->pid = getpid();
	status = start(client, urls, url_count, options, error);
	if (status != 0) {
		rlk_blocking_drop(client);
		return status;
	}
	tell(error, 0);
	*out = client;
	return 0;
}

int redlock_blocking_close(struct redlock_blocking *client)
{
	struct rlk_call call;
	int status, cancelling;
	bool late;

	if (client == NULL) {
		return 0;
	}
	if (rlk_blocking_is_forked(client)) {
		return REDLOCK_EFORKED;
	}
	pthread_mutex_lock(&client->guard);
	late = client->closing;
	client->closing = client->closing || !rlk_blocking_is_inside(client);
	pthread_mutex_unlock(&client->guard);
	if (late) {
		return REDLOCK_ECLOSED;
	}
	status = rlk_call(client, &call, close_it);
	if (status == 0) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
		pthread_join(client->thread, NULL);
		rlk_blocking_drop(client);
		pthread_setcancelstate(cancelling, NULL);
	}
	return status;
}
