/* watch.h - the same again every second, until a signal comes. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "session.h"
#include "signals.h"

struct watch {
	struct session *session;
	struct signals signals;
	uv_timer_t timer;
	bool due;
	bool over; /* A signal came. */
};

/* Returns 0 or an exit code. */
int watch_open(struct watch *watch, struct session *session);
/* Wait until it is time again. False: it is over. */
bool watch_wait(struct watch *watch);
/* Where the next picture goes: over the last one, on a terminal. */
void watch_turn_page(void);
void watch_close(struct watch *watch);

#endif
