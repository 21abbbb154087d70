#!/bin/sh
# cron.sh - run a cron job on one machine only, though every machine has it in its crontab.
#
#   cron.sh NAME COMMAND [ARG...]
#
# The same line on each machine; whoever is first runs the job:
#
#   REDLOCK_NODES=redis://lock1,redis://lock2,redis://lock3
#   0 3 * * *  /usr/local/bin/cron.sh nightly-report /usr/local/bin/nightly-report --full
#
# What to set, in the crontab or here:
#
#   REDLOCK_NODES    the lock nodes, the same list on each machine. With a password in a URL, name
#                    a file instead (redlock run --nodes-file), which others cannot read.
#   LOCK_WAIT        how long a machine waits for its turn before it leaves the job to the others.
#                    Not 0: machines that ask in the same instant may split the votes, and then
#                    nobody would run it. A moment later one of them wins.
#   LOCK_MIN_HOLD    how long the lock is kept, even if the job is over sooner: longer than
#                    LOCK_WAIT and than the machines' clocks differ, or a machine that is late
#                    finds the lock free and runs the job for a second time.
#   LOCK_TTL         the lease. It is renewed while the job runs, however long that takes. When
#                    this machine dies, another one can have the lock after this time at the latest.
#   LOCK_KILL_AFTER  if the lock is lost on the way, the job gets SIGTERM, and SIGKILL this much
#                    later. Everything that it started in its process group is gone before another
#                    machine can have the lock.
set -u

redlock=${REDLOCK:-redlock}

if [ $# -lt 2 ]; then
	echo "usage: cron.sh NAME COMMAND [ARG...]" >&2
	exit 64
fi
name=$1
shift

"$redlock" run --quiet \
	-w "${LOCK_WAIT:-5s}" --min-hold "${LOCK_MIN_HOLD:-60s}" \
	--ttl "${LOCK_TTL:-10s}" --kill-after "${LOCK_KILL_AFTER:-2s}" \
	"$name" -- "$@"
code=$?

# cron sends a mail when a job prints something, so be silent where nobody has to do anything.
# The three codes are redlock's own; a job that uses one of them for itself can be told apart by
# `redlock run -E CODE`, which replaces 75.
case $code in
75)
	# Another machine has it. This is how it should be on all machines but one.
	exit 0
	;;
69)
	# Not one machine could get the lock: nobody has run the job, and somebody should know.
	echo "$name: not run on $(uname -n): too few lock nodes can be reached" >&2
	exit 69
	;;
79)
	# The job was under way and has been stopped, since the lock could not be kept. Whatever it
	# does must stand being cut off and started again. Here is the place to clean up after it,
	# but nothing that needs the lock: another machine may have it by now.
	echo "$name: stopped half way on $(uname -n): the lock was lost" >&2
	exit 79
	;;
*)
	# 0, or the job's own failure (128 + signal if one ended it).
	exit "$code"
	;;
esac
