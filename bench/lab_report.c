/* lab_report.c - the conditions of a measurement, for people and for machines. */
#include <math.h>
#include <redlock/redlock.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "lab.h"

void lab_print_setting(const struct lab *lab)
{
	const struct lab_options *options = &lab->options;

	printf("%zu nodes (%s), quorum %zu, %s; libredlock %s, hiredis %s, libuv %s\n",
	       lab->nodes.count, lab->product, nodes_quorum(&lab->nodes),
	       options->nodes.count > 0 ? "given by --nodes"
					: "servers of our own on loopback, no persistence",
	       redlock_version(), HIREDIS_VERSION, uv_version_string());
	printf("TTL %u ms, node timeout %u ms, restart guard off; %ld processors, load %.2f "
	       "before\n",
	       options->ttl_ms, options->node_timeout_ms, sysconf(_SC_NPROCESSORS_ONLN),
	       lab->load_before);
}

void lab_write_number(FILE *file, double value)
{
	if (isfinite(value)) {
		fprintf(file, "%.6g", value);
	} else {
		fputs("null", file);
	}
}

/* The texts are versions and fixed words: nothing to escape. */
void lab_write_setting(const struct lab *lab, FILE *file)
{
	const struct lab_options *options = &lab->options;

	fprintf(file,
		"  \"nodes\": %zu, \"quorum\": %zu, \"server\": \"%s\", \"own_servers\": %s,\n",
		lab->nodes.count, nodes_quorum(&lab->nodes), lab->product,
		options->nodes.count > 0 ? "false" : "true");
	fprintf(file, "  \"libredlock\": \"%s\", \"hiredis\": \"%s\", \"libuv\": \"%s\",\n",
		redlock_version(), HIREDIS_VERSION, uv_version_string());
	fprintf(file, "  \"ttl_ms\": %u, \"node_timeout_ms\": %u, \"guard\": \"off\",\n",
		options->ttl_ms, options->node_timeout_ms);
	fprintf(file, "  \"processors\": %ld, \"load_before\": %.2f,\n",
		sysconf(_SC_NPROCESSORS_ONLN), lab->load_before);
}

void lab_write_conditions(const struct lab *lab, FILE *file)
{
	const struct condition_options *conditions = &lab->options.conditions;
	size_t i;

	fprintf(file, "  \"conditions\": [");
	for (i = 0; i < conditions->count; i++) {
		fprintf(file, "%s\"%s\"", i > 0 ? ", " : "", condition_names[conditions->all[i]]);
	}
	fprintf(file, "], \"rtt_ms\": [");
	for (i = 0; i < lab->nodes.count; i++) {
		fprintf(file, "%s%u", i > 0 ? ", " : "",
			conditions->rtt_ms[i % conditions->rtt_count]);
	}
	fprintf(file, "],\n  \"quorum_rtt_ms\": %g, \"jitter_ms\": %u, \"slow_ms\": %u,\n",
		condition_quorum_rtt_ms(conditions, lab->nodes.count), conditions->jitter_ms,
		conditions->slow_ms);
}

bool lab_write_json(const struct lab *lab,
		    void (*write)(const struct lab *lab, const void *results, FILE *file),
		    const void *results)
{
	FILE *file;
	bool fine;

	if (!lab->options.json) {
		return true;
	}
	file = fopen(lab->options.json, "w");
	if (file) {
		write(lab, results, file);
	}
	fine = file && !ferror(file);
	fine = file && fclose(file) == 0 && fine;
	if (!fine) {
		fprintf(stderr, "redlock-bench: cannot write %s\n", lab->options.json);
	}
	return fine;
}

void lab_progress(const char *format, ...)
{
	va_list args;

	if (!isatty(STDERR_FILENO)) {
		return;
	}
	fputs("\r\033[K", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
}
