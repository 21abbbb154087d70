/* test_several_many.c - many who want one or several of the same resources, in two clients. */
#include "line.h"
#include "several.h"

#define ROUNDS 12
#define STAY_MS 2
#define USERS 12

static const char *const accounts[] = {"accounts:1", "accounts:2", "accounts:3"};

/* Of one client; again and again. */
struct user {
	struct redlock_lock *lock;
	unsigned members; /* Bits. */
	unsigned rounds;
	uv_timer_t stay;
};

static unsigned inside; /* Of which accounts somebody is. */
static unsigned done;

static void want(struct user *user);

static void on_left(struct redlock_lock *lock, int status, const struct redlock_report *report,
		    void *data)
{
	struct user *user = data;

	(void)lock, (void)report;
	ck_assert_int_eq(status, REDLOCK_OK);
	if (++user->rounds < ROUNDS) {
		want(user);
	} else {
		done++;
	}
}

static void on_stayed(uv_timer_t *timer)
{
	struct user *user = timer->data;

	ck_assert(redlock_lock_held(user->lock));
	ck_assert_uint_eq(inside & user->members, user->members);
	inside &= ~user->members;
	ck_assert_int_eq(redlock_release(user->lock, on_left, user), REDLOCK_OK);
}

static void on_inside(struct redlock_lock *lock, int status, const struct redlock_report *report,
		      void *data)
{
	struct user *user = data;

	(void)lock, (void)report;
	ck_assert_msg(status == REDLOCK_OK, "%s", redlock_status_name(status));
	ck_assert_msg((inside & user->members) == 0, "two have one account");
	inside |= user->members;
	uv_timer_start(&user->stay, on_stayed, STAY_MS, 0);
}

static void want(struct user *user)
{
	ck_assert_int_eq(redlock_acquire(user->lock, REDLOCK_WAIT_FOREVER, on_inside, user),
			 REDLOCK_OK);
}

static void begin(struct user *user, struct redlock_client *client, unsigned members)
{
	const char *names[3];
	size_t i, count = 0;

	for (i = 0; i < 3; i++) {
		if ((members >> i & 1) != 0) {
			names[count++] = accounts[i];
		}
	}
	*user = (struct user){.members = members};
	ck_assert_int_eq(make(&user->lock, client, names, count, NULL), REDLOCK_OK);
	uv_timer_init(&rig.loop, &user->stay);
	user->stay.data = user;
	want(user);
}

static bool all_are_done(void *data)
{
	(void)data;
	return done == USERS;
}

/* Each single one and each pair, in two clients. */
START_TEST(whoever_wants_one_or_two_of_three_no_two_have_one)
{
	static const unsigned members[USERS / 2] = {1, 2, 4, 3, 6, 5};
	struct redlock_client *clients[2] = {rig.client, rig_connected_client()};
	struct user users[USERS];
	size_t i;

	for (i = 0; i < USERS; i++) {
		begin(&users[i], clients[i % 2], members[i / 2]);
	}
	loop_until(&rig.loop, all_are_done, NULL, "everybody has been inside");
	for (i = 0; i < USERS; i++) {
		redlock_lock_free(users[i].lock);
		uv_close((uv_handle_t *)&users[i].stay, NULL);
	}
	for (i = 0; i < 3; i++) {
		rig_until_gone(accounts[i]);
	}
	close_sync(&rig.loop, clients[1]);
}
END_TEST

START_TEST(who_stands_in_line_for_one_is_called_when_all_are_given_back)
{
	struct redlock_client *client = rig_connected_client();
	struct redlock_lock *holder = both(rig.client);
	struct waiter waiter;

	rig_acquire(holder);
	line_join(&waiter, client);
	line_wait(1);
	rig_release(holder);
	expect_won(&waiter);
	rig_until_gone(OTHER);
	finish(&waiter);
	redlock_lock_free(holder);
	close_sync(&rig.loop, client);
	line_wait(0);
	line_expect_mortal();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("several many");
	TCase *five = rig_case(suite, "five nodes", rig_5);

	tcase_add_test(five, whoever_wants_one_or_two_of_three_no_two_have_one);
	tcase_add_test(five, who_stands_in_line_for_one_is_called_when_all_are_given_back);
	return rig_run(suite);
}
