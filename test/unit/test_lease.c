/* test_lease.c - the arithmetic never promises more than there is. */
#include "core/lease.h"

#include "unit.h"

START_TEST(ten_seconds_at_one_percent_leave_9898_ms)
{
	ck_assert_uint_eq(rlk_valid_until_us(1000, 10000, 10000), 1000 + 9898000);
}
END_TEST

START_TEST(drift_is_rounded_up)
{
	ck_assert_uint_eq(rlk_drift_us(1, 1), 2001);
	ck_assert_uint_eq(rlk_drift_us(1000, 1), 2001);
	ck_assert_uint_eq(rlk_drift_us(1001, 1), 2002);
	ck_assert_uint_eq(rlk_drift_us(10000, 0), 2000);
}
END_TEST

START_TEST(a_ttl_below_its_drift_is_never_valid)
{
	ck_assert_uint_eq(rlk_valid_until_us(500, 1, 10000), 500);
	ck_assert_uint_eq(rlk_valid_until_us(500, 2, 10000), 500);
	ck_assert_uint_eq(rlk_valid_until_us(500, 3, 0), 1500);
}
END_TEST

START_TEST(a_key_may_live_longer_than_its_lease)
{
	uint32_t ttl_ms;

	for (ttl_ms = 1; ttl_ms < 100000; ttl_ms += 7) {
		ck_assert_uint_ge(rlk_key_life_us(ttl_ms, 10000), (uint64_t)ttl_ms * 1010);
		ck_assert_uint_le(rlk_valid_until_us(0, ttl_ms, 10000), (uint64_t)ttl_ms * 990);
	}
}
END_TEST

START_TEST(nothing_wraps_around)
{
	ck_assert_uint_eq(rlk_us(UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(rlk_us(UINT64_MAX / 1000 + 1), UINT64_MAX);
	ck_assert_uint_eq(rlk_later(UINT64_MAX - 1, 2), UINT64_MAX);
	ck_assert_uint_eq(rlk_until(1, 2), 0);
	ck_assert_uint_eq(rlk_until(5, 2), 3);
	ck_assert_uint_eq(rlk_valid_until_us(UINT64_MAX - 5, UINT32_MAX, 0), UINT64_MAX);
	ck_assert_uint_gt(rlk_drift_us(UINT32_MAX, 500000), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lease");
	TCase *tcase = tcase_create("arithmetic");

	tcase_add_test(tcase, ten_seconds_at_one_percent_leave_9898_ms);
	tcase_add_test(tcase, drift_is_rounded_up);
	tcase_add_test(tcase, a_ttl_below_its_drift_is_never_valid);
	tcase_add_test(tcase, a_key_may_live_longer_than_its_lease);
	tcase_add_test(tcase, nothing_wraps_around);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
