#!/bin/sh
# test_nightly.sh BUILD_ROOT FIRST_PORT - nightly.cpp in all its endings, with one node and with five.
. "$(dirname "$0")/test_lib.sh"

nightly=$examples/nightly
steps="step 1 step 2 step 3"

start_cluster 5
five=$REDLOCK_NODES
# shellcheck disable=SC2046
claim "it does its job" "$(echo $("$nightly" 3)) $?" = "$steps 0"
REDLOCK_NODES=${five%%,*}
# shellcheck disable=SC2046
claim "and with one node, too" "$(echo $("$nightly" 3)) $?" = "$steps 0"
REDLOCK_NODES=$five

"$redlock" run -w 5s nightly-report -- sleep 60 &
holder=$!
children=$holder
until "$redlock" status --json nightly-report | grep -q '"held": *true'; do
	sleep 0.2
done
"$nightly" 2>"$dir/error"
claim "another machine has it: 75, in the end" "$? $(grep -c 'another machine' "$dir/error")" = "75 1"
kill "$holder"
wait "$holder"
children=

"$nightly" 1000000 >"$dir/out" 2>"$dir/error" &
child=$!
children=$child
until grep -q 'step 1' "$dir/out"; do
	sleep 0.1
done
"$redlock" cluster stop --dir "$dir/nodes" >/dev/null
wait "$child"
code=$?
children=
claim "the lock is lost on the way: 79" "$code $(grep -c 'was lost' "$dir/error")" = "79 1"
"$nightly" 2>"$dir/error"
claim "no nodes: 69" $? -eq 69
claim "each of them is named" "$(grep -o ': unreachable' "$dir/error" | wc -l)" -eq 5
REDLOCK_NODES='' "$nightly" 2>/dev/null
claim "no list: 64" $? -eq 64
finish
