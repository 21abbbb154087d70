/* test_script.c - each digest is that of its text. */
#include "redis/script.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

START_TEST(each_digest_is_that_of_its_text)
{
	char path[] = "/tmp/redlock-script-XXXXXX", command[128], digest[41];
	int i, fd;
	FILE *file, *sum;

	for (i = 0; i < RLK_SCRIPTS; i++) {
		strcpy(path, "/tmp/redlock-script-XXXXXX");
		fd = mkstemp(path);
		ck_assert_int_ge(fd, 0);
		file = fdopen(fd, "w");
		fputs(rlk_scripts[i].text, file);
		fclose(file);
		snprintf(command, sizeof command, "sha1sum %s", path);
		sum = popen(command, "r");
		ck_assert_ptr_nonnull(sum);
		ck_assert_int_eq(fscanf(sum, "%40s", digest), 1);
		pclose(sum);
		remove(path);
		ck_assert_str_eq(digest, rlk_scripts[i].sha1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script");
	TCase *tcase = tcase_create("digests");

	tcase_add_test(tcase, each_digest_is_that_of_its_text);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
