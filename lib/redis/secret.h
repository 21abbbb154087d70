/* secret.h - overwrite what must not be found in memory afterwards. */
#ifndef RLK_SECRET_H
#define RLK_SECRET_H

#include <stddef.h>
#include <string.h>

/* Unlike memset(), this is not left out because nobody looks at the bytes again. */
static inline void rlk_wipe(void *bytes, size_t len)
{
	if (len > 0) {
		explicit_bzero(bytes, len);
	}
}

#endif
