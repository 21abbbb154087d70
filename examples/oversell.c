/* oversell.c - several workers sell a limited stock: with the lock, and without.
 *
 *   cc -D_GNU_SOURCE oversell.c seller.c stock*.c -o oversell \
 *      $(pkg-config --cflags --libs redlock libuv hiredis)
 *   ./oversell --stock redis://shop:6379 --fill 1000
 *   ./oversell --stock redis://shop:6379 --nodes redis://a,redis://b,redis://c &
 *   ./oversell --stock redis://shop:6379 --nodes redis://a,redis://b,redis://c &
 *
 * Start as many of these as you like, on as many machines as you like.
 * Each worker reads the stock, thinks for a moment, writes one less and notes
 * the sale in the ledger; none sells when it sees nothing left. With --no-lock
 * two workers read the same number, and both sell the same item. demo.sh shows
 * both. The part to copy is seller.c. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "seller.h"

#define NODES_MAX REDLOCK_NODES_MAX
#define EXIT_USAGE 64
#define EXIT_UNAVAILABLE 69

static const char usage[] =
	"usage: oversell --stock STOCK --nodes URLS | --no-lock [options]   sell until it is gone\n"
	"       oversell --stock STOCK --fill N     set the stock to N, with an empty ledger\n"
	"       oversell --stock STOCK --count      print sales made and stock left\n"
	"       oversell --stock STOCK --ledger     print the sales: worker's pid, item\n"
	"STOCK is file:PATH or redis://HOST:PORT\n"
	"  --nodes URLS      lock nodes, comma separated (default: $REDLOCK_NODES)\n"
	"  --no-lock         sell without asking anybody\n"
	"  --resource NAME   name of the lock (default: stock)\n"
	"  --think MIN-MAX   milliseconds between reading and writing, and between\n"
	"                    two sales (default: 1-4)\n"
	"  --ttl MS          lease length (default: 10000)\n";

struct arguments {
	const char *stock;
	char *nodes;
	bool no_lock;
	long fill; /* -1: not asked for. */
	bool count;
	bool ledger;
	struct seller_options seller;
	const char *urls[NODES_MAX];
};

static int complain(const char *what)
{
	fprintf(stderr, "oversell: %s\n", what);
	return EXIT_USAGE;
}

/* Cut a list at commas and spaces; false if it is empty or too long. */
static bool split_nodes(struct arguments *arguments)
{
	struct seller_options *seller = &arguments->seller;
	char *rest = arguments->nodes;
	char *url;

	while ((url = strtok_r(rest, ", ", &rest))) {
		if (seller->url_count == NODES_MAX) {
			return false;
		}
		arguments->urls[seller->url_count++] = url;
	}
	seller->urls = arguments->urls;
	return seller->url_count > 0;
}

static bool take_think(struct seller_options *seller, const char *text)
{
	return sscanf(text, "%u-%u", &seller->think_min_ms, &seller->think_max_ms) == 2 &&
	       seller->think_min_ms <= seller->think_max_ms && seller->think_max_ms <= 60000;
}

static bool take(struct arguments *arguments, int option, char *text)
{
	switch (option) {
	case 's':
		arguments->stock = text;
		return true;
	case 'n':
		arguments->nodes = text;
		return true;
	case 'N':
		arguments->no_lock = true;
		return true;
	case 'r':
		arguments->seller.resource = text;
		return true;
	case 't':
		return take_think(&arguments->seller, text);
	case 'T':
		return sscanf(text, "%u", &arguments->seller.ttl_ms) == 1;
	case 'f':
		return sscanf(text, "%ld", &arguments->fill) == 1 && arguments->fill >= 0;
	case 'c':
		arguments->count = true;
		return true;
	case 'l':
		arguments->ledger = true;
		return true;
	default:
		return false;
	}
}

static bool parse(struct arguments *arguments, int argc, char **argv)
{
	static const struct option known[] = {
		{"stock", required_argument, NULL, 's'}, {"nodes", required_argument, NULL, 'n'},
		{"no-lock", no_argument, NULL, 'N'},	 {"resource", required_argument, NULL, 'r'},
		{"think", required_argument, NULL, 't'}, {"ttl", required_argument, NULL, 'T'},
		{"fill", required_argument, NULL, 'f'},	 {"count", no_argument, NULL, 'c'},
		{"ledger", no_argument, NULL, 'l'},	 {NULL, 0, NULL, 0}};
	int option;

	*arguments = (struct arguments){.nodes = getenv("REDLOCK_NODES"), .fill = -1};
	arguments->seller = (struct seller_options){
		.resource = "stock", .ttl_ms = 10000, .think_min_ms = 1, .think_max_ms = 4};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (!take(arguments, option, optarg)) {
			return false;
		}
	}
	return optind == argc && arguments->stock;
}

static void print_tally(const struct seller *seller)
{
	printf("{\"pid\": %ld, \"lock\": %s, \"sales\": %ld, \"waits\": %ld, \"waited_ms\": %llu, "
	       "\"errors\": %ld, \"lost\": %ld}\n",
	       (long)getpid(), seller->options.urls ? "true" : "false", seller->sales,
	       seller->waits, (unsigned long long)seller->waited_ms, seller->errors, seller->lost);
}

static int sell(struct arguments *arguments, struct stock *stock)
{
	struct seller seller;
	uv_loop_t loop;

	if (!arguments->no_lock && (!arguments->nodes || !split_nodes(arguments))) {
		return complain("name the lock nodes with --nodes, or sell with --no-lock");
	}
	srandom((unsigned)time(NULL) ^ ((unsigned)getpid() << 16));
	if (uv_loop_init(&loop) != 0) {
		return EXIT_FAILURE;
	}
	seller_start(&seller, &loop, stock, &arguments->seller);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	print_tally(&seller);
	if (seller.failed) {
		fprintf(stderr, "oversell: %s\n", seller.why);
		return EXIT_UNAVAILABLE;
	}
	return EXIT_SUCCESS;
}

static int print_count(struct stock *stock)
{
	long sold = stock->sold(stock);
	long left = stock->read(stock);

	printf("%ld %ld\n", sold, left);
	return sold < 0 || left < 0 ? EXIT_UNAVAILABLE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct stock *stock;
	char why[256];
	int code;

	if (!parse(&arguments, argc, argv)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	stock = stock_open(arguments.stock, why, sizeof(why));
	if (!stock) {
		complain(why);
		return EXIT_UNAVAILABLE;
	}
	if (arguments.fill >= 0) {
		code = stock->fill(stock, arguments.fill) == 0 ? EXIT_SUCCESS : EXIT_UNAVAILABLE;
	} else if (arguments.count) {
		code = print_count(stock);
	} else if (arguments.ledger) {
		code = stock->print_ledger(stock, stdout) == 0 ? EXIT_SUCCESS : EXIT_UNAVAILABLE;
	} else {
		code = sell(&arguments, stock);
	}
	stock->close(stock);
	return code;
}
