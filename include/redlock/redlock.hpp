// redlock.hpp - the blocking lock for C++11 and later: RAII, exceptions, chrono.
//
//   redlock::client nodes({"redis://10.0.0.1", "redis://10.0.0.2", "redis://10.0.0.3"});
//   redlock::unique_lock job(nodes, "nightly-report", std::chrono::seconds(5));
//   if (job)
//           ... as long as job.owns_lock()      // given back at the end of the block
//
// Header only, upon blocking.h; read that page for threads, callbacks and fork. A lock is a lease:
// it can end before it is given back, so ask owns_lock() right before what it guards. What returns
// bool tells "somebody else has it" by false, and all other trouble by redlock::error.
#ifndef REDLOCK_REDLOCK_HPP
#define REDLOCK_REDLOCK_HPP

#include <redlock/blocking.h>

#include <chrono>
#include <initializer_list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace redlock
{

// status() is one of REDLOCK_E...; what() says what each node has against it.
class error : public std::runtime_error
{
    public:
	error(int status, const std::string &words) : std::runtime_error(words), status_(status)
	{
	}
	explicit error(const redlock_error &why) : error(why.status, why.text)
	{
	}
	explicit error(int status) : error(status, redlock_strerror(status))
	{
	}
	int status() const noexcept
	{
		return status_;
	}

    private:
	int status_;
};

// With the defaults filled in, to be changed where needed.
struct options : redlock_options {
	options()
	{
		redlock_options_init_sized(this, sizeof(redlock_options));
	}
};

struct lock_options : redlock_lock_options {
	lock_options()
	{
		redlock_lock_options_init_sized(this, sizeof(redlock_lock_options));
	}
};

// Connections to all nodes, and the thread that serves them. Outlives its locks' use: when it is
// gone, they hold nothing. Move only.
class client
{
    public:
	explicit client(const std::vector<std::string> &urls, const options &given = options())
	{
		std::vector<const char *> list;
		redlock_error why;

		list.reserve(urls.size());
		for (const std::string &url : urls)
			list.push_back(url.c_str());
		if (redlock_blocking_open(&handle_, list.data(), list.size(), &given, &why) != 0)
			throw error(why);
	}
	client(std::initializer_list<std::string> urls, const options &given = options())
	    : client(std::vector<std::string>(urls), given)
	{
	}
	client(client &&other) noexcept : handle_(other.handle_)
	{
		other.handle_ = nullptr;
	}
	client &operator=(client &&other) noexcept
	{
		client gone(std::move(other));
		std::swap(handle_, gone.handle_);
		return *this;
	}
	client(const client &) = delete;
	client &operator=(const client &) = delete;
	~client()
	{
		redlock_blocking_close(handle_);
	}
	redlock_blocking *native_handle() const noexcept
	{
		return handle_;
	}

    private:
	redlock_blocking *handle_ = nullptr;
};

// What a lock is for: a name, or several of which all or none are had, as in {"from", "to"}.
class resources
{
    public:
	resources(const char *name) : names_(1, name)
	{
	}
	resources(const std::string &name) : names_(1, name)
	{
	}
	resources(std::initializer_list<std::string> names) : names_(names)
	{
	}
	resources(const std::vector<std::string> &names) : names_(names)
	{
	}
	std::vector<redlock_resource> list() const
	{
		std::vector<redlock_resource> all;

		for (const std::string &name : names_)
			all.push_back(redlock_resource{name.data(), name.size()});
		return all;
	}

    private:
	std::vector<std::string> names_;
};

// As std::unique_lock, with the lock in it: given back when it goes. One thread at a time, but for
// cancel(), owns_lock(), validity() and fence(). Move only.
class unique_lock
{
    public:
	// Takes nothing yet.
	unique_lock(const client &nodes, const resources &what, std::defer_lock_t,
		    const lock_options &given = lock_options())
	{
		const std::vector<redlock_resource> all = what.list();
		int status = redlock_mutex_new_all(&handle_, nodes.native_handle(), all.data(),
						   all.size(), &given);
		if (status != 0)
			throw error(status);
	}
	// Waits for as long as it takes.
	unique_lock(const client &nodes, const resources &what,
		    const lock_options &given = lock_options())
	    : unique_lock(nodes, what, std::defer_lock, given)
	{
		lock();
	}
	// Tries once.
	unique_lock(const client &nodes, const resources &what, std::try_to_lock_t,
		    const lock_options &given = lock_options())
	    : unique_lock(nodes, what, std::defer_lock, given)
	{
		try_lock();
	}
	// Waits for so long at most.
	template <class Rep, class Period>
	unique_lock(const client &nodes, const resources &what,
		    const std::chrono::duration<Rep, Period> &wait,
		    const lock_options &given = lock_options())
	    : unique_lock(nodes, what, std::defer_lock, given)
	{
		try_lock_for(wait);
	}
	unique_lock(unique_lock &&other) noexcept : handle_(other.handle_)
	{
		other.handle_ = nullptr;
	}
	// What was held here is given back.
	unique_lock &operator=(unique_lock &&other) noexcept
	{
		unique_lock gone(std::move(other));
		std::swap(handle_, gone.handle_);
		return *this;
	}
	unique_lock(const unique_lock &) = delete;
	unique_lock &operator=(const unique_lock &) = delete;
	~unique_lock()
	{
		redlock_mutex_free(handle_);
	}

	// Waits for as long as it takes.
	void lock()
	{
		take(REDLOCK_WAIT_FOREVER);
	}
	// False: somebody else has it.
	bool try_lock()
	{
		return take(0);
	}
	// False: somebody else had it all the time.
	template <class Rep, class Period>
	bool try_lock_for(const std::chrono::duration<Rep, Period> &wait)
	{
		typedef std::chrono::duration<double, std::milli> many;

		if (many(wait).count() >= 9e18)
			return take(REDLOCK_WAIT_FOREVER);
		auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait);
		if (ms < wait)
			++ms; // Not a moment less than was asked for.
		return take(ms.count() > 0 ? static_cast<uint64_t>(ms.count()) : 0);
	}
	template <class Clock, class Duration>
	bool try_lock_until(const std::chrono::time_point<Clock, Duration> &moment)
	{
		return try_lock_for(moment - Clock::now());
	}

	// For its full TTL again.
	void extend()
	{
		redlock_error why;

		if (redlock_mutex_extend(handle_, &why) != 0)
			throw error(why);
	}
	// Gives it back. False: it was not ours any more, so somebody else may have been at it.
	bool unlock()
	{
		redlock_error why;
		int status = redlock_mutex_unlock(handle_, &why);

		if (status == REDLOCK_EEXPIRED || status == REDLOCK_ELOST)
			return false;
		if (status != 0)
			throw error(why);
		return true;
	}
	// Of another thread's wait, which ends with REDLOCK_ECANCELED. False: there is none.
	bool cancel()
	{
		return redlock_mutex_cancel(handle_) == 0;
	}

	bool owns_lock() const noexcept
	{
		return redlock_mutex_held(handle_);
	}
	explicit operator bool() const noexcept
	{
		return owns_lock();
	}
	// What is left of the lease.
	std::chrono::milliseconds validity() const noexcept
	{
		return std::chrono::milliseconds(redlock_mutex_validity_ms(handle_));
	}
	// 0 if it is not held, or without lock_options::fence.
	uint64_t fence() const noexcept
	{
		return redlock_mutex_fence(handle_);
	}

    private:
	bool take(uint64_t wait_ms)
	{
		redlock_error why;
		int status = redlock_mutex_lock(handle_, wait_ms, &why);

		if (status == REDLOCK_EHELD || status == REDLOCK_ETIMEDOUT)
			return false;
		if (status != 0)
			throw error(why);
		return true;
	}

	redlock_mutex *handle_ = nullptr;
};

} // namespace redlock

#endif
