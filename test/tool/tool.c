/* tool.c - runs the tool and other programs, and keeps what they said. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 64

uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms)
{
	struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
}

static int input_fd(const char *input)
{
	if (input == NULL) {
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	int fd = memfd_create("input", MFD_CLOEXEC);
	ck_assert_int_eq(write(fd, input, strlen(input)), (ssize_t)strlen(input));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Standard output and error are files: nobody has to read them for the program
 * to go on, and what is still open does not keep anybody waiting. */
struct tool program_start(const char *const *words, const char *input)
{
	struct tool tool = {
		.out_fd = memfd_create("out", MFD_CLOEXEC),
		.err_fd = memfd_create("err", MFD_CLOEXEC),
		.started_ms = now_ms(),
	};
	int in_fd = input_fd(input);
	pid_t test = getpid();
	tool.pid = fork();
	ck_assert_int_ge(tool.pid, 0);
	if (tool.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != test || dup2(in_fd, 0) < 0 || dup2(tool.out_fd, 1) < 0 ||
		    dup2(tool.err_fd, 2) < 0) {
			_exit(125);
		}
		/* A shell ignores the first two for what it runs behind, and nohup the third. */
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		execvp(words[0], (char *const *)words);
		_exit(125);
	}
	close(in_fd);
	return tool;
}

struct tool tool_start(const char *const *words, const char *input)
{
	const char *all[WORDS_MAX] = {getenv("REDLOCK_TOOL")};
	ck_assert_msg(all[0] != NULL, "REDLOCK_TOOL has to name the tool");
	for (size_t i = 0; words[i] != NULL; i++) {
		ck_assert_uint_lt(i + 2, WORDS_MAX);
		all[i + 1] = words[i];
	}
	return program_start(all, input);
}

static void read_back(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);
	ck_assert_int_ge(length, 0);
	text[length] = '\0';
}

char *tool_said(int fd)
{
	struct result *result = malloc(sizeof *result);
	read_back(fd, result->out, sizeof result->out);
	char *text = strdup(result->out);
	free(result);
	return text;
}

bool tool_ended(const struct tool *tool)
{
	siginfo_t info = {0};
	ck_assert_int_eq(waitid(P_PID, (id_t)tool->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid != 0;
}

/* USR2 is the last signal that a verb asks for, but for those of job control; Check's own handlers,
 * which a child has until it becomes the tool, are for others. */
bool tool_listens(pid_t pid)
{
	char path[64];
	char line[256];
	unsigned long long caught = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		sscanf(line, "SigCgt: %llx", &caught);
	}
	if (file != NULL) {
		fclose(file);
	}
	return (caught >> (SIGUSR2 - 1) & 1) != 0;
}

const struct result *tool_wait(struct tool *tool)
{
	static struct result result;
	int status;
	UNTIL(tool_ended(tool));
	result.took_ms = now_ms() - tool->started_ms;
	ck_assert_int_eq(waitpid(tool->pid, &status, 0), tool->pid);
	result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	result.signum = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	read_back(tool->out_fd, result.out, sizeof result.out);
	read_back(tool->err_fd, result.err, sizeof result.err);
	close(tool->out_fd);
	close(tool->err_fd);
	return &result;
}

const struct result *tool_run(const char *const *words, const char *input)
{
	struct tool tool = tool_start(words, input);
	return tool_wait(&tool);
}

bool process_lives(pid_t pid)
{
	char path[64];
	char state = 'Z';
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
		state = 'Z';
	}
	fclose(file);
	return state != 'Z' && state != 'X';
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* A number counts once its line is complete. */
long file_number(const char *path)
{
	long number = 0;
	char end = '\0';
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	if (fscanf(file, "%ld%c", &number, &end) != 2 || end != '\n') {
		number = 0;
	}
	fclose(file);
	return number;
}

char *file_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	char *text = tool_said(fd);
	close(fd);
	return text;
}

void check_json(const char *text)
{
	struct tool python =
		program_start((const char *const[]){"python3", "-m", "json.tool", NULL}, text);
	char *copy = strdup(text);
	ck_assert_msg(tool_wait(&python)->code == 0, "not JSON: %s", copy);
	free(copy);
}

const char *last_line(const char *text)
{
	size_t end = strlen(text);
	while (end > 0 && text[end - 1] == '\n') {
		end--;
	}
	while (end > 0 && text[end - 1] != '\n') {
		end--;
	}
	return text + end;
}
