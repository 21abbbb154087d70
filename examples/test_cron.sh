#!/bin/sh
# test_cron.sh BUILD_ROOT FIRST_PORT - cron.sh in all its endings, on a local cluster.
. "$(dirname "$0")/test_lib.sh"

REDLOCK=$redlock
LOCK_WAIT=1s
LOCK_MIN_HOLD=0
export REDLOCK LOCK_WAIT LOCK_MIN_HOLD
here=$(dirname "$0")
cron=$here/cron.sh

# Wait for a file to have a line; a minute is plenty.
await()
{
	tries=600
	until [ -s "$1" ] || [ $tries -eq 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
}

start_cluster 3

out=$("$cron" job sh -c 'echo ran; exit 0' 2>&1)
claim "the job runs" "$? $out" = "0 ran"
"$cron" job sh -c 'exit 7'
claim "its failure is passed on" $? -eq 7
"$cron" job /nowhere/to/be/found 2>/dev/null
claim "a job that is not there: 127" $? -eq 127
"$cron" job 2>/dev/null
claim "no command: 64" $? -eq 64

# Another machine has the job.
"$cron" job sh -c "echo \$\$ >'$dir/first'; sleep 30" &
first=$!
await "$dir/first"
out=$("$cron" job echo "must not run" 2>&1)
claim "held by another machine: silent, and 0" "$?$out" = "0"
kill "$(cat "$dir/first")"
wait "$first"
claim "the other machine's job was ended by SIGTERM" $? -eq 143

# Kept after the job, so that a machine that is late does not run it again.
LOCK_MIN_HOLD=6s "$cron" kept true &
first=$!
until "$redlock" status --json kept | grep -q '"held": *true'; do
	sleep 0.2
done
out=$("$cron" kept echo "must not run" 2>&1)
claim "a machine that is late does not run it again" "$?$out" = "0"
wait "$first"
claim "the first one ends well" $? -eq 0

# The lock is lost on the way: all nodes go away while the job runs.
LOCK_TTL=2s LOCK_KILL_AFTER=500ms "$cron" job sh -c "echo \$\$ >'$dir/second'; sleep 60" \
	2>"$dir/error" &
second=$!
await "$dir/second"
"$redlock" cluster stop --dir "$dir/nodes"
wait "$second"
claim "lock lost: 79" $? -eq 79
claim "and it says so" "$(grep -c 'job: stopped half way' "$dir/error")" -eq 1
kill -0 "$(cat "$dir/second")" 2>/dev/null
claim "and the job is gone" $? -ne 0

# Nothing is left to ask.
"$cron" job echo "must not run" >"$dir/out" 2>"$dir/error"
claim "no quorum: 69" $? -eq 69
claim "and it says so" "$(grep -c 'job: not run' "$dir/error")" -eq 1
claim "and the job has not run" ! -s "$dir/out"
finish
