/* consumer.cc - the same from C++: lambdas as callbacks, an object as their data. */
#include <cstdio>
#include <redlock/redlock.h>
#include <string>
#include <uv.h>

namespace
{

struct Asker {
	redlock_client *client = nullptr;
	redlock_lock *lock = nullptr;
	int outcome = 1;

	bool start(uv_loop_t *loop)
	{
		static const char *const urls[] = {"redis://127.0.0.1:1"};
		const std::string resource = "consumer";
		redlock_options options;
		redlock_error error;

		redlock_options_init(&options);
		return redlock_client_new(&client, loop, urls, 1, &options, &error) == REDLOCK_OK &&
		       redlock_lock_new(&lock, client, resource.data(), resource.size(), nullptr) ==
			       REDLOCK_OK &&
		       redlock_acquire(
			       lock, 0,
			       [](redlock_lock *, int status, const redlock_report *, void *data) {
				       static_cast<Asker *>(data)->finish(status);
			       },
			       this) == REDLOCK_OK;
	}

	void finish(int status)
	{
		outcome = status;
		redlock_lock_free(lock);
		redlock_client_close(client, nullptr, nullptr);
	}
};

} // namespace

int main()
{
	uv_loop_t loop;
	Asker asker;

	if (redlock_version() != std::string(REDLOCK_VERSION) || uv_loop_init(&loop) != 0 ||
	    !asker.start(&loop)) {
		return 1;
	}
	std::printf("redlock %s\n", redlock_version());
	uv_run(&loop, UV_RUN_DEFAULT);
	return asker.outcome == REDLOCK_ENOQUORUM && uv_loop_close(&loop) == 0 ? 0 : 1;
}
