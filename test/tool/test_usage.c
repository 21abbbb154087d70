/* test_usage.c - the command line: what is refused, and in which words. */
#include "stage.h"

#include <stdlib.h>
#include <string.h>

#define NODE "--node", "redis://127.0.0.1:1"

/* What is wrong, and a word of the complaint. None of it talks to a server. */
static const struct {
	const char *words[12];
	const char *said;
} bad[] = {
	{{NULL}, "no verb"},
	{{"frobnicate"}, "unknown verb"},
	{{"--frobnicate"}, "--frobnicate: unknown option"},
	{{"-x"}, "-x: unknown option"},
	{{"--ttl", "5s", "lock", "a"}, "--ttl: belongs behind a verb"},
	{{"run"}, "missing: expected NAME COMMAND"},
	{{"run", NODE, "a"}, "missing: expected NAME COMMAND"},
	{{"run", NODE, "a", "--"}, "missing: expected NAME COMMAND"},
	{{"run", NODE, "", "true"}, "NAME: must not be empty"},
	{{"run", NODE, "-n", "-w", "1", "a", "true"}, "-n and -w"},
	{{"run", NODE, "-nw1", "a", "true"}, "-n and -w"},
	{{"run", NODE, "a", "-n", "true"}, "-n: options go in front of the NAME"},
	{{"run", NODE, "a", "--ttl=5s", "true"}, "--ttl: options go in front of the NAME"},
	{{"run", NODE, "-c", "true", "a", "true"}, "-c: takes the place of COMMAND"},
	{{"run", NODE, "-E", "256", "a", "true"}, "-E: expected an exit code from 0 to 255"},
	{{"run", NODE, "-E", "-1", "a", "true"}, "-E: expected"},
	{{"run", NODE, "-E", "x", "a", "true"}, "-E: expected"},
	{{"run", NODE, "-E"}, "-E: needs a value"},
	{{"run", NODE, "-w", "soon", "a", "true"}, "-w: expected a duration"},
	{{"run", NODE, "-w", "-1", "a", "true"}, "-w: must not be negative"},
	{{"run", NODE, "--ttl", "0", "a", "true"}, "--ttl: must be more than 0"},
	{{"run", NODE, "--ttl", "0.0", "a", "true"}, "--ttl: must be more than 0"},
	{{"run", NODE, "--ttl", "-5s", "a", "true"}, "--ttl: must not be negative"},
	{{"run", NODE, "--ttl", "5x", "a", "true"}, "--ttl: expected a duration"},
	{{"run", NODE, "--ttl", "", "a", "true"}, "--ttl: expected a duration"},
	{{"run", NODE, "--ttl", "9999999h", "a", "true"}, "--ttl: too long"},
	{{"run", NODE, "--ttl", "2m", "a", "true"}, "longer than --max-ttl"},
	{{"run", NODE, "--ttl", "50ms", "a", "true"}, "--ttl: expected at least 100 ms"},
	{{"run", NODE, "--kill-after", "6s", "a", "true"}, "--kill-after: expected at most"},
	{{"run", NODE, "--kill-after", "x", "a", "true"}, "--kill-after: expected a duration"},
	{{"run", NODE, "--min-hold", "x", "a", "true"}, "--min-hold: expected a duration"},
	{{"run", NODE, "--node-timeout", "0", "a", "true"}, "--node-timeout: must be more"},
	{{"run", NODE, "--json=yes", "a", "true"}, "--json: takes no value"},
	{{"run", NODE, "--nodes", "3", "a", "true"}, "--nodes: no option of 'run'"},
	{{"run", "--node"}, "--node: needs a value"},
	{{"run", "--node", "", "a", "true"}, "--node: expected a URL"},
	{{"run", "--node=ftp://x", "a", "true"}, "scheme: expected redis://"},
	{{"run", NODE, NODE, "a", "true"}, "redlock: run: URL of node 2"},
	{{"run", NODE, "--key-format", "none", "a", "true"}, "--key-format: expected"},
	{{"run", "a", "true"}, "no nodes: give --node URL"},
	{{"run", "--nodes-file", "/nowhere/at/all", "a", "true"}, "--nodes-file: /nowhere"},
	{{"run", "--nodes-file", "/dev/null", "a", "true"}, "no node in this file"},
	{{"run", NODE, "--tls-key", "k", "a", "true"}, "--tls-cert and --tls-key: one needs"},
	{{"run", "--tls-ca", "/nowhere", "--node=rediss://127.0.0.1:1", "a", "true"},
	 "redlock: run:"},
	{{"lock"}, "missing: expected NAME"},
	{{"lock", NODE, "a", "b"}, "too many words"},
	{{"lock", NODE, "--fence", "a"}, "--fence: no option of 'lock'"},
	{{"run", NODE, "--fence", "--shared", "a", "true"}, "--shared, --fence: not both"},
	{{"run", NODE, "--permits", "2", "--shared", "a", "true"}, "--shared, --permits: not both"},
	{{"run", NODE, "a:readers", "true"}, "NAME: may not end in"},
	{{"lock", NODE, "-E", "1", "a"}, "-E: no option of 'lock'"},
	{{"lock", NODE, "-q", "-v", "a"}, "-q and -v"},
	{{"lock", NODE, "--ttl", "1ms", "a"}, "--ttl: too short"},
	{{"lock", NODE, "--max-ttl", "48h", "a"}, "--max-ttl: expected"},
	{{"lock", NODE, "--max-ttl", "5s", "--ttl", "6s", "a"}, "longer than --max-ttl"},
	{{"extend", NODE, "a"}, "missing: expected NAME TOKEN"},
	{{"extend", NODE, "a", ""}, "TOKEN: expected 1 to 64 characters"},
	{{"extend", NODE, "a", "-"}, "TOKEN: nothing to read"},
	{{"unlock", NODE, "a"}, "missing: expected NAME TOKEN"},
	{{"unlock", NODE, "--ttl", "5s", "a", "t"}, "--ttl: no option of 'unlock'"},
	{{"unlock", NODE, "a", "b", "c"}, "too many words"},
	{{"status", NODE, "a", "b"}, "too many words"},
	{{"status", NODE, "-n"}, "-n: no option of 'status'"},
	{{"cluster"}, "missing: expected start, stop or status"},
	{{"cluster", "jump"}, "expected start, stop or status"},
	{{"cluster", "start", "now"}, "too many words"},
	{{"cluster", "start", "--nodes", "0"}, "--nodes: expected a number from 1 to 32"},
	{{"cluster", "start", "--nodes", "33"}, "--nodes: expected a number from 1 to 32"},
	{{"cluster", "start", "--port", "65536"}, "--port: expected a port"},
	{{"cluster", "start", "--port", "65533"}, "--port: no room for 5 ports"},
	{{"cluster", "start", "--node", "redis://a"}, "--node: no option of 'cluster'"},
	{{"help", "frobnicate"}, "no verb of that name"},
};

START_TEST(bad_input_is_named)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const struct result *result = tool_run(bad[i].words, "");
		ck_assert_msg(result->code == 64, "%zu (%s): %d %s", i, bad[i].said, result->code,
			      result->err);
		ck_assert_msg(strstr(result->err, bad[i].said) != NULL, "%zu: '%s' not in '%s'", i,
			      bad[i].said, result->err);
		ck_assert_str_eq(result->out, "");
	}
}
END_TEST

START_TEST(usage_errors_are_said_even_when_quiet)
{
	const struct result *result = TOOL("lock", "-q", NODE, "--ttl", "x", "a");
	ck_assert_int_eq(result->code, 64);
	ck_assert_ptr_nonnull(strstr(result->err, "--ttl: expected a duration"));
}
END_TEST

START_TEST(every_verb_has_a_help)
{
	static const char *const verbs[] = {"run",    "lock",	 "extend", "unlock",
					    "status", "cluster", "help"};
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		const struct result *result = TOOL(verbs[i], "--help");
		ck_assert_int_eq(result->code, 0);
		ck_assert_str_eq(result->err, "");
		char *text = strdup(result->out);
		ck_assert_ptr_nonnull(strstr(text, "Exit code"));
		result = TOOL("help", verbs[i]);
		ck_assert_int_eq(result->code, 0);
		ck_assert_str_eq(result->out, text);
		free(text);
	}
}
END_TEST

START_TEST(help_and_version_go_to_standard_output)
{
	const struct result *result = TOOL("--help");
	ck_assert_int_eq(result->code, 0);
	ck_assert_ptr_nonnull(strstr(result->out, "redlock run [OPTIONS] NAME [--] COMMAND"));
	result = TOOL("-h");
	ck_assert_int_eq(result->code, 0);
	result = TOOL("--version");
	ck_assert_int_eq(result->code, 0);
	ck_assert_int_eq(strncmp(result->out, "redlock ", 8), 0);
	result = TOOL("run", "--version");
	ck_assert_int_eq(result->code, 0);
}
END_TEST

START_TEST(help_lines_fit_a_terminal)
{
	const struct result *result = TOOL("run", "--help");
	for (const char *line = result->out; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		ck_assert_msg(length <= 90, "%.*s", (int)length, line);
		line += length + 1;
	}
}
END_TEST

START_TEST(a_bad_url_never_shows_its_password)
{
	static const char *const urls[] = {
		"redis://user:hunter2@127.0.0.1:notaport", "redis://user:hunter2@",
		"gopher://user:hunter2@127.0.0.1:1",	   "user:hunter2@127.0.0.1:1",
		"redis://:hunter2@127.0.0.1:1/x",	   "redis://:hunter2@[::1",
		"redis://:hunter2,hunter2@127.0.0.1:x",	   "redis://:%zzhunter2@127.0.0.1:1",
	};
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		const struct result *result = TOOL("status", "-vv", "--node", urls[i]);
		ck_assert_msg(result->code == 64, "%s: %d", urls[i], result->code);
		ck_assert_msg(strstr(result->err, "hunter2") == NULL, "%s", result->err);
		ck_assert_msg(strstr(result->out, "hunter2") == NULL, "%s", result->out);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tool usage");
	TCase *tests = tcase_create("usage");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, bad_input_is_named);
	tcase_add_test(tests, usage_errors_are_said_even_when_quiet);
	tcase_add_test(tests, every_verb_has_a_help);
	tcase_add_test(tests, help_and_version_go_to_standard_output);
	tcase_add_test(tests, help_lines_fit_a_terminal);
	tcase_add_test(tests, a_bad_url_never_shows_its_password);
	suite_add_tcase(suite, tests);
	return stage_run_bare(suite);
}
