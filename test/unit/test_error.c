/* test_error.c - the table of errors: never renumbered, always named. */
#include <redlock/redlock.h>
#include <string.h>

#include "unit.h"

START_TEST(values_are_never_renumbered)
{
	ck_assert_int_eq(REDLOCK_OK, 0);
	ck_assert_int_eq(REDLOCK_EINVAL, -1);
	ck_assert_int_eq(REDLOCK_ENOMEM, -2);
	ck_assert_int_eq(REDLOCK_EBUSY, -3);
	ck_assert_int_eq(REDLOCK_EHELD, -4);
	ck_assert_int_eq(REDLOCK_ENOQUORUM, -5);
	ck_assert_int_eq(REDLOCK_ETIMEDOUT, -6);
	ck_assert_int_eq(REDLOCK_EEXPIRED, -7);
	ck_assert_int_eq(REDLOCK_ELOST, -8);
	ck_assert_int_eq(REDLOCK_ECANCELED, -9);
	ck_assert_int_eq(REDLOCK_ECLOSED, -10);
	ck_assert_int_eq(REDLOCK_EUNSUPPORTED, -11);
	ck_assert_int_eq(REDLOCK_EENTROPY, -12);
}
END_TEST

START_TEST(every_status_has_a_name_and_a_text)
{
	int status;

	for (status = -13; status < 0; status++) {
		ck_assert_int_eq(strncmp(redlock_status_name(status), "REDLOCK_E", 9), 0);
		ck_assert_str_ne(redlock_strerror(status), "unknown status");
	}
	ck_assert_str_eq(redlock_status_name(0), "REDLOCK_OK");
	ck_assert_str_eq(redlock_strerror(0), "ok");
	ck_assert_str_eq(redlock_strerror(1), "unknown status");
	ck_assert_str_eq(redlock_status_name(-14), "unknown");
}
END_TEST

START_TEST(every_vote_has_a_name)
{
	ck_assert_str_eq(redlock_way_name(REDLOCK_WAY_NONE), "none");
	ck_assert_str_eq(redlock_way_name(REDLOCK_WAY_CLIENT), "client");
	ck_assert_str_eq(redlock_way_name(REDLOCK_WAY_LINE), "line");
	ck_assert_str_eq(redlock_way_name(REDLOCK_WAY_PAUSES), "pauses");
	ck_assert_str_eq(redlock_way_name((enum redlock_way)4), "unknown");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_NONE), "none");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_GRANTED), "granted");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_HELD), "held");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_MISSING), "missing");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_ERROR), "error");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_TIMED_OUT), "timed out");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_UNREACHABLE), "unreachable");
	ck_assert_str_eq(redlock_vote_name(REDLOCK_VOTE_WITHHELD), "withheld");
	ck_assert_str_eq(redlock_vote_name((enum redlock_vote)99), "unknown");
}
END_TEST

START_TEST(the_library_knows_its_version)
{
	ck_assert_str_eq(redlock_version(), REDLOCK_VERSION);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("tables");

	tcase_add_test(tcase, values_are_never_renumbered);
	tcase_add_test(tcase, every_status_has_a_name_and_a_text);
	tcase_add_test(tcase, every_vote_has_a_name);
	tcase_add_test(tcase, the_library_knows_its_version);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
