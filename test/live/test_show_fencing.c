/* test_show_fencing.c - fencing tokens grow, whatever the nodes forget.
 *
 * Eight processes, with clocks that differ by up to a day, take one lock with
 * fencing, again and again, while every second another one of the five nodes is
 * killed and comes back empty. Now and then all are quiet for so long that every
 * node has forgotten every token, and go on with new clients, which know nothing
 * either.
 *
 * The order of the grants is told by nobody but the holders: while it holds the
 * lock, each takes a number from a counter in shared memory when it comes in,
 * and another one when it goes. A stay counts if the lease was still valid after
 * the second number, so that both were taken under it. Then no two stays may
 * overlap, and in the order of their numbers the tokens must grow.
 *
 * SHOW_GRANTS=n for more of it. */
#define _GNU_SOURCE /* syscall */
#include "rig.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAME "orders:17"
#define PROCESSES 8
#define NODES 5
#define RESTART_EVERY_MS 1000
/* Of so many restarts, these pass in quiet: each node's turn comes once. */
#define RESTARTS_ROUND 15
#define QUIET_FROM 3
#define QUIET_TO (QUIET_FROM + NODES)
#define RESTARTS_LEAST (QUIET_TO + 2)
/* Of five nodes two may be withheld at a time: the guard must be over before the third restart. */
#define MAX_TTL_MS 1000
#define NODE_TIMEOUT_MS 250
#define WAIT_MS 5000
/* Else one process would have it nearly all the time. */
#define LEAVE_TO_OTHERS_US 4000
#define LOOK_MS 10
#define RETRY_MAX_MS 20
#define CLIENT_GRANTS 100
#define STUCK_MS 60000
#define GRANTS 1000
#define SPARE_STAYS 1000
#define CASE_SECONDS 560

struct stay {
	uint64_t came, went; /* Numbers of the counter. */
	uint64_t fence;
	uint64_t at_us;
	unsigned process;
	unsigned quiet_count; /* Quiet times before it. */
	bool valid;	      /* Both numbers were taken under the lease. */
};

/* In shared memory. */
struct ledger {
	_Atomic uint64_t numbers;
	_Atomic uint64_t stay_count; /* Which is whose, no more: never read as an order. */
	_Atomic uint64_t valid_count;
	_Atomic uint64_t refused_count; /* Acquisitions that ended without the lock. */
	_Atomic uint64_t attempt_count;
	_Atomic bool quiet, over;
	_Atomic unsigned quiet_count;
	uint64_t grants_wanted, stays_max;
	struct stay stays[];
};

static struct ledger *ledger;

static uint64_t clock_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void pause_us(uint64_t us)
{
	struct timespec pause = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};

	(void)nanosleep(&pause, NULL);
}

/* ---- Clocks ---------------------------------------------------------------------------------- */

/* Seconds by which the wall clock of each process is wrong. Tokens are proposed by it: with one
 * good clock for all they would grow in any case. */
static const int wrong_seconds[PROCESSES] = {-86400, -20, -3, 0, 3, 20, 55, 86400};
static int wrong_here;

/* In place of libc's, for the library too. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rv = (int)syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_REALTIME) {
		now->tv_sec += wrong_here;
	}
	return rv;
}

/* ---- A process that wants the lock ----------------------------------------------------------- */

static void stay(const struct redlock_lock *lock, unsigned process)
{
	uint64_t index = atomic_fetch_add(&ledger->stay_count, 1);
	struct stay *mine = &ledger->stays[index];

	ck_assert_uint_lt(index, ledger->stays_max);
	mine->process = process;
	mine->fence = redlock_lock_fence(lock);
	mine->came = atomic_fetch_add(&ledger->numbers, 1);
	mine->at_us = clock_us();
	mine->quiet_count = atomic_load(&ledger->quiet_count);
	if (index % 4 == 0) {
		pause_us(index % 300);
	}
	mine->went = atomic_fetch_add(&ledger->numbers, 1);
	mine->valid = redlock_lock_held(lock);
	if (mine->valid) {
		atomic_fetch_add(&ledger->valid_count, 1);
	}
}

static void come_and_go(struct redlock_lock *lock, unsigned process)
{
	struct outcome outcome;
	int status = acquire_sync(&rig.loop, lock, WAIT_MS, &outcome);

	atomic_fetch_add(&ledger->attempt_count, outcome.report.attempts);
	if (status != REDLOCK_OK) {
		atomic_fetch_add(&ledger->refused_count, 1);
		return;
	}
	stay(lock, process);
	/* Whatever it says: a node may have forgotten the key meanwhile. */
	(void)release_sync(&rig.loop, lock, NULL);
	pause_us(LEAVE_TO_OTHERS_US);
}

/* The client stays connected: restarted nodes are noticed, and grow old enough to vote. */
static void keep_quiet(unsigned process)
{
	if (atomic_load(&ledger->quiet)) {
		while (atomic_load(&ledger->quiet)) {
			loop_run_ms(&rig.loop, LOOK_MS);
		}
		/* Clocks that are behind go on first. */
		loop_run_ms(&rig.loop, process * LOOK_MS);
	}
}

/* A client does not live long, and goes into a quiet time with nothing granted. */
static void use_a_client(unsigned process)
{
	struct redlock_lock_options options;
	struct redlock_client *client = rig_client();
	struct redlock_lock *lock;

	redlock_lock_options_init(&options);
	options.fence = true;
	lock = rig_lock_with(client, NAME, &options);
	keep_quiet(process);
	for (unsigned i = 0; i < CLIENT_GRANTS; i++) {
		if (atomic_load(&ledger->quiet) || atomic_load(&ledger->over)) {
			break;
		}
		come_and_go(lock, process);
	}
	redlock_lock_free(lock);
	close_sync(&rig.loop, client);
}

static void work(unsigned process)
{
	wrong_here = wrong_seconds[process];
	ck_assert_int_eq(uv_loop_init(&rig.loop), 0);
	while (!atomic_load(&ledger->over)) {
		use_a_client(process);
	}
}

static pid_t start_process(unsigned process)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(process);
		_exit(0);
	}
	return pid;
}

/* ---- What they found ------------------------------------------------------------------------- */

static int by_coming(const void *left, const void *right)
{
	const struct stay *a = left, *b = right;

	return a->came < b->came ? -1 : a->came > b->came;
}

static void judge(size_t stay_count)
{
	const struct stay *last = NULL;

	qsort(ledger->stays, stay_count, sizeof *ledger->stays, by_coming);
	for (size_t i = 0; i < stay_count; i++) {
		const struct stay *next = &ledger->stays[i];

		if (!next->valid) {
			continue;
		}
		ck_assert_uint_ne(next->fence, 0);
		if (last != NULL) {
			ck_assert_msg(next->came > last->went,
				      "processes %u and %u were in at once", last->process,
				      next->process);
			ck_assert_msg(next->fence > last->fence,
				      "process %u: token %" PRIu64 " after %" PRIu64
				      " of process %u",
				      next->process, next->fence, last->fence, last->process);
		}
		last = next;
	}
}

/* Without a grant, while they were wanted. */
static uint64_t longest_gap_us(size_t stay_count)
{
	uint64_t longest_us = 0;

	for (size_t i = 1; i < stay_count; i++) {
		const struct stay *stay = &ledger->stays[i], *before = stay - 1;
		uint64_t gap_us = stay->at_us - before->at_us;

		if (stay->quiet_count == before->quiet_count && gap_us > longest_us) {
			longest_us = gap_us;
		}
	}
	return longest_us;
}

static void tell(size_t stay_count, unsigned restarts)
{
	double seconds =
		(double)(ledger->stays[stay_count - 1].at_us - ledger->stays[0].at_us) / 1e6;
	uint64_t valid_count = atomic_load(&ledger->valid_count);
	size_t changes = 0;

	for (size_t i = 1; i < stay_count; i++) {
		changes += ledger->stays[i].process != ledger->stays[i - 1].process;
	}
	printf("%" PRIu64 " grants in %.1f s, %u nodes restarted empty, %zu changes of owner, "
	       "%.2f attempts for a grant, longest gap %.0f ms, %" PRIu64
	       " waits of %d ms in vain, %zu leases over before their holder left\n",
	       valid_count, seconds, restarts, changes,
	       (double)atomic_load(&ledger->attempt_count) / (double)stay_count,
	       (double)longest_gap_us(stay_count) / 1e3, atomic_load(&ledger->refused_count),
	       WAIT_MS, stay_count - (size_t)valid_count);
}

/* ---- The show -------------------------------------------------------------------------------- */

static void five_forgetful_nodes(void)
{
	const char *wanted = getenv("SHOW_GRANTS");
	uint64_t grants = wanted != NULL ? strtoull(wanted, NULL, 10) : GRANTS;
	/* It goes on for RESTARTS_LEAST restarts, however soon the grants are there. */
	uint64_t stays_max = 2 * grants + 100 * SPARE_STAYS;

	rig_open(NODES, NULL);
	rig.options.guard = REDLOCK_GUARD_ON;
	rig.options.ttl_ms = rig.options.max_ttl_ms = MAX_TTL_MS;
	rig.options.node_timeout_ms = NODE_TIMEOUT_MS;
	rig.options.retry_max_ms = RETRY_MAX_MS;
	ledger = mmap(NULL, sizeof *ledger + stays_max * sizeof *ledger->stays,
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(ledger, MAP_FAILED);
	ledger->grants_wanted = grants;
	ledger->stays_max = stays_max;
}

/* One node each second, in turn, until there are enough grants, before a quiet time and after. */
static unsigned restart_nodes(void)
{
	uint64_t next_us = clock_us(), seen = 0, seen_us = next_us;
	unsigned restarts = 0;

	for (;;) {
		uint64_t valid_count = atomic_load(&ledger->valid_count);

		if (valid_count >= ledger->grants_wanted && restarts >= RESTARTS_LEAST) {
			return restarts;
		}
		if (valid_count > seen) {
			seen = valid_count;
			seen_us = clock_us();
		}
		ck_assert_msg(clock_us() < seen_us + STUCK_MS * 1000, "nobody gets the lock");
		next_us += RESTART_EVERY_MS * 1000;
		while (clock_us() < next_us) {
			pause_us(next_us - clock_us());
		}
		server_restart_empty(&rig.servers.at[restarts++ % NODES]);
		if (restarts % RESTARTS_ROUND == QUIET_FROM) {
			atomic_store(&ledger->quiet, true);
		} else if (restarts % RESTARTS_ROUND == QUIET_TO) {
			atomic_fetch_add(&ledger->quiet_count, 1);
			atomic_store(&ledger->quiet, false);
		}
	}
}

START_TEST(tokens_grow_in_the_order_of_grants_while_all_nodes_forget_in_turn)
{
	pid_t processes[PROCESSES];
	unsigned restarts;
	size_t stay_count;
	int status;

	for (unsigned i = 0; i < PROCESSES; i++) {
		processes[i] = start_process(i);
	}
	restarts = restart_nodes();
	atomic_store(&ledger->over, true);
	for (unsigned i = 0; i < PROCESSES; i++) {
		ck_assert_int_eq(waitpid(processes[i], &status, 0), processes[i]);
		ck_assert_msg(status == 0, "process %u failed: %x", i, (unsigned)status);
	}
	stay_count = atomic_load(&ledger->stay_count);
	judge(stay_count);
	tell(stay_count, restarts);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("show fencing");
	TCase *tcase = rig_case(suite, "five forgetful nodes", five_forgetful_nodes);

	tcase_set_timeout(tcase, CASE_SECONDS);
	tcase_add_test(tcase, tokens_grow_in_the_order_of_grants_while_all_nodes_forget_in_turn);
	return rig_run(suite);
}
