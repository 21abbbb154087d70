/* exporter.h - a client's numbers, kept in a file for whoever collects them. */
#ifndef CLI_EXPORTER_H
#define CLI_EXPORTER_H

#include <redlock/redlock.h>
#include <stdbool.h>
#include <uv.h>

struct exporter {
	const struct redlock_client *client;
	const char *name; /* Of the lock, in messages and labels. */
	const char *path; /* NULL: nothing to keep. */
	bool told;	  /* That it cannot be written. */
	uv_timer_t timer;
};

/* Write it every ten seconds, as long as the loop runs. */
void exporter_start(struct exporter *exporter, uv_loop_t *loop, const struct redlock_client *client,
		    const char *name, const char *path);
/* Write it for the last time, without what tells only of this moment. @lost: the lease was. */
void exporter_stop(struct exporter *exporter, bool lost);

#endif
