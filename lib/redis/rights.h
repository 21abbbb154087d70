/* rights.h - which right a user lacks, in the words of ACL SETUSER. */
#ifndef RLK_RIGHTS_H
#define RLK_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "script.h"

#define RLK_RIGHTS_MAX 128

/* Write to @out what the server's error @text says is missing, as "+set", "+pttl or +pexpire", "~"
 * (to the key) or "&redlock:wake:*"; or "", if it is about something else. @script: what was run,
 * or RLK_SCRIPTS. */
void rlk_rights_missing(char out[RLK_RIGHTS_MAX], const char *text, enum rlk_script_id script);
/* Add @right to a list of them, once. Those to keys are not noted: they differ from key to key. */
void rlk_rights_note(char list[RLK_RIGHTS_MAX], const char *right);

#endif
