/* test_trust.c - whose certificate is believed: the right name or address, in time, of a known CA;
 * and how it is said that another one is not. */
#include "tls_rig.h"

#include <stdio.h>
#include <string.h>

static void expect_works_on(const char *cert, const char *host)
{
	tls_open(1, cert, NULL);
	tls_use_host(host);
	tls_connect(1);
	tls_expect_works();
}

static void expect_refused_on(const char *cert, const char *host, const char *words)
{
	tls_open(1, cert, NULL);
	tls_use_host(host);
	tls_expect_refused(words);
}

START_TEST(a_certificate_for_the_name_is_believed)
{
	expect_works_on("server", "localhost");
}
END_TEST

START_TEST(a_certificate_for_the_address_is_believed)
{
	expect_works_on("server", "127.0.0.1");
}
END_TEST

START_TEST(a_certificate_with_a_common_name_alone_is_believed)
{
	expect_works_on("common", "localhost");
}
END_TEST

START_TEST(a_certificate_for_another_name_is_refused)
{
	expect_refused_on("other", "localhost",
			  "certificate is for redis.example, *.redis.example, not localhost");
}
END_TEST

START_TEST(a_certificate_for_an_address_does_not_do_for_a_name)
{
	expect_refused_on("address", "localhost", "certificate is for 127.0.0.1, not localhost");
}
END_TEST

START_TEST(a_certificate_for_a_name_does_not_do_for_an_address)
{
	expect_refused_on("common", "127.0.0.1", "certificate is for localhost, not 127.0.0.1");
}
END_TEST

START_TEST(many_names_are_told_in_short)
{
	expect_refused_on("many", "localhost",
			  "certificate is for a.example, node-1.example, node-2.example, "
			  "node-3.example, node-4.example, node-5.example, ..., not "
			  "localhost");
}
END_TEST

START_TEST(an_expired_certificate_is_refused)
{
	expect_refused_on("expired", "localhost", "certificate has expired");
}
END_TEST

START_TEST(a_certificate_of_the_future_is_refused)
{
	expect_refused_on("future", "localhost", "certificate is not yet valid");
}
END_TEST

START_TEST(a_self_signed_certificate_is_refused)
{
	expect_refused_on("self", "localhost", "certificate is self-signed");
}
END_TEST

START_TEST(a_self_signed_certificate_that_is_trusted_is_believed)
{
	tls_open(1, "self", NULL);
	tls.options.tls_ca_file = tls_file("self.crt");
	tls_connect(1);
	tls_expect_works();
}
END_TEST

START_TEST(a_ca_of_the_same_name_is_another_one)
{
	expect_refused_on("forged", "localhost",
			  "certificate is from an unknown CA (certificate signature failure)");
}
END_TEST

START_TEST(a_certificate_of_an_unknown_ca_is_refused)
{
	expect_refused_on("strange", "localhost", "certificate is from an unknown CA");
}
END_TEST

START_TEST(the_ca_file_alone_says_whom_to_trust)
{
	tls_open(1, "strange", NULL);
	tls.options.tls_ca_file = tls_file("stranger.crt");
	tls_connect(1);
	tls_expect_works();
}
END_TEST

START_TEST(without_a_ca_file_the_systems_cas_are_trusted)
{
	tls_open(1, "server", NULL);
	tls.options.tls_ca_file = NULL;
	tls_expect_refused("certificate is from an unknown CA");
}
END_TEST

START_TEST(the_old_protocol_is_still_good_enough)
{
	tls_open(1, "server", "tls-protocols TLSv1.2\n");
	tls_connect(1);
	tls_expect_works();
}
END_TEST

START_TEST(an_older_protocol_is_not)
{
	tls_open(1, "server", "tls-protocols TLSv1.1\ntls-ciphers DEFAULT@SECLEVEL=0\n");
	tls_expect_refused("the server has no TLS 1.2 or newer");
}
END_TEST

START_TEST(a_refusal_is_the_same_under_the_old_protocol)
{
	tls_open(1, "other", "tls-protocols TLSv1.2\n");
	tls_expect_refused("not localhost");
}
END_TEST

/* ---- Client certificates --------------------------------------------------------------------- */

static void open_asking(const char *cert, const char *key, const char *more)
{
	char config[128];

	(void)snprintf(config, sizeof config, "tls-auth-clients yes\n%s", more);
	tls_open(1, "server", config);
	if (cert) {
		tls.options.tls_cert_file = tls_file(cert);
		tls.options.tls_key_file = tls_file(key);
	}
}

START_TEST(a_client_certificate_is_shown)
{
	open_asking("client.crt", "client.key", "");
	tls_connect(1);
	tls_expect_works();
}
END_TEST

START_TEST(a_missing_client_certificate_is_named)
{
	open_asking(NULL, NULL, "");
	tls_expect_refused("the server asks for a client certificate (tls_cert_file)");
}
END_TEST

START_TEST(a_missing_client_certificate_is_named_under_the_old_protocol)
{
	open_asking(NULL, NULL, "tls-protocols TLSv1.2\n");
	tls_expect_refused("the server asks for a client certificate (tls_cert_file)");
}
END_TEST

START_TEST(a_client_certificate_that_the_server_does_not_know_is_named)
{
	open_asking("client-strange.crt", "client-strange.key", "");
	tls_expect_refused("the server does not accept our certificate (tls_cert_file)");
}
END_TEST

START_TEST(a_client_certificate_may_be_optional)
{
	tls_open(1, "server", "tls-auth-clients optional\n");
	tls_connect(1);
	tls_expect_works();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tls trust");
	TCase *server = tls_case(suite, "server");
	TCase *client = tls_case(suite, "client");

	tcase_add_test(server, a_certificate_for_the_name_is_believed);
	tcase_add_test(server, a_certificate_for_the_address_is_believed);
	tcase_add_test(server, a_certificate_with_a_common_name_alone_is_believed);
	tcase_add_test(server, a_certificate_for_another_name_is_refused);
	tcase_add_test(server, a_certificate_for_an_address_does_not_do_for_a_name);
	tcase_add_test(server, a_certificate_for_a_name_does_not_do_for_an_address);
	tcase_add_test(server, many_names_are_told_in_short);
	tcase_add_test(server, an_expired_certificate_is_refused);
	tcase_add_test(server, a_certificate_of_the_future_is_refused);
	tcase_add_test(server, a_self_signed_certificate_is_refused);
	tcase_add_test(server, a_self_signed_certificate_that_is_trusted_is_believed);
	tcase_add_test(server, a_ca_of_the_same_name_is_another_one);
	tcase_add_test(server, a_certificate_of_an_unknown_ca_is_refused);
	tcase_add_test(server, the_ca_file_alone_says_whom_to_trust);
	tcase_add_test(server, without_a_ca_file_the_systems_cas_are_trusted);
	tcase_add_test(server, the_old_protocol_is_still_good_enough);
	tcase_add_test(server, an_older_protocol_is_not);
	tcase_add_test(server, a_refusal_is_the_same_under_the_old_protocol);
	tcase_add_test(client, a_client_certificate_is_shown);
	tcase_add_test(client, a_missing_client_certificate_is_named);
	tcase_add_test(client, a_missing_client_certificate_is_named_under_the_old_protocol);
	tcase_add_test(client, a_client_certificate_that_the_server_does_not_know_is_named);
	tcase_add_test(client, a_client_certificate_may_be_optional);
	return tls_run(suite);
}
