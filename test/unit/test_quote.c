/* test_quote.c - a server's words are shown without secrets, and without what could harm a reader.
 */
#include "redis/quote.h"

#include <string.h>

#include "unit.h"

static const char *quote(const char *text, size_t len, const char *token, const char *password)
{
	static char out[64];

	rlk_quote(out, sizeof out, text, len,
		  (struct rlk_secret[RLK_SECRETS_MAX]){{token, strlen(token)},
						       {password, strlen(password)}});
	return out;
}

#define QUOTE(text, token, password) quote((text), sizeof(text) - 1, (token), (password))

START_TEST(plain_words_stay)
{
	ck_assert_str_eq(QUOTE("OOM command not allowed.", "t0ken", "pw"),
			 "OOM command not allowed.");
	ck_assert_str_eq(QUOTE("OOM", "", ""), "OOM");
}
END_TEST

START_TEST(a_secret_is_starred_wherever_it_is)
{
	ck_assert_str_eq(QUOTE("t0ken and t0ken, pw", "t0ken", "pw"), "*** and ***, ***");
	ck_assert_str_eq(QUOTE("pwpwx", "pwpw", "pw"), "***x");
	ck_assert_str_eq(QUOTE("pw", "pw", ""), "***");
	ck_assert_str_eq(QUOTE("t0ke", "t0ken", "pw"), "t0ke");
}
END_TEST

START_TEST(arguments_that_a_server_repeats_are_left_out)
{
	ck_assert_str_eq(
		QUOTE("ERR unknown command 'SET', with args beginning with: 'k' 't0k", "x", "y"),
		"ERR unknown command 'SET'");
}
END_TEST

START_TEST(what_is_not_printable_is_not_shown)
{
	ck_assert_str_eq(QUOTE("a\nb\033[1m\0c\177\303\244", "", ""), "a?b?[1m?c???");
}
END_TEST

START_TEST(an_empty_text_is_told_as_such)
{
	ck_assert_str_eq(QUOTE("", "an", "error"), "an error without a text");
}
END_TEST

START_TEST(a_long_text_is_cut_and_never_inside_the_search_for_a_secret)
{
	char text[200];

	memset(text, 'x', sizeof text);
	memcpy(text + 61, "t0ken", 5);
	ck_assert_uint_eq(strlen(quote(text, sizeof text, "t0ken", "")), 63);
	ck_assert_str_eq(quote(text, sizeof text, "t0ken", "") + 60, "x**");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quote");
	TCase *tcase = tcase_create("quote");

	tcase_add_test(tcase, plain_words_stay);
	tcase_add_test(tcase, a_secret_is_starred_wherever_it_is);
	tcase_add_test(tcase, arguments_that_a_server_repeats_are_left_out);
	tcase_add_test(tcase, what_is_not_printable_is_not_shown);
	tcase_add_test(tcase, an_empty_text_is_told_as_such);
	tcase_add_test(tcase, a_long_text_is_cut_and_never_inside_the_search_for_a_secret);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
