/* test_line_process.c - those in line are processes: they die, stand still, and are many. */
#include "line.h"
#include "process.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Far above what a handover takes on a busy machine, and far below any lease or pause here. */
#define SOON_MS 5000
#define SHORT_TTL_MS 1500

static void rig_apart(void)
{
	rig_open(3, NULL);
	rig.options.retry_max_ms = 60000;
}

/* Stand in line, say when it is its turn, and make room for the next one. */
static void wait_in_line(int to)
{
	struct waiter waiter;

	rig_connect();
	start_waiting(&waiter, rig.client, REDLOCK_WAIT_FOREVER);
	expect_won(&waiter);
	process_say(to, 'h');
	finish(&waiter);
	close_sync(&rig.loop, rig.client);
	process_say(to, 'd');
}

static void hold_for_ever(int to)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock;

	rig_connect();
	redlock_lock_options_init(&options);
	options.ttl_ms = SHORT_TTL_MS;
	options.auto_renew = true;
	lock = rig_lock_with(rig.client, NAME, &options);
	rig_acquire(lock);
	process_say(to, 'h');
	loop_run_ms(&rig.loop, 600000);
}

/* The holder, and a client behind a process that is in line; in that order. */
static struct waiter holder, last;
static struct redlock_client *other;

static void line_up(struct process *process)
{
	rig_connect();
	other = rig_connected_client();
	start_waiting(&holder, rig.client, 0);
	expect_won(&holder);
	process_start(process, wait_in_line);
	line_wait(1);
	loop_run_ms(&rig.loop, 200);
	line_join(&last, other);
}

static void leave(void)
{
	line_leave(&holder);
	line_leave(&last);
	close_sync(&rig.loop, other);
	line_expect_mortal();
}

START_TEST(who_was_killed_in_line_is_passed_over)
{
	struct process killed;

	line_up(&killed);
	process_kill(&killed);
	line_wait_ears(1);
	rig_release(holder.lock);
	expect_won(&last);
	/* Called, not found out in a pause; and nothing of the dead one is left. */
	ck_assert_uint_le(last.outcome.report.attempts, 3);
	rig_release(last.lock);
	line_wait(0);
	leave();
}
END_TEST

START_TEST(who_stands_still_in_line_holds_up_the_others_for_a_moment_and_gets_its_turn_later)
{
	struct process stopped;
	uint64_t released_ms;

	line_up(&stopped);
	process_stop(&stopped);
	released_ms = loop_clock_ms();
	rig_release(holder.lock);
	expect_won(&last);
	ck_assert_uint_lt(last.outcome.at_ms - released_ms, SOON_MS);
	ck_assert_int_eq(kill(stopped.pid, SIGCONT), 0);
	line_wait(1);
	rig_release(last.lock);
	process_wait_said(&stopped, 'h');
	process_wait_said(&stopped, 'd');
	process_wait_ended(&stopped);
	rig_until_gone(NAME);
	leave();
}
END_TEST

START_TEST(who_is_stopped_while_nobody_else_waits_still_gets_its_turn)
{
	struct process stopped;

	line_up(&stopped);
	line_leave(&last);
	line_wait(1);
	process_stop(&stopped);
	rig_release(holder.lock);
	rig_until_gone(NAME); /* What was kept for it. */
	ck_assert_int_eq(kill(stopped.pid, SIGCONT), 0);
	process_wait_said(&stopped, 'h');
	process_wait_said(&stopped, 'd');
	process_wait_ended(&stopped);
	leave();
}
END_TEST

START_TEST(who_is_next_gets_the_lock_of_a_killed_holder_when_its_keys_have_died)
{
	struct process killed;
	struct waiter next, behind;
	uint64_t killed_ms;

	process_start(&killed, hold_for_ever);
	process_wait_said(&killed, 'h');
	rig_connect();
	other = rig_connected_client();
	line_join(&next, rig.client);
	loop_run_ms(&rig.loop, 200);
	line_join(&behind, other);
	/* It is renewed, and those in line do not mind. */
	expect_still_waiting(&next, SHORT_TTL_MS + 500);
	killed_ms = loop_clock_ms();
	process_kill(&killed);
	expect_won(&next);
	ck_assert_uint_lt(next.outcome.at_ms - killed_ms, SHORT_TTL_MS + SOON_MS);
	ck_assert_uint_eq(behind.outcome.calls, 0);
	rig_release(next.lock);
	expect_won(&behind);
	finish(&behind);
	line_leave(&next);
	close_sync(&rig.loop, other);
	line_expect_mortal();
}
END_TEST

/* ---- Many ------------------------------------------------------------------------------------ */

#define PROCESSES 4
#define CROWD 8 /* In each. */
#define TURNS 7 /* Of each of them. */

/* What all processes see. */
static struct {
	atomic_uint inside, broken;
	unsigned count; /* Only under the lock. */
} * shared;

/* One of many in a process, with a client of its own. */
struct one {
	struct redlock_client *client;
	struct redlock_lock *lock;
	uv_timer_t stay;
	unsigned turns, seen;
};

static unsigned done;

static void on_mine(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data);

static void want(struct one *one)
{
	ck_assert_int_eq(redlock_acquire(one->lock, REDLOCK_WAIT_FOREVER, on_mine, one),
			 REDLOCK_OK);
}

static void on_given_back(struct redlock_lock *lock, int status,
			  const struct redlock_report *report, void *data)
{
	struct one *one = data;

	(void)lock;
	(void)report;
	ck_assert_int_eq(status, REDLOCK_OK);
	if (++one->turns < TURNS) {
		want(one);
	} else {
		done++;
	}
}

static void on_stayed(uv_timer_t *timer)
{
	struct one *one = timer->data;

	shared->count = one->seen + 1;
	ck_assert(redlock_lock_held(one->lock));
	(void)atomic_fetch_sub(&shared->inside, 1);
	ck_assert_int_eq(redlock_release(one->lock, on_given_back, one), REDLOCK_OK);
}

static void on_mine(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct one *one = data;

	(void)lock;
	(void)report;
	ck_assert_int_eq(status, REDLOCK_OK);
	(void)atomic_fetch_add(&shared->broken, atomic_fetch_add(&shared->inside, 1) != 0);
	one->seen = shared->count;
	ck_assert_int_eq(uv_timer_start(&one->stay, on_stayed, 1, 0), 0);
}

static bool all_done(void *data)
{
	(void)data;
	return done == CROWD;
}

static void be_many(int to)
{
	static struct one ones[CROWD];

	for (size_t i = 0; i < CROWD; i++) {
		ones[i].client = rig_connected_client();
		ones[i].lock = rig_lock_of(ones[i].client, NAME);
		ones[i].stay.data = &ones[i];
		ck_assert_int_eq(uv_timer_init(&rig.loop, &ones[i].stay), 0);
	}
	for (size_t i = 0; i < CROWD; i++) {
		want(&ones[i]);
	}
	loop_until(&rig.loop, all_done, NULL, "all have had their turns");
	for (size_t i = 0; i < CROWD; i++) {
		redlock_lock_free(ones[i].lock);
		close_sync(&rig.loop, ones[i].client);
	}
	process_say(to, 'd');
}

START_TEST(many_in_several_processes_are_all_served_and_never_two_at_once)
{
	struct process processes[PROCESSES];

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	for (size_t i = 0; i < PROCESSES; i++) {
		process_start(&processes[i], be_many);
	}
	for (size_t i = 0; i < PROCESSES; i++) {
		process_wait_said(&processes[i], 'd');
		process_wait_ended(&processes[i]);
	}
	ck_assert_uint_eq(atomic_load(&shared->broken), 0);
	ck_assert_uint_eq(shared->count, PROCESSES * CROWD * TURNS);
	line_expect_mortal();
	ck_assert_int_eq(munmap(shared, sizeof *shared), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("line of processes");
	TCase *apart = rig_case(suite, "three nodes", rig_apart);

	tcase_add_test(apart, who_was_killed_in_line_is_passed_over);
	tcase_add_test(
		apart,
		who_stands_still_in_line_holds_up_the_others_for_a_moment_and_gets_its_turn_later);
	tcase_add_test(apart, who_is_stopped_while_nobody_else_waits_still_gets_its_turn);
	tcase_add_test(apart, who_is_next_gets_the_lock_of_a_killed_holder_when_its_keys_have_died);
	tcase_add_test(apart, many_in_several_processes_are_all_served_and_never_two_at_once);
	return rig_run(suite);
}
