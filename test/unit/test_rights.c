/* test_rights.c - the right that is missing, from what servers of all versions say. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "redis/rights.h"

#define SCRIPT_7_0                                                                                 \
	"ERR The user executing the script can't run this command or subcommand script: "          \
	"842d4437537835e8ddbfac3ec4e9b2fa21222785, on @user_script:"

static const struct {
	const char *text, *missing;
	enum rlk_script_id script;
} said[] = {
	{"NOPERM this user has no permissions to run the 'set' command", "+set", RLK_SCRIPTS},
	{"NOPERM this user has no permissions to run the 'set' command or its subcommand", "+set",
	 RLK_SCRIPTS},
	{"NOPERM User app has no permissions to run the 'config|get' command", "+config|get",
	 RLK_SCRIPTS},
	{"NOPERM this user has no permissions to access one of the keys used as arguments", "~",
	 RLK_SCRIPTS},
	{"NOPERM No permissions to access a key", "~", RLK_SCRIPTS},
	{"NOPERM this user has no permissions to access one of the channels used as arguments",
	 "&redlock:wake:*", RLK_SCRIPTS},
	{"NOPERM No permissions to access a channel", "&redlock:wake:*", RLK_SCRIPTS},
	{"ERR ACL failure in script: User app has no permissions to run the 'pexpire' command "
	 "script: 100990f617834313f13337d81c5ef537f7397c17, on @user_script:8.",
	 "+pexpire", RLK_SCRIPT_EXTEND},
	{"ERR ACL failure in script: No permissions to access a key script: 1, on @user_script:1.",
	 "~", RLK_SCRIPT_EXTEND},
	{SCRIPT_7_0 "1.", "+time", RLK_SCRIPT_ENROL},
	{SCRIPT_7_0 "4.", "+get", RLK_SCRIPT_ENROL},
	{SCRIPT_7_0 "8.", "+pttl or +pexpire", RLK_SCRIPT_EXTEND},
	{SCRIPT_7_0 "2.", "+get", RLK_SCRIPT_RELEASE},
	{SCRIPT_7_0 "3.", "", RLK_SCRIPTS},
	{SCRIPT_7_0 "0.", "", RLK_SCRIPT_ENROL},
	{SCRIPT_7_0 "9999.", "", RLK_SCRIPT_ENROL},
	{SCRIPT_7_0, "", RLK_SCRIPT_ENROL},
	{"ERR The user executing the script can't access at least one of the keys mentioned in the "
	 "command arguments script: 1, on @user_script:1.",
	 "~", RLK_SCRIPT_ENROL},
	{"ERR The user executing the script can't publish to the channel mentioned in the command",
	 "&redlock:wake:*", RLK_SCRIPT_RELEASE},
	{"NOPERM", "", RLK_SCRIPTS},
	{"NOPERM run the '", "", RLK_SCRIPTS},
	{"NOPERM run the ''", "", RLK_SCRIPTS},
	{"NOPERM run the '\n' command", "+?", RLK_SCRIPTS},
	{"NOPERM run the 'a-name-that-is-longer-than-any-command-has-it' command", "", RLK_SCRIPTS},
	{"WRONGPASS invalid username-password pair or user is disabled.", "", RLK_SCRIPTS},
	{"ERR unknown command 'set', run the 'get' command", "", RLK_SCRIPTS},
	{"", "", RLK_SCRIPTS},
};

START_TEST(a_right_is_named_as_acl_setuser_has_it)
{
	char missing[RLK_RIGHTS_MAX];

	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		rlk_rights_missing(missing, said[i].text, said[i].script);
		ck_assert_msg(strcmp(missing, said[i].missing) == 0, "'%s': '%s', not '%s'",
			      said[i].text, missing, said[i].missing);
	}
}
END_TEST

START_TEST(each_right_is_noted_once)
{
	char list[RLK_RIGHTS_MAX] = "";

	rlk_rights_note(list, "+config|get");
	rlk_rights_note(list, "+get");
	rlk_rights_note(list, "+config|get");
	rlk_rights_note(list, "+get");
	rlk_rights_note(list, "~");
	rlk_rights_note(list, "");
	ck_assert_str_eq(list, "+config|get +get");
}
END_TEST

START_TEST(there_is_an_end_to_noting)
{
	char list[RLK_RIGHTS_MAX] = "", right[] = "+aa";

	for (int i = 0; i < 26 * 26; i++) {
		right[1] = (char)('a' + i / 26);
		right[2] = (char)('a' + i % 26);
		rlk_rights_note(list, right);
	}
	ck_assert_uint_lt(strlen(list), RLK_RIGHTS_MAX);
	ck_assert_ptr_nonnull(strstr(list, "+aa +ab "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rights");
	TCase *words = tcase_create("words");
	SRunner *runner;
	int failed;

	tcase_add_test(words, a_right_is_named_as_acl_setuser_has_it);
	tcase_add_test(words, each_right_is_noted_once);
	tcase_add_test(words, there_is_an_end_to_noting);
	suite_add_tcase(suite, words);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
