#include "herd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"

int herd_open(struct herd *herd, struct session *session, char family, uint32_t count)
{
	char name[CROWD_NAME_MAX];
	int rv = REDLOCK_OK;

	*herd = (struct herd){.session = session};
	herd->locks = calloc(count, sizeof(struct redlock_lock *));
	if (!herd->locks) {
		return REDLOCK_ENOMEM;
	}
	while (herd->count < count && rv == REDLOCK_OK) {
		snprintf(name, sizeof(name), CROWD_NAME_FORMAT, family, herd->count);
		rv = redlock_lock_new(&herd->locks[herd->count], session->client, name,
				      strlen(name), NULL);
		herd->count += rv == REDLOCK_OK;
	}
	return rv;
}

void herd_close(struct herd *herd)
{
	uint32_t i;

	for (i = 0; i < herd->count; i++) {
		redlock_lock_free(herd->locks[i]);
	}
	free(herd->locks);
	*herd = (struct herd){0};
}

static void begin(struct herd *herd)
{
	herd->started = herd->ended = 0;
}

static void run_until_ended(struct herd *herd)
{
	if (herd->ended < herd->count) {
		uv_run(&herd->session->loop, UV_RUN_DEFAULT);
	}
}

static void end_one(struct herd *herd, int status)
{
	/* Locks that are freed while they wait end so. */
	herd->errors += status != REDLOCK_OK && status != REDLOCK_ECANCELED;
	herd->ended++;
	if (herd->ended == herd->count) {
		uv_stop(&herd->session->loop);
	}
}

/* ---- All together ---------------------------------------------------------------------------- */

static void take_next(struct herd *herd);

static void on_taken(struct redlock_lock *lock, int status, const struct redlock_report *report,
		     void *data)
{
	(void)lock;
	(void)report;
	take_next(data);
	end_one(data, status);
}

static void take_next(struct herd *herd)
{
	int rv;

	if (herd->started < herd->count) {
		rv = redlock_acquire(herd->locks[herd->started++], 0, on_taken, herd);
		if (rv != REDLOCK_OK) {
			end_one(herd, rv);
		}
	}
}

void herd_take(struct herd *herd)
{
	int i;

	begin(herd);
	for (i = 0; i < HERD_IN_FLIGHT; i++) {
		take_next(herd);
	}
	run_until_ended(herd);
}

static void on_ended(struct redlock_lock *lock, int status, const struct redlock_report *report,
		     void *data)
{
	(void)lock;
	(void)report;
	end_one(data, status);
}

void herd_wait(struct herd *herd)
{
	int rv;

	begin(herd);
	while (herd->started < herd->count) {
		rv = redlock_acquire(herd->locks[herd->started++], REDLOCK_WAIT_FOREVER, on_ended,
				     herd);
		if (rv != REDLOCK_OK) {
			end_one(herd, rv);
		}
	}
}

void herd_await(struct herd *herd)
{
	run_until_ended(herd);
}

void herd_give_back(struct herd *herd)
{
	int rv;

	begin(herd);
	while (herd->started < herd->count) {
		rv = redlock_release(herd->locks[herd->started++], on_ended, herd);
		if (rv != REDLOCK_OK) {
			end_one(herd, rv);
		}
	}
}

/* ---- Again and again ------------------------------------------------------------------------- */

static void cycle_next(struct herd *herd, struct redlock_lock *lock);

static void on_cycle_released(struct redlock_lock *lock, int status,
			      const struct redlock_report *report, void *data)
{
	struct herd *herd = data;

	(void)report;
	herd->errors += status != REDLOCK_OK;
	cycle_next(herd, lock);
}

static void on_cycle_taken(struct redlock_lock *lock, int status,
			   const struct redlock_report *report, void *data)
{
	struct herd *herd = data;

	(void)report;
	if (status != REDLOCK_OK || redlock_release(lock, on_cycle_released, herd) != REDLOCK_OK) {
		herd->errors++;
		cycle_next(herd, lock);
	}
}

static void cycle_next(struct herd *herd, struct redlock_lock *lock)
{
	int rv = REDLOCK_OK;

	if (herd->turns > 0) {
		herd->turns--;
		rv = redlock_acquire(lock, 0, on_cycle_taken, herd);
		if (rv == REDLOCK_OK) {
			return;
		}
	}
	end_one(herd, rv);
}

void herd_cycle(struct herd *herd, uint64_t cycles)
{
	uint32_t i;

	begin(herd);
	herd->turns = cycles;
	for (i = 0; i < herd->count; i++) {
		cycle_next(herd, herd->locks[i]);
	}
	run_until_ended(herd);
}
