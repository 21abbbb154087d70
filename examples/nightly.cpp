// nightly.cpp - a job for one machine at a time: wait for it, but not for ever, and stop when the
// lock is lost.
//
//   c++ -std=c++11 nightly.cpp -o nightly $(pkg-config --cflags --libs redlock)
//   REDLOCK_NODES=redis://a,redis://b,redis://c ./nightly [STEPS]
//
// One node, three or five: the list alone tells. Ends with 0 when the job is done, 75 if another
// machine had it all the time, 69 if too few nodes can vote, 79 if the lock was lost on the way.
#include <cstdlib>
#include <iostream>
#include <redlock/redlock.hpp>
#include <sstream>
#include <thread>

namespace
{

const std::chrono::seconds patience(5);
const std::chrono::milliseconds step_length(50);

std::vector<std::string> split(const char *list)
{
	std::vector<std::string> urls;
	std::istringstream text(list ? list : "");

	for (std::string url; std::getline(text, url, ',');)
		urls.push_back(url);
	return urls;
}

int nightly(int steps)
{
	redlock::client nodes(split(std::getenv("REDLOCK_NODES")));
	redlock::lock_options options;

	options.auto_renew = true;
	redlock::unique_lock job(nodes, "nightly-report", std::defer_lock, options);
	if (!job.try_lock_for(patience)) {
		std::cerr << "nightly: another machine has it\n";
		return 75;
	}
	for (int step = 1; step <= steps; step++) {
		std::this_thread::sleep_for(step_length); // Stands for work.
		if (!job.owns_lock())
			break;
		std::cout << "step " << step << std::endl;
	}
	if (!job.unlock()) {
		std::cerr << "nightly: the lock was lost\n";
		return 79;
	}
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		return nightly(argc > 1 ? std::atoi(argv[1]) : 5);
	} catch (const redlock::error &why) {
		std::cerr << "nightly: " << why.what() << "\n";
		return why.status() == REDLOCK_EINVAL ? 64 : 69;
	}
}
