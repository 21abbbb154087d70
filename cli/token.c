/* token.c - the verbs that go on with a lease by its owner token: extend, unlock. */
#include "args.h"
#include "codes.h"
#include "outcome.h"
#include "session.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct token {
	char text[REDLOCK_TOKEN_MAX + 2]; /* One more than fits, to see what is too long. */
	size_t length;
};

/* "-" reads the token from stdin: arguments are everybody's to see in `ps`. */
static int read_token(const struct args *args, struct token *token)
{
	const char *given = args->operands[1];
	if (strcmp(given, "-") != 0) {
		snprintf(token->text, sizeof token->text, "%s", given);
	} else if (fgets(token->text, sizeof token->text, stdin) == NULL) {
		return out_usage(args->verb->name, "TOKEN: nothing to read on standard input");
	}
	token->length = strcspn(token->text, "\n");
	token->text[token->length] = '\0';
	if (token->length == 0 || token->length > REDLOCK_TOKEN_MAX) {
		return out_usage(args->verb->name,
				 "TOKEN: expected 1 to %d characters, as "
				 "printed by 'redlock lock'",
				 REDLOCK_TOKEN_MAX);
	}
	return 0;
}

static int outcome_code(int status)
{
	switch (status) {
	case 0:
		return CODE_OK;
	case REDLOCK_ELOST:
	case REDLOCK_EEXPIRED:
		return CODE_LOST;
	default:
		return CODE_NO_QUORUM;
	}
}

static void describe(const struct outcome *outcome, const char *done, char *text, size_t size)
{
	if (outcome->status == 0) {
		snprintf(text, size, "%s", done);
	} else if (outcome_code(outcome->status) == CODE_LOST) {
		snprintf(text, size, "not held with this token");
	} else {
		outcome_describe(outcome, text, size);
	}
}

/* Say how it went; returns the exit code. */
static int report(const struct args *args, const struct outcome *outcome, const char *done)
{
	char message[512];
	const char *name = args->operands[0];
	int code = outcome_code(outcome->status);
	describe(outcome, done, message, sizeof message);
	outcome_explain(outcome, name);
	if (code != 0) {
		out_note(name, "%s", message);
	} else {
		out_detail(name, "%s", message);
	}
	if (!args->manner.json) {
		return code;
	}
	struct json json;
	json_begin(&json, stdout);
	json_string(&json, "event", args->verb->name);
	json_string(&json, "name", name);
	json_uint(&json, "validity_ms", outcome->validity_ms);
	outcome_json(&json, outcome, code, message);
	return json_end(&json) || code != 0 ? code : CODE_OUTPUT;
}

static int open_lease(struct session *session, struct args *args, struct redlock_lock **lock)
{
	struct redlock_lock_options options;
	struct token token;
	int code = args_find_nodes(args);
	if (code == 0) {
		code = read_token(args, &token);
	}
	if (code == 0) {
		code = session_open(session, args);
	}
	if (code != 0) {
		return code;
	}
	redlock_lock_options_init(&options);
	options.ttl_ms = args->ttl_ms;
	options.token = token.text;
	options.token_len = token.length;
	code = session_lock(session, args, &options, lock);
	if (code != 0) {
		session_close(session);
	}
	return code;
}

static void finish(struct session *session, struct outcome *outcome, int started)
{
	if (started != 0) {
		outcome_set(outcome, started, NULL);
	}
	session_run(session, &outcome->done);
}

/* Nothing is closed afterwards: closing gives back what is held, and neither
 * an extended lease nor one that could not be extended is ours to end. */
int verb_extend(struct args *args)
{
	struct session session;
	struct redlock_lock *lock = NULL;
	struct outcome outcome = {0};
	int code = open_lease(&session, args, &lock);
	if (code != 0) {
		return code;
	}
	finish(&session, &outcome, redlock_extend(lock, outcome_on_done, &outcome));
	session_keep(report(args, &outcome, "extended"));
}

int verb_unlock(struct args *args)
{
	struct session session;
	struct redlock_lock *lock = NULL;
	struct outcome outcome = {0};
	int code = open_lease(&session, args, &lock);
	if (code != 0) {
		return code;
	}
	finish(&session, &outcome, redlock_release(lock, outcome_on_done, &outcome));
	redlock_lock_free(lock);
	session_close(&session);
	return report(args, &outcome, "given back");
}
