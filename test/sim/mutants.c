/* mutants.c - one rule of the core is broken, if SIM_MUTANT names it.
 *
 * Linked with the core that is built with -DRLK_MUTANTS, in front of the scenes and of the chaos:
 * these run as they are, and should fail. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "core/mutant.h"

enum rlk_mutant rlk_mutant;

static const struct {
	const char *name, *rule, *breakage;
} mutants[] = {
#define MUTANT_ROW(name, rule, breakage) {#name, rule, breakage},
	{"none", "", ""}, RLK_MUTANT_LIST(MUTANT_ROW)};

#define MUTANTS (sizeof mutants / sizeof mutants[0])

/* For whoever runs them: a line for each, "NAME<tab>rule<tab>how it is broken". */
static void list(void)
{
	size_t i;

	for (i = 1; i < MUTANTS; i++) {
		printf("%s\t%s\t%s\n", mutants[i].name, mutants[i].rule, mutants[i].breakage);
	}
	exit(EXIT_SUCCESS);
}

__attribute__((constructor)) static void choose(void)
{
	const char *name = getenv("SIM_MUTANT");
	size_t i;

	if (name == NULL) {
		return;
	}
	if (strcasecmp(name, "list") == 0) {
		list();
	}
	for (i = 0; i < MUTANTS; i++) {
		if (strcasecmp(name, mutants[i].name) == 0) {
			rlk_mutant = (enum rlk_mutant)i;
			return;
		}
	}
	fprintf(stderr, "there is no mutant '%s'\n", name);
	exit(64);
}
