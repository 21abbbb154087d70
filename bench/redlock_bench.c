/* redlock_bench.c - the latency lab: starts the servers, and goes to work in one of its modes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floor_connect.h"
#include "lab.h"

#define NODE_COUNT 5

static void learn_product(struct lab *lab)
{
	static const char *const question[] = {"INFO", "server"};
	static const char *const fields[] = {"valkey_version:", "redis_version:"};
	static const char *const names[] = {"valkey", "redis"};
	char answer[4096] = "";
	const char *at = NULL;
	int fd = floor_connect(&lab->nodes.all[0]);
	size_t i;

	snprintf(lab->product, sizeof(lab->product), "unknown server");
	if (fd < 0) {
		return;
	}
	if (floor_ask(fd, question, 2, answer, sizeof(answer)) == 0) {
		for (i = 0; i < 2 && !at; i++) {
			at = strstr(answer, fields[i]);
			if (at) {
				at += strlen(fields[i]);
				snprintf(lab->product, sizeof(lab->product), "%s %.*s", names[i],
					 (int)strcspn(at, "\r\n"), at);
			}
		}
	}
	close(fd);
}

static int find_nodes(struct lab *lab, char *why)
{
	size_t i;

	if (lab->options.nodes.count > 0) {
		lab->nodes = lab->options.nodes;
		return 0;
	}
	if (servers_start(&lab->servers, NODE_COUNT, lab->options.first_port, why, WHY_MAX) != 0) {
		return -1;
	}
	for (i = 0; i < lab->servers.count; i++) {
		nodes_add_local(&lab->nodes, lab->servers.all[i].port);
	}
	return 0;
}

static int work(struct lab *lab)
{
	switch (lab->options.mode) {
	case LAB_LOAD:
		return lab_load(lab);
	case LAB_STEPS:
		return lab_steps(lab);
	case LAB_CONTEND:
		return lab_contend(lab);
	case LAB_GROWTH:
		return lab_growth(lab);
	case LAB_TIMELINE:
		return lab_timeline(lab);
	case LAB_SPIN:
		return lab_spin(lab);
	}
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct lab lab;
	char why[WHY_MAX] = "";
	double load[1] = {0};
	int code;

	if (lab_options_parse(&lab.options, argc, argv, &code) != 0) {
		return code;
	}
	if (getloadavg(load, 1) == 1) {
		lab.load_before = load[0];
	}
	code = EXIT_FAILURE;
	if (find_nodes(&lab, why) != 0 || conditions_open(&lab.conditions, &lab.options.conditions,
							  &lab.nodes, why, sizeof(why)) != 0) {
		fprintf(stderr, "redlock-bench: %s\n", why);
	} else {
		learn_product(&lab);
		code = work(&lab);
	}
	conditions_close(&lab.conditions);
	servers_end(&lab.servers);
	return code;
}
