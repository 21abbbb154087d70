/* help.h - the texts of --help. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

/* Help of a verb, or of the tool for NULL; NULL if there is no such verb. */
const char *help_text(const char *verb);

#endif
