/* cluster.c - the verb cluster: local servers for trying things out and for tests. */
#include "clock.h"
#include "codes.h"
#include "fleet.h"
#include "json.h"
#include "survey.h"
#include "table.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* From the start of the servers until all have to answer. */
#define READY_MS 15000
#define LOOK_MS 20

/* Start what is not running yet. Says what is wrong; 0 or an exit code. */
static int launch(struct fleet *fleet, const char *chosen)
{
	static const char *const programs[] = {"redis-server", "valkey-server"};
	size_t tries = chosen != NULL ? 1 : 2;
	for (size_t i = 0; i < fleet->count; i++) {
		struct server *server = &fleet->servers[i];
		int error = server_pid(server) > 0 ? 0 : ENOENT;
		for (size_t k = 0; k < tries && error == ENOENT; k++) {
			error = server_launch(server, chosen != NULL ? chosen : programs[k]);
		}
		if (error != 0) {
			out_note("cluster", "cannot start %s: %s",
				 chosen != NULL ? chosen : "redis-server or valkey-server",
				 strerror(error));
			return CODE_NO_QUORUM;
		}
	}
	return 0;
}

/* Before anything is started: nothing has to be undone if this fails. */
static int check_ports(const struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++) {
		const struct server *server = &fleet->servers[i];
		if (server_pid(server) == 0 && !server_port_free(server)) {
			out_note("cluster",
				 "port %u is taken by another program; choose others with --port",
				 server->port);
			return CODE_NO_QUORUM;
		}
	}
	return 0;
}

static bool all_up(const struct survey *survey)
{
	for (size_t i = 0; i < survey->node_count; i++) {
		if (survey->nodes[i].state != REDLOCK_NODE_UP) {
			return false;
		}
	}
	return survey->status == 0;
}

static const struct server *find_failed(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++) {
		if (server_failed(&fleet->servers[i])) {
			return &fleet->servers[i];
		}
	}
	return NULL;
}

/* The data of an earlier time are gone: never let people wait unawares. */
static void say_guarded(const struct survey *survey)
{
	uint64_t longest_ms = 0;
	for (size_t i = 0; i < survey->node_count; i++) {
		uint64_t guard_ms = survey->nodes[i].guard_ms;
		longest_ms = guard_ms > longest_ms ? guard_ms : longest_ms;
	}
	if (longest_ms > 0) {
		out_note(
			"cluster",
			"%zu of %zu servers may vote now, all in %.0f s: they have lost their data",
			survey_voters(survey), survey->node_count, (double)longest_ms / 1000);
	}
}

static int await_ready(struct fleet *fleet, struct session *session)
{
	static struct survey survey;
	uint64_t until_ms = clock_ms() + READY_MS;
	for (;;) {
		survey_take(&survey, session, NULL);
		const struct server *failed = find_failed(fleet);
		if (failed != NULL) {
			out_note("cluster", "the server of port %u ended: see %s/redis.log",
				 failed->port, failed->dir);
			return CODE_NO_QUORUM;
		}
		if (all_up(&survey)) {
			say_guarded(&survey);
			return 0;
		}
		if (clock_ms() >= until_ms) {
			out_note("cluster", "the servers do not answer: see the logs in %s",
				 fleet->dir);
			return CODE_NO_QUORUM;
		}
		clock_sleep_ms(LOOK_MS);
	}
}

/* Undo what this call has started, and only that. */
static void stop_launched(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->count; i++) {
		struct server *server = &fleet->servers[i];
		if (server->launched > 0) {
			server_await_end(server, server_ask_to_end(server));
		}
	}
}

static int bring_up(struct fleet *fleet, struct args *args)
{
	struct session session;
	int code = check_ports(fleet);
	if (code == 0) {
		code = launch(fleet, args->cluster_server);
	}
	if (code == 0) {
		code = session_open(&session, args);
		if (code == 0) {
			code = await_ready(fleet, &session);
			session_close(&session);
		}
	}
	if (code != 0) {
		stop_launched(fleet);
	}
	return code;
}

static bool print_urls(const struct args *args)
{
	const char *comma = "";
	struct json json;
	if (!args->manner.json) {
		fputs("REDLOCK_NODES=", stdout);
		for (size_t i = 0; i < args->nodes.count; i++) {
			printf("%s%s", comma, args->nodes.urls[i]);
			comma = ",";
		}
		putchar('\n');
		return out_flush();
	}
	json_begin(&json, stdout);
	json_string(&json, "event", "cluster start");
	json_int(&json, "exit", CODE_OK);
	json_open(&json, "nodes", '[');
	for (size_t i = 0; i < args->nodes.count; i++) {
		json_string(&json, NULL, args->nodes.urls[i]);
	}
	json_close(&json, '[');
	return json_end(&json);
}

static int start(struct args *args)
{
	static struct fleet fleet;
	int code = fleet_named(&fleet, args);
	if (code == 0) {
		code = fleet_claim(&fleet);
	}
	if (code != 0) {
		return code;
	}
	fleet_urls(&fleet, &args->nodes);
	code = bring_up(&fleet, args);
	fleet_unclaim(&fleet);
	if (code != 0) {
		return code;
	}
	out_detail("cluster", "%zu servers run in %s", fleet.count, fleet.dir);
	return print_urls(args) ? CODE_OK : CODE_OUTPUT;
}

static int stop(struct args *args)
{
	static struct fleet fleet;
	struct json json;
	int code = fleet_found(&fleet, args);
	if (code == 0 && fleet.count > 0) {
		code = fleet_claim(&fleet);
	}
	if (code != 0) {
		return code;
	}
	size_t stopped = fleet_stop(&fleet);
	fleet_unclaim(&fleet);
	out_note("cluster", "stopped %zu servers in %s", stopped, fleet.dir);
	if (args->manner.json) {
		json_begin(&json, stdout);
		json_string(&json, "event", "cluster stop");
		json_int(&json, "exit", CODE_OK);
		json_uint(&json, "stopped", stopped);
		json_end(&json);
	}
	return out_flush() ? CODE_OK : CODE_OUTPUT;
}

static int look_at(const struct fleet *fleet, struct args *args, struct survey *survey)
{
	struct session session;
	fleet_urls(fleet, &args->nodes);
	int code = session_open(&session, args);
	if (code == 0) {
		survey_take(survey, &session, NULL);
		session_close(&session);
	}
	return code;
}

static void print_table(const struct fleet *fleet, const struct survey *survey)
{
	static const char *const head[] = {"NODE", "PID", "STATE", "SERVER", "DIR"};
	static struct table table;
	table_init(&table, 5);
	table_add(&table, head);
	for (size_t i = 0; i < fleet->count; i++) {
		const struct survey_node *node = &survey->nodes[i];
		char pid[16] = "-";
		char program[80];
		pid_t running = server_pid(&fleet->servers[i]);
		if (running > 0) {
			snprintf(pid, sizeof pid, "%d", (int)running);
		}
		const char *cells[] = {node->address, pid, survey_state(node),
				       survey_server(node, program, sizeof program),
				       fleet->servers[i].dir};
		table_add(&table, cells);
	}
	table_write(&table, stdout);
}

static void print_json(const struct fleet *fleet, const struct survey *survey, int code)
{
	struct json json;
	json_begin(&json, stdout);
	json_string(&json, "event", "cluster status");
	json_int(&json, "exit", code);
	json_string(&json, "dir", fleet->dir);
	json_open(&json, "nodes", '[');
	for (size_t i = 0; i < fleet->count; i++) {
		const struct survey_node *node = &survey->nodes[i];
		json_open(&json, NULL, '{');
		json_string(&json, "address", node->address);
		json_int(&json, "pid", server_pid(&fleet->servers[i]));
		json_string(&json, "state", survey_state(node));
		json_string(&json, "product", node->product);
		json_string(&json, "version", node->version);
		json_string(&json, "dir", fleet->servers[i].dir);
		json_close(&json, '{');
	}
	json_close(&json, '[');
	json_end(&json);
}

static int status(struct args *args)
{
	static struct fleet fleet;
	static struct survey survey;
	int code = fleet_found(&fleet, args);
	if (code == 0 && fleet.count == 0) {
		out_note("cluster", "no servers in %s", fleet.dir);
		code = CODE_NO_QUORUM;
	} else if (code == 0) {
		code = look_at(&fleet, args, &survey);
		if (code == 0 && survey_voters(&survey) < survey.quorum) {
			code = CODE_NO_QUORUM;
		}
	}
	if (code == CODE_USAGE || code == CODE_SYSTEM) {
		return code;
	}
	if (args->manner.json) {
		print_json(&fleet, &survey, code);
	} else if (!args->manner.quiet && fleet.count > 0) {
		print_table(&fleet, &survey);
	}
	return out_flush() || code != 0 ? code : CODE_OUTPUT;
}

int verb_cluster(struct args *args)
{
	static const struct {
		const char *name;
		int (*run)(struct args *args);
	} actions[] = {{"start", start}, {"stop", stop}, {"status", status}};
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(actions[i].name, args->operands[0]) == 0) {
			return actions[i].run(args);
		}
	}
	return out_usage("cluster", "expected start, stop or status");
}
