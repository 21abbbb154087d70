#include "figures.h"

#include <math.h>

#include "stats.h"

#define ROUNDS_AT_MOST 1000

const struct figure_name figure_names[FIGURES] = {
	[ACQUIRE_P50] = {"acquire p50 µs", "acquire_p50_us"},
	[ACQUIRE_P90] = {"acquire p90", "acquire_p90_us"},
	[ACQUIRE_P99] = {"acquire p99", "acquire_p99_us"},
	[ACQUIRE_P999] = {"acquire p99.9", "acquire_p999_us"},
	[ACQUIRE_MAX] = {"acquire max", "acquire_max_us"},
	[RELEASE_P50] = {"release p50 µs", "release_p50_us"},
	[RELEASE_P90] = {"release p90", "release_p90_us"},
	[RELEASE_P99] = {"release p99", "release_p99_us"},
	[RELEASE_P999] = {"release p99.9", "release_p999_us"},
	[RELEASE_MAX] = {"release max", "release_max_us"},
	[CYCLE_P50] = {"cycle p50 µs", "cycle_p50_us"},
	[CYCLE_P90] = {"cycle p90", "cycle_p90_us"},
	[CYCLE_P99] = {"cycle p99", "cycle_p99_us"},
	[CYCLE_P999] = {"cycle p99.9", "cycle_p999_us"},
	[CYCLE_MAX] = {"cycle max", "cycle_max_us"},
	[CYCLES_PER_S] = {"cycles a second", "cycles_per_s"},
	[CLIENT_CPU] = {"client CPU µs/cycle", "client_cpu_us_per_cycle"},
	[CLIENT_USER] = {"  of it user", "client_user_us_per_cycle"},
	[CLIENT_SYSTEM] = {"  of it system", "client_system_us_per_cycle"},
	[SERVER_CPU] = {"server CPU µs/cycle", "server_cpu_us_per_cycle"},
	[COMMANDS] = {"commands/cycle", "commands_per_cycle"},
	[SYSCALLS] = {"system calls/cycle", "syscalls_per_cycle"},
	[RSS] = {"memory MiB", "rss_mib"},
};

static void percentiles(const struct histogram *histogram, double *values)
{
	static const double percents[] = {50, 90, 99, 99.9, 100};
	size_t i;

	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		values[i] = histogram->count > 0 ? histogram_percentile_us(histogram, percents[i])
						 : (double)NAN;
	}
}

void figures_of(const struct run *run, const struct reading *before, const struct reading *after,
		double rss_mib, double values[FIGURES])
{
	double cycles = run->finished > 0 ? (double)run->finished : (double)NAN;
	bool servers = before->has_server_ns && after->has_server_ns;
	bool commands = before->has_commands && after->has_commands;

	percentiles(&run->acquire, values + ACQUIRE_P50);
	percentiles(&run->release, values + RELEASE_P50);
	percentiles(&run->cycle, values + CYCLE_P50);
	values[CYCLES_PER_S] = cycles * 1e9 / (double)(run->end_ns - run->begin_ns);
	values[CLIENT_CPU] = (double)(after->cpu_ns - before->cpu_ns) / 1e3 / cycles;
	values[CLIENT_USER] = (double)(after->user_us - before->user_us) / cycles;
	values[CLIENT_SYSTEM] = (double)(after->system_us - before->system_us) / cycles;
	values[SERVER_CPU] = servers ? (double)(after->server_ns - before->server_ns) / 1e3 / cycles
				     : (double)NAN;
	values[COMMANDS] =
		commands ? (double)(after->commands - before->commands) / cycles : (double)NAN;
	values[SYSCALLS] = (double)(after->syscalls - before->syscalls) / cycles;
	values[RSS] = rss_mib > 0 ? rss_mib : (double)NAN;
}

double figures_ratio(const double *values, const double *bases, size_t stride, size_t rounds)
{
	double known[ROUNDS_AT_MOST];
	size_t count = 0;
	size_t i;

	for (i = 0; i < rounds && count < ROUNDS_AT_MOST; i++) {
		double value = values[i * stride] / (bases ? bases[i * stride] : 1);

		if (isfinite(value)) {
			known[count++] = value;
		}
	}
	return count > 0 ? median(known, count) : (double)NAN;
}

double figures_median(const double *values, size_t stride, size_t rounds)
{
	return figures_ratio(values, NULL, stride, rounds);
}
