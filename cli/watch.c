/* watch.c - when to look again, and when to stop. */
#include "watch.h"

#include "codes.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MS 1000

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0};

static void on_signal(int signum, void *data)
{
	struct watch *watch = data;
	(void)signum;
	watch->over = watch->due = true;
}

static void on_timer(uv_timer_t *timer)
{
	struct watch *watch = timer->data;
	watch->due = true;
}

int watch_open(struct watch *watch, struct session *session)
{
	*watch = (struct watch){.session = session};
	uv_timer_init(&session->loop, &watch->timer);
	watch->timer.data = watch;
	int error = signals_watch(&watch->signals, &session->loop, ending, on_signal, watch);
	if (error != 0) {
		out_note(NULL, "%s", uv_strerror(error));
		return CODE_SYSTEM;
	}
	return 0;
}

bool watch_wait(struct watch *watch)
{
	watch->due = watch->over;
	uv_timer_start(&watch->timer, on_timer, INTERVAL_MS, 0);
	session_run(watch->session, &watch->due);
	return !watch->over;
}

void watch_turn_page(void)
{
	char now[32] = "";
	time_t seconds = time(NULL);
	struct tm local;
	if (!isatty(STDOUT_FILENO)) {
		return;
	}
	if (localtime_r(&seconds, &local) != NULL) {
		strftime(now, sizeof now, "%H:%M:%S", &local);
	}
	printf("\033[H\033[J%s, every second; Ctrl-C ends it\n\n", now);
}

void watch_close(struct watch *watch)
{
	uv_close((uv_handle_t *)&watch->timer, NULL);
	signals_close(&watch->signals);
}
