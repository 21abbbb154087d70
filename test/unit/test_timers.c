/* test_timers.c - random use of the heap against a plain array. */
#include "core/timers.h"

#include "core/ports.h"
#include "core/retry.h"
#include "unit.h"

#define TIMERS 200

static struct rlk_timers timers;
static struct rlk_timer timer[TIMERS];
static uint64_t due[TIMERS]; /* The model: RLK_NEVER is not armed. */
static uint64_t last_us;
static int fired;

static void on_fire(struct rlk_timer *t, uint64_t now_us)
{
	size_t i = (size_t)(t - timer);

	ck_assert_uint_ne(due[i], RLK_NEVER);
	ck_assert_uint_le(due[i], now_us);
	ck_assert_uint_ge(due[i], last_us);
	ck_assert(!t->armed);
	last_us = due[i];
	due[i] = RLK_NEVER;
	fired++;
}

static uint64_t soonest(void)
{
	uint64_t next_us = RLK_NEVER;
	size_t i;

	for (i = 0; i < TIMERS; i++) {
		next_us = due[i] < next_us ? due[i] : next_us;
	}
	return next_us;
}

static void setup(void)
{
	size_t i;

	for (i = 0; i < TIMERS; i++) {
		timer[i] = (struct rlk_timer){.fire = on_fire};
		due[i] = RLK_NEVER;
	}
}

START_TEST(timers_fire_in_order_whatever_is_done_to_them)
{
	uint64_t random = 99, now_us = 0;
	size_t i;
	int step;

	for (step = 0; step < 200000; step++) {
		i = rlk_random(&random) % TIMERS;
		switch (rlk_random(&random) % 4) {
		case 0:
		case 1:
			due[i] = now_us + rlk_random(&random) % 1000;
			rlk_timer_set(&timers, &timer[i], due[i]);
			break;
		case 2:
			due[i] = RLK_NEVER;
			rlk_timer_stop(&timers, &timer[i]);
			break;
		default:
			now_us += rlk_random(&random) % 20;
			last_us = 0;
			rlk_timers_run(&timers, now_us);
			ck_assert(soonest() == RLK_NEVER || soonest() > now_us);
			break;
		}
		ck_assert_uint_eq(rlk_timers_next_us(&timers), soonest());
	}
	ck_assert_int_gt(fired, 10000);
}
END_TEST

static void on_fire_stop_next(struct rlk_timer *t, uint64_t now_us)
{
	(void)now_us;
	fired++;
	rlk_timer_stop(&timers, t + 1);
}

START_TEST(a_timer_may_stop_another_that_is_due)
{
	timer[0].fire = timer[1].fire = on_fire_stop_next;
	rlk_timer_set(&timers, &timer[0], 5);
	rlk_timer_set(&timers, &timer[1], 6);
	rlk_timers_run(&timers, 10);
	ck_assert_int_eq(fired, 1);
	ck_assert_uint_eq(rlk_timers_next_us(&timers), RLK_NEVER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timers");
	TCase *tcase = tcase_create("heap");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, timers_fire_in_order_whatever_is_done_to_them);
	tcase_add_test(tcase, a_timer_may_stop_another_that_is_due);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
