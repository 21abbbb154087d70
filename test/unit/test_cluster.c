/* test_cluster.c - what all nodes and locks of a client share: the names of resources, the trace.
 */
#include "core/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define NAMES 5000

static struct rlk_cluster cluster;
static struct rlk_name *names[NAMES];
static long blocks;
static bool out_of_memory;
static char heard[512];

static void *alloc(void *world, size_t size)
{
	(void)world;
	if (out_of_memory) {
		return NULL;
	}
	blocks++;
	return calloc(1, size);
}

static void release(void *world, void *block)
{
	(void)world;
	blocks--;
	free(block);
}

static void hear(void *world, const char *line)
{
	(void)world;
	(void)snprintf(heard, sizeof heard, "%s", line);
}

static const struct rlk_ports quiet = {.alloc = alloc, .free = release};
static const struct rlk_ports traced = {.alloc = alloc, .free = release, .trace = hear};

static void start(const struct rlk_ports *ports)
{
	blocks = 0;
	out_of_memory = false;
	rlk_cluster_init(&cluster, ports, NULL, &(struct rlk_config){0}, NULL, 0, 1);
}

/* A record of its own, as each new lock brings one. */
static struct rlk_name *record(unsigned number)
{
	struct rlk_name *name = calloc(1, sizeof *name + 16);

	ck_assert_ptr_nonnull(name);
	blocks++;
	name->refs = 1;
	name->len = (size_t)snprintf(name->bytes, 16, "job %u", number);
	return name;
}

static void take(unsigned number)
{
	names[number] = rlk_name_intern(&cluster, record(number));
}

/* Each is found again, and is nobody else. */
static void look_at_all(void)
{
	unsigned i;

	for (i = 0; i < NAMES; i++) {
		struct rlk_name *again = rlk_name_intern(&cluster, record(i));

		ck_assert_ptr_eq(again, names[i]);
		ck_assert_uint_eq(again->refs, 2);
		rlk_name_drop(&cluster, again);
	}
}

static void let_go_of_all(void)
{
	unsigned i, step;

	/* Of every third, and so on: out of the middle of whatever they stand in. */
	for (step = 0; step < 3; step++) {
		for (i = step; i < NAMES; i += 3) {
			rlk_name_drop(&cluster, names[i]);
		}
	}
	rlk_cluster_fini(&cluster);
	ck_assert_int_eq(blocks, 0);
}

START_TEST(thousands_of_resources_are_told_apart)
{
	unsigned i;

	start(&quiet);
	for (i = 0; i < NAMES; i++) {
		take(i);
	}
	ck_assert_uint_eq(cluster.names.count, NAMES);
	/* Chains stay short. */
	ck_assert_uint_ge(cluster.names.mask + 1, NAMES);
	look_at_all();
	let_go_of_all();
}
END_TEST

START_TEST(without_memory_for_a_larger_table_names_are_found_all_the_same)
{
	unsigned i;

	start(&quiet);
	out_of_memory = true;
	for (i = 0; i < NAMES / 2; i++) {
		take(i);
	}
	ck_assert_ptr_null(cluster.names.buckets);
	out_of_memory = false;
	for (; i < NAMES; i++) {
		take(i);
	}
	ck_assert_ptr_nonnull(cluster.names.buckets);
	look_at_all();
	let_go_of_all();
}
END_TEST

START_TEST(a_trace_is_cut_to_its_length_and_nobody_has_to_listen)
{
	char text[400];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	start(&traced);
	rlk_trace(&cluster, "node %u: %s", 3, "down");
	ck_assert_str_eq(heard, "node 3: down");
	rlk_trace(&cluster, "%s", text);
	ck_assert_uint_eq(strlen(heard), 255);
	rlk_cluster_fini(&cluster);
	start(&quiet);
	rlk_trace(&cluster, "to nobody");
	rlk_cluster_fini(&cluster);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cluster");
	TCase *tcase = tcase_create("shared");

	tcase_add_test(tcase, thousands_of_resources_are_told_apart);
	tcase_add_test(tcase, without_memory_for_a_larger_table_names_are_found_all_the_same);
	tcase_add_test(tcase, a_trace_is_cut_to_its_length_and_nobody_has_to_listen);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
