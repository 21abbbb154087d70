#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "block.h"

#define LOOK_MS 20
#define LOOKS_APART 10 /* So the end is seen sooner than people look. */

int stage_open(struct stage *stage, size_t size)
{
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		return -1;
	}
	*stage = (struct stage){.size = size, .shared = shared};
	return 0;
}

void stage_close(struct stage *stage)
{
	if (stage->shared) {
		munmap(stage->shared, stage->size);
	}
	stage->shared = NULL;
}

/* The servers are the parent's: no signal to a child may end them, and it must not outlive them. */
static void become_child(pid_t parent)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		signal(signals[i], SIG_DFL);
	}
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent) {
		_exit(1);
	}
}

bool stage_await(const struct stage *stage, pid_t child, uint64_t until_ns,
		 void (*look)(const void *shared, void *data), void *data)
{
	struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	unsigned looks = 0;
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (now_ns() > until_ns) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return false;
		}
		nanosleep(&pause, NULL);
		if (look && ++looks % LOOKS_APART == 0) {
			look(stage->shared, data);
		}
	}
	if (look) {
		look(stage->shared, data);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

pid_t stage_fork(struct stage *stage, bool (*play)(void *shared, void *data), void *data)
{
	pid_t parent = getpid();
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		become_child(parent);
		_exit(play(stage->shared, data) ? 0 : 1);
	}
	return child;
}

bool stage_play(struct stage *stage, bool (*play)(void *shared, void *data), void *data,
		uint64_t patience_ms, void (*look)(const void *shared, void *data))
{
	pid_t child;

	memset(stage->shared, 0, stage->size);
	child = stage_fork(stage, play, data);
	return child > 0 && stage_await(stage, child, now_ns() + patience_ms * 1000000, look, data);
}
