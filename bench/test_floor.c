/* test_floor.c - the benchmark's own tools, tried on real servers without the library. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "floor_raw.h"
#include "nodes.h"
#include "servers.h"
#include "stats.h"

#define RESOURCE "test:floor"

static int failures;

static void check(bool fine, const char *claim)
{
	printf("%s - %s\n", fine ? "ok" : "not ok", claim);
	failures += !fine;
}

static bool near(double value, double expected)
{
	return value > expected - 1e-9 && value < expected + 1e-9;
}

static void percentiles_are_nearest_ranks(void)
{
	struct samples samples = {0};
	uint64_t i;

	check(near(samples_percentile_us(&samples, 50), 0), "no samples: 0");
	for (i = 100; i > 0; i--) {
		samples_add(&samples, i * 1000);
	}
	check(near(samples_percentile_us(&samples, 50), 50), "p50 of 1...100 is 50");
	check(near(samples_percentile_us(&samples, 99), 99), "p99 of 1...100 is 99");
	check(near(samples_percentile_us(&samples, 100), 100), "p100 of 1...100 is 100");
	check(near(samples_percentile_us(&samples, 0), 1), "p0 of 1...100 is 1");
	samples_add(&samples, 101000);
	check(near(samples_percentile_us(&samples, 99), 100), "p99 of 1...101 is 100");
	samples_free(&samples);
}

static void medians_are_middles(void)
{
	double odd[] = {5, 1, 9};
	double even[] = {8, 2, 4, 6};

	check(near(median(odd, 3), 5), "median of three");
	check(near(median(even, 4), 5), "median of four");
	check(near(median(NULL, 0), 0), "median of none");
	check(near(ratio(3, 2), 1.5) && near(ratio(3, 0), 0), "ratios");
}

static void urls_are_split(void)
{
	struct nodes nodes = {0};

	check(nodes_add_list(&nodes, "redis://a:1, redis://[::1]:2,redis://b") == 0 &&
		      nodes.count == 3,
	      "a list of three URLs");
	check(strcmp(nodes.all[1].host, "::1") == 0 && strcmp(nodes.all[1].port, "2") == 0,
	      "an IPv6 address in brackets");
	check(strcmp(nodes.all[2].port, "6379") == 0, "the default port");
	check(nodes_add_url(&nodes, "redis://user:word@c:1") != 0, "credentials are refused");
	check(nodes_add_url(&nodes, "rediss://c:1") != 0, "TLS is refused");
	check(nodes_add_url(&nodes, "redis://c:12x") != 0, "a bad port is refused");
	check(nodes_add_url(&nodes, "redis://:1") != 0, "a missing host is refused");
}

static void hang(struct servers *servers, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		servers_hang(servers, i);
	}
}

static void resume(struct servers *servers)
{
	size_t i;

	for (i = 0; i < servers->count; i++) {
		servers_resume(servers, i);
	}
}

static void floor_takes_a_quorum(struct floor *floor, struct servers *servers, size_t hung)
{
	const struct plan plan = {.cycles = 50, .warmup_cycles = 5};
	struct block block = {0};

	hang(servers, hung);
	floor_measure(floor, &plan, &block);
	printf("# %zu hung: p50 %.1f us\n", hung, samples_percentile_us(&block.acquire, 50));
	check(block.acquire.count == 50 && block.release.count == 50 && block.errors == 0,
	      "every cycle is granted and released by a quorum");
	resume(servers);
	check(floor_drain(floor, 20000) == 0, "resumed nodes answer all that they were asked");
	block_free(&block);
}

static void floor_reports_no_quorum(struct floor *floor, struct servers *servers)
{
	const struct plan plan = {.cycles = 1};
	struct block block = {0};

	hang(servers, 3);
	floor_measure(floor, &plan, &block);
	check(block.acquire.count == 0 && block.errors == 1, "three of five hung: an error");
	resume(servers);
	check(floor_drain(floor, 20000) == 0, "and nothing is owed afterwards");
	block_free(&block);
}

static void floor_survives_a_death(struct floor *floor, struct servers *servers)
{
	const struct plan plan = {.cycles = 50};
	struct block block = {0};

	kill(servers->all[4].pid, SIGKILL);
	floor_measure(floor, &plan, &block);
	check(block.acquire.count == 50 && block.errors == 0, "one dead: nothing changes");
	block_free(&block);
}

static void floor_on_real_servers(uint16_t first_port)
{
	static struct servers servers;
	struct nodes nodes = {0};
	struct floor *floor;
	char why[256] = "";
	size_t i;

	if (servers_start(&servers, 5, first_port, why, sizeof(why)) != 0) {
		printf("# %s\n", why);
		check(false, "five servers start");
		return;
	}
	for (i = 0; i < servers.count; i++) {
		nodes_add_local(&nodes, servers.all[i].port);
	}
	floor = floor_open(&nodes, RESOURCE, 10000, why, sizeof(why));
	check(floor != NULL, "the floor connects");
	if (floor) {
		printf("# %s\n", floor_server_version(floor));
		floor_takes_a_quorum(floor, &servers, 0);
		floor_takes_a_quorum(floor, &servers, 1);
		floor_takes_a_quorum(floor, &servers, 2);
		floor_reports_no_quorum(floor, &servers);
		floor_survives_a_death(floor, &servers);
		floor_close(floor);
	}
	servers_end(&servers);
}

int main(int argc, char **argv)
{
	percentiles_are_nearest_ranks();
	medians_are_middles();
	urls_are_split();
	floor_on_real_servers((uint16_t)(argc > 1 ? atoi(argv[1]) : 23500));
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
