/* signals.h - signals as events of the loop. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <uv.h>

#include <stddef.h>

#define SIGNALS_MAX 8

typedef void (*signals_cb)(int signum, void *data);

struct signals {
	uv_signal_t handles[SIGNALS_MAX];
	size_t count;
	signals_cb cb;
	void *data;
};

/* Watch the signals of a list that ends with 0. One that is ignored when the
 * tool starts stays ignored (nohup; a job in the background of a script), for
 * it and for COMMAND alike. Returns 0 or a libuv error. */
int signals_watch(struct signals *signals, uv_loop_t *loop, const int *list, signals_cb cb,
		  void *data);
void signals_close(struct signals *signals);

#endif
