/* signals.c - signals as events of the loop. */
#include "signals.h"

#include <signal.h>
#include <stdbool.h>

static void on_signal(uv_signal_t *handle, int signum)
{
	struct signals *signals = handle->data;
	signals->cb(signum, signals->data);
}

static bool ignored(int signum)
{
	struct sigaction now;
	return sigaction(signum, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

int signals_watch(struct signals *signals, uv_loop_t *loop, const int *list, signals_cb cb,
		  void *data)
{
	signals->count = 0;
	signals->cb = cb;
	signals->data = data;
	for (; *list != 0 && signals->count < SIGNALS_MAX; list++) {
		uv_signal_t *handle = &signals->handles[signals->count];
		if (ignored(*list)) {
			continue;
		}
		int error = uv_signal_init(loop, handle);
		if (error != 0) {
			return error;
		}
		handle->data = signals;
		signals->count++;
		error = uv_signal_start(handle, on_signal, *list);
		if (error != 0) {
			return error;
		}
	}
	return 0;
}

void signals_close(struct signals *signals)
{
	for (size_t i = 0; i < signals->count; i++) {
		uv_close((uv_handle_t *)&signals->handles[i], NULL);
	}
	signals->count = 0;
}
