/* test_retry.c - pauses grow, differ, and stay within their bounds. */
#include "core/retry.h"

#include "unit.h"

START_TEST(pauses_stay_within_their_bounds)
{
	struct rlk_retry retry = {.min_us = 5000, .max_us = 250000};
	uint64_t random = 42, pause_us;
	int i;

	for (i = 0; i < 100000; i++) {
		pause_us = rlk_retry_pause_us(&retry, &random);
		ck_assert_uint_ge(pause_us, 2500);
		ck_assert_uint_le(pause_us, 250000);
	}
	ck_assert_uint_ge(pause_us, 125000);
	rlk_retry_reset(&retry);
	ck_assert_uint_le(rlk_retry_pause_us(&retry, &random), 5000);
}
END_TEST

START_TEST(contenders_that_failed_together_come_back_apart)
{
	struct rlk_retry one = {.min_us = 5000, .max_us = 250000}, two = one;
	uint64_t random_one = 1, random_two = 3;
	int i, same = 0;

	for (i = 0; i < 1000; i++) {
		same += rlk_retry_pause_us(&one, &random_one) ==
			rlk_retry_pause_us(&two, &random_two);
	}
	ck_assert_int_lt(same, 5);
}
END_TEST

START_TEST(the_smallest_pause_is_no_pause_at_worst)
{
	struct rlk_retry retry = {.min_us = 1, .max_us = 1};
	uint64_t random = 7;

	ck_assert_uint_le(rlk_retry_pause_us(&retry, &random), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("retry");
	TCase *tcase = tcase_create("pauses");

	tcase_add_test(tcase, pauses_stay_within_their_bounds);
	tcase_add_test(tcase, contenders_that_failed_together_come_back_apart);
	tcase_add_test(tcase, the_smallest_pause_is_no_pause_at_worst);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
