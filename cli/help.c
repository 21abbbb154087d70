/* help.c - the texts of --help. */
#include "help.h"

#include <stddef.h>
#include <string.h>

#define COMMON_OPTIONS                                                                             \
	"Nodes:\n"                                                                                 \
	"  --node URL           a Redis or Valkey server; once for each. redis://host:port,\n"     \
	"                       redis://user:password@host:port/db, rediss://... (TLS),\n"         \
	"                       unix:///path. Several may be given, separated by commas.\n"        \
	"  --nodes-file FILE    read them from FILE: one on a line, # starts a comment line\n"     \
	"  --tls-ca FILE        for rediss://: whom to trust, instead of the system's CAs\n"       \
	"  --tls-cert FILE, --tls-key FILE\n"                                                      \
	"                       for rediss://: our certificate and its key, as PEM files\n"        \
	"  --key-format FORMAT  key of NAME on the servers, with one %s (default \"%s\")\n"        \
	"  --node-timeout DUR   silence for longer is no vote (default: TTL / 20,\n"               \
	"                       50ms at least, 500ms at most)\n"                                   \
	"  --max-ttl DUR        longest TTL that any client of these nodes uses: for so long\n"    \
	"                       a restarted node is not believed (default 60s)\n"                  \
	"  --no-restart-guard   believe it at once; unsafe unless nodes lose nothing\n"            \
	"Without --node and --nodes-file: REDLOCK_NODES, URLs separated by commas or blanks.\n"    \
	"Arguments can be seen by all users in the list of processes: give passwords by file\n"    \
	"or environment.\n"                                                                        \
	"\n" OUTPUT_OPTIONS

#define OUTPUT_OPTIONS                                                                             \
	"Output:\n"                                                                                \
	"  --json               one JSON object instead of text\n"                                 \
	"  -v, --verbose        say what each node did; -vv: each decision\n"                      \
	"  -q, --quiet          say nothing but usage errors\n"                                    \
	"  -h, --help, -V, --version\n"

#define WAIT_OPTIONS                                                                               \
	"  -n, --no-wait        try once\n"                                                        \
	"  -w, --wait SECS      wait for so long (default: for ever)\n"

#define TTL_OPTION "  --ttl DUR            length of the lease (default 10s)\n"

#define DURATIONS "DUR: 500ms, 10s, 2m, 1h; a plain number is seconds; fractions are fine.\n"

static const char tool_text[] =
	"redlock - a distributed lock over independent Redis or Valkey servers\n"
	"\n"
	"  redlock run [OPTIONS] NAME [--] COMMAND [ARG...]   run a command under the "
	"lock\n"
	"  redlock lock [OPTIONS] NAME                        take it, print the owner "
	"token\n"
	"  redlock extend [OPTIONS] NAME TOKEN                renew it\n"
	"  redlock unlock [OPTIONS] NAME TOKEN                give it back\n"
	"  redlock status [OPTIONS] [NAME]                    how the nodes are, who holds "
	"it\n"
	"  redlock cluster start|stop|status [OPTIONS]        local servers for trying it\n"
	"  redlock help [VERB]\n"
	"\n"
	"Options go in front of the NAME. 'redlock VERB --help' tells all of them.\n"
	"\n"
	"To try it:\n"
	"  eval \"$(redlock cluster start)\"; export REDLOCK_NODES\n"
	"  redlock run -n nightly -- ./backup.sh\n"
	"\n" COMMON_OPTIONS "\n"
	"Exit codes:\n"
	"  0    done                       75   held by another owner, or the wait is "
	"over\n"
	"  64   wrong usage                79   the lock is lost or not ours\n"
	"  69   too few nodes can vote     126  COMMAND cannot be run\n"
	"  71   refused by the system      127  COMMAND not found\n"
	"  74   result cannot be written   128+N  ended by signal N\n"
	"'redlock run' passes on the exit code of COMMAND.\n";

static const char run_text[] =
	"redlock run [OPTIONS] NAME [--] COMMAND [ARG...]\n"
	"redlock run [OPTIONS] -c SHELL-COMMAND NAME\n"
	"\n"
	"Take the lock NAME, run COMMAND while it is held, give it back.\n"
	"\n"
	"  -n, --no-wait        try once; held by another: exit 75\n"
	"  -w, --wait SECS      wait for so long, then exit 75 (default: wait for ever)\n"
	"  -E, --conflict-exit-code CODE\n"
	"                       exit CODE, 0 to 255, instead of 75\n" TTL_OPTION
	"                       The lease is renewed while COMMAND runs.\n"
	"  --min-hold DUR       hold the lock for so long at least, even if COMMAND is done:\n"
	"                       for short jobs started on several machines at about one time;\n"
	"                       INT, TERM, HUP or QUIT end it\n"
	"  --kill-after DUR     from TERM to KILL when the lock is lost (default: TTL / 3 less\n"
	"                       a reserve; half of the TTL less the reserve at most)\n"
	"  --fence              get a fencing token with the lock\n"
	"  --permits N          at most N commands at once, of all who give NAME and this N, up\n"
	"                       to 64; NAME#0 ... are the locks of which one is taken\n"
	"  --also NAME2         take this lock, too, in the same step: all or none; up to 15 "
	"times\n"
	"  --shared             hold it together with others who say --shared, but with nobody "
	"else\n"
	"  --stats FILE         keep statistics there for Prometheus (its textfile collector):\n"
	"                       written every ten seconds, and at the end\n"
	"  -c, --command SHELL-COMMAND\n"
	"                       run it with /bin/sh -c\n" DURATIONS "\n"
	"COMMAND runs in a process group of its own, with our standard streams and\n"
	"REDLOCK_NAME, REDLOCK_TOKEN, REDLOCK_TTL_MS and, with --fence, REDLOCK_FENCE set;\n"
	"with --permits, REDLOCK_SLOT is a number below N that no other command has.\n"
	"INT, TERM, HUP, QUIT, USR1 and USR2 are passed on to the group; before COMMAND is\n"
	"started they end the wait. A signal that was ignored from the start stays ignored.\n"
	"The terminal is COMMAND's when it asks for it.\n"
	"\n"
	"If the lease cannot be renewed, the group gets TERM and, early enough to be dead\n"
	"before the lease is over, KILL. The same when redlock is stopped for too long. If\n"
	"redlock is killed, even with KILL, the group is killed at once.\n"
	"When COMMAND ends, what it left behind in its group gets TERM and, after the time of\n"
	"--kill-after, KILL: only then the lock is given back, so that nothing goes on without\n"
	"it. A process that leaves the group (setsid, a daemon) is not followed.\n"
	"\n"
	"Exit code: that of COMMAND, or 128+N if signal N ended it; 64 wrong usage; 69 too few\n"
	"nodes can vote; 75 (or -E) held by another owner; 79 lock lost, COMMAND stopped;\n"
	"126 COMMAND cannot be run; 127 not found; 71 refused by the system.\n"
	"With --json, the object is the last line on standard error.\n"
	"\n" COMMON_OPTIONS;

static const char lock_text[] =
	"redlock lock [OPTIONS] NAME\n"
	"\n"
	"Take the lock NAME and print its owner token: TOKEN=$(redlock lock -n jobs) || exit\n"
	"The lease ends by itself when its TTL is over; extend or unlock it with the token.\n"
	"\n" WAIT_OPTIONS TTL_OPTION DURATIONS "\n"
	"A signal ends the wait, with nothing left behind.\n"
	"\n"
	"Exit code: 0 held; 64 wrong usage; 69 too few nodes can vote; 74 the token could not\n"
	"be written, and the lock was given back; 75 held by another owner; 128+N signal N.\n"
	"\n" COMMON_OPTIONS;

static const char extend_text[] =
	"redlock extend [OPTIONS] NAME TOKEN\n"
	"\n"
	"Renew the lease of the lock NAME for its TTL from now. TOKEN is what 'redlock lock'\n"
	"printed; - reads it from standard input, so that it is not seen in `ps`.\n"
	"A lease that is over is not taken again.\n"
	"\n" TTL_OPTION DURATIONS "\n"
	"Exit code: 0 renewed; 64 wrong usage; 69 too few nodes answered; 79 not held with\n"
	"this TOKEN.\n"
	"\n" COMMON_OPTIONS;

static const char unlock_text[] =
	"redlock unlock [OPTIONS] NAME TOKEN\n"
	"\n"
	"Give the lock NAME back. TOKEN is what 'redlock lock' printed; - reads it from\n"
	"standard input, so that it is not seen in `ps`.\n"
	"\n"
	"Exit code: 0 given back; 64 wrong usage; 69 too few nodes answered; 79 not held with\n"
	"this TOKEN.\n"
	"\n" COMMON_OPTIONS;

static const char status_text[] =
	"redlock status [OPTIONS] [NAME]\n"
	"\n"
	"Show the nodes: address, state, role, server, round-trip time, for how long their vote\n"
	"is withheld after a restart (GUARD), and why they cannot vote. With NAME: who holds it\n"
	"where (the start of the owner token), for how long, and how many wait in line.\n"
	"States: up, guarded (up, may not vote yet), suspect (silent), connecting, down, barred\n"
	"(never votes: see the note).\n"
	"Warnings say what looks well and is not, or cannot be seen; the exit code does not tell.\n"
	"\n"
	"  --watch              again every second, until a signal comes; with --json one object\n"
	"                       a line\n"
	"\n"
	"Exit code: 0 a quorum of nodes can vote (--watch: at the last look); 69 too few can;\n"
	"64 wrong usage.\n"
	"\n" COMMON_OPTIONS;

static const char cluster_text[] =
	"redlock cluster start|stop|status [OPTIONS]\n"
	"\n"
	"Local servers for trying things out and for tests: redis-server, or valkey-server if\n"
	"that is what is installed, on 127.0.0.1 only, each with a directory of its own, every\n"
	"change written to disk (appendfsync always).\n"
	"\n"
	"  start   start those that do not run, wait until all answer, print one line:\n"
	"          eval \"$(redlock cluster start)\"; export REDLOCK_NODES\n"
	"  stop    stop them and wait; their data stays\n"
	"  status  list them\n"
	"\n"
	"  --nodes N        how many (default 5)\n"
	"  --port P         of the first; the others follow (default 7301)\n"
	"  --dir D          where they live (default: redlock-cluster-UID under\n"
	"                   $XDG_RUNTIME_DIR or /tmp)\n"
	"  --server PATH    program to start\n"
	"stop and status without --port and --nodes: all that are found in the directory.\n"
	"\n"
	"Exit code: 0 done; 69 the servers cannot be started, or too few run (status); 64 wrong\n"
	"usage.\n"
	"\n" OUTPUT_OPTIONS;

static const struct {
	const char *verb;
	const char *text;
} texts[] = {
	{"run", run_text},	 {"lock", lock_text},	  {"extend", extend_text},
	{"unlock", unlock_text}, {"status", status_text}, {"cluster", cluster_text},
	{"help", tool_text},
};

const char *help_text(const char *verb)
{
	if (verb == NULL) {
		return tool_text;
	}
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (strcmp(texts[i].verb, verb) == 0) {
			return texts[i].text;
		}
	}
	return NULL;
}
