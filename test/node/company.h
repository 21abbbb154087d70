/* company.h - one client among fakes, for tests that go their own ways. */
#ifndef REDLOCK_TEST_COMPANY_H
#define REDLOCK_TEST_COMPANY_H

#include "meeting.h"

extern struct fake *fakes[HOSTILES_MAX];
extern struct redlock_client *client;

/* @count fakes of one kind, and a client of them and of so many real nodes. */
void company_open(size_t reals, size_t count, const struct fake_cue *cue);
/* The end of a test, however far it came. */
void company_close(void);

#endif
