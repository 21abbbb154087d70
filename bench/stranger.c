#include "stranger.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "crowd.h"
#include "floor_connect.h"
#include "floor_crowd.h"
#include "lab.h"

#define BATCH 256
#define SILENCE_MS 10000
/* As the library's are: others take it for one who calls whoever is next in line. */
#define TOKEN "stopstopstopstopstopstopstopstop"

struct stranger {
	pid_t pid;
	int tell; /* Closed when he is to go. */
};

/* What he has in his own process. */
struct holding {
	struct floor_conns conns;
	char family;
	uint32_t count;
	char ttl[16];
	uint64_t yes;
};

static void answered(void *owner, struct floor_due due, bool yes)
{
	struct holding *holding = owner;

	(void)due;
	holding->yes += yes;
}

static bool settle(struct holding *holding)
{
	floor_conns_flush(&holding->conns);
	while (floor_conns_owed(&holding->conns) > 0) {
		if (!floor_conns_turn(&holding->conns, SILENCE_MS)) {
			return false;
		}
	}
	return true;
}

/* The request, with the digits of each of so many resources in turn. */
static bool ask_of_all(struct holding *holding, const struct floor_template *request)
{
	struct floor_blanks blanks;
	uint32_t i;
	size_t node;

	for (i = 0; i < holding->count; i++) {
		snprintf(blanks.digits, sizeof(blanks.digits), "%07u", i % 10000000U);
		for (node = 0; node < holding->conns.count; node++) {
			floor_conn_ask(&holding->conns.all[node], request, &blanks,
				       (struct floor_due){0});
		}
		if (i % BATCH == BATCH - 1 && !settle(holding)) {
			return false;
		}
	}
	return settle(holding);
}

/* The arguments after the name, which is the second one. */
static bool have_all(struct holding *holding, const char *verb, const char *const *rest,
		     size_t rest_count)
{
	struct floor_template request = {0};
	char name[CROWD_NAME_MAX];
	const char *args[8] = {verb, name};
	size_t i;

	for (i = 0; i < rest_count; i++) {
		args[2 + i] = rest[i];
	}
	snprintf(name, sizeof(name), CROWD_NAME_FORMAT, holding->family, 0U);
	floor_template_build(&request, args, 2 + rest_count);
	holding->yes = 0;
	return ask_of_all(holding, &request);
}

static bool take(struct holding *holding)
{
	const char *const rest[] = {TOKEN, "PX", holding->ttl};

	return have_all(holding, "SET", rest, 3) &&
	       holding->yes == (uint64_t)holding->count * holding->conns.count;
}

/* Until nobody listens to @told any more. */
static void keep(struct holding *holding, int told)
{
	const char *const rest[] = {holding->ttl};
	struct pollfd until = {.fd = told, .events = POLLIN};
	int pause_ms = atoi(holding->ttl) / 3;

	while (poll(&until, 1, pause_ms) == 0 && have_all(holding, "PEXPIRE", rest, 1)) {
	}
	have_all(holding, "DEL", NULL, 0);
}

/* Says over @told that all is his, or why not. */
static void live(const struct nodes *nodes, struct holding *holding, int told)
{
	char why[WHY_MAX] = "";
	char sha[64];

	holding->conns.owner = holding;
	holding->conns.answered = answered;
	if (floor_conns_open(&holding->conns, nodes, floor_delete_script, sha, why, sizeof(why)) &&
	    !take(holding)) {
		snprintf(why, sizeof(why), "a stranger cannot take what others are to wait for");
	}
	if (write(told, why, sizeof(why)) == (ssize_t)sizeof(why) && !why[0]) {
		keep(holding, told);
	}
	floor_conns_close(&holding->conns);
}

static struct stranger *born(pid_t pid, int tell, char *why, size_t why_len)
{
	struct stranger *stranger = calloc(1, sizeof(*stranger));
	char said[WHY_MAX] = "he has died";

	if (stranger) {
		*stranger = (struct stranger){pid, tell};
		if (read(tell, said, sizeof(said)) == (ssize_t)sizeof(said) && !said[0]) {
			return stranger;
		}
	}
	snprintf(why, why_len, "a stranger: %s", said);
	close(tell);
	waitpid(pid, NULL, 0);
	free(stranger);
	return NULL;
}

struct stranger *stranger_start(const struct nodes *nodes, char family, uint32_t count,
				uint32_t ttl_ms, char *why, size_t why_len)
{
	struct holding holding = {.family = family, .count = count};
	int both[2];
	pid_t pid;

	snprintf(holding.ttl, sizeof(holding.ttl), "%u", ttl_ms);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, both) != 0) {
		snprintf(why, why_len, "no pipe to a stranger");
		return NULL;
	}
	pid = fork();
	if (pid == 0) {
#ifdef __linux__
		prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
		close(both[0]);
		live(nodes, &holding, both[1]);
		_exit(0);
	}
	close(both[1]);
	if (pid < 0) {
		close(both[0]);
		snprintf(why, why_len, "no process for a stranger");
		return NULL;
	}
	return born(pid, both[0], why, why_len);
}

void stranger_stop(struct stranger *stranger)
{
	close(stranger->tell);
	waitpid(stranger->pid, NULL, 0);
	free(stranger);
}
