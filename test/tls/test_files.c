/* test_files.c - the files of the options: named when they cannot be used, and not looked at when
 * no node needs them. */
#include "tls_rig.h"

#include <stdio.h>
#include <string.h>

/* Nobody is asked: opening a client is enough. */
static void open_nothing(void)
{
	tls_open(1, "server", NULL);
}

static void expect_bad(const char *ca, const char *cert, const char *key, const char *words)
{
	struct redlock_error error = {0};
	int rv;

	tls.options.tls_ca_file = ca;
	tls.options.tls_cert_file = cert;
	tls.options.tls_key_file = key;
	rv = tls_try_client(&error);
	ck_assert_msg(rv == REDLOCK_EINVAL, "%s", redlock_status_name(rv));
	ck_assert_int_eq(error.status, REDLOCK_EINVAL);
	ck_assert_str_eq(error.text, words);
	ck_assert_ptr_null(tls.client);
	ck_assert_int_eq(tls_try_client(NULL), REDLOCK_EINVAL);
}

static void expect_bad_pair(const char *cert, const char *key, const char *words)
{
	expect_bad(tls_file("ca.crt"), cert, key, words);
}

START_TEST(a_ca_file_that_cannot_be_used_is_named)
{
	expect_bad(tls_file("missing.crt"), NULL, NULL, "tls_ca_file: No such file or directory");
	expect_bad("", NULL, NULL, "tls_ca_file: No such file or directory");
	expect_bad(tls_file("garbage.pem"), NULL, NULL, "tls_ca_file: no PEM certificate in it");
	expect_bad(tls_file("leaf.key"), NULL, NULL, "tls_ca_file: no PEM certificate in it");
	expect_bad("/", NULL, NULL, "tls_ca_file: no PEM certificate in it");
}
END_TEST

START_TEST(a_certificate_that_cannot_be_used_is_named)
{
	expect_bad_pair(tls_file("missing.crt"), tls_file("client.key"),
			"tls_cert_file: No such file or directory");
	expect_bad_pair(tls_file("garbage.pem"), tls_file("client.key"),
			"tls_cert_file: no PEM certificate in it");
}
END_TEST

START_TEST(a_key_that_cannot_be_used_is_named)
{
	expect_bad_pair(tls_file("client.crt"), tls_file("missing.key"),
			"tls_key_file: No such file or directory");
	expect_bad_pair(tls_file("client.crt"), tls_file("client.crt"),
			"tls_key_file: no PEM private key in it");
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
	expect_bad_pair(tls_file("client.crt"), tls_file("another.key"),
			"tls_key_file: not the key of tls_cert_file");
	expect_bad_pair(tls_file("client.crt"), tls_file("rsa.key"),
			"tls_key_file: not the key of tls_cert_file");
}
END_TEST

/* Nobody is asked for a passphrase, least of all at the terminal. */
START_TEST(an_encrypted_key_is_refused)
{
	expect_bad_pair(tls_file("client.crt"), tls_file("encrypted.key"),
			"tls_key_file: encrypted with a passphrase, which is not supported");
	expect_bad_pair(tls_file("client.crt"), tls_file("encrypted8.key"),
			"tls_key_file: encrypted with a passphrase, which is not supported");
}
END_TEST

START_TEST(a_certificate_and_its_key_go_together)
{
	static const char words[] = "tls_cert_file, tls_key_file: one needs the other";

	expect_bad_pair(tls_file("client.crt"), NULL, words);
	expect_bad_pair(NULL, tls_file("client.key"), words);
}
END_TEST

START_TEST(files_are_not_looked_at_without_tls_nodes)
{
	struct server *server = &tls.nodes[0].servers.at[0];

	(void)snprintf(tls.nodes[0].url, sizeof tls.nodes[0].url, "redis://127.0.0.1:%u",
		       server->port);
	tls.options.tls_ca_file = tls_file("missing.crt");
	tls_connect(1);
	tls_expect_works();
}
END_TEST

START_TEST(an_older_caller_has_no_such_options)
{
	tls.options.size = offsetof(struct redlock_options, tls_ca_file);
	tls.options.tls_ca_file = tls_file("missing.crt"); /* Behind the end of its struct. */
	tls_expect_refused("certificate is from an unknown CA");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls files");
	TCase *files = tls_case(suite, "files");

	tcase_add_checked_fixture(files, open_nothing, NULL);
	tcase_add_test(files, a_ca_file_that_cannot_be_used_is_named);
	tcase_add_test(files, a_certificate_that_cannot_be_used_is_named);
	tcase_add_test(files, a_key_that_cannot_be_used_is_named);
	tcase_add_test(files, a_key_of_another_certificate_is_refused);
	tcase_add_test(files, an_encrypted_key_is_refused);
	tcase_add_test(files, a_certificate_and_its_key_go_together);
	tcase_add_test(files, files_are_not_looked_at_without_tls_nodes);
	tcase_add_test(files, an_older_caller_has_no_such_options);
	return tls_run(suite);
}
