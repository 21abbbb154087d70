/* main.c - the verbs of the tool. */
#include "args.h"
#include "codes.h"
#include "help.h"
#include "verbs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int print(const char *text)
{
	fputs(text, stdout);
	return out_flush() ? CODE_OK : CODE_OUTPUT;
}

static int verb_help(struct args *args)
{
	const char *name = args->operand_count > 0 ? args->operands[0] : NULL;
	const char *text = help_text(name);
	return text != NULL ? print(text) : out_usage("help", "no verb of that name");
}

static const struct verb verbs[] = {
	{.name = "run",
	 .run = verb_run,
	 .options = OPTIONS_EVERYWHERE | OPTIONS_TTL | OPTIONS_WAIT | OPTIONS_RUN,
	 .operands_min = 1,
	 .operands_max = -1,
	 .operands = "NAME COMMAND [ARG...]"},
	{.name = "lock",
	 .run = verb_lock,
	 .options = OPTIONS_EVERYWHERE | OPTIONS_TTL | OPTIONS_WAIT,
	 .operands_min = 1,
	 .operands_max = 1,
	 .operands = "NAME"},
	{.name = "extend",
	 .run = verb_extend,
	 .options = OPTIONS_EVERYWHERE | OPTIONS_TTL,
	 .operands_min = 2,
	 .operands_max = 2,
	 .operands = "NAME TOKEN"},
	{.name = "unlock",
	 .run = verb_unlock,
	 .options = OPTIONS_EVERYWHERE,
	 .operands_min = 2,
	 .operands_max = 2,
	 .operands = "NAME TOKEN"},
	{.name = "status",
	 .run = verb_status,
	 .options = OPTIONS_EVERYWHERE | OPTIONS_STATUS,
	 .operands_max = 1,
	 .operands = "[NAME]"},
	{.name = "cluster",
	 .run = verb_cluster,
	 .options = OPTIONS_OUTPUT | OPTIONS_CLUSTER,
	 .operands_min = 1,
	 .operands_max = 1,
	 .options_later = true,
	 .operands = "start, stop or status"},
	{.name = "help",
	 .run = verb_help,
	 .options = OPTIONS_OUTPUT,
	 .operands_max = 1,
	 .operands = "[VERB]"},
};

const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(verbs[i].name, name) == 0) {
			return &verbs[i];
		}
	}
	return NULL;
}

/* Started with a standard stream closed, the next socket would take its number
 * and what is printed would go to a server. Fill the gaps with something that
 * fails like a closed file, and that COMMAND does not inherit. */
static void fill_standard_streams(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
		}
	}
}

int main(int argc, char **argv)
{
	struct args args;
	fill_standard_streams();
	int code = args_read(&args, argc, argv);
	if (code == 0 && args.version) {
		code = print("redlock " REDLOCK_VERSION "\n");
	} else if (code == 0 && args.help) {
		code = print(help_text(args.verb != NULL ? args.verb->name : NULL));
	} else if (code == 0) {
		code = args.verb->run(&args);
	}
	args_clear(&args);
	return code;
}
