/* meeting.h - the real client among real nodes and hostile ones, and what must come of it. */
#ifndef REDLOCK_TEST_MEETING_H
#define REDLOCK_TEST_MEETING_H

#include "fake.h"
#include "rig.h"

#define NAME "orders:17"
#define PASSWORD "hunter2-hunter2"
#define HOSTILES_MAX 3
#define REALS 3

/* Which operation meets the hostility. */
enum stage {
	LOGGING_IN, /* It never comes up. */
	BARRED,	    /* It comes up, and is seen to be unfit to vote. */
	ACQUIRING,
	FENCING, /* Acquiring with a fencing token. */
	EXTENDING,
	RELEASING,
	LOOKING /* redlock_inspect(). */
};

struct hostility {
	const char *name;
	enum stage stage;
	struct fake_cue cue;
	enum redlock_vote vote; /* Not LOGGING_IN, BARRED: what it is reported to have said. */
	const char *says;	/* In the node's error; NULL: there is none. */
};

/* Real servers and an open loop; before the first meeting. */
void meeting_open(void);
void meeting_close(void);

/* One client of so many real nodes and so many hostile ones, from its opening to its close. */
void meet(const struct hostility *hostility, size_t reals, size_t hostiles);
/* Every combination that can be told apart: alone, few among many, and most. */
void meet_all(const struct hostility *hostilities, size_t count);

/* For tests that go their own ways: a client of these fakes and so many real nodes. */
struct redlock_client *meeting_client(size_t reals, struct fake *const *fakes, size_t count);
/* Everything that a client said in its trace is free of this. */
void meeting_never_said(const char *secret);
/* Most address space that this process ever had, in bytes. */
size_t meeting_peak(void);

#endif
