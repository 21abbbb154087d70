/* test_credentials.c - what a password leaves behind in memory when hiredis does the writing. */
#include "hidden.h"
#include "tls_rig.h"

#include <stdio.h>
#include <string.h>

#define NAME "orders:17"
#define MORE "user default off\nuser app on #" HIDDEN_SHA256 " ~* &* +@all\ntls-protocols "

static unsigned asked;

static int answer(struct redlock_client *client, const char *address,
		  struct redlock_credentials *credentials, void *data)
{
	char password[HIDDEN_LEN + 1];
	int rv;

	(void)client, (void)address, (void)data;
	asked++;
	hidden_reveal(password);
	rv = redlock_credentials_set(credentials, "app", password);
	hidden_cover(password, sizeof password);
	return rv;
}

/* Somebody waits, and so the nodes are logged in to twice. */
static void expect_nothing_left(const char *protocols)
{
	struct redlock_lock *locks[2];
	struct outcome outcome = {0};
	struct redlock_client *holder;

	asked = 0;
	tls_open(3, "server", protocols);
	tls.options.credentials = answer;
	tls_connect(3);
	locks[0] = tls_lock(NAME, strlen(NAME));
	ck_assert_int_eq(acquire_sync(&tls.loop, locks[0], 0, NULL), REDLOCK_OK);
	holder = tls.client;
	tls_connect(3);
	locks[1] = tls_lock(NAME, strlen(NAME));
	ck_assert_int_eq(redlock_acquire(locks[1], REDLOCK_WAIT_FOREVER, outcome_take, &outcome),
			 REDLOCK_OK);
	while (asked < 9) {
		loop_run_ms(&tls.loop, 20);
	}
	loop_run_ms(&tls.loop, 200);
	ck_assert_uint_eq(hidden_count(), 0);
	ck_assert_int_eq(release_sync(&tls.loop, locks[0], NULL), REDLOCK_OK);
	loop_wait_for(&tls.loop, &outcome);
	ck_assert_int_eq(outcome.status, REDLOCK_OK);
	for (size_t i = 0; i < 2; i++) {
		redlock_lock_free(locks[i]);
	}
	close_sync(&tls.loop, holder);
	ck_assert_uint_eq(hidden_count(), 0);
}

START_TEST(a_password_is_gone_from_memory_when_it_has_been_answered)
{
	expect_nothing_left(MORE "TLSv1.3\n");
}
END_TEST

START_TEST(a_password_is_gone_from_memory_under_the_old_protocol)
{
	expect_nothing_left(MORE "TLSv1.2\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls credentials");
	TCase *hidden = tls_case(suite, "hidden");

	tcase_add_test(hidden, a_password_is_gone_from_memory_when_it_has_been_answered);
	tcase_add_test(hidden, a_password_is_gone_from_memory_under_the_old_protocol);
	return tls_run(suite);
}
