/* test_shared.c - readers beside each other, and nobody beside a writer. */
#include "line.h"

#include <hiredis/hiredis.h>
#include <stdio.h>

#define READERS NAME ":readers"

static struct redlock_lock *reader_with(struct redlock_client *client, uint32_t ttl_ms,
					const char *token)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.shared = true;
	options.ttl_ms = ttl_ms;
	options.token = token;
	options.token_len = token == NULL ? 0 : strlen(token);
	return rig_lock_with(client, NAME, &options);
}

static struct redlock_lock *reader(struct redlock_client *client)
{
	return reader_with(client, 0, NULL);
}

static int tried(struct redlock_lock *lock)
{
	return acquire_sync(&rig.loop, lock, 0, NULL);
}

static void do_everywhere(const char *command)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		server_do(&rig.servers.at[i], command);
	}
}

static bool are_everywhere(void *count)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		if (server_number(&rig.servers.at[i], "ZCARD %s", READERS) != *(long long *)count) {
			return false;
		}
	}
	return true;
}

static void until_readers(long long count)
{
	loop_until(&rig.loop, are_everywhere, &count, "so many readers are on each node");
}

START_TEST(readers_hold_it_together_and_no_writer_beside_them)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *first = reader(rig.client), *second = reader(other);
	struct redlock_lock *third = reader(rig.client), *writer = rig_lock_of(other, NAME);

	rig_acquire(first);
	rig_acquire(second);
	rig_acquire(third);
	until_readers(3);
	ck_assert_uint_eq(rig_count(NAME, REDLOCK_OWNER_READERS), 5);
	ck_assert_int_eq(tried(writer), REDLOCK_EHELD);
	rig_release(first);
	rig_release(third);
	ck_assert(redlock_lock_held(second));
	ck_assert_int_eq(tried(writer), REDLOCK_EHELD);
	rig_release(second);
	rig_until_gone(NAME);
	rig_until_gone(READERS);
	rig_acquire(writer);
	ck_assert_int_eq(tried(first), REDLOCK_EHELD);
	rig_release(writer);
	redlock_lock_free(first);
	redlock_lock_free(second);
	redlock_lock_free(third);
	redlock_lock_free(writer);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(who_sets_a_plain_key_is_kept_out_by_readers_and_keeps_them_out)
{
	struct redlock_lock *lock = reader(rig.client);

	rig_acquire(lock);
	until_readers(1);
	for (size_t i = 0; i < rig.servers.count; i++) {
		redisReply *reply =
			server_command(&rig.servers.at[i], "SET %s theirs NX PX 60000", NAME);
		ck_assert_int_eq(reply->type, REDIS_REPLY_NIL);
		freeReplyObject(reply);
	}
	rig_release(lock);
	rig_until_gone(NAME);
	stranger_everywhere();
	ck_assert_int_eq(tried(lock), REDLOCK_EHELD);
	ck_assert_uint_eq(rig_count(NAME, STRANGER), 5);
	redlock_lock_free(lock);
	rig_until_gone(READERS);
}
END_TEST

START_TEST(the_key_ends_with_the_last_reader)
{
	struct redlock_lock *longer = reader(rig.client);
	struct redlock_lock *shorter = reader_with(rig.client, 20000, NULL);

	rig_acquire(longer);
	rig_acquire(shorter);
	until_readers(2);
	for (size_t i = 0; i < rig.servers.count; i++) {
		ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 20000);
	}
	rig_release(longer);
	until_readers(1);
	for (size_t i = 0; i < rig.servers.count; i++) {
		ck_assert_int_le(server_pttl(&rig.servers.at[i], NAME), 20000);
		ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 0);
		ck_assert_int_le(server_pttl(&rig.servers.at[i], READERS), 20000);
	}
	rig_release(shorter);
	redlock_lock_free(longer);
	redlock_lock_free(shorter);
}
END_TEST

START_TEST(a_reader_who_died_is_over_after_its_ttl)
{
	struct redlock_lock *lock = reader(rig.client);

	/* Of a process that is gone. */
	for (size_t i = 0; i < rig.servers.count; i++) {
		server_do(&rig.servers.at[i], "SET %s " REDLOCK_OWNER_READERS " PX 60000", NAME);
		server_do(&rig.servers.at[i], "ZADD %s 1700000000000 dead", READERS);
	}
	rig_acquire(lock);
	until_readers(1);
	rig_release(lock);
	rig_until_gone(NAME);
	redlock_lock_free(lock);
}
END_TEST

/* ---- Renewal --------------------------------------------------------------------------------- */

START_TEST(an_extension_lengthens_what_is_there_and_puts_back_what_is_lost)
{
	struct redlock_lock *lock = reader_with(rig.client, 30000, NULL), *longer;

	rig_acquire(lock);
	until_readers(1);
	do_everywhere("PEXPIRE " NAME " 9000");
	do_everywhere("SCRIPT FLUSH");
	server_do(&rig.servers.at[0], "DEL " NAME " " READERS);
	server_do(&rig.servers.at[1], "ZREM " READERS " nobody");
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	until_readers(1);
	for (size_t i = 0; i < rig.servers.count; i++) {
		ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 9000);
	}
	longer = reader(rig.client);
	rig_acquire(longer);
	until_readers(2);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	for (size_t i = 0; i < rig.servers.count; i++) { /* Not shortened. */
		ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), 31000);
	}
	rig_release(lock);
	rig_release(longer);
	redlock_lock_free(lock);
	redlock_lock_free(longer);
}
END_TEST

START_TEST(a_reader_is_renewed_where_memory_has_run_out)
{
	struct redlock_lock *lock = reader(rig.client);

	rig_acquire(lock);
	until_readers(1);
	do_everywhere("CONFIG SET maxmemory 1");
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	rig_until_gone(NAME);
	ck_assert_int_eq(tried(lock), REDLOCK_ENOQUORUM);
	do_everywhere("CONFIG SET maxmemory 0");
	redlock_lock_free(lock);
}
END_TEST

START_TEST(who_had_forgotten_a_reader_lets_it_go_on_and_keeps_writers_out)
{
	struct redlock_lock *lock = reader(rig.client), *writer;

	rig_acquire(lock);
	until_readers(1);
	server_restart_empty(&rig.servers.at[2]);
	server_restart_empty(&rig.servers.at[3]);
	rig_wait_up(rig.client, 5);
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	until_readers(1);
	writer = rig_lock(NAME);
	ck_assert_int_eq(tried(writer), REDLOCK_EHELD);
	rig_release(lock);
	redlock_lock_free(lock);
	redlock_lock_free(writer);
}
END_TEST

/* ---- Own tokens ------------------------------------------------------------------------------ */

START_TEST(who_is_told_that_it_is_no_reader_is_none_from_then_on)
{
	struct redlock_lock *other = reader(rig.client);
	struct redlock_lock *late = reader_with(rig.client, 0, "shelf-7");

	rig_acquire(other);
	do_everywhere("ZADD " READERS " 1700000000000 shelf-7"); /* It was over long ago. */
	until_readers(2);
	ck_assert_int_eq(extend_sync(&rig.loop, late, NULL), REDLOCK_ELOST);
	until_readers(1);
	rig_release(other);
	redlock_lock_free(other);
	redlock_lock_free(late);
}
END_TEST

START_TEST(a_reader_goes_on_with_the_token_of_another_and_no_two_have_one)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *first = reader_with(rig.client, 0, "shelf 7");
	struct redlock_lock *second = reader_with(other, 0, "shelf 7");

	rig_acquire(first);
	until_readers(1);
	/* One that gives back would end the lease of the other. */
	ck_assert_int_eq(tried(second), REDLOCK_EHELD);
	ck_assert_int_eq(extend_sync(&rig.loop, second, NULL), REDLOCK_OK);
	ck_assert(redlock_lock_held(second));
	rig_release(second);
	rig_until_gone(NAME);
	ck_assert_int_eq(release_sync(&rig.loop, first, NULL), REDLOCK_ELOST);
	redlock_lock_free(first);
	redlock_lock_free(second);
	close_sync(&rig.loop, other);
}
END_TEST

static int refused(const struct redlock_lock_options *options, const char *name)
{
	struct redlock_lock *lock = NULL;
	int status = redlock_lock_new(&lock, rig.client, name, strlen(name), options);

	ck_assert_ptr_null(lock);
	return status;
}

START_TEST(what_cannot_be_shared_is_refused)
{
	struct redlock_client *changing;
	struct redlock_lock_options options;
	struct redlock_lock *lock = NULL;

	redlock_lock_options_init(&options);
	ck_assert_int_eq(refused(&options, "a:readers"), REDLOCK_EINVAL);
	options.token = REDLOCK_OWNER_READERS;
	options.token_len = strlen(REDLOCK_OWNER_READERS);
	ck_assert_int_eq(refused(&options, "a"), REDLOCK_EINVAL);
	redlock_lock_options_init(&options);
	options.shared = options.fence = true;
	ck_assert_int_eq(refused(&options, "a"), REDLOCK_EINVAL);
	options.fence = false;
	rig.options.node_may_change = true;
	changing = rig_client();
	ck_assert_int_eq(redlock_lock_new(&lock, changing, "a", 1, &options), REDLOCK_EUNSUPPORTED);
	close_sync(&rig.loop, changing);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shared");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, readers_hold_it_together_and_no_writer_beside_them);
	tcase_add_test(five, who_sets_a_plain_key_is_kept_out_by_readers_and_keeps_them_out);
	tcase_add_test(five, the_key_ends_with_the_last_reader);
	tcase_add_test(five, a_reader_who_died_is_over_after_its_ttl);
	tcase_add_test(five, an_extension_lengthens_what_is_there_and_puts_back_what_is_lost);
	tcase_add_test(five, a_reader_is_renewed_where_memory_has_run_out);
	tcase_add_test(five, who_had_forgotten_a_reader_lets_it_go_on_and_keeps_writers_out);
	tcase_add_test(five, who_is_told_that_it_is_no_reader_is_none_from_then_on);
	tcase_add_test(five, a_reader_goes_on_with_the_token_of_another_and_no_two_have_one);
	tcase_add_test(five, what_cannot_be_shared_is_refused);
	return rig_run(suite);
}
