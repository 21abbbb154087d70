/* client.c - one client process of the chaos: a few workers, on a few resources, until TERM.
 *
 *   chaos_client --log FILE --store SOCKET --prefix P --seed N --max-ttl MS [--guard-off]
 *                [--pauses] [--slow] [--overstay] URL...
 *
 * It judges nothing: what it did, and what it was told, is in its journal. */
#include "guarded.h"
#include "journal.h"
#include "worker.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The same resource is always used with, or always without, fencing. */
static const struct habit habits[] = {
	{.resource = "a",
	 .ttl_ms = 1000,
	 .wait_ms = WAIT_FOR_EVER,
	 .fence = true,
	 .hold_ms = 60,
	 .think_ms = 200},
	{.resource = "a",
	 .ttl_ms = 1000,
	 .wait_ms = WAIT_NOT,
	 .fence = true,
	 .hold_ms = 60,
	 .think_ms = 200},
	{.resource = "b",
	 .ttl_ms = 1500,
	 .wait_ms = WAIT_SOME_TIME,
	 .renewal = RENEW_BY_ITSELF,
	 .hold_ms = 100,
	 .think_ms = 200},
	{.resource = "c",
	 .ttl_ms = 2000,
	 .wait_ms = WAIT_SOME_TIME,
	 .fence = true,
	 .renewal = RENEW_BY_HAND,
	 .hold_ms = 100,
	 .think_ms = 200},
	{.resource = "d", .ttl_ms = 1000, .wait_ms = WAIT_NOT, .hold_ms = 60, .think_ms = 100},
};

/* Those who hold long, and those who look often: somebody is there when nodes forget. */
static const struct habit slow_habits[] = {
	{.resource = "a",
	 .ttl_ms = 2000,
	 .wait_ms = 0,
	 .fence = true,
	 .hold_ms = 1800,
	 .think_ms = 60},
	{.resource = "c",
	 .ttl_ms = 2000,
	 .wait_ms = 0,
	 .fence = true,
	 .renewal = RENEW_BY_HAND,
	 .hold_ms = 1800,
	 .think_ms = 60},
};

#define WORKERS_MAX (sizeof habits / sizeof habits[0])

static struct {
	uv_loop_t loop;
	uv_signal_t term;
	struct redlock_client *client;
	struct redlock_options options;
	struct worker workers[WORKERS_MAX];
	size_t count, left;
	const char *log, *store, *prefix;
	uint64_t seed;
	bool slow, overstay;
} program;

static void on_gone(struct worker *worker)
{
	redlock_lock_free(worker->lock);
	uv_close((uv_handle_t *)&worker->timer, NULL);
	if (--program.left == 0) {
		uv_close((uv_handle_t *)&program.term, NULL);
		(void)redlock_client_close(program.client, NULL, NULL);
	}
}

static void on_term(uv_signal_t *signal, int number)
{
	(void)number;
	(void)uv_signal_stop(signal);
	for (size_t i = 0; i < program.count; i++) {
		worker_leave(&program.workers[i]);
	}
}

static void usage(void)
{
	(void)fputs(
		"usage: chaos_client --log FILE --store SOCKET --prefix P --seed N --max-ttl MS "
		"[--guard-off] [--pauses] [--slow] [--overstay] URL...\n",
		stderr);
	exit(64);
}

static void read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"log", required_argument, NULL, 'l'},	   {"store", required_argument, NULL, 's'},
		{"prefix", required_argument, NULL, 'p'},  {"seed", required_argument, NULL, 'n'},
		{"max-ttl", required_argument, NULL, 'm'}, {"guard-off", no_argument, NULL, 'g'},
		{"pauses", no_argument, NULL, 'w'},	   {"slow", no_argument, NULL, 'b'},
		{"overstay", no_argument, NULL, 'o'},	   {NULL, 0, NULL, 0}};

	redlock_options_init(&program.options);
	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (c) {
		case 'l':
			program.log = optarg;
			break;
		case 's':
			program.store = optarg;
			break;
		case 'p':
			program.prefix = optarg;
			break;
		case 'n':
			program.seed = strtoull(optarg, NULL, 10);
			break;
		case 'm':
			program.options.max_ttl_ms = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'g':
			program.options.guard = REDLOCK_GUARD_OFF;
			break;
		case 'w':
			program.options.wait_in_pauses = true;
			break;
		case 'b':
			program.slow = true;
			break;
		case 'o':
			program.overstay = true;
			break;
		default:
			usage();
		}
	}
	if (!program.log || !program.store || !program.prefix || optind == argc) {
		usage();
	}
}

static void open_client(char **urls, int count)
{
	struct redlock_error error;

	program.options.ttl_ms = program.options.max_ttl_ms;
	program.options.reconnect_max_ms = 500;
	program.options.client_name = "chaos";
	if (redlock_client_new(&program.client, &program.loop, (const char *const *)urls,
			       (size_t)count, &program.options, &error) != REDLOCK_OK) {
		(void)fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
}

static void start_workers(void)
{
	const struct habit *chosen = program.slow ? slow_habits : habits;

	program.count = program.slow ? sizeof slow_habits / sizeof slow_habits[0] : WORKERS_MAX;
	program.left = program.count;
	for (size_t i = 0; i < program.count; i++) {
		struct worker *worker = &program.workers[i];

		*worker =
			(struct worker){.habit = &chosen[i],
					.number = (unsigned)i,
					.overstays = program.overstay,
					.random = (program.seed * 64 + i + 1) * 0x9e3779b97f4a7c15U,
					.on_gone = on_gone};
		(void)snprintf(worker->name, sizeof worker->name, "%ld/%zu", (long)getpid(), i);
		worker_start(worker, &program.loop, program.client, program.prefix);
	}
}

int main(int argc, char **argv)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	read_options(argc, argv);
	journal_open(program.log);
	guarded_open(program.store);
	(void)uv_loop_init(&program.loop);
	(void)uv_signal_init(&program.loop, &program.term);
	(void)uv_signal_start(&program.term, on_term, SIGTERM);
	open_client(argv + optind, argc - optind);
	start_workers();
	(void)uv_run(&program.loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&program.loop);
	journal_say(journal_now_us(), "bye");
	return 0;
}
