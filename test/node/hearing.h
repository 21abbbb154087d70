/* hearing.h - a fake node that publishes, and a client that listens to it. */
#ifndef REDLOCK_TEST_HEARING_H
#define REDLOCK_TEST_HEARING_H

#include "company.h"
#include "ear.h"

/* One fake node that is up, and is listened to. */
void hearing_open(void);

/* What such a server would send: any array of three, or a message to our channel. Lent until the
 * next call. */
const char *hearing_said(const char *kind, const char *channel, const char *payload);
const char *hearing_message(const char *payload);

/* Send bytes to who listens; or so many calls in one write. */
void hearing_publish(const char *text);
void hearing_publish_many(size_t count);

#endif
