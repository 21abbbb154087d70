/* stock_redis.c - the stock in a Redis of its own: the key "stock", and the list "ledger".
 *
 * The calls block. That is fine in a worker with nothing else to do; a server
 * would use hiredis's asynchronous calls here. */
#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "stock.h"

#define PAGE 1000

struct stock_redis {
	struct stock stock;
	redisContext *redis;
};

static redisContext *redis_of(struct stock *stock)
{
	return ((struct stock_redis *)stock)->redis;
}

/* An integer, or text that is one. -1 for anything else. Frees the reply. */
static long number_of(redisReply *reply)
{
	long number = -1;

	if (reply && reply->type == REDIS_REPLY_INTEGER) {
		number = (long)reply->integer;
	} else if (reply && reply->type == REDIS_REPLY_STRING) {
		number = strtol(reply->str, NULL, 10);
	}
	freeReplyObject(reply);
	return number;
}

/* 0 unless the answer is missing or an error. Frees the reply. */
static int done(redisReply *reply)
{
	int rv = reply && reply->type != REDIS_REPLY_ERROR ? 0 : -1;

	freeReplyObject(reply);
	return rv;
}

static int redis_write(struct stock *stock, long left)
{
	return done(redisCommand(redis_of(stock), "SET stock %ld", left));
}

static int redis_fill(struct stock *stock, long count)
{
	if (done(redisCommand(redis_of(stock), "DEL ledger")) != 0) {
		return -1;
	}
	return redis_write(stock, count);
}

static long redis_read(struct stock *stock)
{
	return number_of(redisCommand(redis_of(stock), "GET stock"));
}

static int redis_record(struct stock *stock, long pid, long item)
{
	return done(redisCommand(redis_of(stock), "RPUSH ledger %ld:%ld", pid, item));
}

static long redis_sold(struct stock *stock)
{
	return number_of(redisCommand(redis_of(stock), "LLEN ledger"));
}

/* Print one page; returns how many lines it had, or -1. */
static long print_page(const redisReply *page, FILE *out)
{
	size_t i;

	if (!page || page->type != REDIS_REPLY_ARRAY) {
		return -1;
	}
	for (i = 0; i < page->elements; i++) {
		char *line = page->element[i]->str;
		char *item = line ? strchr(line, ':') : NULL;

		if (item) {
			fprintf(out, "%.*s %s\n", (int)(item - line), line, item + 1);
		}
	}
	return (long)page->elements;
}

static int redis_print_ledger(struct stock *stock, FILE *out)
{
	long first = 0;
	long lines;

	do {
		redisReply *page = redisCommand(redis_of(stock), "LRANGE ledger %ld %ld", first,
						first + PAGE - 1);

		lines = print_page(page, out);
		freeReplyObject(page);
		first += lines;
	} while (lines == PAGE);
	return lines < 0 ? -1 : 0;
}

static void redis_close(struct stock *stock)
{
	redisFree(redis_of(stock));
	free(stock);
}

/* Connect to "host:port". */
static redisContext *connect_to(const char *address)
{
	const struct timeval patience = {.tv_sec = 5};
	const char *port = strrchr(address, ':');
	redisContext *redis;
	char host[256];

	snprintf(host, sizeof(host), "%.*s", (int)(port ? port - address : 255), address);
	redis = redisConnectWithTimeout(host, port ? atoi(port + 1) : 6379, patience);
	if (redis && !redis->err) {
		redisSetTimeout(redis, patience);
	}
	return redis;
}

struct stock *stock_open_redis(const char *address, char *why, size_t why_len)
{
	struct stock_redis *opened;
	redisContext *redis;

	if (strchr(address, '@')) {
		snprintf(why, why_len, "this example does not log in to the stock's server");
		return NULL;
	}
	opened = calloc(1, sizeof(*opened));
	redis = opened ? connect_to(address) : NULL;
	if (!redis || redis->err) {
		snprintf(why, why_len, "%s: %s", address, redis ? redis->errstr : "out of memory");
		redisFree(redis);
		free(opened);
		return NULL;
	}
	opened->redis = redis;
	opened->stock = (struct stock){.fill = redis_fill,
				       .read = redis_read,
				       .write = redis_write,
				       .record = redis_record,
				       .sold = redis_sold,
				       .print_ledger = redis_print_ledger,
				       .close = redis_close};
	return &opened->stock;
}
