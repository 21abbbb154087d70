/* timeline_report.c - a timeline: a line a second for people, all of it for machines. */
#include <inttypes.h>
#include <math.h>

#include "timeline.h"

static void print_interval(const struct lab *lab, const struct timeline *timeline, size_t index)
{
	struct interval *interval = &timeline->intervals[index];

	printf("%10.3f %8zu", (double)index * lab->options.interval_ms / 1000,
	       interval->acquire.count);
	if (interval->acquire.count > 0) {
		printf(" %12.1f %12.1f %12.1f", samples_percentile_us(&interval->acquire, 50),
		       samples_percentile_us(&interval->acquire, 100),
		       samples_percentile_us(&interval->cycle, 100));
	}
	putchar('\n');
}

void timeline_print(const struct lab *lab, const struct timeline *timeline)
{
	size_t index;

	lab_print_setting(lab);
	printf("one in flight, µs; what began in each interval of %u ms\n%10s %8s %12s %12s %12s\n",
	       lab->options.interval_ms, "s", "granted", "acquire p50", "acquire max", "cycle max");
	for (index = 0; index < timeline->count; index++) {
		print_interval(lab, timeline, index);
	}
	if (timeline->errors > 0) {
		printf("%" PRIu64 " errors, first: %s\n", timeline->errors, timeline->first_error);
	}
}

static void write_samples(const char *name, struct samples *samples, FILE *file)
{
	static const double percents[] = {50, 100};
	static const char *const ranks[] = {"p50", "max"};
	size_t i;

	for (i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		fprintf(file, ", \"%s_%s_us\": ", name, ranks[i]);
		lab_write_number(file, samples->count > 0
					       ? samples_percentile_us(samples, percents[i])
					       : (double)NAN);
	}
}

static void write_interval(struct interval *interval, FILE *file)
{
	fprintf(file, "    {\"granted\": %zu, \"errors\": %" PRIu64, interval->acquire.count,
		interval->errors);
	write_samples("acquire", &interval->acquire, file);
	write_samples("cycle", &interval->cycle, file);
	fputc('}', file);
}

void timeline_write(const struct lab *lab, const void *data, FILE *file)
{
	const struct timeline *timeline = data;
	size_t index;

	fprintf(file, "{\n  \"mode\": \"timeline\", \"who\": \"ours\", \"interval_ms\": %u,\n",
		lab->options.interval_ms);
	lab_write_setting(lab, file);
	fprintf(file,
		"  \"cycles\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"first_error\": \"%s\",\n",
		timeline->cycles, timeline->errors, timeline->first_error);
	fprintf(file, "  \"intervals\": [\n");
	for (index = 0; index < timeline->count; index++) {
		fputs(index > 0 ? ",\n" : "", file);
		write_interval(&timeline->intervals[index], file);
	}
	fprintf(file, "\n  ]\n}\n");
}
