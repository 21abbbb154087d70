// test_hpp.cpp - the C++ wrapper: what holds of std::unique_lock holds of it, and what a lease
// adds.
#include <redlock/redlock.hpp>

#include <atomic>
#include <cstring>
#include <thread>

extern "C" {
#include "rig.h"
}

namespace
{

const char resource[] = "orders:17";
using std::chrono::milliseconds;

redlock::client opened()
{
	std::vector<std::string> urls;
	redlock::options given;

	for (size_t i = 0; i < rig.servers.count; i++)
		urls.push_back(rig.urls[i]);
	given.guard = REDLOCK_GUARD_OFF;
	return redlock::client(urls, given);
}

} // namespace

START_TEST(a_lock_is_held_from_its_making_to_its_end)
{
	redlock::client nodes = opened();
	{
		redlock::unique_lock first(nodes, resource);
		ck_assert(first.owns_lock());
		ck_assert(static_cast<bool>(first));
		ck_assert(first.validity() > milliseconds(0));
		redlock::unique_lock second(nodes, resource, std::try_to_lock);
		ck_assert(!second);
		ck_assert(second.validity() == milliseconds(0));
		redlock::unique_lock third(nodes, resource, milliseconds(30));
		ck_assert(!third);
	}
	redlock::unique_lock again(nodes, resource, std::chrono::minutes(1));
	ck_assert(again.owns_lock());
	again.extend();
	ck_assert(again.unlock());
	ck_assert(!again.unlock());
	ck_assert(!again.cancel());
}
END_TEST

START_TEST(a_lock_moves_and_std_guards_take_it)
{
	redlock::client nodes = opened();
	redlock::lock_options given;

	given.fence = true;
	redlock::unique_lock lock(nodes, resource, std::defer_lock, given);
	ck_assert(!lock);
	{
		std::lock_guard<redlock::unique_lock> guard(lock);
		ck_assert(lock.owns_lock());
		ck_assert(lock.fence() > 0);
	}
	ck_assert(!lock);
	ck_assert(lock.try_lock());
	redlock::unique_lock other(std::move(lock));
	ck_assert(other.owns_lock());
	ck_assert(!lock.owns_lock());
	lock = std::move(other);
	ck_assert(lock.owns_lock());
	redlock::client moved(std::move(nodes)); // Its locks go with it.
	ck_assert(lock.owns_lock());
	ck_assert(lock.unlock());
}
END_TEST

START_TEST(what_a_lock_held_is_given_back_when_another_one_moves_in)
{
	redlock::client nodes = opened();
	redlock::unique_lock lock(nodes, resource);
	redlock::unique_lock other(nodes, "orders:18");

	lock = std::move(other);
	ck_assert(lock.owns_lock());
	ck_assert(!other.owns_lock());
	redlock::unique_lock again(nodes, resource, std::chrono::minutes(1));
	ck_assert(again.owns_lock());
	redlock::unique_lock taken(nodes, "orders:18", std::try_to_lock);
	ck_assert(!taken);
	redlock::unique_lock &same = lock;
	lock = std::move(same);
	ck_assert(lock.owns_lock());
	nodes = opened(); // The first client goes, and its locks with it.
	ck_assert(!lock.owns_lock());
}
END_TEST

START_TEST(several_are_had_at_once_or_none)
{
	redlock::client nodes = opened();
	const std::vector<std::string> names = {"orders:18", resource};
	{
		redlock::unique_lock both(nodes, {resource, "orders:18"});
		ck_assert(both.owns_lock());
		redlock::unique_lock one(nodes, "orders:18", std::try_to_lock);
		ck_assert(!one);
		redlock::unique_lock same(nodes, names, milliseconds(30));
		ck_assert(!same);
	}
	redlock::unique_lock one(nodes, std::string(resource), std::chrono::minutes(1));
	redlock::unique_lock both(nodes, names, std::try_to_lock);
	ck_assert(!both);
	try {
		redlock::unique_lock twice(nodes, {resource, resource});
		ck_abort_msg("one is there twice");
	} catch (const redlock::error &why) {
		ck_assert_int_eq(why.status(), REDLOCK_EINVAL);
	}
}
END_TEST

START_TEST(readers_hold_together_and_a_writer_alone)
{
	redlock::client nodes = opened();
	redlock::lock_options shared;

	shared.shared = true;
	redlock::unique_lock first(nodes, resource, shared);
	redlock::unique_lock second(nodes, resource, std::try_to_lock, shared);
	redlock::unique_lock writer(nodes, resource, std::try_to_lock);
	ck_assert(first.owns_lock() && second.owns_lock() && !writer);
	second.extend();
	ck_assert(first.unlock());
	ck_assert(second.unlock());
	ck_assert(writer.try_lock_for(std::chrono::minutes(1)));
	ck_assert(!first.try_lock());
}
END_TEST

START_TEST(trouble_is_thrown_with_its_status_and_words)
{
	try {
		redlock::client nodes({"http://127.0.0.1"});
		ck_abort_msg("it was opened");
	} catch (const redlock::error &why) {
		ck_assert_int_eq(why.status(), REDLOCK_EINVAL);
		ck_assert_uint_gt(std::strlen(why.what()), 0);
	}
	redlock::client nodes = opened();
	try {
		redlock::unique_lock lock(nodes, "");
		ck_abort_msg("it has no name");
	} catch (const redlock::error &why) {
		ck_assert_int_eq(why.status(), REDLOCK_EINVAL);
	}
	redlock::unique_lock lock(nodes, resource, std::defer_lock);
	try {
		lock.extend();
		ck_abort_msg("nothing was held");
	} catch (const redlock::error &why) {
		ck_assert_int_eq(why.status(), REDLOCK_EEXPIRED);
	}
}
END_TEST

START_TEST(a_wait_is_cancelled_by_another_thread)
{
	redlock::client nodes = opened();
	redlock::unique_lock holder(nodes, resource);
	redlock::unique_lock waiter(nodes, resource, std::defer_lock);
	std::atomic<int> status(0);
	std::thread other([&] {
		try {
			waiter.lock();
		} catch (const redlock::error &why) {
			status = why.status();
		}
	});

	while (!waiter.cancel())
		std::this_thread::sleep_for(milliseconds(1));
	other.join();
	ck_assert_int_eq(status.load(), REDLOCK_ECANCELED);
	ck_assert(holder.owns_lock());
	std::thread last([&] { // As long as there are hours.
		ck_assert(waiter.try_lock_for(std::chrono::hours::max()));
	});
	std::this_thread::sleep_for(milliseconds(50));
	holder.unlock();
	last.join();
	ck_assert(waiter.owns_lock());
}
END_TEST

int main()
{
	Suite *suite = suite_create("hpp");
	TCase *tcase = rig_case(suite, "C++", rig_3);

	tcase_add_test(tcase, a_lock_is_held_from_its_making_to_its_end);
	tcase_add_test(tcase, a_lock_moves_and_std_guards_take_it);
	tcase_add_test(tcase, what_a_lock_held_is_given_back_when_another_one_moves_in);
	tcase_add_test(tcase, several_are_had_at_once_or_none);
	tcase_add_test(tcase, readers_hold_together_and_a_writer_alone);
	tcase_add_test(tcase, trouble_is_thrown_with_its_status_and_words);
	tcase_add_test(tcase, a_wait_is_cancelled_by_another_thread);
	return rig_run(suite);
}
