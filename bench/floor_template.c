/* floor_template.c - requests that are written before the clock starts, with blanks in them. */
#include <string.h>

#include "floor_connect.h"
#include "floor_crowd.h"

void floor_template_build(struct floor_template *template, const char *const *args, size_t count)
{
	const char *digits;

	template->len = floor_request(template->bytes, sizeof(template->bytes), args, count);
	digits = strstr(template->bytes, ":0000000\r\n");
	template->digits_at = digits ? (size_t)(digits + 1 - template->bytes) : 0;
}

void floor_template_leave_token(struct floor_template *template, const char *token)
{
	template->token_at = (size_t)(strstr(template->bytes, token) - template->bytes);
}

void floor_draw_token(uint64_t *random, char token[FLOOR_TOKEN_LEN])
{
	size_t i;

	for (i = 0; i < FLOOR_TOKEN_LEN; i++) {
		if (i % 16 == 0) {
			*random = *random * UINT64_C(6364136223846793005) + 1;
		}
		token[i] = "0123456789abcdef"[*random >> (60 - i % 16 * 4) & 15];
	}
}
