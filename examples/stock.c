#include "stock.h"

#include <string.h>

struct stock *stock_open(const char *where, char *why, size_t why_len)
{
	if (strncmp(where, "file:", 5) == 0) {
		return stock_open_file(where + 5, why, why_len);
	}
	if (strncmp(where, "redis://", 8) == 0) {
		return stock_open_redis(where + 8, why, why_len);
	}
	snprintf(why, why_len, "a stock is file:PATH or redis://HOST:PORT");
	return NULL;
}
