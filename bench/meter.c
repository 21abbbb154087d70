#include "meter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "floor_connect.h"
#include "syscalls.h"

#define STATS_MAX 8192
#define US_PER_S 1000000

int meter_open(struct meter *meter, const struct nodes *nodes, const struct servers *servers,
	       char *why, size_t why_len)
{
	size_t i;

	*meter = (struct meter){.servers = servers};
	for (i = 0; i < nodes->count; i++) {
		meter->witness[i] = floor_connect(&nodes->all[i]);
		if (meter->witness[i] < 0) {
			snprintf(why, why_len, "cannot ask %s what it did", nodes->all[i].url);
			meter_close(meter);
			return -1;
		}
		meter->count++;
	}
	return 0;
}

void meter_close(struct meter *meter)
{
	size_t i;

	for (i = 0; i < meter->count; i++) {
		meter_leave_out(meter, i);
	}
	meter->count = 0;
}

void meter_leave_out(struct meter *meter, size_t index)
{
	if (meter->witness[index] >= 0) {
		close(meter->witness[index]);
		meter->witness[index] = -1;
	}
}

/* ---- Commands -------------------------------------------------------------------------------- */

static bool is_counted(const char *name, size_t len)
{
	static const char *const skipped[] = {"get",	 "del",	   "pexpire", "pttl",	"psetex",
					      "zadd",	 "zrem",   "zrank",   "zrange", "zpopmin",
					      "publish", "exists", "info"};
	size_t i;

	for (i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		if (strlen(skipped[i]) == len && strncmp(name, skipped[i], len) == 0) {
			return false;
		}
	}
	return true;
}

/* Lines such as cmdstat_set:calls=12,usec=... */
uint64_t meter_count_commands(const char *stats)
{
	static const char before[] = "cmdstat_";
	static const char calls[] = ":calls=";
	uint64_t count = 0;
	const char *name;
	size_t len;

	while ((stats = strstr(stats, before)) != NULL) {
		name = stats + strlen(before);
		len = strcspn(name, ":\r\n");
		stats = name + len;
		if (is_counted(name, len) && strncmp(stats, calls, strlen(calls)) == 0) {
			count += strtoull(stats + strlen(calls), NULL, 10);
		}
	}
	return count;
}

/* The sum of what all nodes say to INFO @section. False if one of them says nothing. */
static bool ask_all(const struct meter *meter, const char *section,
		    uint64_t (*read_out)(const char *text), uint64_t *sum)
{
	const char *question[] = {"INFO", section};
	char text[STATS_MAX];
	size_t i;

	*sum = 0;
	for (i = 0; i < meter->count; i++) {
		if (meter->witness[i] < 0) {
			continue;
		}
		if (floor_ask(meter->witness[i], question, 2, text, sizeof(text)) != 0) {
			return false;
		}
		*sum += read_out(text);
	}
	return true;
}

static void ask_for_commands(const struct meter *meter, struct reading *reading)
{
	reading->has_commands =
		ask_all(meter, "commandstats", meter_count_commands, &reading->commands);
}

/* ---- Processor time -------------------------------------------------------------------------- */

/* The first figure is the time on a processor, in nanoseconds. */
static bool read_schedstat(pid_t pid, uint64_t *on_cpu_ns)
{
	char path[64];
	FILE *file;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%ld/schedstat", (long)pid);
	file = fopen(path, "r");
	if (file) {
		found = fscanf(file, "%" SCNu64, on_cpu_ns);
		fclose(file);
	}
	return found == 1;
}

/* A line such as used_cpu_user:12.345678, whole seconds and a fraction. */
static uint64_t seconds_after(const char *info, const char *name)
{
	const char *at = strstr(info, name);

	return at ? (uint64_t)(strtod(at + strlen(name), NULL) * 1e9 + 0.5) : 0;
}

uint64_t meter_cpu_ns(const char *info)
{
	return seconds_after(info, "used_cpu_sys:") + seconds_after(info, "used_cpu_user:");
}

static void read_servers(const struct meter *meter, struct reading *reading)
{
	uint64_t on_cpu_ns;
	size_t i;

	if (meter->servers->count == 0) {
		reading->has_server_ns = ask_all(meter, "cpu", meter_cpu_ns, &reading->server_ns);
		return;
	}
	reading->server_ns = 0;
	reading->has_server_ns = true;
	for (i = 0; i < meter->servers->count; i++) {
		if (i < meter->count && meter->witness[i] < 0) {
			continue;
		}
		if (!read_schedstat(meter->servers->all[i].pid, &on_cpu_ns)) {
			reading->has_server_ns = false;
			return;
		}
		reading->server_ns += on_cpu_ns;
	}
}

static uint64_t microseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * US_PER_S + (uint64_t)time.tv_usec;
}

static void read_client(struct reading *reading)
{
	struct timespec cpu;
	struct rusage usage;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	getrusage(RUSAGE_SELF, &usage);
	reading->cpu_ns = (uint64_t)cpu.tv_sec * 1000000000ULL + (uint64_t)cpu.tv_nsec;
	reading->user_us = microseconds(usage.ru_utime);
	reading->system_us = microseconds(usage.ru_stime);
	reading->syscalls = syscalls_count();
}

void meter_begin(const struct meter *meter, struct reading *reading)
{
	ask_for_commands(meter, reading);
	read_servers(meter, reading);
	read_client(reading);
}

void meter_end(const struct meter *meter, struct reading *reading)
{
	read_client(reading);
	read_servers(meter, reading);
	ask_for_commands(meter, reading);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* Pages that the processes of the benchmark share are no memory of the contender's. */
uint64_t meter_rss_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	uint64_t bytes = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "RssAnon:", 8) == 0 || strncmp(line, "RssFile:", 8) == 0) {
			bytes += strtoull(line + 8, NULL, 10) * 1024;
		}
	}
	if (file) {
		fclose(file);
	}
	return bytes;
}
