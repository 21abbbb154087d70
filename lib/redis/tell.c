/* tell.c - what a server says, as it may be told: without secrets, and with the name of the right
 * that is missing in front. */
#include <stdio.h>
#include <string.h>

#include "link.h"
#include "quote.h"

static struct rlk_secret secret(const char *password)
{
	return (struct rlk_secret){password, password == NULL ? 0 : strlen(password)};
}

void rlk_tell(const struct rlk_link *link, char *out, size_t size, const char *text, size_t len)
{
	rlk_quote(out, size, text, len,
		  (struct rlk_secret[RLK_SECRETS_MAX]){
			  secret(link->url.password),
			  secret(link->credentials.password),
			  secret(link->listener.credentials.password),
		  });
}

/* Returns how much it has written. */
static size_t tell_right(struct rlk_link *link, char *out, size_t size, const char *text,
			 enum rlk_script_id script)
{
	char right[RLK_RIGHTS_MAX];

	rlk_rights_missing(right, text == NULL ? "" : text, script);
	rlk_rights_note(link->lacks, right);
	return right[0] == '\0' ? 0 : (size_t)snprintf(out, size, "lacks the right %s: ", right);
}

void rlk_tell_refusal(struct rlk_link *link, char *out, size_t size, const redisReply *error,
		      enum rlk_script_id script)
{
	size_t n = tell_right(link, out, size, error->str, script);

	n = n < size ? n : size - 1;
	rlk_tell(link, out + n, size - n, error->str, (size_t)error->len);
}

void rlk_tell_error(struct rlk_link *link, char *out, size_t size, const char *text, size_t len,
		    const struct rlk_command *command)
{
	size_t n = tell_right(link, out, size, text, rlk_wire_script(command));

	rlk_quote(out + n, size - n, text, len,
		  (struct rlk_secret[RLK_SECRETS_MAX]){
			  {command->token, command->token_len},
			  secret(link->url.password),
			  secret(link->listener.credentials.password),
		  });
}

void rlk_tell_nobody(struct rlk_link *link, const redisReply *error, enum rlk_script_id script)
{
	char nowhere[RLK_NODE_ERROR_MAX];

	(void)tell_right(link, nowhere, sizeof nowhere, error->str, script);
}
