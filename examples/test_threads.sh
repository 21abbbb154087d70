#!/bin/sh
# test_threads.sh BUILD_ROOT FIRST_PORT - threads take turns at a job, and stop when the lock is lost.
. "$(dirname "$0")/test_lib.sh"

start_cluster 3
# One argument for each node.
urls=$(echo "$REDLOCK_NODES" | tr ',' ' ')

# shellcheck disable=SC2086
"$examples/threads" $urls >"$dir/one" &
first=$!
# shellcheck disable=SC2086
"$examples/threads" $urls >"$dir/two" &
second=$!
children="$first $second"
wait "$first"
claim "all threads of one process do their jobs" "$? $(grep -c ': done' "$dir/one")" = "0 4"
wait "$second"
claim "and all of another one that wants the same" "$? $(grep -c ': done' "$dir/two")" = "0 4"
children=

# shellcheck disable=SC2086
STEPS=1000000 "$examples/threads" $urls >"$dir/out" 2>"$dir/error" &
child=$!
children=$child
until "$redlock" status --json reports | grep -q '"held": *true'; do
	sleep 0.1
done
"$redlock" cluster stop --dir "$dir/nodes" >/dev/null
wait "$child"
claim "all nodes go away: it fails" $? -eq 1
claim "who held the lock was stopped" "$(grep -c 'stopped, the lock is lost' "$dir/error")" -eq 1
claim "nobody did the job" ! -s "$dir/out"
claim "who waited is told why" "$(grep -c 'too few nodes can vote; .*unreachable' "$dir/error")" -ge 1
children=
"$examples/threads" 2>/dev/null
claim "no nodes: 64" $? -eq 64
finish
