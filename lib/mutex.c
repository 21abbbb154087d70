/* mutex.c - a lock whose operations are waited for. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "blocking.h"

struct redlock_mutex {
	struct redlock_blocking *client;
	struct redlock_lock *lock;
	_Atomic uint64_t fence; /* Of the last lease. */
};

/* One operation, on the stack of the thread that waits for it. */
struct operation {
	struct rlk_call call;
	struct redlock_mutex *mutex;
	uint64_t wait_ms;
	struct redlock_error *error; /* Or NULL. */
};

static struct operation *operation_of(struct rlk_call *call)
{
	return (struct operation *)((char *)call - offsetof(struct operation, call));
}

/* ---- In words -------------------------------------------------------------------------------- */

static void say(struct redlock_error *error, int status)
{
	if (error != NULL) {
		error->status = status;
		snprintf(error->text, sizeof error->text, "%s", redlock_strerror(status));
	}
}

/* What each node has against it, as far as there is room. */
static void say_why(struct redlock_error *error, const struct redlock_report *report)
{
	size_t i, len;

	for (i = 0; error != NULL && report != NULL && i < report->node_count; i++) {
		const struct redlock_node_report *node = &report->nodes[i];

		/* Behind another lock of this client, none is asked; and none is waited for when
		 * all is decided. */
		if (node->vote == REDLOCK_VOTE_GRANTED || node->vote == REDLOCK_VOTE_NONE) {
			continue;
		}
		len = 0;
		while (error->text[len] != '\0') {
			len++;
		}
		snprintf(error->text + len, sizeof error->text - len, "; %s: %s%s%s", node->address,
			 redlock_vote_name(node->vote), node->error[0] != '\0' ? ": " : "",
			 node->error);
	}
}

/* ---- Operations ------------------------------------------------------------------------------ */

static void on_over(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct operation *operation = data;

	(void)lock;
	if (status == 0) {
		atomic_store(&operation->mutex->fence, report->fence);
	}
	say(operation->error, status);
	if (status != 0) {
		say_why(operation->error, report);
	}
	rlk_call_done(&operation->call, status);
}

static void started(struct operation *operation, int status)
{
	if (status != 0) {
		say(operation->error, status);
		rlk_call_done(&operation->call, status);
	}
}

static void acquire(struct rlk_call *call)
{
	struct operation *operation = operation_of(call);
	struct redlock_mutex *mutex = operation->mutex;
	int status = redlock_acquire(mutex->lock, operation->wait_ms, on_over, operation);

	if (status == 0) {
		atomic_store(&mutex->fence, 0); /* It was another lease's. */
	}
	started(operation, status);
}

static void extend(struct rlk_call *call)
{
	struct operation *operation = operation_of(call);

	started(operation, redlock_extend(operation->mutex->lock, on_over, operation));
}

static void release(struct rlk_call *call)
{
	struct operation *operation = operation_of(call);

	started(operation, redlock_release(operation->mutex->lock, on_over, operation));
}

static void cancel(struct rlk_call *call)
{
	rlk_call_done(call, redlock_cancel(operation_of(call)->mutex->lock));
}

static int carry_out(struct redlock_mutex *mutex, struct operation *operation,
		     void (*run)(struct rlk_call *))
{
	int status = REDLOCK_EINVAL;

	say(operation->error, status);
	if (mutex != NULL) {
		operation->mutex = mutex;
		operation->call.status = 0;
		status = rlk_call(mutex->client, &operation->call, run);
	}
	/* Whatever did not get as far as to have words of its own. */
	if (operation->error != NULL && operation->error->status != status) {
		say(operation->error, status);
	}
	return status;
}

int redlock_mutex_lock(struct redlock_mutex *mutex, uint64_t wait_ms, struct redlock_error *error)
{
	struct operation operation = {.wait_ms = wait_ms, .error = error};

	return carry_out(mutex, &operation, acquire);
}

int redlock_mutex_extend(struct redlock_mutex *mutex, struct redlock_error *error)
{
	struct operation operation = {.error = error};

	return carry_out(mutex, &operation, extend);
}

int redlock_mutex_unlock(struct redlock_mutex *mutex, struct redlock_error *error)
{
	struct operation operation = {.error = error};

	return carry_out(mutex, &operation, release);
}

int redlock_mutex_cancel(struct redlock_mutex *mutex)
{
	struct operation operation = {0};

	if (mutex != NULL && !rlk_blocking_is_forked(mutex->client) &&
	    rlk_blocking_is_inside(mutex->client)) {
		return redlock_cancel(mutex->lock);
	}
	return carry_out(mutex, &operation, cancel);
}

/* ---- Questions ------------------------------------------------------------------------------- */

bool redlock_mutex_held(const struct redlock_mutex *mutex)
{
	return mutex != NULL && !rlk_blocking_is_forked(mutex->client) &&
	       redlock_lock_held(mutex->lock);
}

uint64_t redlock_mutex_validity_ms(const struct redlock_mutex *mutex)
{
	return redlock_mutex_held(mutex) ? redlock_lock_validity_ms(mutex->lock) : 0;
}

uint64_t redlock_mutex_fence(const struct redlock_mutex *mutex)
{
	return redlock_mutex_held(mutex) ? atomic_load(&mutex->fence) : 0;
}

/* ---- Life ------------------------------------------------------------------------------------ */

struct making {
	struct rlk_call call;
	struct redlock_mutex *mutex;
	const struct redlock_resource *resources;
	size_t count;
	const struct redlock_lock_options *options;
};

static void make(struct rlk_call *call)
{
	struct making *making = (struct making *)((char *)call - offsetof(struct making, call));
	int status = redlock_lock_new_all(&making->mutex->lock, rlk_blocking_client(call->client),
					  making->resources, making->count, making->options);

	if (status == 0) {
		rlk_blocking_keep(call->client);
	}
	rlk_call_done(call, status);
}

int redlock_mutex_new_all(struct redlock_mutex **out, struct redlock_blocking *client,
			  const struct redlock_resource *resources, size_t count,
			  const struct redlock_lock_options *options)
{
	struct making making = {.resources = resources, .count = count, .options = options};
	int status;

	if (out == NULL || client == NULL) {
		return REDLOCK_EINVAL;
	}
	making.mutex = calloc(1, sizeof *making.mutex);
	if (making.mutex == NULL) {
		return REDLOCK_ENOMEM;
	}
	making.mutex->client = client;
	status = rlk_call(client, &making.call, make);
	if (status != 0) {
		free(making.mutex);
		return status;
	}
	*out = making.mutex;
	return 0;
}

int redlock_mutex_new(struct redlock_mutex **out, struct redlock_blocking *client,
		      const void *resource, size_t resource_len,
		      const struct redlock_lock_options *options)
{
	const struct redlock_resource one = {resource, resource_len};

	return redlock_mutex_new_all(out, client, &one, 1, options);
}

static void free_lock(struct rlk_call *call)
{
	redlock_lock_free(operation_of(call)->mutex->lock);
	rlk_call_done(call, 0);
}

static void free_at_last(void *lock)
{
	redlock_lock_free(lock);
}

void redlock_mutex_free(struct redlock_mutex *mutex)
{
	struct operation operation = {.mutex = mutex};
	struct redlock_blocking *client;

	if (mutex == NULL || rlk_blocking_is_forked(mutex->client)) {
		return; /* In a child: the parent's thread is not here to ask. */
	}
	client = mutex->client;
	switch (rlk_call(client, &operation.call, free_lock)) {
	case REDLOCK_EBUSY: /* In a callback. */
		redlock_lock_free(mutex->lock);
		break;
	case REDLOCK_ECLOSED:
		rlk_blocking_alone(client, free_at_last, mutex->lock);
		break;
	default:
		break;
	}
	free(mutex);
	rlk_blocking_drop(client);
}
