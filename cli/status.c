/* status.c - the verb status: how the nodes are, and who holds a resource. */
#include "args.h"
#include "codes.h"
#include "holder.h"
#include "json.h"
#include "survey.h"
#include "table.h"
#include "verbs.h"
#include "warnings.h"
#include "watch.h"

#include <inttypes.h>
#include <string.h>

static const char *or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

static void show_ms(char *text, size_t size, int64_t ms)
{
	if (ms < 0) {
		snprintf(text, size, "no end");
	} else {
		snprintf(text, size, "%.1f s", (double)ms / 1000);
	}
}

/* Why it cannot vote, or what it votes without. */
static const char *remark(const struct survey_node *node, char *text, size_t size)
{
	if (node->error[0] != '\0' || node->lacks[0] == '\0') {
		return node->error;
	}
	snprintf(text, size, "its user lacks %s", node->lacks);
	return text;
}

static void add_node(struct table *table, const struct survey_node *node, bool named)
{
	char server[80];
	char trip[32] = "-";
	char guard[32] = "-";
	char left[32] = "";
	char text[160];
	const char *why = remark(node, text, sizeof text);
	const char *owner = node->answered ? "free" : "?";
	if (node->rtt_us > 0) {
		snprintf(trip, sizeof trip, "%.2f ms", (double)node->rtt_us / 1000);
	}
	if (node->guard_ms > 0) {
		show_ms(guard, sizeof guard, (int64_t)node->guard_ms);
	}
	if (node->held) {
		owner = node->owner_shown;
		show_ms(left, sizeof left, node->remaining_ms);
	}
	const char *cells[] = {node->address,
			       survey_state(node),
			       or_dash(node->role),
			       survey_server(node, server, sizeof server),
			       trip,
			       guard,
			       named ? owner : why,
			       named ? or_dash(left) : "",
			       why};
	table_add(table, cells);
}

/* Which way one waits, and how many do. */
static void print_waiting(const struct survey *survey)
{
	int32_t in_line = survey_in_line(survey);
	if (in_line < 0) {
		printf("waiting: in pauses, since too few nodes let a client stand in line\n");
	} else {
		printf("waiting: %" PRId32 " in line\n", in_line);
	}
}

static void print_warnings(const struct survey *survey)
{
	struct warnings warnings;
	warnings_find(&warnings, survey);
	for (size_t i = 0; i < warnings.count; i++) {
		const struct warning *warning = &warnings.at[i];
		const char *colon = warning->address[0] != '\0' ? ": " : "";
		printf("warning: %s%s%s\n", warning->address, colon, warning->text);
	}
}

static void print_table(const struct survey *survey, const struct holder *holder, const char *name)
{
	static const char *const head[] = {"NODE", "STATE", "ROLE", "SERVER",
					   "RTT",  "GUARD", "NOTE"};
	static const char *const named_head[] = {"NODE",  "STATE", "ROLE", "SERVER", "RTT",
						 "GUARD", "OWNER", "LEFT", "NOTE"};
	struct table table;
	table_init(&table, name != NULL ? 9 : 7);
	table_add(&table, name != NULL ? named_head : head);
	for (size_t i = 0; i < survey->node_count; i++) {
		add_node(&table, &survey->nodes[i], name != NULL);
	}
	table_write(&table, stdout);
	if (name != NULL) {
		char shown[256];
		out_escape(shown, sizeof shown, name, strlen(name));
		printf("%s: %s\n", shown, holder->text);
		print_waiting(survey);
	}
	printf("%zu of %zu nodes can vote, %zu needed\n", survey_voters(survey), survey->node_count,
	       survey->quorum);
	print_warnings(survey);
}

static void warnings_json(struct json *json, const struct survey *survey)
{
	struct warnings warnings;
	warnings_find(&warnings, survey);
	json_open(json, "warnings", '[');
	for (size_t i = 0; i < warnings.count; i++) {
		const char *address = warnings.at[i].address;
		json_open(json, NULL, '{');
		json_string(json, "address", address[0] != '\0' ? address : NULL);
		json_string(json, "message", warnings.at[i].text);
		json_close(json, '{');
	}
	json_close(json, '[');
}

static void holder_json(struct json *json, const struct holder *holder, const char *name)
{
	json_string(json, "name", name);
	json_string(json, "holding", holder_state_name(holder->state));
	json_string(json, "message", holder->text);
	json_string(json, "owner", holder->owner);
	json_uint(json, "owner_nodes", holder->nodes);
	json_int(json, "remaining_ms", holder->remaining_ms);
}

static void node_json(struct json *json, const struct survey_node *node, bool named)
{
	json_open(json, NULL, '{');
	json_string(json, "address", node->address);
	json_string(json, "state", survey_state(node));
	json_bool(json, "can_vote", survey_can_vote(node));
	json_string(json, "role", node->role);
	json_string(json, "product", node->product);
	json_string(json, "version", node->version);
	json_uint(json, "rtt_us", node->rtt_us);
	json_uint(json, "guard_ms", node->guard_ms);
	json_bool(json, "durable", node->durable);
	json_string(json, "mode", node->mode);
	json_string(json, "eviction", node->eviction);
	json_int(json, "clock_ahead_ms", node->clock_ahead_ms);
	json_string(json, "error", node->error);
	json_string(json, "lacks", node->lacks);
	if (named) {
		json_bool(json, "answered", node->answered);
		json_bool(json, "held", node->held);
		json_string(json, "owner", node->held ? node->owner_shown : NULL);
		json_int(json, "remaining_ms", node->held ? node->remaining_ms : -1);
		json_int(json, "in_line", node->in_line);
	}
	json_close(json, '{');
}

static void print_json(const struct survey *survey, const struct holder *holder, const char *name,
		       int code)
{
	struct json json;
	json_begin(&json, stdout);
	json_string(&json, "event", "status");
	json_string(&json, "status",
		    redlock_status_name(code == CODE_OK ? REDLOCK_OK : REDLOCK_ENOQUORUM));
	json_int(&json, "exit", code);
	json_uint(&json, "quorum", survey->quorum);
	json_uint(&json, "voters", survey_voters(survey));
	if (name != NULL) {
		holder_json(&json, holder, name);
		json_string(&json, "waiting", survey_in_line(survey) < 0 ? "pauses" : "line");
		json_int(&json, "in_line", survey_in_line(survey));
	}
	json_open(&json, "nodes", '[');
	for (size_t i = 0; i < survey->node_count; i++) {
		node_json(&json, &survey->nodes[i], name != NULL);
	}
	json_close(&json, '[');
	warnings_json(&json, survey);
	json_end(&json);
}

static int print(const struct args *args, const struct survey *survey, const char *name)
{
	struct holder holder;
	int code = survey_voters(survey) >= survey->quorum ? CODE_OK : CODE_NO_QUORUM;
	holder_find(&holder, survey);
	if (args->manner.json) {
		print_json(survey, &holder, name, code);
	} else if (!args->manner.quiet) {
		print_table(survey, &holder, name);
	}
	return out_flush() || code != CODE_OK ? code : CODE_OUTPUT;
}

/* Ask, and show. */
static int look(const struct args *args, struct session *session, const char *name)
{
	struct survey survey;
	survey_take(&survey, session, name);
	if (survey.status == REDLOCK_EINVAL) {
		return out_usage("status", "NAME: longer than 64 KiB");
	}
	if (survey.status != 0) {
		out_note(name, "%s", redlock_strerror(survey.status));
		return CODE_SYSTEM;
	}
	if (args->watch && !args->manner.json && !args->manner.quiet) {
		watch_turn_page();
	}
	return print(args, &survey, name);
}

static bool goes_on(int code)
{
	return code == CODE_OK || code == CODE_NO_QUORUM;
}

static int keep_looking(const struct args *args, struct session *session, const char *name)
{
	struct watch watch;
	int code = watch_open(&watch, session);
	if (code == 0) {
		do {
			code = look(args, session, name);
		} while (goes_on(code) && watch_wait(&watch));
	}
	watch_close(&watch);
	return code;
}

int verb_status(struct args *args)
{
	struct session session;
	const char *name = args->operand_count > 0 ? args->operands[0] : NULL;
	int code = args_find_nodes(args);
	if (code == 0) {
		code = session_open(&session, args);
	}
	if (code != 0) {
		return code;
	}
	code = args->watch ? keep_looking(args, &session, name) : look(args, &session, name);
	session_close(&session);
	return code;
}
