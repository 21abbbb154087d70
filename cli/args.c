/* args.c - reads the command line.
 *
 * Written out instead of getopt_long(): options end at the first operand (the
 * rest is somebody else's command line), names are never abbreviated, and
 * every complaint names the option and says what it expects. */
#include "args.h"

#include "codes.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

/* A place in the command line. */
struct reader {
	struct args *args;
	char **argv;
	int argc;
	int at;
	bool dashes; /* "--" has ended the options. */
};

static const char *verb_name(const struct args *args)
{
	return args->verb != NULL ? args->verb->name : NULL;
}

static bool looks_like_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

static int wrong_place(const struct reader *reader, const char *shown)
{
	const char *verb = verb_name(reader->args);
	if (verb == NULL) {
		return out_usage(NULL, "%s: belongs behind a verb, as in 'redlock run %s'", shown,
				 shown);
	}
	return out_usage(verb, "%s: no option of '%s'", shown, verb);
}

/* @shown: as it was written. @value: what followed "=" or the letter, or NULL. */
static int take_option(struct reader *reader, const struct option *option, const char *shown,
		       char *value)
{
	struct args *args = reader->args;
	unsigned groups = args->verb != NULL ? args->verb->options : OPTIONS_EVERYWHERE;
	if ((groups & option->group) == 0) {
		return wrong_place(reader, shown);
	}
	if (option->takes_value && value == NULL) {
		if (reader->at == reader->argc) {
			return out_usage(verb_name(args), "%s: needs a value", shown);
		}
		value = reader->argv[reader->at++];
	}
	const char *wrong = option->store(args, value);
	return wrong != NULL ? out_usage(verb_name(args), "%s: %s", shown, wrong) : 0;
}

/* Words are quoted in complaints only up to the "=": a value may be a secret. */
static int take_long(struct reader *reader, char *word)
{
	size_t length = strcspn(word + 2, "=");
	char *value = word[2 + length] == '=' ? word + 3 + length : NULL;
	const struct option *option = option_by_name(word + 2, length);
	if (option == NULL) {
		return out_usage(verb_name(reader->args), "%.*s: unknown option", (int)length + 2,
				 word);
	}
	if (value != NULL && !option->takes_value) {
		return out_usage(verb_name(reader->args), "--%s: takes no value", option->name);
	}
	char shown[40];
	snprintf(shown, sizeof shown, "--%s", option->name);
	return take_option(reader, option, shown, value);
}

/* Letters may stand together: -vn, -w5. */
static int take_letters(struct reader *reader, char *word)
{
	int code = 0;
	for (char *letter = word + 1; *letter != '\0' && code == 0; letter++) {
		const struct option *option = option_by_letter(*letter);
		if (option == NULL) {
			return out_usage(verb_name(reader->args), "-%c: unknown option", *letter);
		}
		const char shown[] = {'-', *letter, '\0'};
		bool with_value = option->takes_value && letter[1] != '\0';
		code = take_option(reader, option, shown, with_value ? letter + 1 : NULL);
		if (option->takes_value) {
			break;
		}
	}
	return code;
}

/* Options up to the next operand or the end. */
static int take_options(struct reader *reader)
{
	int code = 0;
	while (code == 0 && !reader->dashes && reader->at < reader->argc &&
	       looks_like_option(reader->argv[reader->at])) {
		char *word = reader->argv[reader->at++];
		if (strcmp(word, "--") == 0) {
			reader->dashes = true;
		} else if (word[1] == '-') {
			code = take_long(reader, word);
		} else {
			code = take_letters(reader, word);
		}
	}
	return code;
}

static int take_verb(struct reader *reader)
{
	struct args *args = reader->args;
	if (args->help || args->version) {
		return 0;
	}
	if (reader->at == reader->argc) {
		return out_usage(NULL, "no verb: run, lock, extend, unlock, status or cluster");
	}
	const char *name = reader->argv[reader->at++];
	args->verb = verb_find(name);
	if (args->verb == NULL) {
		char shown[64];
		out_escape(shown, sizeof shown, name, strlen(name));
		return out_usage(NULL,
				 "'%s': unknown verb (run, lock, extend, unlock, status, "
				 "cluster or help)",
				 shown);
	}
	return take_options(reader);
}

/* An option behind the NAME is a slip, not an operand: say so. */
static int check_stray(const struct reader *reader, const char *word)
{
	if (reader->dashes || !looks_like_option(word)) {
		return 0;
	}
	const char *verb = verb_name(reader->args);
	bool command = strcmp(verb, "run") == 0;
	return out_usage(verb, "%.*s: options go in front of the NAME%s", (int)strcspn(word, "="),
			 word, command ? "; a COMMAND that starts with '-' needs '--'" : "");
}

/* "NAME -- COMMAND": the dashes are not part of the command. */
static void drop_dashes(struct args *args)
{
	args->operands[1] = args->operands[0];
	args->operands++;
	args->operand_count--;
}

/* "cluster ACTION [OPTIONS]": one operand, with options on both sides of it. */
static int take_action(struct reader *reader)
{
	struct args *args = reader->args;
	args->operand_count = reader->at < reader->argc ? 1 : 0;
	reader->at += args->operand_count;
	int code = take_options(reader);
	if (code == 0 && reader->at < reader->argc) {
		code = out_usage(args->verb->name, "too many words: expected %s",
				 args->verb->operands);
	}
	return code;
}

static int take_words(struct reader *reader)
{
	struct args *args = reader->args;
	args->operand_count = reader->argc - reader->at;
	bool dashed = args->operand_count > 1 && strcmp(args->operands[1], "--") == 0;
	if (dashed) {
		drop_dashes(args);
	} else if (args->operand_count > 1) {
		return check_stray(reader, args->operands[1]);
	}
	return 0;
}

static int take_operands(struct reader *reader)
{
	struct args *args = reader->args;
	const struct verb *verb = args->verb;
	args->operands = reader->argv + reader->at;
	int code = verb->options_later ? take_action(reader) : take_words(reader);
	if (code != 0 || args->help || args->version) {
		return code;
	}
	if (args->operand_count < verb->operands_min) {
		return out_usage(verb->name, "missing: expected %s", verb->operands);
	}
	if (verb->operands_max >= 0 && args->operand_count > verb->operands_max) {
		return out_usage(verb->name, "too many words: expected %s", verb->operands);
	}
	return 0;
}

static int check_together(const struct args *args)
{
	const char *verb = args->verb->name;
	if (args->no_wait && args->wait_set) {
		return out_usage(verb, "-n and -w: only one of them");
	}
	if ((args->tls_cert != NULL) != (args->tls_key != NULL)) {
		return out_usage(verb, "--tls-cert and --tls-key: one needs the other");
	}
	if (args->manner.quiet && args->manner.verbose > 0) {
		return out_usage(verb, "-q and -v: only one of them");
	}
	if (args->ttl_ms > args->max_ttl_ms) {
		return out_usage(verb,
				 "--ttl: %u ms is longer than --max-ttl, %u ms (which has to be "
				 "the same for all clients of these nodes)",
				 args->ttl_ms, args->max_ttl_ms);
	}
	if ((args->verb->options & OPTIONS_NODES) != 0 && args->operand_count > 0 &&
	    args->operands[0][0] == '\0') {
		return out_usage(verb, "NAME: must not be empty");
	}
	return 0;
}

/* The library's own defaults; a lower --max-ttl alone lowers the TTL with it. */
static void fill_defaults(struct args *args)
{
	struct redlock_options options;
	redlock_options_init(&options);
	if (args->max_ttl_ms == 0) {
		args->max_ttl_ms = options.max_ttl_ms;
	}
	if (args->ttl_ms == 0) {
		args->ttl_ms =
			options.ttl_ms < args->max_ttl_ms ? options.ttl_ms : args->max_ttl_ms;
	}
}

int args_read(struct args *args, int argc, char **argv)
{
	struct reader reader = {.args = args, .argv = argv, .argc = argc, .at = 1};
	*args = (struct args){.held_code = CODE_HELD};
	int code = take_options(&reader);
	if (code == 0) {
		code = take_verb(&reader);
	}
	if (code == 0 && !args->help && !args->version) {
		code = take_operands(&reader);
	}
	if (code == 0 && !args->help && !args->version) {
		fill_defaults(args);
		code = check_together(args);
	}
	out_setup(&args->manner);
	return code;
}

int args_find_nodes(struct args *args)
{
	const char *verb = args->verb->name;
	const char *list = getenv("REDLOCK_NODES");
	const char *wrong = NULL;
	if (args->nodes.count == 0 && args->nodes_file != NULL) {
		wrong = nodes_add_file(&args->nodes, args->nodes_file);
		if (wrong != NULL) {
			return out_usage(verb, "--nodes-file: %s: %s", args->nodes_file, wrong);
		}
	}
	if (args->nodes.count == 0 && list != NULL) {
		wrong = nodes_add(&args->nodes, list);
	}
	if (wrong != NULL) {
		return out_usage(verb, "REDLOCK_NODES: %s", wrong);
	}
	if (args->nodes.count == 0) {
		return out_usage(verb, "no nodes: give --node URL (once for each), --nodes-file "
				       "FILE or REDLOCK_NODES=URL,URL,...\n"
				       "To try it: eval \"$(redlock cluster start)\"; export "
				       "REDLOCK_NODES");
	}
	return 0;
}

uint64_t args_wait_ms(const struct args *args)
{
	if (args->no_wait) {
		return 0;
	}
	return args->wait_set ? args->wait_ms : REDLOCK_WAIT_FOREVER;
}

void args_clear(struct args *args)
{
	nodes_clear(&args->nodes);
}
