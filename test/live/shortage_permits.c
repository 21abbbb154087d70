/* shortage_permits.c - each operation of a semaphore, as it is done while memory fails. */
#include "permits.h"
#include "shortage.h"

#define PERMITS 2

static int make(struct stage *stage, struct redlock_semaphore **semaphore)
{
	return redlock_semaphore_new(semaphore, stage->client, NAME, strlen(NAME), PERMITS, NULL);
}

void make_semaphore(struct stage *stage)
{
	int rv = make(stage, &stage->semaphore);

	ck_assert(rv == REDLOCK_OK || (rv == REDLOCK_ENOMEM && faulty.failed));
	ck_assert_int_eq(stage->semaphore != NULL, rv == REDLOCK_OK);
}

void have_semaphore(struct stage *stage)
{
	ck_assert_int_eq(make(stage, &stage->semaphore), REDLOCK_OK);
	ck_assert_int_eq(make(stage, &stage->rival), REDLOCK_OK);
}

static void expect_end(struct stage *stage, int status)
{
	loop_wait_for(&rig.loop, &stage->outcome);
	ck_assert_msg(stage->outcome.status == status ||
			      (faulty.failed && (stage->outcome.status == REDLOCK_ENOMEM ||
						 stage->outcome.status == REDLOCK_ENOQUORUM)),
		      "%s", redlock_status_name(stage->outcome.status));
	ck_assert_int_eq(redlock_semaphore_held(stage->semaphore), stage->outcome.status == 0);
}

static void begin(struct stage *stage, uint64_t wait_ms)
{
	ck_assert_int_eq(
		redlock_semaphore_acquire(stage->semaphore, wait_ms, take_outcome, &stage->outcome),
		REDLOCK_OK);
}

void take_permit(struct stage *stage)
{
	begin(stage, 0);
	expect_end(stage, REDLOCK_OK);
}

void take_all_but_one(struct stage *stage)
{
	have_semaphore(stage);
	ck_assert_int_eq(redlock_semaphore_acquire(stage->rival, 0, take_outcome, &stage->other),
			 REDLOCK_OK);
	loop_wait_for(&rig.loop, &stage->other);
	ck_assert_int_eq(stage->other.status, REDLOCK_OK);
}

void take_all(struct stage *stage)
{
	char key[32];

	take_all_but_one(stage);
	for (size_t i = 0; i < rig.servers.count; i++) {
		slot_key(key, sizeof key, 1 - redlock_semaphore_slot(stage->rival));
		rig_stranger(i, key);
	}
}

void wait_for_permit_in_vain(struct stage *stage)
{
	begin(stage, 20);
	expect_end(stage, REDLOCK_ETIMEDOUT);
}

void wait_for_permit(struct stage *stage)
{
	begin(stage, 20000);
	loop_run_ms(&rig.loop, 5);
	(void)redlock_semaphore_release(stage->rival, NULL, NULL);
	loop_run_ms(&rig.loop, 20);
}

/* With memory again, whoever waits comes to an end. */
void drop_semaphore(struct stage *stage)
{
	bool acquired = stage->rival != NULL;

	redlock_semaphore_free(stage->rival);
	strangers_leave(PERMITS);
	if (acquired) {
		loop_wait_for(&rig.loop, &stage->outcome);
	}
	redlock_semaphore_free(stage->semaphore);
	rig_until_gone(NAME "#0");
	rig_until_gone(NAME "#1");
}
