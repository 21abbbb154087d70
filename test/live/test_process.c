/* test_process.c - holders in processes of their own: paused, killed, and many at once. */
#include "process.h"
#include "rig.h"

#include <signal.h>
#include <stdio.h>

#include "sandbox.h"

#define NAME "orders:17"

static void rig_3_unconnected(void)
{
	rig_open(3, NULL);
}

/* ---- One holder ------------------------------------------------------------------------------ */

#define SHORT_TTL_MS 1200

static struct redlock_lock *renewing_lock(struct outcome *lost)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.ttl_ms = SHORT_TTL_MS;
	options.auto_renew = true;
	options.on_lost = outcome_take;
	options.data = lost;
	return rig_lock_with(rig.client, NAME, &options);
}

/* Hold it, and when the clock has jumped (a pause), expect it to be over. */
static void hold_until_paused(int to)
{
	struct outcome lost = {0};
	struct redlock_lock *lock;
	uint64_t seen_ms;

	rig_connect();
	lock = renewing_lock(&lost);
	rig_acquire(lock);
	process_say(to, 'h');
	do {
		seen_ms = loop_clock_ms();
		loop_run_ms(&rig.loop, 10);
	} while (loop_clock_ms() - seen_ms < SHORT_TTL_MS);
	ck_assert(!redlock_lock_held(lock));
	ck_assert_uint_eq(redlock_lock_validity_ms(lock), 0);
	loop_wait_for(&rig.loop, &lost);
	ck_assert_int_eq(lost.status, REDLOCK_EEXPIRED);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_EEXPIRED);
	redlock_lock_free(lock);
	close_sync(&rig.loop, rig.client);
	process_say(to, 'l');
}

static void hold_for_ever(int to)
{
	struct outcome lost = {0};

	rig_connect();
	rig_acquire(renewing_lock(&lost));
	process_say(to, 'h');
	loop_run_ms(&rig.loop, 600000);
}

START_TEST(a_paused_holder_has_lost_it_when_it_goes_on)
{
	struct redlock_lock *lock;
	struct process holder;
	char token[REDLOCK_TOKEN_MAX + 1];

	process_start(&holder, hold_until_paused);
	process_wait_said(&holder, 'h');
	ck_assert_int_eq(kill(holder.pid, SIGSTOP), 0);
	rig_connect();
	lock = rig_lock(NAME);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 60000, NULL), REDLOCK_OK);
	rig_token(lock, token, sizeof token);
	rig_until_everywhere(NAME, token);
	loop_run_ms(&rig.loop, SHORT_TTL_MS);
	ck_assert_int_eq(kill(holder.pid, SIGCONT), 0);
	process_wait_said(&holder, 'l');
	process_wait_ended(&holder);
	/* Its late renewals and releases have not hurt ours. */
	ck_assert_uint_eq(rig_count(NAME, token), 3);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(the_lock_of_a_killed_holder_expires)
{
	struct redlock_lock *lock;
	struct process holder;

	process_start(&holder, hold_for_ever);
	process_wait_said(&holder, 'h');
	rig_connect();
	lock = rig_lock(NAME);
	loop_run_ms(&rig.loop, SHORT_TTL_MS + 500);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 0, NULL), REDLOCK_EHELD);
	process_kill(&holder);
	ck_assert_int_eq(acquire_sync(&rig.loop, lock, 60000, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

/* ---- Many ------------------------------------------------------------------------------------ */

#define WORKERS 4
#define TURNS 15

static void counter_path(char *path, size_t size)
{
	(void)snprintf(path, size, "%s/counter", sandbox_root());
}

static int read_counter(void)
{
	char path[128];
	int count = 0;
	FILE *file;

	counter_path(path, sizeof path);
	file = fopen(path, "r");
	if (file) {
		ck_assert_int_eq(fscanf(file, "%d", &count), 1);
		(void)fclose(file);
	}
	return count;
}

/* Two at once would lose an increment, and find a file that is not yet written. */
static void write_counter(int count)
{
	char path[128];
	FILE *file;

	counter_path(path, sizeof path);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	loop_run_ms(&rig.loop, 2);
	(void)fprintf(file, "%d\n", count);
	ck_assert_int_eq(fclose(file), 0);
}

static void count_under_lock(int to)
{
	struct redlock_lock *lock;

	rig_connect();
	lock = rig_lock(NAME);
	for (int i = 0; i < TURNS; i++) {
		ck_assert_int_eq(acquire_sync(&rig.loop, lock, REDLOCK_WAIT_FOREVER, NULL),
				 REDLOCK_OK);
		write_counter(read_counter() + 1);
		ck_assert(redlock_lock_held(lock));
		rig_release(lock);
	}
	redlock_lock_free(lock);
	close_sync(&rig.loop, rig.client);
	process_say(to, 'd');
}

START_TEST(processes_that_count_under_the_lock_lose_no_count)
{
	struct process workers[WORKERS];

	for (size_t i = 0; i < WORKERS; i++) {
		process_start(&workers[i], count_under_lock);
	}
	for (size_t i = 0; i < WORKERS; i++) {
		process_wait_said(&workers[i], 'd');
		process_wait_ended(&workers[i]);
	}
	ck_assert_int_eq(read_counter(), WORKERS * TURNS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *three = rig_case(suite, "three nodes", rig_3_unconnected);

	tcase_add_test(three, a_paused_holder_has_lost_it_when_it_goes_on);
	tcase_add_test(three, the_lock_of_a_killed_holder_expires);
	tcase_add_test(three, processes_that_count_under_the_lock_lose_no_count);
	return rig_run(suite);
}
