/* company.c - one client among fakes, for tests that go their own ways. */
#include "company.h"

struct fake *fakes[HOSTILES_MAX];
struct redlock_client *client;

void company_open(size_t reals, size_t count, const struct fake_cue *cue)
{
	for (size_t i = 0; i < count; i++) {
		fakes[i] = fake_new(&rig.loop, cue);
	}
	client = meeting_client(reals, fakes, count);
}

void company_close(void)
{
	if (client) {
		close_sync(&rig.loop, client);
	}
	for (size_t i = 0; i < HOSTILES_MAX; i++) {
		fake_free(fakes[i]);
		fakes[i] = NULL;
	}
	client = NULL;
	meeting_close();
}
