/* test_token.c - own tokens: one party goes on with a lease that another one took; and names and
 * tokens of any bytes. */
#include "rig.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#define NAME "orders:17"
#define TOKEN "machine-7/job-19"

static struct redlock_lock *lock_by_token(struct redlock_client *client, const char *token,
					  uint32_t ttl_ms)
{
	struct redlock_lock_options options;

	redlock_lock_options_init(&options);
	options.token = token;
	options.token_len = strlen(token);
	options.ttl_ms = ttl_ms;
	return rig_lock_with(client, NAME, &options);
}

static void expect_pttl_above(long long ms)
{
	for (size_t i = 0; i < rig.servers.count; i++) {
		ck_assert_int_gt(server_pttl(&rig.servers.at[i], NAME), ms);
	}
}

START_TEST(an_own_token_is_what_the_key_holds)
{
	struct redlock_lock *lock = lock_by_token(rig.client, TOKEN, 0);
	size_t len;

	rig_acquire(lock);
	ck_assert_str_eq(redlock_lock_token(lock, &len), TOKEN);
	ck_assert_uint_eq(len, strlen(TOKEN));
	rig_until_everywhere(NAME, TOKEN);
	rig_release(lock);
	rig_acquire(lock);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(another_client_extends_and_releases_by_token)
{
	struct redlock_client *other = rig_connected_client();
	struct redlock_lock *mine = rig_lock_for(NAME, 20000);
	struct redlock_lock *theirs;
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(mine);
	rig_token(mine, token, sizeof token);
	rig_until_everywhere(NAME, token);
	theirs = lock_by_token(other, token, 60000);
	ck_assert_int_eq(extend_sync(&rig.loop, theirs, NULL), REDLOCK_OK);
	ck_assert(redlock_lock_held(theirs));
	rig_release(theirs);
	rig_until_gone(NAME);
	ck_assert(!redlock_lock_held(theirs));
	ck_assert_int_eq(release_sync(&rig.loop, mine, NULL), REDLOCK_ELOST);
	redlock_lock_free(mine);
	redlock_lock_free(theirs);
	close_sync(&rig.loop, other);
}
END_TEST

START_TEST(a_release_by_token_needs_no_extend_before)
{
	struct redlock_lock *mine = lock_by_token(rig.client, TOKEN, 0);
	struct redlock_lock *also = lock_by_token(rig.client, TOKEN, 0);

	rig_acquire(mine);
	rig_until_everywhere(NAME, TOKEN);
	rig_release(also);
	rig_until_gone(NAME);
	ck_assert_int_eq(release_sync(&rig.loop, mine, NULL), REDLOCK_ELOST);
	redlock_lock_free(mine);
	redlock_lock_free(also);
}
END_TEST

START_TEST(a_wrong_token_neither_extends_nor_releases)
{
	struct redlock_lock *mine = rig_lock(NAME);
	struct redlock_lock *guess = lock_by_token(rig.client, "a guess", 0);
	char token[REDLOCK_TOKEN_MAX + 1];

	rig_acquire(mine);
	rig_token(mine, token, sizeof token);
	rig_until_everywhere(NAME, token);
	ck_assert_int_eq(extend_sync(&rig.loop, guess, NULL), REDLOCK_ELOST);
	ck_assert(!redlock_lock_held(guess));
	ck_assert_int_eq(release_sync(&rig.loop, guess, NULL), REDLOCK_ELOST);
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, token), 5);
	ck_assert(redlock_lock_held(mine));
	rig_release(mine);
	redlock_lock_free(mine);
	redlock_lock_free(guess);
}
END_TEST

START_TEST(extending_by_token_what_has_expired_fails_and_creates_nothing)
{
	struct redlock_lock *lock = lock_by_token(rig.client, TOKEN, 0);

	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
	ck_assert(!redlock_lock_held(lock));
	loop_run_ms(&rig.loop, 50);
	ck_assert_uint_eq(rig_count(NAME, NULL), 5);
	ck_assert_int_eq(release_sync(&rig.loop, lock, NULL), REDLOCK_ELOST);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_shorter_extend_never_shortens_the_key)
{
	struct redlock_lock *mine = lock_by_token(rig.client, TOKEN, 60000);
	struct redlock_lock *hasty = lock_by_token(rig.client, TOKEN, 2000);

	rig_acquire(mine);
	rig_until_everywhere(NAME, TOKEN);
	ck_assert_int_eq(extend_sync(&rig.loop, hasty, NULL), REDLOCK_OK);
	ck_assert_uint_le(redlock_lock_validity_ms(hasty), 2000);
	loop_run_ms(&rig.loop, 50);
	expect_pttl_above(20000);
	rig_release(mine);
	redlock_lock_free(mine);
	redlock_lock_free(hasty);
}
END_TEST

/* ---- Any bytes ------------------------------------------------------------------------------- */

static bool value_is(size_t node, const void *key, size_t key_len, const void *value, size_t len)
{
	redisReply *reply = server_command(&rig.servers.at[node], "GET %b", key, key_len);
	bool same = reply->type == REDIS_REPLY_STRING && reply->len == len &&
		    memcmp(reply->str, value, len) == 0;

	freeReplyObject(reply);
	return same;
}

static struct redlock_lock *lock_of_bytes(const void *name, size_t len)
{
	struct redlock_lock *lock;

	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, name, len, NULL), REDLOCK_OK);
	return lock;
}

START_TEST(names_that_differ_after_a_nul_are_different_locks)
{
	struct redlock_lock *first = lock_of_bytes("a\0b", 3);
	struct redlock_lock *second = lock_of_bytes("a\0c", 3);
	struct redlock_lock *again = lock_of_bytes("a\0b", 3);
	size_t len;
	const char *token;

	rig_acquire(first);
	rig_acquire(second);
	ck_assert_int_eq(acquire_sync(&rig.loop, again, 0, NULL), REDLOCK_EHELD);
	token = redlock_lock_token(first, &len);
	ck_assert(value_is(0, "a\0b", 3, token, len));
	rig_release(first);
	rig_release(second);
	redlock_lock_free(first);
	redlock_lock_free(second);
	redlock_lock_free(again);
}
END_TEST

START_TEST(names_are_not_read_as_formats_or_protocol)
{
	static const char *const names[] = {"%s%n%b", "a b", "\r\n*1\r\n$8\r\nFLUSHALL\r\n",
					    "\"quoted\"", "{tag}"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct redlock_lock *lock = lock_of_bytes(names[i], strlen(names[i]));
		const char *token;
		size_t len;

		rig_acquire(lock);
		token = redlock_lock_token(lock, &len);
		ck_assert(value_is(0, names[i], strlen(names[i]), token, len));
		ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
		rig_release(lock);
		redlock_lock_free(lock);
	}
}
END_TEST

START_TEST(a_name_may_be_64_kib_long_and_no_longer)
{
	size_t size = 64 * 1024;
	char *name = malloc(size + 1);
	struct redlock_lock *lock = NULL;
	const char *token;
	size_t len;

	ck_assert_ptr_nonnull(name);
	memset(name, 'x', size + 1);
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, name, size + 1, NULL), REDLOCK_EINVAL);
	lock = lock_of_bytes(name, size);
	rig_acquire(lock);
	token = redlock_lock_token(lock, &len);
	ck_assert(value_is(0, name, size, token, len));
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
	free(name);
}
END_TEST

START_TEST(an_empty_name_is_refused)
{
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, "", 0, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, NULL, 3, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new(&lock, NULL, "a", 1, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new(NULL, rig.client, "a", 1, NULL), REDLOCK_EINVAL);
}
END_TEST

START_TEST(a_name_that_is_the_helper_key_of_another_lock_is_refused)
{
	struct redlock_lock *lock = NULL;

	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, "a:fence", 7, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, "a:line:on", 9, NULL), REDLOCK_EINVAL);
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, "a:line:once", 11, NULL), 0);
	redlock_lock_free(lock);
}
END_TEST

START_TEST(a_token_may_be_64_bytes_of_anything_and_no_longer)
{
	struct redlock_lock_options options;
	struct redlock_lock *lock = NULL;
	unsigned char token[REDLOCK_TOKEN_MAX + 1];
	const char *held;
	size_t len;

	for (size_t i = 0; i < sizeof token; i++) {
		token[i] = (unsigned char)(i * 37);
	}
	redlock_lock_options_init(&options);
	options.token = token;
	options.token_len = REDLOCK_TOKEN_MAX + 1;
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, "a", 1, &options), REDLOCK_EINVAL);
	options.token_len = 0;
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, "a", 1, &options), REDLOCK_EINVAL);
	options.token_len = REDLOCK_TOKEN_MAX;
	ck_assert_int_eq(redlock_lock_new(&lock, rig.client, "a", 1, &options), REDLOCK_OK);
	rig_acquire(lock);
	held = redlock_lock_token(lock, &len);
	ck_assert_uint_eq(len, REDLOCK_TOKEN_MAX);
	ck_assert_mem_eq(held, token, len);
	ck_assert(value_is(0, "a", 1, token, REDLOCK_TOKEN_MAX));
	ck_assert_int_eq(extend_sync(&rig.loop, lock, NULL), REDLOCK_OK);
	rig_release(lock);
	redlock_lock_free(lock);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("token");
	TCase *five = rig_case(suite, "five nodes", rig_5);
	TCase *bytes = rig_case(suite, "any bytes", rig_1);

	tcase_add_test(five, an_own_token_is_what_the_key_holds);
	tcase_add_test(five, another_client_extends_and_releases_by_token);
	tcase_add_test(five, a_release_by_token_needs_no_extend_before);
	tcase_add_test(five, a_wrong_token_neither_extends_nor_releases);
	tcase_add_test(five, extending_by_token_what_has_expired_fails_and_creates_nothing);
	tcase_add_test(five, a_shorter_extend_never_shortens_the_key);
	tcase_add_test(bytes, names_that_differ_after_a_nul_are_different_locks);
	tcase_add_test(bytes, names_are_not_read_as_formats_or_protocol);
	tcase_add_test(bytes, a_name_may_be_64_kib_long_and_no_longer);
	tcase_add_test(bytes, an_empty_name_is_refused);
	tcase_add_test(bytes, a_name_that_is_the_helper_key_of_another_lock_is_refused);
	tcase_add_test(bytes, a_token_may_be_64_bytes_of_anything_and_no_longer);
	return rig_run(suite);
}
