#include "stranger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"
#include "floor_connect.h"
#include "floor_crowd.h"

#define BATCH 256
#define SILENCE_MS 10000

struct stranger {
	struct floor_conns conns;
	uint64_t yes;
};

static void answered(void *owner, struct floor_due due, bool yes)
{
	struct stranger *stranger = owner;

	(void)due;
	stranger->yes += yes;
}

struct stranger *stranger_open(const struct nodes *nodes, char *why, size_t why_len)
{
	struct stranger *stranger = calloc(1, sizeof(*stranger));
	char sha[64];

	if (!stranger) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	stranger->conns.owner = stranger;
	stranger->conns.answered = answered;
	if (!floor_conns_open(&stranger->conns, nodes, floor_delete_script, sha, why, why_len)) {
		stranger_close(stranger);
		return NULL;
	}
	return stranger;
}

static bool settle(struct stranger *stranger)
{
	floor_conns_flush(&stranger->conns);
	while (floor_conns_owed(&stranger->conns) > 0) {
		if (!floor_conns_turn(&stranger->conns, SILENCE_MS)) {
			return false;
		}
	}
	return true;
}

/* The request, with the digits of each of so many resources in turn. */
static bool ask_of_all(struct stranger *stranger, const struct floor_template *request,
		       uint32_t count)
{
	char digits[FLOOR_DIGITS + 1];
	uint32_t i;
	size_t node;

	for (i = 0; i < count; i++) {
		snprintf(digits, sizeof(digits), "%07u", i % 10000000U);
		for (node = 0; node < stranger->conns.count; node++) {
			floor_conn_ask(&stranger->conns.all[node], request, digits,
				       (struct floor_due){0});
		}
		if (i % BATCH == BATCH - 1 && !settle(stranger)) {
			return false;
		}
	}
	return settle(stranger);
}

static void build(struct floor_template *request, const char *const *args, size_t count)
{
	request->len = floor_request(request->bytes, sizeof(request->bytes), args, count);
	request->digits_at = (size_t)(strstr(request->bytes, ":0000000\r\n") + 1 - request->bytes);
}

bool stranger_hold(struct stranger *stranger, char family, uint32_t count, uint32_t ttl_ms)
{
	struct floor_template request;
	char name[CROWD_NAME_MAX];
	char ttl[16];
	const char *args[] = {"SET", name, "a-stranger", "PX", ttl};

	snprintf(name, sizeof(name), CROWD_NAME_FORMAT, family, 0U);
	snprintf(ttl, sizeof(ttl), "%u", ttl_ms);
	build(&request, args, 5);
	stranger->yes = 0;
	return ask_of_all(stranger, &request, count) &&
	       stranger->yes == (uint64_t)count * stranger->conns.count;
}

bool stranger_let_go(struct stranger *stranger, char family, uint32_t count)
{
	struct floor_template request;
	char name[CROWD_NAME_MAX];
	const char *args[] = {"DEL", name};

	snprintf(name, sizeof(name), CROWD_NAME_FORMAT, family, 0U);
	build(&request, args, 2);
	return ask_of_all(stranger, &request, count);
}

void stranger_close(struct stranger *stranger)
{
	floor_conns_close(&stranger->conns);
	free(stranger);
}
