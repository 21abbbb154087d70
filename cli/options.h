/* options.h - every option: its names, where it belongs, how it is stored. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "args.h"

struct option {
	const char *name; /* Without the dashes. */
	char letter;	  /* Or '\0'. */
	bool takes_value;
	unsigned group;
	/* Returns NULL, or what is wrong with the value. */
	const char *(*store)(struct args *args, char *value);
};

const struct option *option_by_name(const char *name, size_t length);
const struct option *option_by_letter(char letter);

#endif
