/* main.c - the quorum on five masters in containers, hurt through Docker.
 *
 *   ./dev cluster up && meson test -C build --suite cluster
 *
 * Without the cluster there is nothing to run: that is exit code 77, or a
 * failure where REDLOCK_CLUSTER_REQUIRED says that it ought to be there. */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>

#define EXIT_SKIPPED 77

static int no_cluster(void)
{
	(void)puts("skipped: the compose cluster is not up (./dev cluster up)");
	return getenv("REDLOCK_CLUSTER_REQUIRED") ? EXIT_FAILURE : EXIT_SKIPPED;
}

int main(void)
{
	Suite *suite = suite_create("cluster");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!nodes_find()) {
		srunner_free(runner);
		return no_cluster();
	}
	add_sound(suite);
	add_minority(suite);
	add_majority(suite);
	add_comeback(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
